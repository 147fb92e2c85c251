//! What passes the guard and what does not, split at any byte.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn look(model: &str, body: &[u8], split: usize) -> Result<(), Refusal> {
    let mut guard = Guard::new(model);
    let (head, tail) = body.split_at(split.min(body.len()));
    guard.look(head)?;
    guard.look(tail)?;
    guard.end()
}

fn whole(model: &str, body: &str) -> Result<(), Refusal> {
    look(model, body.as_bytes(), 0)
}

#[test]
fn the_model_asked_for_passes_wherever_it_stands() {
    for body in [
        r#"{"model":"qwen3:8b"}"#,
        "  {\t\"model\" : \"qwen3:8b\" ,\r\n\"stream\": true}\n",
        r#"{"messages":[{"role":"user","content":"{\"model\":\"other\"} \\"}],"options":{"model":"inner","n":[1,[2,{}]]},"model":"qwen3:8b"}"#,
        r#"{"keep_alive":-1.5e+3,"think":null,"stream":false,"models":"x","mode":1,"model":"qwen3:8b","":0}"#,
        r#"{"model":"qwen3:8b","format":"}","a":"[{","b":"é\u0000"}"#,
    ] {
        assert_eq!(whole("qwen3:8b", body), Ok(()), "{body}");
    }
}

#[test]
fn everything_else_is_refused() {
    for (body, why) in [
        (r#"{"model":"other"}"#, Refusal::OtherModel),
        (r#"{"model":"qwen3:8"}"#, Refusal::OtherModel),
        (r#"{"model":"qwen3:8bb"}"#, Refusal::OtherModel),
        (r#"{"model":"qwen3\u003a8b"}"#, Refusal::OtherModel),
        (r#"{"model":null}"#, Refusal::OtherModel),
        (r#"{"model":["qwen3:8b"]}"#, Refusal::OtherModel),
        (r#"{"model":"qwen3:8b","model":"other"}"#, Refusal::Twice),
        (r#"{"model":"qwen3:8b","model":"qwen3:8b"}"#, Refusal::Twice),
        (r#"{"model":"qwen3:8b","Model":"other"}"#, Refusal::Twice),
        (r#"{"MODEL":"qwen3:8b"}"#, Refusal::Twice),
        (r#"{"model":"qwen3:8b","mod\u0065l":"other"}"#, Refusal::Escape),
        (r#"{"name":"qwen3:8b"}"#, Refusal::NoModel),
        (r#"{}"#, Refusal::NoModel),
        (r#"{"a":{"model":"qwen3:8b"}}"#, Refusal::NoModel),
        (r#"[{"model":"qwen3:8b"}]"#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b"}{"model":"other"}"#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b"} x"#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b""#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b" "a":1}"#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b","a":1 2}"#, Refusal::NotAnObject),
        (r#"{"model":"qwen3:8b",a:1}"#, Refusal::NotAnObject),
        ("\u{feff}{\"model\":\"qwen3:8b\"}", Refusal::NotAnObject),
        ("", Refusal::NotAnObject),
        ("null", Refusal::NotAnObject),
    ] {
        assert_eq!(whole("qwen3:8b", body), Err(why), "{body}");
    }
}

#[test]
fn the_bytes_that_close_the_object_do_not_pass_before_the_model_is_known() {
    let mut guard = Guard::new("a");
    guard.look(br#"{"x":[1,{"model":"b"}]"#).unwrap();
    assert_eq!(guard.look(b"}"), Err(Refusal::NoModel));
}

#[test]
fn a_long_key_takes_no_memory() {
    let mut guard = Guard::new("a");
    guard.look(b"{\"").unwrap();
    for _ in 0..1_000 {
        guard.look(&[b'm'; 1_000]).unwrap();
    }
    assert!(guard.key.capacity() <= 16);
    guard.look(b"\":").unwrap();
    for _ in 0..1_000 {
        guard.look(&[b'['; 1_000]).unwrap();
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("\"}{][\\")),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z\"\\\\{}]{0,6}", inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn real_bodies_pass_split_at_any_byte(
        fields in prop::collection::btree_map("[a-z_]{0,8}", values(), 0..6), model in "[a-zA-Z0-9:./_-]{1,30}",
        pretty in any::<bool>(), split in 0usize..400,
    ) {
        let mut body = json!(fields);
        body["model"] = json!(model);
        let bytes = if pretty { serde_json::to_vec_pretty(&body).unwrap() } else { serde_json::to_vec(&body).unwrap() };
        prop_assert_eq!(look(&model, &bytes, split), Ok(()));
        prop_assert!(look("other model", &bytes, split).is_err());
        let mut single = Guard::new(&model);
        for byte in &bytes {
            prop_assert_eq!(single.look(&[*byte]), Ok(()));
        }
        prop_assert_eq!(single.end(), Ok(()));
    }

    /// Whatever passes means, to a decoder that takes the last key of any case, the model asked for.
    #[test]
    fn nothing_passes_that_means_another_model(
        keys in prop::collection::vec(("[mM][oO][dD][eE][lL]|model|a|mod\\\\u0065l", "\"(a|b)\"|null|\\[\"a\"\\]|1"), 0..4),
    ) {
        let fields: Vec<String> = keys.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let body = format!("{{{}}}", fields.join(","));
        let meant = keys.iter().rfind(|(key, _)| key.eq_ignore_ascii_case("model") || key.contains('\\'));
        if look("a", body.as_bytes(), 3).is_ok() {
            prop_assert_eq!(meant.map(|(_, value)| value.as_str()), Some("\"a\""));
        }
    }

    #[test]
    fn any_bytes_are_only_refused(body in prop::collection::vec(any::<u8>(), 0..200), split in 0usize..200) {
        prop_assert_eq!(look("a", &body, split), look("a", &body, 0));
    }
}
