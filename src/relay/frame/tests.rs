//! Every frame byte for byte, and what is none.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::super::{FailCode, Model, Phase};
use super::*;

fn call() -> CallId {
    CallId::new(0xc0ffee).unwrap()
}

fn one_of_each() -> Vec<(Frame<'static>, &'static str)> {
    let state = State {
        max_parallel: 2,
        draining: false,
        models: vec![Model { name: "qwen3:8b".into(), size: Some(5), loaded: true }],
        trouble: None,
        ollama: Some("0.14.0".into()),
        latency_ms: Some(12),
    };
    let hello = Hello {
        version: 1,
        oldest: 1,
        name: "home".into(),
        instance: "ab12".into(),
        software: "0.1.0".into(),
        takeover: true,
        calls: vec![call()],
        state: state.clone(),
    };
    let open = Open {
        version: 1,
        method: "POST".into(),
        path: "/api/chat".into(),
        length: 3,
        model: "qwen3:8b".into(),
        relay: Some("home".into()),
    };
    let fail = Fail { code: FailCode::NoRelay, message: "no relay is connected".into() };
    vec![
        (
            Frame::Hello(hello),
            r#"{"version":1,"oldest":1,"name":"home","instance":"ab12","software":"0.1.0","takeover":true,"calls":["0000000000c0ffee"],"max_parallel":2,"draining":false,"models":[{"name":"qwen3:8b","size":5,"loaded":true}],"ollama":"0.14.0","latency_ms":12}"#,
        ),
        (Frame::Welcome(Welcome { version: 1, software: "0.1.0".into() }), r#"{"version":1,"software":"0.1.0"}"#),
        (
            Frame::State(state),
            r#"{"max_parallel":2,"draining":false,"models":[{"name":"qwen3:8b","size":5,"loaded":true}],"ollama":"0.14.0","latency_ms":12}"#,
        ),
        (
            Frame::Open(call(), open),
            r#"{"version":1,"method":"POST","path":"/api/chat","length":3,"model":"qwen3:8b","relay":"home"}"#,
        ),
        (Frame::Placed(call(), Placed { relay: "home".into() }), r#"{"relay":"home"}"#),
        (Frame::Head(call(), Head { status: 200, retry_after: None }), r#"{"status":200}"#),
        (Frame::Data { call: call(), offset: 1, bytes: b"ab" }, "\0\0\0\0\0\0\0\x01ab"),
        (Frame::Credit { call: call(), received: 1, limit: 2 }, "\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02"),
        (Frame::End { call: call(), length: 3 }, "\0\0\0\0\0\0\0\x03"),
        (Frame::Fail(call(), fail), r#"{"code":"no_relay","message":"no relay is connected"}"#),
        (Frame::Cancel(call(), Cancel { silent: true }), r#"{"silent":true}"#),
        (
            Frame::Resume(call(), Resume { relay: "home".into(), received: 1, limit: 2 }),
            r#"{"relay":"home","received":1,"limit":2}"#,
        ),
        (Frame::Resumed(call(), Resumed { received: 1, limit: 2 }), r#"{"received":1,"limit":2}"#),
        (Frame::Wait(call(), Wait { phase: Phase::Loading }), r#"{"phase":"loading"}"#),
        (Frame::Away(call()), ""),
        (Frame::Back(call()), ""),
    ]
}

#[test]
fn bytes_of_every_frame_are_pinned() {
    let frames = one_of_each();
    assert_eq!(frames.len(), Kind::ALL.len());
    for (frame, content) in frames {
        let bytes = frame.bytes();
        let (kind, of) = peek(&bytes).unwrap().unwrap();
        assert_eq!(bytes.first(), Some(&(kind as u8)));
        assert_eq!(of.is_none(), kind.is_of_link());
        assert_eq!(String::from_utf8_lossy(bytes.get(9..).unwrap()), content, "{kind:?}");
        assert_eq!(Frame::read(&bytes), Ok(frame));
    }
}

#[test]
fn what_is_no_frame_is_told_apart() {
    assert_eq!(Frame::read(b""), Err(Malformed::Short));
    assert_eq!(Frame::read(&[0x12; 8]), Err(Malformed::Short));
    assert_eq!(Frame::read(&[0; 9]), Err(Malformed::Kind(0)));
    assert_eq!(Frame::read(&[0x7f; 9]), Err(Malformed::Kind(0x7f)));
    assert_eq!(Frame::read(&[0x80; 9]), Ok(Frame::Unknown), "a newer version's");
    assert_eq!(Frame::read(&[0x12, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::Call(Kind::Data)));
    assert_eq!(Frame::read(&[0x01, 0, 0, 0, 0, 0, 0, 0, 1]), Err(Malformed::Call(Kind::Hello)));
    assert_eq!(Frame::read(&[0x12, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Err(Malformed::Content(Kind::Data)));
    assert_eq!(Frame::read(&[0x1a, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Err(Malformed::Content(Kind::Away)));
    assert_eq!(Frame::read(&vec![0x12; MAX_FRAME + 1]), Err(Malformed::TooLong(MAX_FRAME + 1)));
}

#[test]
fn a_newer_versions_fields_and_words_are_read_over() {
    let frame = |kind: Kind, json: &str| [&[kind as u8, 0, 0, 0, 0, 0, 0, 0, 7][..], json.as_bytes()].concat();
    let wait = frame(Kind::Wait, r#"{"phase":"dreaming","depth":3}"#);
    assert_eq!(Frame::read(&wait), Ok(Frame::Wait(CallId::new(7).unwrap(), Wait { phase: Phase::Working })));
    let fail = frame(Kind::Fail, r#"{"code":"on_strike","message":"m"}"#);
    let expected = Fail { code: FailCode::Protocol, message: "m".into() };
    assert_eq!(Frame::read(&fail), Ok(Frame::Fail(CallId::new(7).unwrap(), expected)));
}

#[test]
fn calls_have_one_spelling() {
    assert_eq!(CallId::parse(&call().to_string()), Some(call()));
    for text in ["", "0000000000000000", "c0ffee", "0000000000C0FFEE", "+000000000c0ffee", "000000000000c0ffee"] {
        assert_eq!(CallId::parse(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
        let peeked = peek(&bytes);
        let read = Frame::read(&bytes);
        prop_assert_eq!(matches!(peeked, Ok(None)), matches!(read, Ok(Frame::Unknown)));
        if peeked.is_err() {
            prop_assert!(read.is_err());
        }
    }

    #[test]
    fn random_contents_of_known_kinds_never_panic(kind in 0usize..16, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let kind = Kind::ALL[kind];
        let call = if kind.is_of_link() { 0 } else { 9 };
        let frame = [&[kind as u8, 0, 0, 0, 0, 0, 0, 0, call][..], &bytes].concat();
        prop_assert_eq!(peek(&frame), Ok(Some((kind, CallId::new(call.into())))));
        if let Ok(read) = Frame::read(&frame) {
            let again = read.bytes();
            prop_assert_eq!(Frame::read(&again), Ok(read));
        }
    }
}
