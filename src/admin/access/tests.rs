//! Tokens of every kind against the verifier, in virtual time. What a signature is worth is made up here; real ones are
//! made and refused in `tests/e2e/admin-access.test.mjs`.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::directory::Actor;

const NOW: i64 = 1_795_000_000;
const MINUTE: i64 = 60_000;
const TEAM: &str = "https://acme.cloudflareaccess.com";
const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/// The platform as a test has it: keys by name, and a signature that is the key's name and the signed text's length.
struct World {
    now: Cell<i64>,
    keys: RefCell<Vec<&'static str>>,
    is_down: Cell<bool>,
    fetches: Cell<usize>,
    checks: Cell<usize>,
    /// How long a fetch takes, in milliseconds.
    takes: Cell<i64>,
    remembered: RefCell<Keys>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Cell::new(NOW * 1_000),
            keys: RefCell::new(vec!["new", "old"]),
            is_down: Cell::default(),
            fetches: Cell::default(),
            checks: Cell::default(),
            takes: Cell::default(),
            remembered: RefCell::default(),
        }
    }

    fn later(&self, ms: i64) -> &Self {
        self.now.set(self.now.get() + ms);
        self
    }

    fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        ready(verify(Some(token), &settings(), &self.remembered, self))
    }
}

impl Outside for World {
    fn now(&self) -> i64 {
        self.now.get()
    }

    async fn sleep(&self, ms: i64) {
        self.later(ms);
    }

    async fn certs(&self, url: &str) -> Result<String, Unreachable> {
        assert_eq!(url, format!("{TEAM}/cdn-cgi/access/certs"));
        self.fetches.set(self.fetches.get() + 1);
        self.later(self.takes.get());
        if self.is_down.get() {
            return Err(Unreachable);
        }
        let n = format!("{}Q", "q".repeat(341));
        let key = |kid: &&str| json!({"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB", "n": n});
        Ok(json!({"keys": self.keys.borrow().iter().map(key).collect::<Vec<_>>()}).to_string())
    }

    async fn is_signed(&self, key: &Jwk, signed: &str, signature: &[u8]) -> bool {
        self.checks.set(self.checks.get() + 1);
        signature == sign(&key.kid, signed).as_bytes()
    }
}

/// Runs what never really waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

