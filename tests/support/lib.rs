//! Support shared by the tests of the built kiln.
