//! SSH sessions: connect, exec, transfer.
