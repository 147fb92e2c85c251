//! From pieces of bytes to server-sent events, as the WHATWG rules read them, for every provider that streams so
//! (providers.md §2.4, §3.1, §5.1).
//!
//! Two things differ from a browser, both on purpose: an event the body ends in is handed out (some servers leave out
//! the last blank line; whether it is whole shows in its JSON), and lines that are no field are kept, because an error
//! page or a plain JSON error under status 200 consists of nothing else. Not here: `id` and `retry` (a model call is
//! never resumed), nor what an event means.

use std::borrow::Cow;

use super::stream::{LineBuffer, MAX_LINE};

/// Longest event accepted, bytes of its data.
pub const MAX_EVENT: usize = MAX_LINE;

/// Most kept of the lines that are no field, bytes.
pub const MAX_STRAY: usize = 1024 * 1024;

/// An event, or a line, grew over [`MAX_EVENT`]. The stream cannot be trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the answer is longer than {MAX_EVENT} bytes")]
pub struct EventTooLong;

/// Decodes server-sent events. The result does not depend on how the bytes are cut into chunks.
#[derive(Debug, Default)]
pub struct SseDecoder {
    lines: LineBuffer,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    name: String,
    /// The data lines of the event begun, each followed by a line feed.
    data: Vec<u8>,
    stray: Vec<u8>,
    /// A line has come, so a byte order mark is no longer expected.
    begun: bool,
    too_long: bool,
}

impl SseDecoder {
    /// A decoder at the start of a body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes` and calls `event(name, data)` for every event they complete. The name is empty if the event has
    /// none; the data are never empty. Bytes that are not UTF-8 become U+FFFD. After an error every call fails.
    pub fn push(&mut self, bytes: &[u8], mut event: impl FnMut(&str, &str)) -> Result<(), EventTooLong> {
        let state = &mut self.state;
        if state.too_long {
            return Err(EventTooLong);
        }
        let pushed = self.lines.push(bytes, |line| state.line(line, &mut event));
        state.too_long |= pushed.is_err();
        if state.too_long { Err(EventTooLong) } else { Ok(()) }
    }

    /// The body has ended: calls `event` for the event it ended in, if there is one.
    pub fn end(&mut self, mut event: impl FnMut(&str, &str)) -> Result<(), EventTooLong> {
        if let Some(rest) = self.lines.take_rest() {
            self.state.line(&rest, &mut event);
        }
        self.state.dispatch(&mut event);
        if self.state.too_long { Err(EventTooLong) } else { Ok(()) }
    }

    /// The lines so far that are no field of the protocol, with a line feed after each; at most [`MAX_STRAY`] bytes.
    pub fn stray(&self) -> &[u8] {
        &self.state.stray
    }
}

impl State {
    fn line(&mut self, line: &[u8], event: &mut impl FnMut(&str, &str)) {
        let line = match line.strip_prefix(b"\xEF\xBB\xBF") {
            Some(after) if !self.begun => after,
            _ => line,
        };
        self.begun = true;
        if self.too_long {
            return;
        }
        if line.is_empty() {
            return self.dispatch(event);
        }
        let mut halves = line.splitn(2, |&byte| byte == b':');
        let field = halves.next().unwrap_or_default();
        let value = halves.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" if self.data.len() + value.len() > MAX_EVENT => {
                self.too_long = true;
                self.data = Vec::new();
            }
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => self.name = text(value).into_owned(),
            // An empty field is a comment: servers send them to keep the connection.
            b"" | b"id" | b"retry" => {}
            _ if self.stray.len() + line.len() < MAX_STRAY => {
                self.stray.extend_from_slice(line);
                self.stray.push(b'\n');
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, event: &mut impl FnMut(&str, &str)) {
        if let Some(data) = self.data.strip_suffix(b"\n").filter(|data| !data.is_empty()) {
            event(&self.name, &text(data));
        }
        self.name.clear();
        self.data.clear();
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = Vec<(String, String)>;

    fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Pairs, String) {
        let mut decoder = SseDecoder::new();
        let mut out = Vec::new();
        let mut take = |name: &str, data: &str| out.push((name.to_owned(), data.to_owned()));
        for chunk in chunks {
            decoder.push(chunk, &mut take).unwrap();
        }
        decoder.end(&mut take).unwrap();
        (out, String::from_utf8(decoder.stray().to_vec()).unwrap())
    }

    fn events(body: &str) -> Vec<(String, String)> {
        run([body.as_bytes()]).0
    }

