//! Macros for text to the user.

/// Says a line to the user, with `format!`'s arguments.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { $crate::ui::say(&::std::format!($($argument)*)) };
}

/// Writes a line to the log that only PACKER_LOG shows, with `format!`'s arguments.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => { $crate::ui::log($crate::ui::Level::Info, &::std::format!($($argument)*)) };
}
