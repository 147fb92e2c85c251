//! From pieces of bytes to whole lines, and the trait every provider's parser implements.
//!
//! Chunks end anywhere: inside a UTF-8 sign, between CR and LF (providers.md §5.1). So bytes are buffered and only whole
//! lines are decoded. Not here: deadlines and cancelling (the caller's), nor what a line means (each provider's).

use super::Event;

/// Longest line accepted, bytes. Lines of megabytes are legal (a long tool call, providers.md §1.3); a Worker has 128 MB
/// for everything.
pub const MAX_LINE: usize = 8 * 1024 * 1024;

/// Turns an answer's bytes into events. The result does not depend on how the bytes are cut into chunks.
pub trait StreamParser {
    /// Takes the next bytes; appends what they complete. After a `Finish` or `Failed` nothing more is appended.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>);

    /// The body has ended. Without the protocol's end mark that is a failure (`Transient`).
    fn end(&mut self, out: &mut Vec<Event>);
}

/// A line grew over [`MAX_LINE`]. The stream cannot be trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the answer is longer than {MAX_LINE} bytes")]
pub struct LineTooLong;

/// Splits bytes into lines at `\n`, `\r\n` or `\r`, whichever way they are chunked.
#[derive(Debug, Default)]
pub struct LineBuffer {
    /// The line begun but not ended.
    partial: Vec<u8>,
    /// The last byte was a CR that ended a line: an LF that follows belongs to it.
    after_cr: bool,
}

impl LineBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes` and calls `line` with every line they complete, without its end. Blank lines are passed on: in SSE
    /// they mean something.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8])) -> Result<(), LineTooLong> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let at = bytes.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(bytes.len());
            let (piece, rest) = bytes.split_at(at);
            if self.partial.len() + piece.len() > MAX_LINE {
                self.partial = Vec::new();
                return Err(LineTooLong);
            }
            let Some((&end, rest)) = rest.split_first() else {
                self.partial.extend_from_slice(piece);
                return Ok(());
            };
            if self.partial.is_empty() {
                line(piece);
            } else {
                self.partial.extend_from_slice(piece);
                line(&self.partial);
                self.partial.clear();
            }
            self.after_cr = end == b'\r';
            bytes = rest;
        }
        Ok(())
    }

    /// The last line, if the body ended without a line end after it.
    pub fn take_rest(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.partial)).filter(|rest| !rest.is_empty())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut buffer = LineBuffer::new();
        let mut out = Vec::new();
        for chunk in chunks {
            buffer.push(chunk, |line| out.push(line.to_vec())).unwrap();
        }
        out.extend(buffer.take_rest());
        out
    }

    #[test]
    fn every_cut_gives_the_same_lines() {
        let text = "a\n\nb\r\n\r\nc\rd\r\r\nпривет\r\nlast".as_bytes();
        let expected: Vec<Vec<u8>> =
            ["a", "", "b", "", "c", "d", "", "привет", "last"].iter().map(|l| l.as_bytes().to_vec()).collect();
        for cut in 0..=text.len() {
            assert_eq!(lines(&[&text[..cut], &text[cut..]]), expected, "cut at {cut}");
        }
        assert_eq!(lines(&text.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_line_has_a_cap() {
        let mut buffer = LineBuffer::new();
        let mut count = 0;
        let long = vec![b'x'; MAX_LINE];
        assert_eq!(buffer.push(&long, |_| count += 1), Ok(()));
        assert_eq!(buffer.push(b"\n", |_| count += 1), Ok(()));
        assert_eq!(count, 1);
        assert_eq!(buffer.push(&long, |_| ()), Ok(()));
        assert_eq!(buffer.push(b"x\n", |_| ()), Err(LineTooLong));
    }

    proptest! {
        #[test]
        fn chunking_never_matters(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a')], 0..40),
            size in 1usize..7,
        ) {
            prop_assert_eq!(lines(&bytes.chunks(size).collect::<Vec<_>>()), lines(&[&bytes]));
        }
    }
}
