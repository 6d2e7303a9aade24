//! the words and rules that every part of kiln shares: pure data, no I/O.
