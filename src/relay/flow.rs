//! One direction of a call's bytes, at either end: credit, so that a slow reader holds the writer back and neither keeps more
//! than a window, and acknowledgement, so that what was under way when a link broke is sent again.
//!
//! Credit is absolute ("up to byte n"), so a grant that comes twice or late does no harm. Not here: frames and sockets.

use std::collections::VecDeque;

use super::WINDOW;

/// The other end broke the rules of a direction. The call ends with [`FailCode::Protocol`](super::FailCode::Protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("bytes from {offset} came where {expected} was next")]
    OutOfOrder { offset: u64, expected: u64 },
    #[error("bytes up to {end} came where {limit} was the limit")]
    OverCredit { end: u64, limit: u64 },
    #[error("{received} bytes were acknowledged of {sent} sent")]
    Unsent { received: u64, sent: u64 },
    #[error("it should have ended after {expected} bytes, not after {length}")]
    Length { length: u64, expected: u64 },
}

/// The sending end. Holds what is not acknowledged, at most [`WINDOW`] bytes.
#[derive(Debug)]
pub struct Outflow {
    /// Everything before is acknowledged, and gone.
    acknowledged: u64,
    /// Everything before was sent on the present link.
    sent: u64,
    /// Everything before was sent on this link or one before it.
    furthest: u64,
    /// Everything before may be sent.
    limit: u64,
    held: VecDeque<u8>,
}

impl Default for Outflow {
    fn default() -> Self {
        Outflow { acknowledged: 0, sent: 0, furthest: 0, limit: WINDOW, held: VecDeque::new() }
    }
}

impl Outflow {
    /// How many more bytes it takes.
    pub fn room(&self) -> usize {
        usize::try_from(WINDOW).unwrap_or(usize::MAX).saturating_sub(self.held.len())
    }

    /// Takes the next bytes to send; at most [`Outflow::room`] of them, the rest is left out. Returns how many.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.get(..self.room().min(bytes.len())).unwrap_or_default();
        // Left to itself it would grow to twice the window.
        let wanted = self.held.len() + taken.len();
        if wanted > self.held.capacity() {
            let window = usize::try_from(WINDOW).unwrap_or(usize::MAX);
            self.held.reserve_exact(wanted.next_power_of_two().min(window) - self.held.len());
        }
        self.held.extend(taken);
        taken.len()
    }

    /// Total length of what it was given so far.
    pub fn length(&self) -> u64 {
        self.acknowledged + self.held.len() as u64
    }

    /// Whether everything it was given was sent.
    pub fn is_sent(&self) -> bool {
        self.sent == self.length()
    }

    /// The next bytes that may go, at most `most`, with their offset; they count as sent. `None`: nothing there, or no
    /// credit.
    pub fn next(&mut self, most: usize) -> Option<(u64, Vec<u8>)> {
        let offset = self.sent;
        let end = self.length().min(self.limit).min(offset + most as u64);
        let from = usize::try_from(offset - self.acknowledged).ok()?;
        let count = usize::try_from(end.checked_sub(offset)?).ok().filter(|&count| count > 0)?;
        self.sent = end;
        self.furthest = self.furthest.max(end);
        Some((offset, self.held.range(from..from + count).copied().collect()))
    }

    /// The reader has everything before `received`, and gives leave up to `limit`.
    pub fn credit(&mut self, received: u64, limit: u64) -> Result<(), Broken> {
        if received > self.furthest {
            return Err(Broken::Unsent { received, sent: self.furthest });
        }
        let gone = received.saturating_sub(self.acknowledged);
        self.held.drain(..usize::try_from(gone).unwrap_or(usize::MAX).min(self.held.len()));
        self.acknowledged += gone;
        // The link before delivered more than was known when the rest was begun again.
        self.sent = self.sent.max(self.acknowledged);
        self.limit = self.limit.max(limit);
        Ok(())
    }

    /// A new link: the reader has everything before `received`; the rest goes again.
    pub fn resume(&mut self, received: u64, limit: u64) -> Result<(), Broken> {
        if received < self.acknowledged {
            return Err(Broken::Unsent { received, sent: self.furthest });
        }
        self.credit(received, limit)?;
        self.sent = self.acknowledged;
        Ok(())
    }
}

/// The receiving end: checks what comes and decides when to give more credit. Holds no bytes itself.
#[derive(Debug)]
pub struct Inflow {
    received: u64,
    /// Everything before was taken by whoever reads.
    consumed: u64,
    limit: u64,
}

impl Default for Inflow {
    fn default() -> Self {
        Inflow { received: 0, consumed: 0, limit: WINDOW }
    }
}

