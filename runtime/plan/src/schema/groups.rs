//! The host's option groups: options that mean the same in every component and are interpreted by
//! the host itself. Each is a schema of its own, beside this file.

/// Name and schema of each group.
pub(super) const ALL: &[(&str, &str)] = &[
    ("communicator@1", include_str!("communicator-1.json")),
    ("boot-command@1", include_str!("boot-command-1.json")),
    ("media@1", include_str!("media-1.json")),
    ("iso@1", include_str!("iso-1.json")),
    ("http@1", include_str!("http-1.json")),
    ("shutdown@1", include_str!("shutdown-1.json")),
    ("machine@1", include_str!("machine-1.json")),
];

/// The schema of a group.
pub(super) fn text(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
