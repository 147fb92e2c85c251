//! The index of conversations: counted once, listed newest first, found by name and words.

use super::*;
use crate::store::all_or_nothing;

fn told(from: i64, upto: i64, newest: &str) -> Activity {
    Activity {
        title: "Ann".into(),
        newest: newest.into(),
        words: newest.into(),
        updates: (upto - from).unsigned_abs(),
        from: Mark { update: from, turn: from },
        upto: Mark { update: upto, turn: upto },
        ..Activity::default()
    }
}

fn names(view: &ConversationsView) -> Vec<&str> {
    view.conversations.iter().map(|row| row.session.as_str()).collect()
}

fn found(world: &World, search: &str) -> Vec<String> {
    names(&world.dir.conversations(search, None).unwrap()).into_iter().map(str::to_owned).collect()
}

#[test]
fn what_is_told_twice_is_counted_once() {
    let world = World::owned();
    let note = |activity: &Activity| world.dir.note_activity("main:5", activity, world.now()).unwrap();
    assert_eq!(note(&told(0, 3, "hi")), Noted { fresh: true, mark: Mark { update: 3, turn: 3 } });
    // The answer was lost: told again, with more.
    assert_eq!(note(&told(0, 5, "hi")), Noted { fresh: false, mark: Mark { update: 3, turn: 3 } });
    assert!(note(&told(3, 5, "so")).fresh);
    let row = world.dir.conversation("main:5").unwrap().unwrap();
    assert_eq!((row.updates, row.newest.as_str(), row.title.as_str()), (5, "so", "Ann"));
    // Its store was put back to an older day.
    assert!(!note(&told(1, 2, "")).fresh);
    assert!(note(&Activity { anew: true, ..told(2, 2, "") }).fresh);
    assert!(note(&told(2, 4, "")).fresh);
    let row = world.dir.conversation("main:5").unwrap().unwrap();
    assert_eq!((row.updates, row.newest.as_str()), (7, "so"));
}

#[test]
fn an_activity_rides_with_a_question_and_is_answered() {
    let world = World::owned();
    let caps = Caps { day_nano_usd: 0, month_nano_usd: 0, person_day_nano_usd: None };
    let turn = TurnEnd { outcome: "failed".into(), ..TurnEnd::default() };
    let activity = Activity { turns: vec![turn], dropped: 1, waiting: 2, ..told(0, 2, "hi") };
    let ask = ModelAsk { session: "main:5".into(), activity: Some(activity), ..ModelAsk::default() };
    let answer = world.dir.model_call(&ask, &caps, &world.cfg(), world.now()).unwrap();
    assert_eq!(answer.counted, Some(Mark { update: 2, turn: 2 }));
    let row = world.dir.conversation("main:5").unwrap().unwrap();
    let counts = (row.updates, row.dropped, row.turns, row.waiting, row.outcome.as_deref());
    assert_eq!(counts, (2, 1, 1, 2, Some("failed")));
}

#[test]
fn pages_hold_every_conversation_once_newest_first() {
    let world = World::owned();
    for chat in 1..=123 {
        // Three at a time in the same millisecond.
        world.dir.note_activity(&format!("main:{chat}"), &told(0, 1, "x"), T0 + chat / 3).unwrap();
    }
    let mut seen = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let view = world.dir.conversations("", before.as_deref()).unwrap();
        assert_eq!(view.total, before.is_none().then_some(123));
        assert!(view.conversations.len() <= PAGE_OF_CONVERSATIONS);
        seen.extend(view.conversations.iter().map(|row| (row.changed_at, row.session.clone())));
        before = view.next;
        if before.is_none() {
            break;
        }
    }
    let mut expected = seen.clone();
    expected.sort();
    expected.dedup();
    expected.reverse();
    assert_eq!((seen.len(), &seen), (123, &expected));
    for odd in ["", "x", "~", "-5~main:1", "99999999999999999999~x", "1e9~y"] {
        let view = world.dir.conversations("", Some(odd)).unwrap();
        assert!(view.conversations.len() <= PAGE_OF_CONVERSATIONS, "{odd}");
    }
}

#[test]
fn search_finds_names_titles_and_recent_words_in_any_case() {
    let world = World::owned();
    world.dir.approve("main", ANN, &Actor::System, &world.cfg(), T0).unwrap();
    world.knock(&world.private(ANN, "hi"));
    world.dir.note_session("main", &format!("main:{ANN}"), T0).unwrap();
    let group = Activity {
        title: "Ёлки И Палки".into(), ..told(0, 1, "Завтра в ПАРКЕ, у фонтана")
    };
    world.dir.note_activity(&format!("main:{GROUP}:7"), &group, T0 + 1).unwrap();
    for search in ["ёлки", "ЕЛКИ палки", "парке", "  фонтана\n завтра ", "-1001234567890:7"]
    {
        assert_eq!(found(&world, search), [format!("main:{GROUP}:7")], "{search}");
    }
    let person = world.dir.people("main", &world.cfg()).unwrap().remove(0);
    assert_eq!(found(&world, &person.name.to_uppercase()), [format!("main:{ANN}")]);
    for search in ["nothing like it", "парке ann", "%", "_", "'", "\" OR 1"] {
        assert!(found(&world, search).is_empty(), "{search}");
    }
    assert_eq!(found(&world, " ").len(), 2);
    // Old words make room for new ones.
    for n in 1..40 {
        let activity = told(n, n + 1, &format!("{n} sea and more sea"));
        world.dir.note_activity(&format!("main:{GROUP}:7"), &activity, T0 + 2).unwrap();
    }
    assert!(found(&world, "фонтана").is_empty());
    assert_eq!(found(&world, "39 sea").len(), 1);
}

