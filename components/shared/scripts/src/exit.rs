//! Which ends of a script are good.

use kiln_sdk::Error;

/// The exit code that stands for a lost connection in `valid_exit_codes`; Packer chose it.
const DISCONNECTED: i64 = 2_300_218;

/// How a script ended, seen through `valid_exit_codes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit status; none if the connection was lost or a signal ended it.
    pub status: Option<i32>,
    /// Whether the connection was lost.
    pub disconnected: bool,
}

impl Exit {
    /// Judges the end of a script.
    ///
    /// # Errors
    /// `failed` or `disconnected` with the codes that would have been good.
    pub fn judge(self, valid: &[i64], expect_disconnect: bool) -> Result<(), Error> {
        let code = match self.status {
            Some(status) => i64::from(status),
            None if self.disconnected => {
                if expect_disconnect || valid.contains(&DISCONNECTED) {
                    return Ok(());
                }
                let message = "the script lost its connection; if it restarts the machine, set \
                     `expect_disconnect = true` or allow the exit code 2300218 in `valid_exit_codes`";
                return Err(Error::new(kiln_sdk::ErrorCode::Disconnected, message));
            }
            None => return Err(Error::failed("script was ended by a signal, without an exit status")),
        };
        if valid.contains(&code) {
            return Ok(());
        }
        let allowed: Vec<_> = valid.iter().map(ToString::to_string).collect();
        Err(Error::failed(format!(
            "script exited with non-zero exit status: {code}. Allowed exit codes are: [{}]",
            allowed.join(" ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: Option<i32>, disconnected: bool, valid: &[i64], expect: bool) -> Result<(), String> {
        Exit { status, disconnected }.judge(valid, expect).map_err(|e| e.message)
    }

    #[test]
    fn only_listed_codes_are_good() {
        assert_eq!(judge(Some(0), false, &[0], false), Ok(()));
        assert_eq!(judge(Some(3), false, &[0, 3], false), Ok(()));
        assert_eq!(
            judge(Some(3), false, &[0, 1], false),
            Err("script exited with non-zero exit status: 3. Allowed exit codes are: [0 1]".to_owned())
        );
        assert!(judge(Some(0), false, &[1], false).is_err());
    }

    #[test]
    fn a_lost_connection_must_be_expected() {
        assert_eq!(judge(None, true, &[0], true), Ok(()));
        assert_eq!(judge(None, true, &[0, 2_300_218], false), Ok(()));
        assert!(judge(None, true, &[0], false).unwrap_err().contains("expect_disconnect"));
        assert!(judge(None, false, &[0], true).unwrap_err().contains("signal"));
    }
}
