//! What shows while the answer is being written.
