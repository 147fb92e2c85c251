//! Strangers, codes and what owners decide about them.

use super::*;

#[test]
fn a_stranger_gets_a_code_and_the_owner_a_prompt() {
    let world = World::owned();
    let answer = world.say(ANN, "hi");
    assert_eq!(refused(&answer), Reason::PairingStarted);
    let code = world.code();
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    let [to_ann, to_owner] = &answer.1[..] else { panic!("{:?}", answer.1) };
    assert_eq!((to(to_ann), to(to_owner)), (ANN, OWNER));
    assert!(text(to_ann).contains(&spaced) && text(to_ann).contains("55"), "{}", text(to_ann));
    for part in ["Ann55 Lee", "@ann55", "id 55", &spaced] {
        assert!(text(to_owner).contains(part), "{part} in {}", text(to_owner));
    }
    let rows = &to_owner.payload["reply_markup"]["inline_keyboard"];
    assert_eq!(rows[0][0]["callback_data"], format!("dir:a:{code}"));
    assert_eq!(rows[1][0]["callback_data"], format!("dir:d:{code}"));
    assert_eq!(rows[1][1]["callback_data"], format!("dir:b:{code}"));
    assert!(to_owner.payload.get("parse_mode").is_none());
    assert_eq!(world.state(ANN), Some(PersonState::Pending));
}

#[test]
fn a_redelivered_update_prompts_once() {
    let world = World::owned();
    let knock = world.private(ANN, "hi");
    let first = world.knock(&knock);
    let second = world.knock(&knock);
    assert_eq!(first.0, second.0);
    assert!(second.1.is_empty());
    assert_eq!(world.dir.refusals().unwrap().len(), 1);
    assert_eq!(world.deliver().len(), 2);
}

#[test]
fn an_update_id_used_again_after_a_day_is_a_new_update() {
    let world = World::owned();
    let knock = world.private(ANN, "hi");
    world.knock(&knock);
    world.wait(DAY);
    assert_eq!(refused(&world.knock(&knock)), Reason::PairingStarted);
    assert_eq!(world.knock(&knock).1, vec![]);
}

#[test]
fn one_prompt_per_sender_and_hour() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.wait(HOUR - 1);
    let again = world.say(ANN, "hello?");
    assert_eq!(refused(&again), Reason::PairingWaiting);
    assert!(again.1.is_empty());
    world.wait(1);
    assert_eq!(refused(&world.say(ANN, "hello??")), Reason::PairingStarted);
    world.code();
}

#[test]
fn at_most_three_wait_per_bot_and_an_hour_frees_the_places() {
    let world = World::owned();
    for user in 101..=103 {
        assert_eq!(refused(&world.say(user, "hi")), Reason::PairingStarted);
    }
    let fourth = world.say(104, "hi");
    assert_eq!(refused(&fourth), Reason::PairingFull);
    assert!(fourth.1.is_empty(), "the fourth hears nothing");
    assert_eq!(world.state(104), None);
    let other_bot = Knock { bot: "two".into(), ..world.private(104, "hi") };
    assert_eq!(refused(&world.knock(&other_bot)), Reason::PairingStarted);
    world.wait(HOUR);
    assert_eq!(refused(&world.say(104, "hi")), Reason::PairingStarted);
    assert_eq!(world.state(101), None, "who let a code expire is forgotten");
}

#[test]
fn approving_lets_the_person_in_tells_them_and_closes_the_prompt() {
    let world = World::owned();
    world.say(OWNER, "hi");
    world.say(ANN, "hi");
    world.deliver();
    let code = world.code();
    let pressed = world.press(OWNER, &format!("dir:a:{code}"));
    assert_eq!(pressed.answer, "Approved.");
    let access = Access::Open { require_mention: false };
    assert_eq!(pressed.change.access, [AccessChange { session_prefix: "main:55".into(), user_id: None, access }]);
    let [edit, told] = &pressed.change.notices[..] else { panic!("{:?}", pressed.change.notices) };
    assert_eq!(edit.method, "editMessageText");
    assert_eq!(edit.payload["message_id"], 9_001);
    assert!(edit.payload.get("reply_markup").is_none());
    assert!(text(edit).contains("✅ Approved (Ann1 Lee)") && text(edit).contains("@ann55"), "{}", text(edit));
    assert_eq!((to(told), told.method.as_str()), (ANN, "sendMessage"));
    let admission = world.say(ANN, "at last");
    assert!(!admitted(&admission).owner);
    assert_eq!(world.state(ANN), Some(PersonState::Approved));
    let audit = world.dir.audit_log(None, 10).unwrap();
    assert_eq!((audit[0].who.as_str(), audit[0].what.as_str(), audit[0].subject.as_str()), ("tg:1", "approve", "55"));
}

