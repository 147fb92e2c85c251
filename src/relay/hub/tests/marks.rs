//! What sockets carry is read by the release after this one too.

use super::super::mark::{Call, CallMark, LinkMark, RelayMark, Stage};
use super::*;

#[test]
fn marks_keep_their_shape() {
    let link = Mark::Relay(LinkMark {
        token: "ab".into(),
        since: 5,
        relay: Some(RelayMark { version: 1, name: "home".into(), instance: "one".into() }),
    });
    let queued = Stage::Queued { at: 6, open: chat("m") };
    let with = Stage::With { relay: "home".into(), instance: Some("one".into()), away: true };
    let mark = |stage| Mark::Call(CallMark { since: 5, call: Some(Call { id: call(255), heavy: true, stage }) });
    for (mark, json) in [
        (Mark::Gone, r#""gone""#),
        (link, r#"{"relay":{"token":"ab","since":5,"relay":{"version":1,"name":"home","instance":"one"}}}"#),
        (Mark::Call(CallMark { since: 5, call: None }), r#"{"call":{"since":5}}"#),
        (
            mark(queued),
            r#"{"call":{"since":5,"call":{"id":"00000000000000ff","heavy":true,"stage":{"queued":{"at":6,"open":{"version":1,"method":"POST","path":"/api/chat","length":10,"model":"m"}}}}}}"#,
        ),
        (
            mark(with),
            r#"{"call":{"since":5,"call":{"id":"00000000000000ff","heavy":true,"stage":{"with":{"relay":"home","instance":"one","away":true}}}}}"#,
        ),
        (mark(Stage::Over), r#"{"call":{"since":5,"call":{"id":"00000000000000ff","heavy":true,"stage":"over"}}}"#),
    ] {
        assert_eq!(serde_json::to_string(&mark).unwrap(), json);
        assert_eq!(serde_json::from_str::<Mark>(json).unwrap(), mark);
    }
}

#[test]
fn a_socket_that_carries_nothing_readable_is_closed() {
    let mut world = World::new(false);
    let home = world.home();
    world.sockets.get_mut(&home).unwrap().mark = None;
    world.sleep(Some(TOKEN));
    assert_eq!(world.closed(home), Some(1012));
}
