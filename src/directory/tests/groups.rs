//! Groups: closed until an owner says otherwise.

use super::*;
use crate::directory::member::MAX_STRANGE_GROUPS;

fn admit_button() -> String {
    format!("dir:g:{GROUP}")
}

fn leave_button() -> String {
    format!("dir:l:{GROUP}")
}

/// A group admitted by the owner, prompts delivered.
fn admitted_world() -> World {
    let world = World::owned();
    world.member(OWNER, true);
    world.deliver();
    world.press(OWNER, &admit_button());
    world.deliver();
    world
}

#[test]
fn an_unknown_group_is_ignored_for_everybody() {
    let world = World::owned();
    let answer = world.say_in_group(ANN);
    assert_eq!(refused(&answer), Reason::GroupUnknown);
    assert!(answer.1.is_empty());
    assert!(Reason::GroupUnknown.concerns_chat());
    world.dir.approve("main", ANN, &Actor::System, &world.cfg(), T0).unwrap();
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupUnknown, "pairing is not group access");
    assert!(world.dir.groups("main").unwrap().is_empty());
}

#[test]
fn an_owner_who_adds_the_bot_is_asked_in_private() {
    let mut world = World::owned();
    world.owners.push(2);
    let change = world.member(OWNER, true);
    let [prompt] = &change.notices[..] else { panic!("{change:?}") };
    assert_eq!(to(prompt), OWNER);
    assert!(text(prompt).contains("You added me to the group “Family”"));
    let row = &prompt.payload["reply_markup"]["inline_keyboard"][0];
    assert_eq!(row[0]["callback_data"], admit_button());
    assert_eq!(row[1]["callback_data"], leave_button());
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupPending);
    assert!(world.member(OWNER, true).notices.is_empty(), "a promotion asks nothing");
}

#[test]
fn a_stranger_who_adds_the_bot_is_told_nothing_and_owners_once() {
    let mut world = World::owned();
    world.owners.push(2);
    let change = world.member(ANN, true);
    assert_eq!(change.notices.iter().map(to).collect::<Vec<_>>(), [OWNER, 2]);
    assert!(text(&change.notices[0]).contains("@ann55"));
    world.member(ANN, false);
    assert!(world.member(66, true).notices.is_empty(), "one notice per group");
    assert!(world.say_in_group(OWNER).1.is_empty());
}

#[test]
fn a_flood_of_strange_groups_is_bounded() {
    let world = World::owned();
    let prompts: usize = (1..=20).map(|n| world.member_of(-n, ANN, true).notices.len()).sum();
    assert_eq!(prompts as i64, MAX_STRANGE_GROUPS);
    assert_eq!(world.dir.groups("main").unwrap().len(), 20, "the admin page shows all");
    for n in 21..=300 {
        world.member_of(-n, ANN, true);
    }
    assert_eq!(world.dir.groups("main").unwrap().len(), 200);
}

#[test]
fn an_admitted_group_may_talk_when_it_mentions() {
    let world = admitted_world();
    world.dir.set_bot_profile("main", 777, Some("tide_bot"), T0).unwrap();
    let answer = world.say_in_group(ANN);
    let admission = admitted(&answer);
    assert!(admission.require_mention && !admission.owner);
    assert_eq!((admission.bot_user_id, admission.bot_username.as_deref()), (Some(777), Some("tide_bot")));
    assert!(admitted(&world.say_in_group(OWNER)).owner);
    let group = world.dir.group("main", GROUP).unwrap().unwrap();
    assert_eq!((group.title.as_str(), group.admitted_by.as_deref()), ("Family", Some("tg:1")));
}

