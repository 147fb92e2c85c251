//! The team's public keys, as one isolate remembers them: a state machine that says when to fetch them anew.
//!
//! Access has two at a time, the current and the one before. It changes them every six weeks, or when told to, and the one before stays good
//! for seven days (developers.cloudflare.com, "Validate JWTs"). So an hour's memory misses no regular change, and a key
//! withdrawn in a hurry is believed for an hour and a quarter at most.

use serde_json::Value;

use super::base64url::decode;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// How long fetched keys are good, in milliseconds.
const FRESH: i64 = 60 * MINUTE;
/// How long they are used beyond that if they cannot be fetched, in milliseconds. A short outage of Access's own page should
/// not lock an operator out in the middle of mending something; a long one must not keep a withdrawn key alive.
const GRACE: i64 = 15 * MINUTE;
/// Least time between two fetches because of an unknown name, which anybody may make up, in milliseconds.
const UNKNOWN_PAUSE: i64 = MINUTE;
/// Least time between two fetches when there are no fresh keys, so when the last fetch failed, in milliseconds.
const FAILED_PAUSE: i64 = 10 * SECOND;
/// When a fetch that never ended counts as none, in milliseconds: whoever asked went away, and our code with them. More than
/// the deadline of a fetch.
const LOST: i64 = 6 * SECOND;

/// Most keys remembered.
const MAX_KEYS: usize = 8;
/// Sizes of an RSA modulus we believe in, in bytes: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key for RS256: modulus and exponent as base64url (RFC 7518 §6.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    pub kid: String,
    pub n: String,
    pub e: String,
}

/// What to do about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Here it is.
    Key(Jwk),
    /// Fetch the keys, say [`Keys::fetched`] or [`Keys::failed`], look again. Nobody else is told to meanwhile.
    Fetch,
    /// Another request fetches them: look again in a moment.
    Wait,
    /// There is no such key.
    Unknown,
    /// Keys are not to be had.
    Unavailable,
}

/// What is known of the keys. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct Keys {
    known: Vec<Jwk>,
    fetched_at: Option<i64>,
    tried_at: Option<i64>,
    is_fetching: bool,
}

impl Keys {
    /// Looks for the key called `kid`. [`Found::Fetch`] is an order to the caller.
    pub fn look(&mut self, kid: &str, now: i64) -> Found {
        let within = |at: Option<i64>, time: i64| at.is_some_and(|at| (0..time).contains(&(now - at)));
        let key = self.known.iter().find(|key| key.kid == kid).cloned();
        let is_fresh = within(self.fetched_at, FRESH);
        // Old keys that still serve while new ones are not to be had.
        let serves = within(self.fetched_at, FRESH + GRACE);
        let is_under_way = self.is_fetching && within(self.tried_at, LOST);
        let pause = match (is_fresh, self.is_fetching) {
            (true, _) => UNKNOWN_PAUSE,
            (false, true) => LOST,
            (false, false) => FAILED_PAUSE,
        };
        match key {
            Some(key) if is_fresh => Found::Key(key),
            key if is_under_way => key.filter(|_| serves).map_or(Found::Wait, Found::Key),
            _ if !within(self.tried_at, pause) => {
                (self.is_fetching, self.tried_at) = (true, Some(now));
                Found::Fetch
            }
            Some(key) if serves => Found::Key(key),
            _ if serves => Found::Unknown,
            _ => Found::Unavailable,
        }
    }

    /// Takes the answer of the team's page: from now on its keys, and no others, are known. An answer without a key we
    /// can use is a failure; false then.
    pub fn fetched(&mut self, body: &str, now: i64) -> bool {
        self.is_fetching = false;
        let keys = read(body);
        if keys.is_empty() {
            return false;
        }
        (self.known, self.fetched_at) = (keys, Some(now));
        true
    }

    /// The fetch failed.
    pub fn failed(&mut self) {
        self.is_fetching = false;
    }
}

