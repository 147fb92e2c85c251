//! Codes people read to each other: 32 characters that cannot be mistaken for one another, so no `0 O 1 I`.
//!
//! Not here: where randomness comes from (callers pass bytes of a secure source).

/// 32 characters: five bits each.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Length of a pairing code: 40 bits, alive for one hour.
pub const PAIRING_LEN: usize = 8;
/// Length of a claim code: 60 bits, alive until there is an owner.
pub const CLAIM_LEN: usize = 12;

/// A code of ours, upper case, without separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// One character from each byte; 256 is a multiple of 32, so all are equally likely.
    pub(super) fn from_random(random: &[u8]) -> Self {
        let pick = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).map(|c| char::from(*c));
        Self(random.iter().filter_map(pick).collect())
    }

    /// A code as somebody typed it: any case, spaces and hyphens anywhere. `None` if it cannot be one of `len` characters.
    pub fn parse(typed: &str, len: usize) -> Option<Self> {
        let code = normal(typed);
        (code.len() == len && code.bytes().all(|b| ALPHABET.contains(&b))).then_some(Self(code))
    }

    /// A pairing code as somebody typed it.
    pub fn pairing(typed: &str) -> Option<Self> {
        Self::parse(typed, PAIRING_LEN)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Upper case, without spaces and hyphens.
pub(super) fn normal(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect()
}