#[test]
fn the_first_decision_stands() {
    let mut world = World::owned();
    world.owners.push(2);
    for (first, state, already) in [
        ("a", Some(PersonState::Approved), "Already approved."),
        ("d", None, "Already denied."),
        ("b", Some(PersonState::Blocked), "Already blocked."),
    ] {
        let user = 200 + i64::from(first.as_bytes()[0]);
        world.say(user, "hi");
        let code = world.code();
        world.press(OWNER, &format!("dir:{first}:{code}"));
        for second in ["a", "d", "b"] {
            let pressed = world.press(2, &format!("dir:{second}:{code}"));
            assert_eq!(pressed.answer, already);
            assert!(pressed.change.access.is_empty());
            assert_eq!(world.state(user), state);
        }
    }
    let decisions = world.dir.audit_log(None, 100).unwrap();
    assert_eq!(decisions.len(), 3);
}

#[test]
fn a_press_edits_its_message_even_if_its_id_was_never_learned() {
    let world = World::owned();
    world.say(ANN, "hi");
    let code = world.code();
    while let Some(notice) = world.dir.take_due(world.now()).unwrap() {
        world.dir.record(notice.id, &Outcome::Ambiguous, world.now()).unwrap();
    }
    let once = world.press(OWNER, &format!("dir:d:{code}"));
    assert_eq!(once.change.notices.iter().filter(|n| n.method == "editMessageText").count(), 1);
    let twice = world.press(OWNER, &format!("dir:d:{code}"));
    assert_eq!(twice.change, Change::default());
}

#[test]
fn a_prompt_that_has_not_left_is_cancelled() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.dir.approve("main", ANN, &Actor::Admin("o@example.org".into()), &world.cfg(), world.now()).unwrap();
    let sent = world.deliver();
    assert!(sent.iter().all(|notice| to(notice) == ANN), "{sent:?}");
}

#[test]
fn a_denied_person_hears_nothing_and_may_ask_again_after_the_hour() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.deliver();
    let pressed = world.press(OWNER, &format!("dir:d:{}", world.code()));
    assert!(pressed.change.notices.iter().all(|notice| to(notice) == OWNER));
    assert_eq!(world.state(ANN), None);
    assert_eq!(refused(&world.say(ANN, "why?")), Reason::PairingWaiting);
    world.wait(HOUR);
    assert_eq!(refused(&world.say(ANN, "please")), Reason::PairingStarted);
}

#[test]
fn an_expired_code_decides_nothing() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.deliver();
    let code = world.code();
    world.wait(HOUR);
    let pressed = world.press(OWNER, &format!("dir:a:{code}"));
    assert!(pressed.answer.contains("expired"), "{}", pressed.answer);
    assert!(text(&pressed.change.notices[0]).contains("⌛"));
    assert_eq!(world.state(ANN), None);
    world.wait(2 * DAY);
    world.say(77, "hi");
    assert_eq!(world.press(OWNER, &format!("dir:a:{code}")).answer, "This button is out of date.");
}

#[test]
fn only_owners_press_and_only_for_their_bot() {
    let world = World::owned();
    world.say(ANN, "hi");
    let code = world.code();
    let by_ann = world.press(ANN, &format!("dir:a:{code}"));
    assert_eq!(by_ann.answer, "Only an owner can decide this.");
    assert_eq!(by_ann.change, Change::default());
    for data in ["dir:a:SHORT", "dir:z:ABCDEFGH", "dir:g:x", "dir:", "other", "dir:g:-5", "dir:a:AAAAAAAA"] {
        assert_eq!(world.press(OWNER, data).answer, "This button is out of date.", "{data}");
    }
    let press = Press {
        bot: "two".into(),
        update_id: 1,
        sender: sender(OWNER),
        data: format!("dir:a:{code}"),
        chat_id: None,
        message_id: None,
    };
    assert_eq!(world.dir.press(&press, &world.cfg(), world.now()).unwrap().answer, "This button is out of date.");
    assert_eq!(world.state(ANN), Some(PersonState::Pending));
}