impl Inflow {
    /// Bytes came. They are to be kept until [`Inflow::consume`], at most a window of them.
    pub fn take(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Broken> {
        if offset != self.received {
            return Err(Broken::OutOfOrder { offset, expected: self.received });
        }
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.limit {
            return Err(Broken::OverCredit { end, limit: self.limit });
        }
        self.received = end;
        Ok(())
    }

    /// The other end says that it sent `length` bytes, and no more come.
    pub fn end(&self, length: u64) -> Result<(), Broken> {
        if length == self.received { Ok(()) } else { Err(Broken::Length { length, expected: self.received }) }
    }

    /// The reader took so many bytes. Returns the credit to send, `(received, limit)`, once a quarter of the window is free.
    pub fn consume(&mut self, bytes: usize) -> Option<(u64, u64)> {
        self.consumed = self.consumed.saturating_add(bytes as u64).min(self.received);
        let limit = self.consumed + WINDOW;
        if limit - self.limit < WINDOW / 4 {
            return None;
        }
        self.limit = limit;
        Some((self.received, limit))
    }

    /// What to resume with: `(received, limit)`.
    pub fn mark(&self) -> (u64, u64) {
        (self.received, self.limit)
    }

    /// Bytes that came so far.
    pub fn received(&self) -> u64 {
        self.received
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reader_that_stands_still_stops_the_writer() {
        let mut out = Outflow::default();
        let window = usize::try_from(WINDOW).unwrap();
        assert_eq!(out.push(&vec![7; window + 1]), window);
        assert_eq!((out.push(b"x"), out.room()), (0, 0));
        let mut sent = 0;
        while let Some((_, bytes)) = out.next(1_000) {
            sent += bytes.len();
        }
        assert_eq!(sent, window);
        assert!(out.is_sent());
        out.credit(WINDOW / 2, WINDOW).unwrap();
        assert_eq!(out.push(b"more"), 4);
        assert_eq!(out.next(10), None, "no credit beyond the window");
        out.credit(WINDOW, WINDOW + 2).unwrap();
        assert_eq!(out.next(10), Some((WINDOW, b"mo".to_vec())));
    }

    #[test]
    fn what_breaks_the_rules_is_told() {
        let mut inflow = Inflow::default();
        inflow.take(0, b"abc").unwrap();
        assert_eq!(inflow.take(2, b"c"), Err(Broken::OutOfOrder { offset: 2, expected: 3 }));
        assert_eq!(inflow.take(4, b"e"), Err(Broken::OutOfOrder { offset: 4, expected: 3 }));
        assert_eq!(inflow.end(4), Err(Broken::Length { length: 4, expected: 3 }));
        let over = vec![0; usize::try_from(WINDOW).unwrap()];
        assert_eq!(inflow.take(3, &over), Err(Broken::OverCredit { end: WINDOW + 3, limit: WINDOW }));
        let mut out = Outflow::default();
        out.push(b"abc");
        assert_eq!(out.credit(1, WINDOW), Err(Broken::Unsent { received: 1, sent: 0 }));
        out.next(3).unwrap();
        out.credit(2, WINDOW).unwrap();
        assert_eq!(out.resume(1, WINDOW), Err(Broken::Unsent { received: 1, sent: 3 }));
        out.resume(2, WINDOW).unwrap();
        out.credit(3, WINDOW).unwrap();
        assert_eq!(out.next(9), None, "what the link before delivered does not go again");
        assert_eq!(inflow.take(u64::MAX, b"x"), Err(Broken::OutOfOrder { offset: u64::MAX, expected: 3 }));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        Send(usize),
        Deliver,
        Read(usize),
        /// The link breaks: what is under way is lost.
        Break,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (1usize..90_000).prop_map(Step::Push),
            3 => (1usize..70_000).prop_map(Step::Send),
            3 => Just(Step::Deliver),
            3 => (1usize..90_000).prop_map(Step::Read),
            1 => Just(Step::Break),
        ];
        prop::collection::vec(step, 1..120)
    }

    proptest! {
        #[test]
        fn every_byte_arrives_once_and_in_order_whatever_breaks(steps in steps()) {
            let (mut out, mut inflow) = (Outflow::default(), Inflow::default());
            let (mut wire, mut credits) = (VecDeque::new(), VecDeque::new());
            let (mut kept, mut read) = (VecDeque::new(), 0u64);
            let byte = |at: u64| (at % 251) as u8;
            for step in steps {
                match step {
                    Step::Push(count) => {
                        let from = out.length();
                        let bytes: Vec<u8> = (from..from + count as u64).map(byte).collect();
                        out.push(&bytes);
                    }
                    Step::Send(most) => wire.extend(out.next(most)),
                    Step::Deliver => {
                        if let Some((offset, bytes)) = wire.pop_front() {
                            let bytes: Vec<u8> = bytes;
                            prop_assert_eq!(inflow.take(offset, &bytes), Ok(()));
                            kept.extend(bytes);
                        }
                        if let Some((received, limit)) = credits.pop_front() {
                            prop_assert_eq!(out.credit(received, limit), Ok(()));
                        }
                    }
                    Step::Read(most) => {
                        let count = most.min(kept.len());
                        for taken in kept.drain(..count) {
                            prop_assert_eq!(taken, byte(read));
                            read += 1;
                        }
                        credits.extend(inflow.consume(count));
                    }
                    Step::Break => {
                        wire.clear();
                        credits.clear();
                        let (received, limit) = inflow.mark();
                        prop_assert_eq!(out.resume(received, limit), Ok(()));
                    }
                }
                prop_assert!(kept.len() as u64 <= WINDOW && out.held.len() as u64 <= WINDOW);
            }
        }
    }
}