/// The keys for RS256 in a JWK set (RFC 7517 §5); others are left out.
fn read(body: &str) -> Vec<Jwk> {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let keys = value.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    keys.iter().filter_map(key).take(MAX_KEYS).collect()
}

fn key(value: &Value) -> Option<Jwk> {
    let text = |name| value.get(name).and_then(Value::as_str);
    let fits = text("kty") == Some("RSA")
        && text("alg").is_none_or(|alg| alg == "RS256")
        && text("use").is_none_or(|purpose| purpose == "sig");
    let key = Jwk { kid: text("kid")?.to_owned(), n: text("n")?.to_owned(), e: text("e")?.to_owned() };
    (fits && !key.kid.is_empty() && MODULUS.contains(&decode(&key.n)?.len())).then_some(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// A modulus of 2048 bits.
    fn n() -> String {
        format!("{}Q", "q".repeat(341))
    }

    fn found(kid: &str) -> Found {
        Found::Key(Jwk { kid: kid.to_owned(), n: n(), e: "AQAB".to_owned() })
    }

    /// A team's page with these keys.
    fn body(kids: &[&str]) -> String {
        let key =
            |kid: &&str| format!(r#"{{"kid":"{kid}","kty":"RSA","alg":"RS256","use":"sig","e":"AQAB","n":"{}"}}"#, n());
        let keys: Vec<String> = kids.iter().map(key).collect();
        format!(r#"{{"keys":[{}],"public_cert":{{"kid":"a","cert":""}},"public_certs":[]}}"#, keys.join(","))
    }

    /// Keys `a` and `b`, fetched at 0.
    fn known() -> Keys {
        let mut keys = Keys::default();
        assert_eq!(keys.look("a", 0), Found::Fetch);
        assert!(keys.fetched(&body(&["a", "b"]), 0));
        keys
    }

    #[test]
    fn keys_are_fetched_once_and_good_for_an_hour() {
        let mut keys = known();
        for now in [0, MINUTE, FRESH - 1] {
            assert_eq!(keys.look("a", now), found("a"));
            assert_eq!(keys.look("b", now), found("b"));
        }
        assert_eq!(keys.look("a", FRESH), Found::Fetch);
    }

    #[test]
    fn an_unknown_name_fetches_at_most_once_a_minute() {
        let mut keys = known();
        let mut fetches = 0;
        for now in (0..10 * MINUTE).step_by(100) {
            match keys.look(&format!("made up {now}"), now) {
                Found::Fetch => {
                    fetches += 1;
                    assert!(keys.fetched(&body(&["a", "b"]), now));
                }
                other => assert_eq!(other, Found::Unknown),
            }
            assert_eq!(keys.look("a", now), found("a"), "nobody else notices");
        }
        assert_eq!(fetches, 9);
    }

    #[test]
    fn failing_fetches_for_an_unknown_name_are_as_rare() {
        let mut keys = known();
        let mut tries = Vec::new();
        for now in (0..5 * MINUTE).step_by(1_000) {
            if keys.look("c", now) == Found::Fetch {
                tries.push(now / SECOND);
                keys.failed();
            }
        }
        assert_eq!(tries, [60, 120, 180, 240]);
    }

    #[test]
    fn two_changes_of_keys() {
        let mut keys = known();
        assert_eq!(keys.look("c", 2 * MINUTE), Found::Fetch);
        assert!(keys.fetched(&body(&["c", "a"]), 2 * MINUTE));
        assert_eq!(keys.look("c", 2 * MINUTE), found("c"));
        assert_eq!(keys.look("a", 2 * MINUTE), found("a"), "the one before is still good");
        assert_eq!(keys.look("b", 2 * MINUTE), Found::Unknown);
        assert_eq!(keys.look("d", 4 * MINUTE), Found::Fetch);
        assert!(keys.fetched(&body(&["d", "c"]), 4 * MINUTE));
        assert_eq!(keys.look("c", 4 * MINUTE), found("c"));
        assert_eq!(keys.look("a", 4 * MINUTE), Found::Unknown, "withdrawn");
    }

    #[test]
    fn without_a_first_answer_nobody_is_let_in_and_it_is_tried_every_ten_seconds() {
        let mut keys = Keys::default();
        let mut tries = Vec::new();
        for now in (0..MINUTE).step_by(1_000) {
            match keys.look("a", now) {
                Found::Fetch => {
                    tries.push(now / SECOND);
                    keys.failed();
                }
                other => assert_eq!(other, Found::Unavailable),
            }
        }
        assert_eq!(tries, [0, 10, 20, 30, 40, 50]);
    }

    #[test]
    fn old_keys_serve_a_quarter_of_an_hour_longer_while_fetches_fail() {
        let mut keys = known();
        let mut last = 0;
        for now in (FRESH..FRESH + 30 * MINUTE).step_by(1_000) {
            let mut answer = keys.look("a", now);
            if answer == Found::Fetch {
                keys.failed();
                answer = keys.look("a", now);
            }
            match answer {
                Found::Key(_) => last = now,
                other => assert_eq!(other, Found::Unavailable),
            }
        }
        assert_eq!(last, FRESH + GRACE - SECOND);
        // And a success ends the trouble.
        assert_eq!(keys.look("a", FRESH + 31 * MINUTE), Found::Fetch);
        assert!(keys.fetched(&body(&["a"]), FRESH + 31 * MINUTE));
        assert_eq!(keys.look("a", FRESH + 31 * MINUTE), found("a"));
    }

    #[test]
    fn one_fetches_the_others_wait_and_a_fetch_that_never_ends_is_given_up() {
        let mut keys = Keys::default();
        assert_eq!(keys.look("a", 0), Found::Fetch);
        assert_eq!(keys.look("a", 100), Found::Wait);
        assert_eq!(keys.look("b", LOST - 1), Found::Wait);
        assert_eq!(keys.look("b", LOST), Found::Fetch, "somebody has to");
        assert_eq!(keys.look("a", LOST + 100), Found::Wait);

        let mut keys = known();
        assert_eq!(keys.look("a", FRESH), Found::Fetch);
        assert_eq!(keys.look("a", FRESH + 100), found("a"), "old keys serve meanwhile");
        assert_eq!(keys.look("c", FRESH + 100), Found::Wait);

        let mut keys = known();
        assert_eq!(keys.look("c", 2 * MINUTE), Found::Fetch);
        assert_eq!(keys.look("c", 2 * MINUTE + LOST), Found::Unknown, "a made-up name waits its minute all the same");
        assert_eq!(keys.look("c", 3 * MINUTE), Found::Fetch);
    }

    #[test]
    fn an_answer_without_keys_is_a_failure_and_changes_nothing() {
        let mut keys = known();
        let weak = body(&["w"]).replace(&n(), &"q".repeat(171));
        let elliptic = r#"{"keys":[{"kid":"x","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#.to_owned();
        let others = [
            body(&["x"]).replace("RS256", "RS512"),
            body(&["x"]).replace("\"sig\"", "\"enc\""),
            body(&[""]),
            weak,
            elliptic,
        ];
        let junk = ["", "{}", "[]", "null", r#"{"keys":{}}"#, "<html>", r#"{"keys":[1,null,{}]}"#].map(str::to_owned);
        for answer in junk.into_iter().chain(others) {
            assert!(!keys.fetched(&answer, MINUTE), "{answer}");
            assert_eq!(keys.look("a", MINUTE), found("a"));
        }
    }

    #[test]
    fn a_clock_set_back_makes_keys_old_not_eternal() {
        let mut keys = known();
        assert_eq!(keys.look("a", -1), Found::Fetch);
    }

    #[test]
    fn no_more_keys_are_kept_than_anybody_needs() {
        let many: Vec<String> = (0..50).map(|i| format!("k{i}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(read(&body(&names)).len(), MAX_KEYS);
    }
}
