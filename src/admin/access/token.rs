//! A token as it comes in: a compact JWS (RFC 7515 §7.1). Nothing in it is to be believed yet.

use serde_json::Value;

use super::Refusal;
use super::base64url::decode;

/// Longest token looked at, in bytes. Access's have about one kB; with many groups of an identity provider some more.
const MAX_TOKEN: usize = 16 * 1024;
/// Longest name of a key, in bytes. Access's have 64.
const MAX_KID: usize = 256;

/// The parts of a token signed with RS256.
pub struct Token<'a> {
    /// Name of the key it claims to be signed with.
    pub kid: String,
    /// What it says.
    pub claims: Value,
    /// What was signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart. The algorithm is ours to name: a token that names another is refused, whatever its key.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header = object(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(Refusal::Algorithm);
        }
        // Says that the token must not be read without knowing some extension (RFC 7515 §4.1.11). We know none.
        if header.get("crit").is_some() {
            return Err(Refusal::Malformed);
        }
        let kid = header.get("kid").and_then(Value::as_str).unwrap_or_default();
        if kid.is_empty() || kid.len() > MAX_KID {
            return Err(Refusal::UnknownKey);
        }
        let claims = object(claims)?;
        let signature = decode(signature).filter(|bytes| !bytes.is_empty()).ok_or(Refusal::Malformed)?;
        Ok(Self { kid: kid.to_owned(), claims, signed, signature })
    }
}

/// A part that is a JSON object. A dot too many is no letter of the alphabet, so three parts it is.
fn object(part: &str) -> Result<Value, Refusal> {
    let text = decode(part).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Refusal::Malformed)?;
    serde_json::from_str(&text).ok().filter(Value::is_object).ok_or(Refusal::Malformed)
}