#[test]
fn admitting_and_leaving_decide_once() {
    let world = World::owned();
    world.member(ANN, true);
    world.deliver();
    let pressed = world.press(OWNER, &admit_button());
    assert_eq!(pressed.answer, "Group admitted.");
    assert_eq!(pressed.change.access[0].session_prefix, format!("main:{GROUP}"));
    assert!(text(&pressed.change.notices[0]).contains("✅ Admitted"));
    assert_eq!(world.press(OWNER, &admit_button()).answer, "Already admitted.");
    assert_eq!(world.press(OWNER, &leave_button()).answer, "Already admitted.");
    admitted(&world.say_in_group(ANN));

    let world = World::owned();
    world.member(ANN, true);
    let pressed = world.press(OWNER, &leave_button());
    assert_eq!(pressed.answer, "Leaving the group.");
    assert_eq!(pressed.change.notices.iter().filter(|notice| notice.method == "leaveChat").count(), 1);
    assert_eq!(world.press(OWNER, &admit_button()).answer, "I have already left.");
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupBlocked);
    assert_eq!(world.press(ANN, &admit_button()).answer, "Only an owner can decide this.");
}

#[test]
fn a_refused_group_is_left_again_unless_an_owner_brings_the_bot_back() {
    let world = World::owned();
    world.member(ANN, true);
    world.press(OWNER, &leave_button());
    world.member(ANN, false);
    let again = world.member(ANN, true);
    assert_eq!(again.notices.iter().map(|notice| notice.method.as_str()).collect::<Vec<_>>(), ["leaveChat"]);
    world.member(ANN, false);
    let by_owner = world.member(OWNER, true);
    assert_eq!(by_owner.notices[0].method, "sendMessage");
    assert_eq!(world.press(OWNER, &admit_button()).answer, "Group admitted.");
}

#[test]
fn leaving_keeps_the_state_and_closes_the_sessions() {
    let world = admitted_world();
    let change = world.member(ANN, false);
    assert_eq!(change.access[0].access, Access::Closed);
    let group = world.dir.group("main", GROUP).unwrap().unwrap();
    assert_eq!((group.state, group.present), (GroupState::Admitted, false));
    assert_eq!(world.member(ANN, false), Change::default());
    assert_eq!(world.member(ANN, true), Change::default(), "back in an admitted group: nothing to ask");
    admitted(&world.say_in_group(ANN));
}

#[test]
fn an_owner_who_speaks_in_a_group_the_bot_was_in_before_is_asked_once() {
    let world = World::owned();
    let answer = world.say_in_group(OWNER);
    assert_eq!(refused(&answer), Reason::GroupUnknown);
    assert_eq!(to(&answer.1[0]), OWNER);
    let again = world.say_in_group(OWNER);
    assert_eq!(refused(&again), Reason::GroupPending);
    assert!(again.1.is_empty());
    assert_eq!(world.press(OWNER, &admit_button()).answer, "Group admitted.");
}

#[test]
fn blocked_people_are_ignored_in_admitted_groups() {
    let world = admitted_world();
    let change = world.dir.block("main", ANN, &Actor::Telegram(OWNER), &world.cfg(), T0).unwrap();
    let group = AccessChange { session_prefix: format!("main:{GROUP}"), user_id: Some(ANN), access: Access::Closed };
    assert!(change.access.contains(&group), "{change:?}");
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::Blocked);
    admitted(&world.say_in_group(66));
    let change = world.dir.unblock("main", ANN, &Actor::Telegram(OWNER), T0).unwrap();
    assert_eq!(change.access[0].access, Access::Open { require_mention: true });
    admitted(&world.say_in_group(ANN));
}

#[test]
fn anonymous_admins_are_allowed_by_chat_and_bots_are_dropped() {
    let world = admitted_world();
    let mut anonymous = Knock { sender_chat: Some(GROUP), ..world.in_group(1_087_968_824) };
    anonymous.sender.as_mut().unwrap().is_bot = true;
    assert!(!admitted(&world.knock(&anonymous)).owner);
    let mut bot = world.in_group(99);
    bot.sender.as_mut().unwrap().is_bot = true;
    assert_eq!(refused(&world.knock(&bot)), Reason::Bot);
    // A channel that speaks in the group can be blocked by its own id, and never is an owner.
    let channel = |update_id| Knock { update_id, sender_chat: Some(-100_777), ..world.in_group(OWNER) };
    assert!(!admitted(&world.knock(&channel(901))).owner);
    world.dir.block("main", -100_777, &Actor::System, &world.cfg(), T0).unwrap();
    assert_eq!(refused(&world.knock(&channel(902))), Reason::Blocked);
    let nobody = Knock { sender: None, ..world.in_group(ANN) };
    assert_eq!(refused(&world.knock(&nobody)), Reason::NoSender);
    let unknown = Knock { chat_id: -5, sender_chat: Some(-5), ..world.in_group(ANN) };
    assert_eq!(refused(&world.knock(&unknown)), Reason::GroupUnknown);
}

