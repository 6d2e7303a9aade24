//! What uploaded files are called: unique to the run and the build, because builds may share a
//! machine, and not to be guessed before the run, because `/tmp` is everybody's.

use crate::options::Options;

/// Makes the names of one step.
pub(crate) struct Names {
    folder: String,
    script: Option<String>,
    unique: String,
}

impl Names {
    /// `run` is the run's UUID, which is random; `build` the build's name.
    pub(crate) fn new(options: &Options, run: &str, build: &str) -> Self {
        let folder = options.remote_folder.trim_end_matches('/').to_owned();
        let file = options.remote_file.as_ref().filter(|file| !file.is_empty());
        let path = options.remote_path.as_ref().filter(|path| !path.is_empty());
        let script = path.cloned().or_else(|| file.map(|file| format!("{folder}/{file}")));
        Self { folder, script, unique: format!("{:016x}", fnv(&[run, build])) }
    }

    /// Path of a script.
    pub(crate) fn script(&self, index: usize) -> String {
        self.script.clone().unwrap_or_else(|| format!("{}/script_{}_{index}.sh", self.folder, self.unique))
    }

    /// Path of the file with the variables for it.
    pub(crate) fn variables(&self, index: usize) -> String {
        format!("{}/varfile_{}_{index}.sh", self.folder, self.unique)
    }
}

/// FNV-1a, 64 bits (RFC 9923): short and stable, nothing rests on its strength.
fn fnv(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(written: &str) -> Options {
        kiln_sdk::testing::options(include_str!("../schema.json"), written).unwrap()
    }

    #[test]
    fn names_differ_by_run_build_and_script() {
        let plain = options("{}");
        let name = |run, build, index| Names::new(&plain, run, build).script(index);
        let one = name("1", "null.a", 0);
        assert!(one.starts_with("/tmp/script_") && one.ends_with("_0.sh"), "{one}");
        assert!(
            one != name("2", "null.a", 0) && one != name("1", "null.b", 0) && one != name("1", "null.a", 1)
        );
        assert_eq!(one, name("1", "null.a", 0));
    }

    #[test]
    fn the_user_may_choose() {
        let name = |json| Names::new(&options(json), "1", "b").script(1);
        assert_eq!(name(r#"{"remote_file":"x.sh"}"#), "/tmp/x.sh");
        assert_eq!(name(r#"{"remote_file":"x.sh","remote_path":"/opt/y.sh"}"#), "/opt/y.sh");
        assert!(name(r#"{"remote_folder":"/home/u"}"#).starts_with("/home/u/script_"));
    }
}
