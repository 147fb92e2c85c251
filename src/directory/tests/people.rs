//! Policies, owners, the owner's actions, the bounded rings, bots and settings.

use super::*;
use crate::directory::journal::{KEEP_AUDIT, KEEP_REFUSALS};

fn admin() -> Actor {
    Actor::Admin("o@example.org".into())
}

fn with_policy(policy: DmPolicy) -> World {
    let world = World::owned();
    world.dir.approve("main", ANN, &admin(), &world.cfg(), T0).unwrap();
    world.dir.set_dm_policy(policy, &admin(), T0).unwrap();
    world.deliver();
    world
}

#[test]
fn every_policy_admits_whom_it_should() {
    use DmPolicy::*;
    // (policy, an approved person, a stranger); `None` is admitted.
    let rules = [
        (Pairing, None, Some(Reason::PairingStarted)),
        (Allowlist, None, Some(Reason::NotAllowed)),
        (Open, None, None),
        (Disabled, Some(Reason::DmDisabled), Some(Reason::DmDisabled)),
    ];
    for (policy, approved, stranger) in rules {
        let world = with_policy(policy);
        world.dir.block("main", 66, &admin(), &world.cfg(), T0).unwrap();
        for (user, expected) in [(ANN, approved), (77, stranger), (66, Some(Reason::Blocked)), (OWNER, None)] {
            let answer = world.say(user, "hi");
            match expected {
                Some(reason) => assert_eq!(refused(&answer), reason, "{policy:?} {user}"),
                None => assert_eq!(admitted(&answer).owner, user == OWNER, "{policy:?} {user}"),
            }
            if expected != Some(Reason::PairingStarted) {
                assert!(answer.1.is_empty(), "{policy:?}: nothing is said to {user}");
            }
        }
    }
}

#[test]
fn pairing_is_the_default_and_a_word_of_a_newer_release_closes() {
    let world = World::owned();
    assert_eq!(world.dir.dm_policy().unwrap(), DmPolicy::Pairing);
    world.dir.put_setting("dm_policy", "friends_of_friends").unwrap();
    assert_eq!(world.dir.dm_policy().unwrap(), DmPolicy::Allowlist);
}

#[test]
fn turning_private_messages_off_closes_approved_sessions() {
    let world = with_policy(DmPolicy::Pairing);
    let change = world.dir.set_dm_policy(DmPolicy::Disabled, &admin(), T0).unwrap();
    assert_eq!(change.access.len(), 1);
    assert_eq!(change.access[0].session_prefix, "main:55");
    assert_eq!(world.dir.set_dm_policy(DmPolicy::Disabled, &admin(), T0).unwrap(), Change::default());
}

#[test]
fn strangers_under_open_leave_no_row_and_a_short_admission() {
    let world = with_policy(DmPolicy::Open);
    assert_eq!(admitted(&world.say(77, "hi")).good_for_ms, MINUTE);
    assert_eq!(world.state(77), None);
}

#[test]
fn admin_actions_are_idempotent() {
    let world = World::owned();
    let (dir, cfg, actor) = (&world.dir, world.cfg(), admin());
    assert_eq!(dir.approve("main", ANN, &actor, &cfg, T0).unwrap().notices.len(), 1);
    assert_eq!(dir.approve("main", ANN, &actor, &cfg, T0).unwrap(), Change::default());
    assert_eq!(dir.deny("main", ANN, &actor, T0).unwrap(), Change::default());
    assert_eq!(world.state(ANN), Some(PersonState::Approved), "deny is for those who wait");
    assert_eq!(dir.block("main", ANN, &actor, &cfg, T0).unwrap().access[0].access, Access::Closed);
    assert_eq!(dir.block("main", ANN, &actor, &cfg, T0).unwrap(), Change::default());
    assert_eq!(dir.unblock("main", ANN, &actor, T0).unwrap(), Change::default(), "no group, nothing to push");
    assert_eq!(dir.unblock("main", ANN, &actor, T0).unwrap(), Change::default());
    assert_eq!(dir.remove("main", ANN, &actor, &cfg, T0).unwrap(), Change::default());
    dir.approve("main", ANN, &actor, &cfg, T0).unwrap();
    assert_eq!(dir.remove("main", ANN, &actor, &cfg, T0).unwrap().access[0].access, Access::Closed);
    let whats: Vec<_> = dir.audit_log(None, 10).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(whats, ["remove", "approve", "unblock", "block", "approve"]);
    assert_eq!(dir.audit_log(None, 1).unwrap()[0].who, "admin:o@example.org");
}

#[test]
fn configured_owners_cannot_be_touched() {
    let world = World::owned();
    world.say(OWNER, "hi");
    let (dir, cfg) = (&world.dir, world.cfg());
    assert_eq!(dir.block("main", OWNER, &admin(), &cfg, T0), Err(DirectoryError::ConfiguredOwner));
    assert_eq!(dir.remove("main", OWNER, &admin(), &cfg, T0), Err(DirectoryError::ConfiguredOwner));
    assert_eq!(dir.approve("main", OWNER, &admin(), &cfg, T0).unwrap(), Change::default());
    assert_eq!(world.state(OWNER), Some(PersonState::Owner));
    dir.set_dm_policy(DmPolicy::Disabled, &admin(), T0).unwrap();
    assert!(admitted(&world.say(OWNER, "hi")).owner);
}

