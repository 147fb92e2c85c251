//! Invite links: who comes in with one, and who learns nothing from a wrong one.

use super::*;
use crate::directory::invites::{MAX_WRONG_PER_SENDER, code_in};

fn admin() -> Actor {
    Actor::Admin("o@example.org".into())
}

impl World {
    /// A link for `uses` people and a week; its id and code.
    fn invite(&self, uses: i64) -> (i64, String) {
        let invite = NewInvite { bot: "main", note: "for the family", uses, days: 7 };
        let random: [u8; 16] = std::array::from_fn(|i| (self.update_id() as u8).wrapping_mul(31) ^ i as u8);
        self.dir.make_invite(&invite, &admin(), self.now(), random).unwrap()
    }

    fn open(&self, user_id: i64, code: &str) -> (Verdict, Vec<Notice>) {
        self.say(user_id, &format!("/start {code}"))
    }

    fn only_invite(&self) -> Invite {
        let invites = self.dir.invites(None, self.now()).unwrap();
        assert_eq!(invites.len(), 1);
        invites.into_iter().next().unwrap()
    }

    /// Everything the Directory stores, as text.
    fn dump(&self) -> String {
        let tables = self.dir.sql.run("SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap();
        let rows = |row: &crate::store::Row| self.dir.sql.run(&format!("SELECT * FROM {}", row.text(0).unwrap()), &[]);
        tables.iter().map(|table| format!("{:?}", rows(table).unwrap())).collect()
    }
}

#[test]
fn the_link_lets_a_stranger_in_at_once_tells_them_and_the_owners() {
    for policy in [DmPolicy::Pairing, DmPolicy::Allowlist] {
        let mut world = World::owned();
        world.owners.push(2);
        world.say(OWNER, "hi");
        world.dir.set_dm_policy(policy, &admin(), T0).unwrap();
        let (id, code) = world.invite(1);
        assert_eq!(code.len(), 32);
        let answer = world.open(ANN, &code);
        assert_eq!(refused(&answer), Reason::Invited);
        let Verdict::Refuse { quiet_for_ms, .. } = answer.0 else { unreachable!() };
        assert_eq!(quiet_for_ms, 0);
        assert_eq!(answer.1.iter().map(to).collect::<Vec<_>>(), [ANN, OWNER, 2]);
        assert!(text(&answer.1[0]).contains("You came in with an invitation"));
        for part in ["Ann55 Lee", "@ann55", "id 55", "✅ Came in with an invite link: for the family"] {
            assert!(text(&answer.1[1]).contains(part), "{part} in {}", text(&answer.1[1]));
        }
        assert!(!admitted(&world.say(ANN, "hello")).owner, "the very next message");
        let invite = world.only_invite();
        assert_eq!((invite.state, invite.used), (InviteState::UsedUp, 1));
        assert_eq!(invite.people, [Invited { user_id: ANN, name: "Ann55 Lee".into(), at: T0 }]);
        let audit = &world.dir.audit_log(None, 10).unwrap()[0];
        let expected = (format!("invite:{id}"), "approve", "55");
        assert_eq!((audit.who.clone(), audit.what.as_str(), audit.subject.as_str()), expected);
        let people = world.dir.people("main", &world.cfg()).unwrap();
        assert_eq!(people.iter().find(|p| p.user_id == ANN).unwrap().by.as_deref(), Some(&*format!("invite:{id}")));
    }
}

#[test]
fn each_reads_their_own_language() {
    let world = World::owned();
    let (_, code) = world.invite(1);
    let mut knock = world.private(ANN, &format!("/start {code}"));
    knock.sender.as_mut().unwrap().language_code = Some("ru".into());
    let answer = world.knock(&knock);
    assert!(text(&answer.1[0]).contains("по приглашению"), "{}", text(&answer.1[0]));
    assert!(text(&answer.1[1]).contains("Came in"));
}

#[test]
fn no_code_is_stored_anywhere() {
    let world = World::owned();
    let (_, code) = world.invite(2);
    world.open(ANN, &code);
    world.open(66, &code);
    world.open(77, &code);
    let dump = world.dump();
    assert!(dump.contains("invite:1") && !dump.to_lowercase().contains(&code), "{dump}");
}

#[test]
fn whatever_opens_nothing_is_treated_as_any_text() {
    type Spoil = fn(&World, i64);
    let ways: [(&str, Spoil); 5] = [
        ("wrong", |world, _| {
            world.dir.sql.run("UPDATE invite SET hash = 'x'", &[]).unwrap();
        }),
        ("used up", |world, _| {
            world.dir.sql.run("UPDATE invite SET used = uses", &[]).unwrap();
        }),
        ("expired", |world, _| world.wait(7 * DAY)),
        ("revoked", |world, id| {
            assert!(world.dir.revoke_invite(id, &admin(), world.now()).unwrap());
        }),
        ("of another bot", |world, _| {
            world.dir.sql.run("UPDATE invite SET bot = 'two'", &[]).unwrap();
        }),
    ];
    // What a stranger hears may depend on what went before: nothing, an hour's wait, or a full house.
    type Before = fn(&World);
    let befores: [(DmPolicy, Before); 5] = [
        (DmPolicy::Pairing, |_| {}),
        (DmPolicy::Pairing, |world| {
            world.say(ANN, "hi");
        }),
        (DmPolicy::Pairing, |world| {
            for user in 101..=103 {
                world.say(user, "hi");
            }
        }),
        (DmPolicy::Allowlist, |_| {}),
        (DmPolicy::Disabled, |_| {}),
    ];
    for (way, spoil) in ways {
        for (n, (policy, before)) in befores.iter().enumerate() {
            let answer_to = |said: &dyn Fn(&str) -> String| {
                let world = World::owned();
                world.dir.set_dm_policy(*policy, &admin(), T0).unwrap();
                let (id, code) = world.invite(1);
                spoil(&world, id);
                before(&world);
                let mut notices = world.say(ANN, &said(&code));
                notices.1.iter_mut().for_each(|notice| notice.id = 0);
                notices
            };
            let (code, text) = (answer_to(&|code| format!("/start {code}")), answer_to(&|_| "hello".into()));
            assert_eq!(code, text, "{way}, case {n}");
            assert_ne!(refused(&code), Reason::Invited);
        }
    }
}

#[test]
fn private_messages_that_are_open_or_off_spend_no_link() {
    for (policy, reason) in [(DmPolicy::Open, None), (DmPolicy::Disabled, Some(Reason::DmDisabled))] {
        let world = World::owned();
        let (_, code) = world.invite(1);
        world.dir.set_dm_policy(policy, &admin(), T0).unwrap();
        let answer = world.open(ANN, &code);
        match reason {
            Some(reason) => assert_eq!(refused(&answer), reason),
            None => assert_eq!(admitted(&answer).good_for_ms, MINUTE),
        }
        assert_eq!((world.only_invite().used, world.state(ANN)), (0, None));
    }
}

#[test]
fn who_is_in_or_blocked_or_a_bot_spends_no_link() {
    let world = World::owned();
    let (_, code) = world.invite(5);
    world.dir.approve("main", ANN, &admin(), &world.cfg(), T0).unwrap();
    assert!(!admitted(&world.open(ANN, &code)).owner);
    assert!(admitted(&world.open(OWNER, &code)).owner);
    world.dir.block("main", 66, &admin(), &world.cfg(), T0).unwrap();
    assert_eq!(refused(&world.open(66, &code)), Reason::Blocked);
    assert_eq!(world.state(66), Some(PersonState::Blocked));
    let mut bot = world.private(77, &format!("/start {code}"));
    bot.sender.as_mut().unwrap().is_bot = true;
    assert_eq!(refused(&world.knock(&bot)), Reason::Bot);
    assert_eq!(world.only_invite().used, 0);
}

#[test]
fn a_code_in_a_group_or_an_edit_or_as_plain_text_does_nothing() {
    let world = World::owned();
    let (_, code) = world.invite(1);
    let said = Some(format!("/start {code}"));
    assert_eq!(refused(&world.knock(&Knock { text: said.clone(), ..world.in_group(ANN) })), Reason::GroupUnknown);
    world.dir.admit_group("main", GROUP, &admin(), T0).unwrap();
    admitted(&world.knock(&Knock { text: said, ..world.in_group(ANN) }));
    // The Worker sends no text of an edited message.
    assert_eq!(refused(&world.knock(&Knock { text: None, ..world.private(ANN, "") })), Reason::PairingStarted);
    assert_eq!(refused(&world.say(66, &code)), Reason::PairingStarted);
    assert_eq!((world.only_invite().used, world.state(66)), (0, Some(PersonState::Pending)));
}

#[test]
fn of_two_who_race_for_one_place_one_comes_in() {
    let world = World::owned();
    let (_, code) = world.invite(1);
    let reasons = [ANN, 66].map(|user| refused(&world.open(user, &code)));
    assert_eq!(reasons, [Reason::Invited, Reason::PairingStarted]);
    assert_eq!((world.state(66), world.only_invite().people.len()), (Some(PersonState::Pending), 1));
}

#[test]
fn a_redelivered_update_changes_nothing_and_says_nothing() {
    let world = World::owned();
    let (_, code) = world.invite(2);
    let knock = world.private(ANN, &format!("/start {code}"));
    let first = world.knock(&knock);
    for _ in 0..3 {
        let again = world.knock(&knock);
        assert_eq!(again.0, first.0);
        assert!(again.1.is_empty());
    }
    assert_eq!(world.only_invite().used, 1);
    assert_eq!(world.deliver().len(), 2);
}

#[test]
fn a_link_for_several_lets_each_in_once_and_nobody_back_in() {
    let world = World::owned();
    let (_, code) = world.invite(3);
    for user in [ANN, 66] {
        assert_eq!(refused(&world.open(user, &code)), Reason::Invited);
    }
    world.dir.remove("main", ANN, &admin(), &world.cfg(), world.now()).unwrap();
    assert_eq!(refused(&world.open(ANN, &code)), Reason::PairingStarted, "who was removed stays out");
    assert_eq!(world.only_invite().used, 2);
    assert_eq!(refused(&world.open(77, &code)), Reason::Invited);
    assert_eq!(world.only_invite().state, InviteState::UsedUp);
}

#[test]
fn five_codes_that_open_nothing_shut_the_door_for_their_sender_for_an_hour() {
    let world = World::owned();
    let (_, code) = world.invite(2);
    let wrong = "0".repeat(32);
    for _ in 0..MAX_WRONG_PER_SENDER {
        world.open(ANN, &wrong);
    }
    assert_eq!(refused(&world.open(ANN, &code)), Reason::PairingWaiting, "even a good one, and without a word");
    // Nobody can shut it for others, nor prolong it for themselves.
    for sender in 1_000..1_060 {
        world.open(sender, &wrong);
    }
    assert_eq!(refused(&world.open(66, &code)), Reason::Invited);
    world.wait(HOUR);
    assert_eq!(refused(&world.open(ANN, &code)), Reason::Invited);
    assert_eq!(world.rows("invite_guess"), 0);
}

#[test]
fn a_waiting_code_is_settled_and_its_prompt_edited() {
    let world = World::owned();
    world.say(ANN, "hi");
    world.deliver();
    let (_, code) = world.invite(1);
    let answer = world.open(ANN, &code);
    let edit = answer.1.iter().find(|notice| notice.method == "editMessageText").unwrap();
    assert!(text(edit).contains("✅ Approved"), "{}", text(edit));
    assert!(world.dir.pending("main", world.now()).unwrap().is_empty());
}

#[test]
fn without_an_owner_a_link_is_a_wrong_claim_code() {
    let mut world = World::owned();
    let (_, code) = world.invite(1);
    world.owners.clear();
    assert_eq!(refused(&world.open(ANN, &code)), Reason::WrongClaim);
    assert_eq!((world.only_invite().used, world.state(ANN)), (0, None));
}

#[test]
fn links_are_bounded_in_number_life_and_people() {
    let world = World::owned();
    let wish = NewInvite { bot: "main", note: &"n".repeat(500), uses: 1_000, days: 10_000 };
    for n in 0..210_u8 {
        world.dir.make_invite(&wish, &admin(), T0, [n; 16]).unwrap();
    }
    let invites = world.dir.invites(Some("main"), T0).unwrap();
    assert_eq!((invites.len(), invites[0].uses, invites[0].note.len()), (200, 50, 200));
    assert_eq!(invites[0].expires_at, T0 + 365 * DAY);
    assert!(world.dir.invites(Some("two"), T0).unwrap().is_empty());
    let id = invites[0].id;
    assert!(world.dir.revoke_invite(id, &admin(), T0).unwrap());
    assert!(!world.dir.revoke_invite(id, &admin(), T0).unwrap(), "once");
    let audit = world.dir.audit_log(None, 1).unwrap();
    assert_eq!((audit[0].what.as_str(), audit[0].subject.clone()), ("revoke_invite", id.to_string()));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_harm_and_an_update_stays_an_update(text in ".{0,80}") {
        let _ = code_in(&text);
        let said = format!("/start {}{text}", "a1".repeat(16));
        let json = serde_json::json!({ "text": said }).to_string();
        let cleaned = crate::directory::invites::without_codes(json);
        let back: serde_json::Value = serde_json::from_str(&cleaned).unwrap();
        proptest::prop_assert!(!back["text"].as_str().unwrap().contains(&"a1".repeat(16)));
    }
}