#[test]
fn a_code_can_be_typed_by_hand() {
    let world = World::owned();
    world.say(ANN, "hi");
    let code = world.code().to_lowercase();
    let typed = Code::pairing(&format!(" {}-{} ", &code[..4], &code[4..])).unwrap();
    let actor = Actor::Telegram(OWNER);
    let decided = world.dir.decide("main", &typed, Decision::Approve, &actor, &world.cfg(), world.now()).unwrap();
    assert!(matches!(decided, Decided::Now(_, _)));
    assert_eq!(world.state(ANN), Some(PersonState::Approved));
    for wrong in ["ABCDEFG", "ABCDEFGHJ", "ABCDEFG0", "ABCDEFGI", "ABCDÉFGH"] {
        assert_eq!(Code::pairing(wrong), None, "{wrong}");
    }
}

#[test]
fn codes_use_the_whole_alphabet_and_a_used_code_is_not_given_again() {
    let all: Vec<u8> = (0..=255).collect();
    let code = Code::from_random(&all);
    let mut seen: Vec<char> = code.as_str().chars().collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 32);
    assert!(!code.as_str().contains(['0', 'O', '1', 'I']));

    let world = World::owned();
    let random = [7; 16];
    let knocks = [world.private(61, "hi"), world.private(62, "hi")];
    let first = world.dir.knock(&knocks[0], &world.cfg(), T0, random).unwrap();
    let second = world.dir.knock(&knocks[1], &world.cfg(), T0, random).unwrap();
    assert_eq!(refused(&first), Reason::PairingStarted);
    assert_eq!(refused(&second), Reason::PairingFull);
}

#[test]
fn a_name_cannot_forge_the_prompt() {
    let world = World::owned();
    let mut knock = world.private(ANN, "hi");
    let sender = knock.sender.as_mut().unwrap();
    sender.first_name = format!("Eve\nCode:\u{1B}AAAA AAAA\u{202E}{}", "x".repeat(200));
    let (_, notices) = world.knock(&knock);
    let prompt = text(&notices[1]);
    assert!(prompt.contains("\nEve Code: AAAA AAAAxxx"), "{prompt}");
    let name = &world.dir.pending("main", T0).unwrap()[0].name;
    assert_eq!(name.chars().count(), MAX_NAME);
    let nameless = Sender { first_name: "\u{200B}".into(), last_name: None, ..super::sender(9) };
    assert_eq!(nameless.display_name(), "id 9");
}

#[test]
fn each_reads_their_own_language() {
    let world = World::owned();
    let mut owner = world.private(OWNER, "привет");
    owner.sender.as_mut().unwrap().language_code = Some("ru".into());
    world.knock(&owner);
    let (_, notices) = world.say(ANN, "hi");
    assert!(text(&notices[0]).contains("private assistant"));
    assert!(text(&notices[1]).contains("Пустить?"));
    assert_eq!(notices[1].payload["reply_markup"]["inline_keyboard"][0][0]["text"], "Пустить");

    let mut stranger = world.private(56, "привіт");
    stranger.sender.as_mut().unwrap().language_code = Some("uk".into());
    let (_, notices) = world.knock(&stranger);
    assert!(text(&notices[0]).contains("личный ассистент"));
    let change = world.dir.approve("main", 56, &Actor::System, &world.cfg(), world.now()).unwrap();
    let told = change.notices.iter().find(|notice| to(notice) == 56).unwrap();
    assert!(text(told).contains("Добро пожаловать"));
}

proptest::proptest! {
    #[test]
    fn any_name_becomes_one_short_line(first: Vec<char>, last: Vec<char>) {
        let [first, last]: [String; 2] = [first, last].map(|chars| chars.into_iter().collect());
        let name = Sender { first_name: first, last_name: Some(last), ..sender(9) }.display_name();
        assert!(!name.is_empty() && name.chars().count() <= MAX_NAME);
        assert!(!name.chars().any(|c| c.is_control() || c == '\u{202E}' || c == '\u{2028}'), "{name:?}");
        assert_eq!(name.trim(), name);
    }

    #[test]
    fn any_callback_data_is_read_without_harm(data: String) {
        if let Some(button) = Button::parse(&data) {
            assert_eq!(Button::parse(&button.to_string()), Some(button));
        }
    }
}