    fn pairs(expected: &[(&str, &str)]) -> Pairs {
        expected.iter().map(|&(name, data)| (name.to_owned(), data.to_owned())).collect()
    }

    #[test]
    fn table() {
        let none: &[(&str, &str)] = &[];
        for (body, expected) in [
            ("data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")][..]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]),
            ("data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
            // Some servers put no space after the colon; only one is taken off.
            ("data:a\n\ndata:  b\n\n", &[("", "a"), ("", " b")]),
            ("data: {\ndata:  \"k\":1\ndata\ndata: }\n\n", &[("", "{\n \"k\":1\n\n}")]),
            // Keep-alive comments, also inside an event and without a blank line after them.
            (": OPENROUTER PROCESSING\n\ndata: a\n: ping\ndata: b\n\n:\n", &[("", "a\nb")]),
            ("event: error\ndata: e\n\ndata: next\n\n", &[("error", "e"), ("", "next")]),
            ("id: 1\nretry: 5\ndata: a\n\n", &[("", "a")]),
            ("event: lonely\n\ndata: a\n\n", &[("", "a")]),
            ("data:\n\ndata: \n\n", none),
            ("\u{FEFF}data: a\n\n", &[("", "a")]),
            // The body ends without the last blank line, or without the last line end.
            ("data: a\n\ndata: b\n", &[("", "a"), ("", "b")]),
            ("data: a\n\ndata: b", &[("", "a"), ("", "b")]),
            ("data: a\r", &[("", "a")]),
            ("", none),
        ] {
            assert_eq!(events(body), pairs(expected), "{body:?}");
        }
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let body = "\u{FEFF}: hi\r\nevent: x\r\ndata: привет 👋\r\n\r\ndata: b\r\rdata: c\ndata: d\n\nstray\r\ndata: e"
            .as_bytes();
        let whole = run([body]);
        assert_eq!(whole.0, pairs(&[("x", "привет 👋"), ("", "b"), ("", "c\nd"), ("", "e")]));
        assert_eq!(whole.1, "stray\n");
        for at in 0..=body.len() {
            assert_eq!(run([&body[..at], &body[at..]]), whole, "cut at {at}");
        }
        assert_eq!(run(body.chunks(1)), whole);
    }

    #[test]
    fn a_body_that_is_no_stream_is_kept() {
        let body = "[{\n  \"error\": {\"code\": 429}\n}]";
        assert_eq!(run([body.as_bytes()]), (Vec::new(), format!("{body}\n")));
        let mut decoder = SseDecoder::new();
        let long = [vec![b'x'; MAX_STRAY / 2], vec![b'\n']].concat();
        for _ in 0..5 {
            decoder.push(&long, |_, _| panic!("no event")).unwrap();
        }
        assert!(decoder.stray().len() <= MAX_STRAY && decoder.stray().len() >= MAX_STRAY / 2);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(run([&b"data: a\xFFb\n\n"[..]]).0, pairs(&[("", "a\u{FFFD}b")]));
    }

    #[test]
    fn an_event_has_a_cap() {
        let line = [b"data:".as_slice(), &vec![b'x'; MAX_EVENT / 4], b"\n"].concat();
        let mut decoder = SseDecoder::new();
        let mut lengths = Vec::new();
        for _ in 0..3 {
            decoder.push(&line, |_, _| panic!("not yet")).unwrap();
        }
        decoder.push(b"\n", |_, data| lengths.push(data.len())).unwrap();
        assert_eq!(lengths, [3 * (MAX_EVENT / 4) + 2]);

        let results: Vec<_> = (0..5).map(|_| decoder.push(&line, |_, _| panic!("never"))).collect();
        assert_eq!(results.last(), Some(&Err(EventTooLong)));
        assert_eq!(decoder.push(b"\ndata: late\n\n", |_, _| panic!("never")), Err(EventTooLong));
        assert_eq!(decoder.end(|_, _| panic!("never")), Err(EventTooLong));

        let mut endless = SseDecoder::new();
        let piece = vec![b'x'; MAX_EVENT];
        endless.push(&piece, |_, _| panic!("never")).unwrap();
        assert_eq!(endless.push(b"x", |_, _| panic!("never")), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn chunking_never_matters(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["\r", "\n", "data:", "data", ": ", "event", "a", "я", "\u{FEFF}"]), 0..40),
            size in 1usize..7,
        ) {
            let body = pieces.concat();
            prop_assert_eq!(run(body.as_bytes().chunks(size)), run([body.as_bytes()]));
        }
    }
}
