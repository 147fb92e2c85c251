//! Whatever comes from whomever in whatever order: no panic, and no slot that is taken for nobody.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::super::message::Cancel;
use super::super::super::{Head, Resumed, Wait, Welcome};
use super::super::mark::Stage;
use super::*;

const NAMES: [&str; 3] = ["a", "b", "Not one"];
const MODELS: [&str; 3] = ["m", "n", ""];

#[derive(Debug, Clone)]
enum Step {
    Link,
    Caller,
    /// A frame from one of the sockets.
    Say(prop::sample::Index, Vec<u8>),
    Text(prop::sample::Index),
    Close(prop::sample::Index, u16),
    Tick,
    Sleep,
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let id = (1u64..6).prop_map(call);
    let told =
        (0u32..4, any::<bool>(), any::<bool>(), 0usize..3).prop_map(|(max_parallel, draining, trouble, models)| {
            State {
                draining: draining && trouble,
                trouble: (trouble && !draining).then(|| "no".to_owned()),
                ..state(max_parallel, &MODELS[..models])
            }
        });
    let hello = (0usize..3, 0u32..3, 0u32..3, any::<bool>(), prop::collection::vec(id.clone(), 0..4), told.clone())
        .prop_map(|(name, instance, version, takeover, calls, told)| Hello {
            version,
            takeover,
            calls,
            ..hello(NAMES[name], ["one", "two", "three"][instance as usize], told)
        });
    let open = (0usize..3, 0usize..4, 0usize..3).prop_map(|(model, relay, path)| Open {
        path: ["/api/chat", "/api/show", "/api/pull"][path].into(),
        relay: NAMES.get(relay).map(|&name| name.to_owned()),
        ..chat(MODELS[model])
    });
    let fail = || Fail { code: FailCode::Broken, message: String::new() };
    prop_oneof![
        6 => hello.prop_map(|hello| Frame::Hello(hello).bytes()),
        2 => told.prop_map(|told| Frame::State(told).bytes()),
        8 => (id.clone(), open).prop_map(|(id, open)| Frame::Open(id, open).bytes()),
        3 => id.clone().prop_map(|call| Frame::Data { call, offset: 0, bytes: b"x" }.bytes()),
        2 => id.clone().prop_map(|call| Frame::Credit { call, received: 0, limit: 9 }.bytes()),
        2 => id.clone().prop_map(|call| Frame::End { call, length: 0 }.bytes()),
        1 => id.clone().prop_map(move |id| Frame::Fail(id, fail()).bytes()),
        2 => (id.clone(), any::<bool>()).prop_map(|(id, silent)| Frame::Cancel(id, Cancel { silent }).bytes()),
        3 => (id.clone(), 0usize..3).prop_map(|(id, name)| {
            Frame::Resume(id, Resume { relay: NAMES[name].into(), received: 0, limit: 9 }).bytes()
        }),
        1 => id.clone().prop_map(|id| Frame::Resumed(id, Resumed { received: 0, limit: 9 }).bytes()),
        1 => id.clone().prop_map(|id| Frame::Head(id, Head { status: 200, retry_after: None }).bytes()),
        1 => id.clone().prop_map(|id| Frame::Wait(id, Wait { phase: Phase::Working }).bytes()),
        1 => id.clone().prop_map(|id| Frame::Back(id).bytes()),
        1 => Just(Frame::Welcome(Welcome { version: 1, software: String::new() }).bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Link),
        6 => Just(Step::Caller),
        30 => (any::<prop::sample::Index>(), frames()).prop_map(|(at, frame)| Step::Say(at, frame)),
        1 => any::<prop::sample::Index>().prop_map(Step::Text),
        4 => (any::<prop::sample::Index>(), prop::sample::select(vec![1000, 1006])).prop_map(|(at, code)| Step::Close(at, code)),
        2 => Just(Step::Tick),
        2 => Just(Step::Sleep),
    ];
    prop::collection::vec(step, 1..150)
}

/// What must hold after every event.
fn check(world: &World) {
    let board = &world.board;
    let open = |conn: ConnId| world.sockets.get(&conn).is_some_and(|socket| socket.closed.is_none());
    assert!(
        board.links.iter().all(|(conn, _)| open(conn)) && board.callers.iter().all(|(conn, _)| open(conn)),
        "only open sockets are on the board"
    );
    let mut live = BTreeSet::new();
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    for caller in board.callers.values() {
        let Some(call) = &caller.call else { continue };
        if call.stage == Stage::Over {
            continue;
        }
        assert!(live.insert(call.id), "each live call has one caller");
        if let Stage::With { relay, .. } = &call.stage {
            *taken.entry(relay).or_default() += u32::from(call.heavy);
        }
    }
    for relay in world.view().relays {
        assert_eq!(relay.in_flight, taken.get(relay.name.as_str()).copied().unwrap_or(0), "a slot is a live call");
    }
    let names: Vec<&str> = board.links.values().map(|link| link.name()).filter(|name| !name.is_empty()).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "one link a name");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn nothing_breaks_the_hub(steps in steps(), sleepy in any::<bool>()) {
        let mut world = World::new(sleepy);
        for step in steps {
            let conns: Vec<ConnId> =
                world.sockets.iter().filter(|(_, socket)| socket.closed.is_none()).map(|(&conn, _)| conn).collect();
            let pick = |at: prop::sample::Index| (!conns.is_empty()).then(|| *at.get(&conns));
            match step {
                Step::Link => drop(world.link()),
                Step::Caller => drop(world.caller()),
                Step::Say(at, frame) => {
                    if let Some(conn) = pick(at) {
                        world.say_bytes(conn, &frame);
                    }
                }
                Step::Text(at) => {
                    if let Some(conn) = pick(at) {
                        world.text(conn);
                    }
                }
                Step::Close(at, code) => {
                    if let Some(conn) = pick(at) {
                        world.close(conn, code);
                    }
                }
                Step::Tick => world.tick(5_000),
                Step::Sleep => world.sleep(Some(TOKEN)),
            }
            check(&world);
        }
        // Everybody goes: nothing is taken any more.
        let conns: Vec<ConnId> = world.sockets.keys().copied().collect();
        for conn in conns {
            world.close(conn, 1006);
            check(&world);
        }
        prop_assert!(world.view().relays.iter().all(|relay| relay.in_flight == 0 && !relay.connected));
        prop_assert_eq!(world.view().queued, 0);
    }
}
