//! Base64 of bytes that come in pieces (RFC 4648, standard alphabet, padded), so that a file can be encoded as it streams.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An encoder; keeps at most two bytes between pieces.
#[derive(Debug, Default)]
pub struct Base64 {
    held: [u8; 2],
    len: usize,
}

impl Base64 {
    /// Appends what can be said of `bytes` so far to `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len() / 3 * 4 + 4);
        while self.len > 0 {
            match (self.held, self.len, bytes) {
                ([a, b], 2, [c, rest @ ..]) => {
                    out.extend(quartet(a, b, *c));
                    (self.len, bytes) = (0, rest);
                }
                ([a, _], 1, [b, rest @ ..]) => {
                    (self.held, self.len, bytes) = ([a, *b], 2, rest);
                }
                _ => return,
            }
        }
        let mut triples = bytes.chunks_exact(3);
        for triple in triples.by_ref() {
            if let [a, b, c] = triple {
                out.extend(quartet(*a, *b, *c));
            }
        }
        for &byte in triples.remainder() {
            if let Some(place) = self.held.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
        }
    }

    /// Appends the end.
    pub fn finish(self, out: &mut Vec<u8>) {
        let [a, b] = self.held;
        match self.len {
            0 => {}
            1 => {
                let [first, second, ..] = quartet(a, 0, 0);
                out.extend([first, second, b'=', b'=']);
            }
            _ => {
                let [first, second, third, _] = quartet(a, b, 0);
                out.extend([first, second, third, b'=']);
            }
        }
    }
}

fn quartet(a: u8, b: u8, c: u8) -> [u8; 4] {
    let sign = |index: u8| ALPHABET.get(usize::from(index & 63)).copied().unwrap_or(b'A');
    [sign(a >> 2), sign(a << 4 | b >> 4), sign(b << 2 | c >> 6), sign(c)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(pieces: &[&[u8]]) -> String {
        let (mut encoder, mut out) = (Base64::default(), Vec::new());
        pieces.iter().for_each(|piece| encoder.push(piece, &mut out));
        encoder.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn vectors_of_the_rfc() {
        let table =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, expected) in table {
            assert_eq!(encoded(&[plain.as_bytes()]), expected);
        }
        assert_eq!(encoded(&[&[0xfb, 0xff, 0xfe]]), "+//+");
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 0..8)) {
            let cut: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let whole: Vec<u8> = pieces.concat();
            let text = encoded(&cut);
            prop_assert_eq!(&text, &encoded(&[&whole]));
            prop_assert_eq!(text.len(), whole.len().div_ceil(3) * 4);
        }
    }
}
