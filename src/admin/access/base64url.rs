//! Base64url without padding, as the parts of a token are written (RFC 7515 §2).

/// The bytes that `text` stands for; `None` unless it is exactly how those bytes are written: no padding, no other
/// character, no stray bits at the end. So no two texts are the same token.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut held, mut bits) = (0u32, 0u32);
    for letter in text.bytes() {
        held = held << 6 | u32::from(sextet(letter)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // Six bits left over are a letter too many; two or four must be zero.
    (bits < 6 && held == 0).then_some(bytes)
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// The reverse, slow and obvious.
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
pub fn encode_slowly(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1)).collect();
    let letter = |six: &[u8]| (0..6).fold(0, |sum, i| sum << 1 | usize::from(*six.get(i).unwrap_or(&0)));
    bits.chunks(6).map(|six| char::from(ALPHABET[letter(six)])).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::encode_slowly as encode;
    use super::*;

    #[test]
    fn what_the_standard_shows() {
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
        assert_eq!(decode("Zm9vYmFy").unwrap(), b"foobar");
        assert_eq!(decode("Zm8").unwrap(), b"fo");
        assert_eq!(decode("").unwrap(), b"");
    }

    #[test]
    fn other_spellings_of_the_same_bytes_are_refused() {
        for text in ["Zm8=", "Zm9", "Zm9vY", "Zm+v", "Zm/v", "Zm 8", "Zm8\n", "Zmé", "."] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_taken_is_how_it_is_written(text in "[A-Za-z0-9_+/=.-]{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
