//! Bytes from a server as JSON. They are made text first: serde_json's parser of byte slices would be a second copy of
//! all of its code (decision 008).

use serde_json::Value;

/// The JSON in `bytes`; `None` if it is none, or not UTF-8.
pub fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_json_in_utf8_is_read() {
        assert_eq!(json(" {\"ё\": [1.5, null]}\n".as_bytes()), Some(json!({"ё": [1.5, null]})));
        for broken in [&b""[..], b"{\"a\":1", b"{} {}", b"\"\xFF\""] {
            assert_eq!(json(broken), None);
        }
    }
}
