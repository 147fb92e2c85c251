//! Our own messages: taken once, recorded, repeated only when harmless.

use super::*;

/// One line waiting.
fn one() -> World {
    let world = World { claim_code: Some("open-sesame"), ..World::unowned() };
    world.say(ANN, "hello");
    world
}

#[test]
fn a_row_is_taken_once_and_its_message_id_kept() {
    let world = one();
    assert_eq!(world.dir.next_due_at().unwrap(), Some(T0));
    let notice = world.dir.take_due(T0).unwrap().unwrap();
    assert_eq!((notice.state, notice.attempts, notice.bot.as_str()), (NoticeState::Sending, 1, "main"));
    assert_eq!(world.dir.take_due(T0).unwrap(), None);
    world.dir.record(notice.id, &Outcome::Sent { message_id: Some(5) }, T0).unwrap();
    world.dir.record(notice.id, &Outcome::Permanent { error: "late".into() }, T0).unwrap();
    let row = &world.dir.notices(10).unwrap()[0];
    assert_eq!((row.state, row.message_id, row.error.as_deref()), (NoticeState::Sent, Some(5), None));
    assert_eq!(world.dir.next_due_at().unwrap(), None);
}

#[test]
fn a_retry_waits_for_its_time_and_ends_after_a_day() {
    let world = one();
    let notice = world.dir.take_due(T0).unwrap().unwrap();
    world.dir.record(notice.id, &Outcome::Retry { at: T0 + 40_000 }, T0).unwrap();
    assert_eq!(world.dir.next_due_at().unwrap(), Some(T0 + 40_000));
    assert_eq!(world.dir.take_due(T0 + 39_999).unwrap(), None);
    let again = world.dir.take_due(T0 + 40_000).unwrap().unwrap();
    assert_eq!(again.attempts, 2);
    world.dir.record(again.id, &Outcome::Retry { at: T0 + DAY }, T0 + 40_000).unwrap();
    let row = &world.dir.notices(1).unwrap()[0];
    assert_eq!((row.state, row.error.as_deref()), (NoticeState::Failed, Some("gave up")));
}

#[test]
fn a_waiting_row_does_not_hold_up_others() {
    let world = one();
    let first = world.dir.take_due(T0).unwrap().unwrap();
    world.dir.record(first.id, &Outcome::Retry { at: T0 + 60_000 }, T0).unwrap();
    world.say(66, "hello");
    assert_eq!(to(&world.dir.take_due(T0).unwrap().unwrap()), 66);
}

#[test]
fn a_message_whose_sender_died_is_ambiguous_and_an_edit_is_repeated() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.deliver();
    world.press(OWNER, &format!("dir:a:{}", world.code()));
    let edit = world.dir.take_due(T0).unwrap().unwrap();
    let message = world.dir.take_due(T0).unwrap().unwrap();
    assert_eq!((edit.method.as_str(), message.method.as_str()), ("editMessageText", "sendMessage"));
    let lease_over = world.dir.next_due_at().unwrap().unwrap();
    assert_eq!(lease_over, T0 + 2 * MINUTE);
    let again = world.dir.take_due(lease_over).unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (edit.id, 2));
    assert_eq!(world.dir.take_due(lease_over).unwrap(), None);
    let rows = world.dir.notices(10).unwrap();
    let state = |id| rows.iter().find(|row| row.id == id).unwrap().state;
    assert_eq!(state(message.id), NoticeState::Ambiguous);
    // The answer came after all.
    world.dir.record(message.id, &Outcome::Sent { message_id: Some(8) }, lease_over).unwrap();
    assert_eq!(world.dir.notices(10).unwrap().iter().find(|row| row.id == message.id).unwrap().message_id, Some(8));
}

#[test]
fn a_permanent_failure_keeps_a_short_error() {
    let world = one();
    let notice = world.dir.take_due(T0).unwrap().unwrap();
    world.dir.record(notice.id, &Outcome::Permanent { error: "я".repeat(1_000) }, T0).unwrap();
    let row = &world.dir.notices(1).unwrap()[0];
    assert_eq!((row.state, row.error.as_ref().unwrap().chars().count()), (NoticeState::Failed, 300));
}

#[test]
fn finished_rows_are_bounded() {
    let world = one();
    for user in 1_000..1_700 {
        world.say(user, "hello");
        world.deliver();
    }
    assert!(world.dir.notices(10_000).unwrap().len() <= 501);
}

#[test]
fn the_store_survives_reopening() {
    let path = std::env::temp_dir().join(format!("tideclaw-directory-{}.sqlite", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let cfg = Config { owners: &[OWNER], claim_code: None };
    let world = World::owned();
    {
        let dir = Directory::new(Sqlite::open(&path).unwrap()).unwrap();
        dir.knock(&world.private(ANN, "hi"), &cfg, T0, [5; 16]).unwrap();
        dir.take_due(T0).unwrap();
    }
    let dir = Directory::new(Sqlite::open(&path).unwrap()).unwrap();
    assert_eq!(dir.pending("main", T0).unwrap().len(), 1);
    assert_eq!(dir.notices(10).unwrap().len(), 2);
    std::fs::remove_file(&path).unwrap();
}
