//! Frames: one WebSocket binary message each. Kind (1 byte), call (8 bytes, big endian, 0 for the link itself), payload.
//!
//! Payloads are JSON of [`message`](super::message), but for data and credit, which are numbers (8 bytes, big endian) and
//! bytes. Kinds from 0x80 may be ignored by who does not know them; an unknown kind below is a mistake. Not here: what
//! may follow what (the three ends).

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::MAX_FRAME;
use super::message::{Cancel, Fail, Head, Hello, Open, Placed, Resume, Resumed, State, Wait, Welcome};

/// A call's name: random, never 0, chosen by the caller. Written in hex where it is text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// From random bytes; `None` for 0, which stands for the link.
    pub fn new(random: u64) -> Option<CallId> {
        (random != 0).then_some(CallId(random))
    }

    /// From the text of [`fmt::Display`].
    pub fn parse(text: &str) -> Option<CallId> {
        let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        plain.then(|| u64::from_str_radix(text, 16).ok()).flatten().and_then(CallId::new)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// First byte of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Hello = 0x01,
    Welcome = 0x02,
    State = 0x03,
    Open = 0x10,
    Head = 0x11,
    Data = 0x12,
    Credit = 0x13,
    End = 0x14,
    Fail = 0x15,
    Cancel = 0x16,
    Resume = 0x17,
    Resumed = 0x18,
    Wait = 0x19,
    Away = 0x1a,
    Back = 0x1b,
    Placed = 0x1c,
}

impl Kind {
    const ALL: [Kind; 16] = [
        Kind::Hello,
        Kind::Welcome,
        Kind::State,
        Kind::Open,
        Kind::Head,
        Kind::Data,
        Kind::Credit,
        Kind::End,
        Kind::Fail,
        Kind::Cancel,
        Kind::Resume,
        Kind::Resumed,
        Kind::Wait,
        Kind::Away,
        Kind::Back,
        Kind::Placed,
    ];

    fn of(byte: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Whether frames of this kind belong to the link and not to a call.
    pub const fn is_of_link(self) -> bool {
        matches!(self, Kind::Hello | Kind::Welcome | Kind::State)
    }
}

/// A frame, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<'a> {
    /// Relay → hub, first on every link.
    Hello(Hello),
    /// Hub → relay, the answer.
    Welcome(Welcome),
    /// Relay → hub, when something of it changed.
    State(State),
    /// Caller → hub → relay: a request. Its body follows in [`Frame::Data`] once the caller knows that it is placed.
    Open(CallId, Open),
    /// Hub → caller: a relay has it now; the body may come.
    Placed(CallId, Placed),
    /// Relay → caller: Ollama answered.
    Head(CallId, Head),
    /// Either way: bytes of the body, from `offset` on.
    Data { call: CallId, offset: u64, bytes: &'a [u8] },
    /// Against the way of the data: all before `received` arrived, and all before `limit` may be sent.
    Credit { call: CallId, received: u64, limit: u64 },
    /// Relay → caller: the answer is complete with so many bytes.
    End { call: CallId, length: u64 },
    /// Relay or hub → caller: there is no answer, or no more of it.
    Fail(CallId, Fail),
    /// Caller or hub → relay: nobody wants it any more.
    Cancel(CallId, Cancel),
    /// Caller → hub → relay, after a link broke: go on from here.
    Resume(CallId, Resume),
    /// Relay → caller: it goes on. Data that came before this are of the old link and do not count.
    Resumed(CallId, Resumed),
    /// Relay or hub → caller: it lives, and what it waits for.
    Wait(CallId, Wait),
    /// Hub → caller: the relay is gone for now.
    Away(CallId),
    /// Hub → caller: it is back and still has the call; resume.
    Back(CallId),
    /// A kind of a newer version that may be ignored.
    Unknown,
}

/// Why bytes are no frame. The link they came on is closed with [`close::PROTOCOL`](super::close::PROTOCOL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a frame of {0} bytes; at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    #[error("a frame that ends in its header")]
    Short,
    #[error("a frame of the unknown kind {0:#04x}")]
    Kind(u8),
    #[error("a frame of kind {0:?} with a call where none belongs, or without one")]
    Call(Kind),
    #[error("a frame of kind {0:?} whose content cannot be read")]
    Content(Kind),
}