#[test]
fn channels_and_private_memberships_do_nothing() {
    let world = World::owned();
    let post = Knock { chat: ChatKind::Channel, chat_id: -1_005, sender: None, ..world.private(ANN, "news") };
    assert_eq!(refused(&world.knock(&post)), Reason::Channel);
    for chat in [ChatKind::Private, ChatKind::Channel] {
        let member = Member { bot: "main".into(), update_id: 5, chat, chat_id: ANN, by: sender(ANN), present: true };
        assert_eq!(world.dir.member(&member, &world.cfg(), T0).unwrap(), Change::default());
    }
}

#[test]
fn the_mention_rule_can_be_changed_and_is_pushed() {
    let world = admitted_world();
    let actor = Actor::Admin("o@example.org".into());
    let change = world.dir.set_require_mention("main", GROUP, false, &actor, T0).unwrap();
    assert_eq!(change.access[0].access, Access::Open { require_mention: false });
    assert!(!admitted(&world.say_in_group(ANN)).require_mention);
    assert_eq!(world.dir.set_require_mention("main", GROUP, false, &actor, T0).unwrap(), Change::default());
    let unknown = world.dir.set_require_mention("main", -5, false, &actor, T0);
    assert_eq!(unknown, Err(DirectoryError::UnknownGroup));
}

#[test]
fn the_admin_page_admits_blocks_and_forgets_groups() {
    let world = World::owned();
    let actor = Actor::Admin("o@example.org".into());
    assert_eq!(world.dir.admit_group("main", GROUP, &actor, T0).unwrap().access.len(), 1);
    assert_eq!(world.dir.admit_group("main", GROUP, &actor, T0).unwrap(), Change::default());
    admitted(&world.say_in_group(ANN));
    let blocked = world.dir.block_group("main", GROUP, &actor, T0).unwrap();
    assert_eq!((blocked.notices[0].method.as_str(), &blocked.access[0].access), ("leaveChat", &Access::Closed));
    assert_eq!(world.dir.block_group("main", GROUP, &actor, T0).unwrap(), Change::default());
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupBlocked);
    world.dir.forget_group("main", GROUP, &actor, T0).unwrap();
    assert_eq!(world.dir.forget_group("main", GROUP, &actor, T0).unwrap(), Change::default());
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupUnknown);
    let whats: Vec<_> = world.dir.audit_log(None, 10).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(whats, ["forget_group", "block_group", "admit_group"]);
}

#[test]
fn a_group_that_becomes_a_supergroup_keeps_its_state() {
    let world = admitted_world();
    let new = -1_009;
    let change = world.dir.move_group("main", GROUP, new, T0).unwrap();
    assert_eq!(change.access[0].session_prefix, format!("main:{GROUP}"));
    let knock = Knock { chat_id: new, ..world.in_group(ANN) };
    admitted(&world.knock(&knock));
    assert_eq!(refused(&world.say_in_group(ANN)), Reason::GroupUnknown);
    assert_eq!(world.dir.move_group("main", GROUP, new, T0).unwrap(), Change::default());
    // A block of the new id is not overridden.
    world.dir.admit_group("main", -3, &Actor::System, T0).unwrap();
    world.dir.block_group("main", -4, &Actor::System, T0).unwrap();
    world.dir.move_group("main", -3, -4, T0).unwrap();
    assert_eq!(world.dir.group("main", -4).unwrap().unwrap().state, GroupState::Blocked);
}

#[test]
fn without_an_owner_a_group_waits() {
    let mut world = World::unowned();
    assert!(world.member(ANN, true).notices.is_empty());
    world.owners = vec![OWNER];
    assert_eq!(to(&world.say_in_group(OWNER).1[0]), OWNER);
}
