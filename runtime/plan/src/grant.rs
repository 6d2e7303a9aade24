//! Permissions beyond designation.