/// Kind and call of a frame, without its content: all a switch needs. `None`: a kind that may be ignored.
pub fn peek(bytes: &[u8]) -> Result<Option<(Kind, Option<CallId>)>, Malformed> {
    if bytes.len() > MAX_FRAME {
        return Err(Malformed::TooLong(bytes.len()));
    }
    let (&first, rest) = bytes.split_first().ok_or(Malformed::Short)?;
    let (call, _) = rest.split_first_chunk::<8>().ok_or(Malformed::Short)?;
    let Some(kind) = Kind::of(first) else {
        return if first >= 0x80 { Ok(None) } else { Err(Malformed::Kind(first)) };
    };
    let call = CallId::new(u64::from_be_bytes(*call));
    if kind.is_of_link() != call.is_none() {
        return Err(Malformed::Call(kind));
    }
    Ok(Some((kind, call)))
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    pub fn read(bytes: &'a [u8]) -> Result<Frame<'a>, Malformed> {
        let Some((kind, call)) = peek(bytes)? else { return Ok(Frame::Unknown) };
        let content = bytes.get(9..).unwrap_or_default();
        let Some(call) = call else {
            return Ok(match kind {
                Kind::Hello => Frame::Hello(json(kind, content)?),
                Kind::Welcome => Frame::Welcome(json(kind, content)?),
                _ => Frame::State(json(kind, content)?),
            });
        };
        Ok(match kind {
            Kind::Hello | Kind::Welcome | Kind::State => return Err(Malformed::Call(kind)),
            Kind::Open => Frame::Open(call, json(kind, content)?),
            Kind::Placed => Frame::Placed(call, json(kind, content)?),
            Kind::Head => Frame::Head(call, json(kind, content)?),
            Kind::Fail => Frame::Fail(call, json(kind, content)?),
            Kind::Cancel => Frame::Cancel(call, json(kind, content)?),
            Kind::Resume => Frame::Resume(call, json(kind, content)?),
            Kind::Resumed => Frame::Resumed(call, json(kind, content)?),
            Kind::Wait => Frame::Wait(call, json(kind, content)?),
            Kind::Data => {
                let (offset, bytes) = number(kind, content)?;
                Frame::Data { call, offset, bytes }
            }
            Kind::Credit => {
                let (received, rest) = number(kind, content)?;
                let (limit, rest) = number(kind, rest)?;
                empty(kind, rest)?;
                Frame::Credit { call, received, limit }
            }
            Kind::End => {
                let (length, rest) = number(kind, content)?;
                empty(kind, rest)?;
                Frame::End { call, length }
            }
            Kind::Away => empty(kind, content).map(|()| Frame::Away(call))?,
            Kind::Back => empty(kind, content).map(|()| Frame::Back(call))?,
        })
    }

    /// The frame as bytes. [`Frame::Unknown`] is empty: nobody sends one.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Frame::Hello(message) => with_json(Kind::Hello, None, message),
            Frame::Welcome(message) => with_json(Kind::Welcome, None, message),
            Frame::State(message) => with_json(Kind::State, None, message),
            Frame::Open(call, message) => with_json(Kind::Open, Some(*call), message),
            Frame::Placed(call, message) => with_json(Kind::Placed, Some(*call), message),
            Frame::Head(call, message) => with_json(Kind::Head, Some(*call), message),
            Frame::Fail(call, message) => with_json(Kind::Fail, Some(*call), message),
            Frame::Cancel(call, message) => with_json(Kind::Cancel, Some(*call), message),
            Frame::Resume(call, message) => with_json(Kind::Resume, Some(*call), message),
            Frame::Resumed(call, message) => with_json(Kind::Resumed, Some(*call), message),
            Frame::Wait(call, message) => with_json(Kind::Wait, Some(*call), message),
            Frame::Data { call, offset, bytes } => {
                let mut frame = header(Kind::Data, Some(*call), 8 + bytes.len());
                frame.extend(offset.to_be_bytes());
                frame.extend_from_slice(bytes);
                frame
            }
            Frame::Credit { call, received, limit } => {
                let mut frame = header(Kind::Credit, Some(*call), 16);
                frame.extend(received.to_be_bytes());
                frame.extend(limit.to_be_bytes());
                frame
            }
            Frame::End { call, length } => {
                let mut frame = header(Kind::End, Some(*call), 8);
                frame.extend(length.to_be_bytes());
                frame
            }
            Frame::Away(call) => header(Kind::Away, Some(*call), 0),
            Frame::Back(call) => header(Kind::Back, Some(*call), 0),
            Frame::Unknown => Vec::new(),
        }
    }
}

fn header(kind: Kind, call: Option<CallId>, content: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(9 + content);
    frame.push(kind as u8);
    frame.extend(call.map_or(0, |call| call.0).to_be_bytes());
    frame
}

fn with_json(kind: Kind, call: Option<CallId>, message: &impl Serialize) -> Vec<u8> {
    let mut frame = header(kind, call, 128);
    // Strings, numbers and lists have no way to fail, nor has writing into memory.
    let _ = serde_json::to_writer(&mut frame, message);
    frame
}

fn json<T: DeserializeOwned>(kind: Kind, content: &[u8]) -> Result<T, Malformed> {
    // As a text, like everything else that is read here: each kind of reader is code of its own in the Wasm.
    let text = std::str::from_utf8(content).map_err(|_| Malformed::Content(kind))?;
    serde_json::from_str(text).map_err(|_| Malformed::Content(kind))
}

fn number(kind: Kind, content: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let (number, rest) = content.split_first_chunk::<8>().ok_or(Malformed::Content(kind))?;
    Ok((u64::from_be_bytes(*number), rest))
}

fn empty(kind: Kind, content: &[u8]) -> Result<(), Malformed> {
    if content.is_empty() { Ok(()) } else { Err(Malformed::Content(kind)) }
}

#[cfg(test)]
mod tests;
