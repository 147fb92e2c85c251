//! The relay's end against frames made by hand, and against frames that make no sense.
