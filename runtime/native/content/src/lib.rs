//! bulk data: hashes, compression, archives, downloads, filtered HTTP.
