//! Exit codes: all that kiln ever ends with. They are Packer's, and scripts depend on them.

/// How kiln ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything was done.
    Success = 0,
    /// Something failed, or was cancelled, or the arguments were wrong.
    Failure = 1,
    /// `fmt -check` found a file to format.
    Unformatted = 3,
    /// No command, or none of this name.
    NoCommand = 127,
}

impl Exit {
    /// Every code with its meaning, for the reference.
    pub(crate) const ALL: [(Self, &'static str); 4] = [
        (Self::Success, "everything was done"),
        (Self::Failure, "something failed, was cancelled, or the arguments were wrong"),
        (Self::Unformatted, "`fmt -check` found a file to format"),
        (Self::NoCommand, "no command was given, or there is none of this name"),
    ];

    /// As a number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Success if `fine`.
    pub(crate) fn of(fine: bool) -> Self {
        if fine { Self::Success } else { Self::Failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_frozen() {
        assert_eq!(Exit::ALL.map(|(exit, _)| exit.code()), [0, 1, 3, 127]);
    }
}
