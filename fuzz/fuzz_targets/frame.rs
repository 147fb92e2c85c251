//! Any bytes as a frame of the relay's protocol: reading them never panics, what is read stays the same when it is written
//! and read again, and `peek`, by which the hub passes frames on, says the same as `read`. How to run it: docs/contributing.md.
//!
//! Deliberately not here: what `npm test` checks with 1,000 cases (src/relay/frame/tests.rs), and what may follow what.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tideclaw::relay::MAX_FRAME;
use tideclaw::relay::frame::{Frame, peek};

fuzz_target!(|bytes: &[u8]| {
    let (peeked, read) = (peek(bytes), Frame::read(bytes));
    let Ok(frame) = read else { return };
    let known = peeked.expect("what can be read can be peeked at");
    if frame == Frame::Unknown {
        assert!(known.is_none());
        return;
    }
    // Fields that were left out are written, so it may be longer.
    let written = frame.bytes();
    if written.len() <= MAX_FRAME {
        assert_eq!(peek(&written), Ok(known));
        assert_eq!(Frame::read(&written), Ok(frame));
    }
});