#[test]
fn search_agrees_with_a_plain_look_at_every_row() {
    let world = World::owned();
    let parts = ["Мир", "мир", "sea", "SEAL", "Ёж", "a'b", "100%"];
    for chat in 1..60_usize {
        let words = format!("{} {} {}", parts[chat % 7], parts[chat / 7 % 7], parts[chat / 3 % 7]);
        let activity = Activity { title: format!("T{}", chat % 9), ..told(0, 1, &words) };
        world.dir.note_activity(&format!("main:{chat}"), &activity, T0 + chat as i64).unwrap();
    }
    for search in ["мир", "SEA", "sea мир", "еж t3", "a'b", "100%", "t", "main:1", "мирsea"] {
        let mut expected = Vec::new();
        for chat in (1..60_usize).rev() {
            let row = world.dir.conversation(&format!("main:{chat}")).unwrap().unwrap();
            let all = fold(&format!("{} {} {}", row.session, row.title, row.newest));
            if fold(search).split(' ').all(|term| all.contains(term)) {
                expected.push(row.session);
            }
        }
        expected.truncate(PAGE_OF_CONVERSATIONS);
        assert_eq!(found(&world, search), expected, "{search}");
    }
}

#[test]
fn conversations_from_before_the_index_are_listed_and_found() {
    let sql = Sqlite::memory().unwrap();
    let (before, rest) = MIGRATIONS.split_at(2);
    migrate(&sql, before).unwrap();
    for statement in [
        "INSERT INTO person (bot, user_id, name, state, since) VALUES ('main', 5, 'Анна', 'approved', 1)",
        "INSERT INTO grp (bot, chat_id, title, state, since) VALUES ('main', -9, 'The Sea', 'admitted', 1)",
        "INSERT INTO session (name, since) VALUES ('main:5', 10), ('main:-9:4', 20), ('work:5', 30)",
    ] {
        sql.run(statement, &[]).unwrap();
    }
    assert!(!rest.is_empty());
    let world = World { dir: Directory::new(sql).unwrap(), ..World::owned() };
    let view = world.dir.conversations("", None).unwrap();
    let rows: Vec<_> =
        view.conversations.iter().map(|row| (row.session.as_str(), row.title.as_str(), row.changed_at)).collect();
    assert_eq!(rows, [("work:5", "", 30), ("main:-9:4", "The Sea", 20), ("main:5", "Анна", 10)]);
    let topic = &view.conversations[1];
    assert_eq!((topic.bot.as_str(), topic.chat_id, topic.topic), ("main", -9, Some(4)));
    assert_eq!(found(&world, "анна"), ["main:5"]);
    assert_eq!(found(&world, "sea"), ["main:-9:4"]);
}

#[test]
fn what_is_taken_off_the_list_comes_back_with_something_new() {
    let world = World::owned();
    world.dir.note_activity("main:5", &told(0, 3, "secret words"), T0).unwrap();
    world.dir.unlist_conversation("main:5").unwrap();
    assert!(found(&world, "").is_empty() && found(&world, "secret").is_empty());
    assert_eq!(world.dir.conversations("", None).unwrap().total, Some(0));
    assert!(world.dir.conversation("main:5").unwrap().is_some());
    let change = AccessChange { session_prefix: "main:5".into(), user_id: None, access: Access::Closed };
    world.dir.queue_push(&change, T0).unwrap();
    assert!(world.dir.next_push().unwrap().is_some(), "a change of access still reaches it");
    assert!(world.dir.note_activity("main:5", &told(3, 4, "new"), T0).unwrap().fresh);
    let row = world.dir.conversation("main:5").unwrap().unwrap();
    assert_eq!((row.updates, row.newest.as_str()), (1, "new"));
    assert!(found(&world, "secret").is_empty());
}

#[test]
fn a_telling_is_part_of_its_transaction() {
    let world = World::owned();
    let undone = all_or_nothing(&world.dir.sql, || {
        world.dir.note_activity("main:5", &told(0, 3, "hi"), T0).unwrap();
        Err::<(), _>(StoreError::Shape { index: 0 })
    });
    assert!(undone.is_err() && found(&world, "").is_empty());
}

#[test]
fn hostile_titles_and_words_are_kept_short_and_on_one_line() {
    let world = World::owned();
    let title = format!("\u{202E}evil\n<script>{}", "x".repeat(500));
    let activity = Activity { title, ..told(0, 1, &"<b>\n".repeat(400)) };
    world.dir.note_activity("main:5", &activity, T0).unwrap();
    let row = world.dir.conversation("main:5").unwrap().unwrap();
    assert!(row.title.chars().count() <= 64 && !row.title.contains(['\u{202E}', '\n']));
    assert!(row.newest.chars().count() <= 300 && !row.newest.contains('\n'));
}

#[test]
fn the_list_is_pinned() {
    let row = ConversationRow {
        session: "main:5".into(),
        bot: "main".into(),
        chat_id: 5,
        changed_at: 9,
        ..ConversationRow::default()
    };
    let view = ConversationsView { conversations: vec![row], next: Some("9~main:5".into()), total: Some(1) };
    let json = r#"{"conversations":[{"session":"main:5","bot":"main","chat_id":5,"topic":null,"title":"","newest":"","changed_at":9,"updates":0,"dropped":0,"turns":0,"waiting":0,"outcome":null}],"next":"9~main:5","total":1}"#;
    assert_eq!(serde_json::to_string(&view).unwrap(), json);
}