#[test]
fn an_owner_off_the_list_is_a_stranger_at_once() {
    let mut world = World::owned();
    world.say(OWNER, "hi");
    world.owners = vec![2];
    assert_eq!(refused(&world.say(OWNER, "hi")), Reason::PairingStarted);
    assert_eq!(world.press(OWNER, "dir:g:-5").answer, "Only an owner can decide this.");
}

#[test]
fn a_claimed_owner_can_be_removed_but_not_the_last() {
    let mut world = World { claim_code: Some("open-sesame"), ..World::unowned() };
    world.say(ANN, "open-sesame");
    let last = world.dir.remove("main", ANN, &admin(), &world.cfg(), T0);
    assert_eq!(last, Err(DirectoryError::LastOwner));
    world.owners = vec![OWNER];
    world.dir.admit_group("main", GROUP, &admin(), T0).unwrap();
    // Removed by way of a bot they never claimed: ownership ends on all.
    let change = world.dir.remove("two", ANN, &admin(), &world.cfg(), T0).unwrap();
    let prefixes: Vec<_> = change.access.iter().map(|access| access.session_prefix.as_str()).collect();
    assert_eq!(prefixes, ["main:55", &format!("main:{GROUP}"), "two:55"]);
    assert!(!world.dir.is_owner(ANN, &world.cfg()).unwrap());
    assert_eq!(refused(&world.say(ANN, "hi")), Reason::PairingStarted);
}

#[test]
fn a_press_about_somebody_who_became_an_owner_is_harmless() {
    let mut world = World::owned();
    world.say(ANN, "hi");
    world.deliver();
    let code = world.code();
    world.owners.push(ANN);
    assert_eq!(world.press(OWNER, &format!("dir:b:{code}")).answer, "Already approved.");
    assert!(admitted(&world.say(ANN, "hi")).owner);
}

#[test]
fn names_follow_the_person() {
    let world = with_policy(DmPolicy::Pairing);
    world.say(ANN, "hi");
    let mut knock = world.private(ANN, "hi");
    knock.sender.as_mut().unwrap().first_name = "Anna".into();
    admitted(&world.knock(&knock));
    let person = &world.dir.people("main", &world.cfg()).unwrap()[0];
    assert_eq!((person.name.as_str(), person.state), ("Anna Lee", PersonState::Approved));
    assert_eq!(person.by.as_deref(), Some("admin:o@example.org"));
}

#[test]
fn recent_refusals_are_shown_and_bounded() {
    let world = with_policy(DmPolicy::Allowlist);
    for _ in 0..KEEP_REFUSALS + 20 {
        world.say(77, "a private word");
    }
    let refusals = world.dir.refusals().unwrap();
    assert_eq!(refusals.len() as i64, KEEP_REFUSALS);
    let newest = &refusals[0];
    assert_eq!((newest.user_id, newest.reason), (Some(77), Reason::NotAllowed));
    assert!(!serde_json::to_string(&refusals).unwrap().contains("a private word"), "texts are not kept");
}

#[test]
fn the_audit_is_bounded_and_paged() {
    let world = World::owned();
    for n in 0..KEEP_AUDIT + 10 {
        world.dir.audit(None, &Actor::System, "test", &n.to_string(), T0).unwrap();
    }
    let page = world.dir.audit_log(None, 1_000).unwrap();
    assert_eq!(page.len() as i64, LIST_LIMIT);
    let next = world.dir.audit_log(Some(page[499].id), 1).unwrap();
    assert_eq!(next[0].id, page[499].id - 1);
    assert!(world.dir.audit_log(Some(11), 1).unwrap().is_empty());
}

#[test]
fn settings_are_checked_and_audited() {
    let world = World::owned();
    let dir = &world.dir;
    dir.set_setting("greeting", "hello", &admin(), T0).unwrap();
    dir.set_setting("greeting", "hi", &admin(), T0).unwrap();
    assert_eq!(dir.setting("greeting").unwrap().as_deref(), Some("hi"));
    assert_eq!(dir.settings().unwrap(), [("greeting".to_owned(), "hi".to_owned())]);
    for key in ["", "claim_code", "dm_policy", &"k".repeat(65)] {
        assert_eq!(dir.set_setting(key, "x", &admin(), T0), Err(DirectoryError::BadSetting), "{key}");
    }
    assert_eq!(dir.set_setting("k", &"v".repeat(65 * 1024), &admin(), T0), Err(DirectoryError::BadSetting));
    assert_eq!(dir.audit_log(None, 9).unwrap().len(), 2);
}

#[test]
fn bots_keep_profile_and_command_hashes() {
    let world = World::owned();
    let dir = &world.dir;
    assert_eq!(dir.bot("main").unwrap(), None);
    dir.set_bot_profile("main", 777, Some("old_bot"), T0).unwrap();
    dir.set_bot_profile("main", 777, Some("tide_bot"), T0 + 1).unwrap();
    let bots = dir.bots().unwrap();
    assert_eq!(bots.len(), 1);
    assert_eq!((bots[0].username.as_deref(), bots[0].profile_checked_at), (Some("tide_bot"), Some(T0 + 1)));
    dir.set_commands_hash("main", "default", "", "abc").unwrap();
    dir.set_commands_hash("main", "default", "ru", "def").unwrap();
    dir.set_commands_hash("main", "default", "", "xyz").unwrap();
    assert_eq!(dir.commands_hash("main", "default", "").unwrap().as_deref(), Some("xyz"));
    assert_eq!(dir.commands_hash("main", "default", "ru").unwrap().as_deref(), Some("def"));
    assert_eq!(dir.commands_hash("two", "default", "").unwrap(), None);
}