fn settings() -> Settings {
    Settings::read(|name| {
        let value = match name {
            "CF_ACCESS_TEAM_DOMAIN" => "acme",
            "CF_ACCESS_AUD" => AUD,
            "CF_ACCESS_SERVICE_TOKENS" => "robot.access",
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

fn sign(kid: &str, signed: &str) -> String {
    format!(
        "{kid} signed {}",
        signed.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
    )
}

fn encode(bytes: &[u8]) -> String {
    super::base64url::encode_slowly(bytes)
}

fn token(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let signature = sign(header["kid"].as_str().unwrap_or_default(), &signed);
    format!("{signed}.{}", encode(signature.as_bytes()))
}

fn header(kid: &str) -> Value {
    json!({"alg": "RS256", "kid": kid, "typ": "JWT"})
}

/// As Access writes them.
fn user() -> Value {
    json!({
        "aud": [AUD], "email": "owner@example.com", "exp": NOW + 3_600, "iat": NOW, "nbf": NOW, "iss": TEAM, "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "US",
    })
}

fn service(name: &str) -> Value {
    json!({"type": "app", "aud": [AUD], "exp": NOW + 60, "iss": TEAM, "common_name": name, "iat": NOW, "sub": ""})
}

fn with(mut claims: Value, change: Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[test]
fn a_person_who_signed_in() {
    let world = World::new();
    let who = world.verify(&token(&header("new"), &user())).unwrap();
    assert_eq!((who.name(), who.is_service()), ("owner@example.com", false));
    assert_eq!(who.actor(), Actor::Admin("owner@example.com".into()));
    assert!(world.verify(&token(&header("old"), &user())).is_ok(), "the key before is good too");
    assert_eq!(world.fetches.get(), 1);
    let single = with(user(), json!({"aud": AUD}));
    let several = with(user(), json!({"aud": ["another", AUD]}));
    for claims in [single, several, with(user(), json!({"nbf": null, "iat": null, "sub": null}))] {
        assert!(world.verify(&token(&header("new"), &claims)).is_ok(), "{claims}");
    }
}

#[test]
fn a_service_token_of_the_list() {
    let world = World::new();
    let who = world.verify(&token(&header("new"), &service("robot.access"))).unwrap();
    assert_eq!((who.name(), who.is_service()), ("robot.access", true));
    assert_eq!(who.actor(), Actor::Admin("service:robot.access".into()));
    let others = [
        service("other.access"),
        service(""),
        service("robot.access,"),
        with(service("robot.access"), json!({"sub": "7335d417"})),
        with(service("robot.access"), json!({"email": 1})),
    ];
    for claims in others {
        assert_eq!(world.verify(&token(&header("new"), &claims)), Err(Refusal::Nobody), "{claims}");
    }
}

#[test]
fn claims_that_are_refused() {
    let cases = [
        (json!({"iss": "https://evil.cloudflareaccess.com"}), Refusal::Issuer),
        (json!({"iss": format!("{TEAM}/")}), Refusal::Issuer),
        (json!({"iss": "acme.cloudflareaccess.com"}), Refusal::Issuer),
        (json!({"iss": [TEAM]}), Refusal::Issuer),
        (json!({"iss": null}), Refusal::Issuer),
        (json!({"aud": ["another"]}), Refusal::Audience),
        (json!({"aud": []}), Refusal::Audience),
        (json!({"aud": [[AUD]]}), Refusal::Audience),
        (json!({"aud": {AUD: AUD}}), Refusal::Audience),
        (json!({"aud": AUD.to_uppercase()}), Refusal::Audience),
        (json!({"aud": null}), Refusal::Audience),
        (json!({"exp": NOW - 60}), Refusal::Expired),
        (json!({"exp": 0}), Refusal::Expired),
        (json!({"exp": i64::MIN}), Refusal::Expired),
        (json!({"exp": (NOW + 3_600).to_string()}), Refusal::Expired),
        (json!({"exp": 1e300}), Refusal::Expired),
        (json!({"exp": null}), Refusal::Expired),
        (json!({"nbf": NOW + 61}), Refusal::NotYet),
        (json!({"nbf": i64::MAX}), Refusal::NotYet),
        (json!({"nbf": "soon"}), Refusal::NotYet),
        (json!({"type": "org"}), Refusal::Type),
        (json!({"type": "App"}), Refusal::Type),
        (json!({"type": null}), Refusal::Type),
        (json!({"email": null}), Refusal::Nobody),
        (json!({"email": ""}), Refusal::Nobody),
        (json!({"email": "a\nb@example.com"}), Refusal::Nobody),
        (json!({"email": format!("{}@example.com", "a".repeat(300))}), Refusal::Nobody),
    ];
    let world = World::new();
    for (change, expected) in cases {
        let claims = with(user(), change.clone());
        assert_eq!(world.verify(&token(&header("new"), &claims)), Err(expected), "{change}");
    }
    assert_eq!((world.fetches.get(), world.checks.get()), (0, 0), "none of them costs anything");
}

#[test]
fn clocks_may_be_a_minute_apart() {
    let world = World::new();
    for change in [json!({"exp": NOW - 59}), json!({"nbf": NOW + 60}), json!({"exp": i64::MAX})] {
        assert!(world.verify(&token(&header("new"), &with(user(), change.clone()))).is_ok(), "{change}");
    }
}

#[test]
fn headers_that_are_refused() {
    let cases = [
        (json!({"alg": "none", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "None", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "HS256", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "RS512", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "PS256", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "rs256", "kid": "new"}), Refusal::Algorithm),
        (json!({"alg": ["RS256"], "kid": "new"}), Refusal::Algorithm),
        (json!({"kid": "new"}), Refusal::Algorithm),
        (json!({"alg": "RS256"}), Refusal::UnknownKey),
        (json!({"alg": "RS256", "kid": ""}), Refusal::UnknownKey),
        (json!({"alg": "RS256", "kid": 1}), Refusal::UnknownKey),
        (json!({"alg": "RS256", "kid": "k".repeat(257)}), Refusal::UnknownKey),
        (json!({"alg": "RS256", "kid": "another"}), Refusal::UnknownKey),
        (json!({"alg": "RS256", "kid": "new", "crit": ["exp"]}), Refusal::Malformed),
        // A key of its own makers is not ours.
        (
            json!({"alg": "RS256", "kid": "mine", "jwk": {"kty": "RSA"}, "jku": "https://evil.example"}),
            Refusal::UnknownKey,
        ),
    ];
    let world = World::new();
    for (header, expected) in cases {
        assert_eq!(world.verify(&token(&header, &user())), Err(expected), "{header}");
    }
}

#[test]
fn what_is_no_token() {
    let world = World::new();
    let good = token(&header("new"), &user());
    let [head, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let array = encode(b"[1]");
    let latin = encode(b"{\"a\":\"\xff\"}");
    let cases = [
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        head,
        &format!("{head}.{claims}"),
        &format!("{head}.{claims}."),
        &format!("{good}."),
        &format!("{good}.x"),
        &format!(".{good}"),
        &format!("{head}.{claims}.{signature}="),
        &format!(" {good}"),
        &format!("{good}\n"),
        &format!("{array}.{claims}.{signature}"),
        &format!("{head}.{array}.{signature}"),
        &format!("{head}.{latin}.{signature}"),
    ];
    for text in cases {
        assert_eq!(world.verify(text), Err(Refusal::Malformed), "{text:?}");
    }
    assert_eq!(world.verify(""), Err(Refusal::Missing));
    assert_eq!(ready(verify(None, &settings(), &world.remembered, &world)), Err(Refusal::Missing));
    for long in [16 * 1024 + 1, 10 << 20] {
        assert_eq!(world.verify(&"a".repeat(long)), Err(Refusal::TooLong));
        assert_eq!(world.verify(&format!("{good}{}", "A".repeat(long))), Err(Refusal::TooLong));
    }
}

#[test]
fn a_signature_by_another_key_or_of_another_text() {
    let world = World::new();
    let signed = |header: &Value, claims: &Value| {
        let text = token(header, claims);
        text.rsplit_once('.').map(|(signed, signature)| (signed.to_owned(), signature.to_owned())).unwrap()
    };
    let (honest, _) = signed(&header("new"), &user());
    let (_, of_old) = signed(&header("old"), &user());
    let (_, of_other) = signed(&header("new"), &with(user(), json!({"email": "other@example.com"})));
    for signature in [of_old, of_other, encode(&[0; 256])] {
        assert_eq!(world.verify(&format!("{honest}.{signature}")), Err(Refusal::Signature));
    }
    assert_eq!(world.checks.get(), 3);
}

#[test]
fn two_changes_of_keys_are_noticed() {
    let world = World::new();
    assert!(world.verify(&token(&header("new"), &user())).is_ok());
    for (kid, keys, withdrawn) in [("newer", ["newer", "new"], "old"), ("newest", ["newest", "newer"], "new")] {
        *world.keys.borrow_mut() = keys.to_vec();
        world.later(MINUTE);
        assert!(world.verify(&token(&header(kid), &user())).is_ok());
        assert!(world.verify(&token(&header(keys[1]), &user())).is_ok());
        assert_eq!(world.verify(&token(&header(withdrawn), &user())), Err(Refusal::UnknownKey));
    }
    assert_eq!(world.fetches.get(), 3);
}

#[test]
fn made_up_keys_cost_one_fetch_a_minute() {
    let world = World::new();
    assert!(world.verify(&token(&header("new"), &user())).is_ok());
    for i in 0..600 {
        world.later(1_000);
        assert_eq!(world.verify(&token(&header(&format!("made-up-{i}")), &user())), Err(Refusal::UnknownKey));
    }
    assert_eq!(world.fetches.get(), 11);
    assert_eq!(world.checks.get(), 1, "and no calculation");
}

#[test]
fn while_the_keys_cannot_be_had_the_doors_are_shut() {
    let world = World::new();
    let good = || token(&header("new"), &with(user(), json!({"exp": i64::MAX})));
    world.is_down.set(true);
    assert_eq!(world.verify(&good()), Err(Refusal::KeysUnavailable));
    assert_eq!(world.verify(&good()), Err(Refusal::KeysUnavailable));
    assert_eq!(world.fetches.get(), 1, "not with each request");
    world.is_down.set(false);
    assert!(world.later(10_000).verify(&good()).is_ok());
    world.is_down.set(true);
    assert!(world.later(74 * MINUTE).verify(&good()).is_ok(), "an hour, and a quarter of one");
    assert_eq!(world.later(MINUTE).verify(&good()), Err(Refusal::KeysUnavailable));
    world.is_down.set(false);
    assert!(world.later(10_000).verify(&good()).is_ok());
}

#[test]
fn who_comes_while_another_fetches_waits_for_it_and_not_for_ever() {
    let world = World::new();
    // Another request was told to fetch and is never heard of again.
    assert!(matches!(world.remembered.borrow_mut().look("new", world.now.get()), keys::Found::Fetch));
    assert!(world.verify(&token(&header("new"), &user())).is_ok());
    assert_eq!((world.now.get() - NOW * 1_000, world.fetches.get()), (6_000, 1));
}

#[test]
fn the_log_says_one_word_of_ours() {
    let words = [
        Refusal::Missing,
        Refusal::TooLong,
        Refusal::Malformed,
        Refusal::Algorithm,
        Refusal::Issuer,
        Refusal::Audience,
        Refusal::Expired,
        Refusal::NotYet,
        Refusal::Type,
        Refusal::Nobody,
        Refusal::UnknownKey,
        Refusal::KeysUnavailable,
        Refusal::Signature,
    ]
    .map(Refusal::word);
    for (i, word) in words.iter().enumerate() {
        assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        assert!(!words[..i].contains(word));
    }
}

proptest! {
    #[test]
    fn any_text_is_refused(text in ".{0,200}") {
        prop_assert!(World::new().verify(&text).is_err());
    }

    #[test]
    fn any_change_of_one_letter_is_refused(at in 0usize..700, letter in "[A-Za-z0-9_.=-]") {
        let world = World::new();
        let good = token(&header("new"), &user());
        let mut changed = good.clone();
        let at = at % good.len();
        changed.replace_range(at..=at, &letter);
        prop_assert_eq!(world.verify(&changed).is_ok(), changed == good);
    }
}
