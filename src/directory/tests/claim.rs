//! The first owner.

use super::*;
use crate::directory::claim::{MAX_WRONG, MAX_WRONG_PER_SENDER};

const CODE: &str = "open-Sesame";

fn with_code() -> World {
    World { claim_code: Some(CODE), ..World::unowned() }
}

#[test]
fn without_an_owner_a_stranger_hears_how_to_claim_once_an_hour() {
    let world = with_code();
    let first = world.say(ANN, "hello");
    assert_eq!(refused(&first), Reason::NoOwner);
    assert!(text(&first.1[0]).contains("claim code"));
    assert!(world.say(ANN, "/start").1.is_empty());
    world.wait(HOUR);
    assert_eq!(world.say(ANN, "hello").1.len(), 1);
}

#[test]
fn the_code_as_text_or_deep_link_makes_the_owner() {
    for said in [CODE.to_owned(), format!("  {CODE} \n"), format!("/start {CODE}")] {
        let world = with_code();
        let knock = world.private(ANN, &said);
        let answer = world.knock(&knock);
        assert_eq!(refused(&answer), Reason::Claimed);
        assert!(text(&answer.1[0]).contains("I am yours"));
        assert_eq!(world.state(ANN), Some(PersonState::Owner));
        // Delivered again, the code does not reach the model.
        assert_eq!(refused(&world.knock(&knock)), Reason::Claimed);
        assert!(admitted(&world.say(ANN, "hi")).owner);
        assert_eq!(world.dir.audit_log(None, 1).unwrap()[0].what, "claim");
    }
}

#[test]
fn the_code_dies_with_the_first_owner() {
    let world = with_code();
    world.say(ANN, CODE);
    assert_eq!(refused(&world.say(66, CODE)), Reason::PairingStarted);
    assert_eq!(world.dir.claim_code(&world.cfg(), [0; 16]).unwrap(), None);
    assert_eq!(world.dir.owners(&world.cfg()).unwrap(), [ANN]);
}

#[test]
fn an_owner_of_one_bot_owns_all() {
    let world = with_code();
    world.say(ANN, CODE);
    let other = Knock { bot: "two".into(), ..world.private(ANN, "hi") };
    assert!(admitted(&world.knock(&other)).owner);
}

#[test]
fn a_code_is_made_at_first_need_and_kept() {
    let world = World::unowned();
    assert_eq!(refused(&world.say(ANN, "hello")), Reason::NoOwner);
    let code = world.dir.claim_code(&world.cfg(), [9; 16]).unwrap().unwrap();
    assert_eq!(code.len(), 12);
    assert_eq!(world.dir.claim_code(&world.cfg(), [8; 16]).unwrap().unwrap(), code);
    assert!(world.dir.settings().unwrap().is_empty(), "no list shows it");
    let typed = format!("{} {} {}", &code[..4], &code[4..8], &code[8..]).to_lowercase();
    assert_eq!(refused(&world.say(ANN, &typed)), Reason::Claimed);
    assert_eq!(world.dir.setting("claim_code").unwrap(), None);
}

#[test]
fn a_blank_code_claims_nothing() {
    let world = World { claim_code: Some("  "), ..World::unowned() };
    for said in ["", "  ", "/start", "/start  "] {
        assert_eq!(refused(&world.say(ANN, said)), Reason::NoOwner, "{said:?}");
    }
}

#[test]
fn the_code_of_the_environment_is_taken_literally() {
    let world = with_code();
    assert_eq!(refused(&world.say(ANN, "OPEN-SESAME")), Reason::WrongClaim);
    assert_eq!(refused(&world.say(ANN, "/start open-Sesam")), Reason::WrongClaim);
    assert_eq!(refused(&world.say(ANN, "/start open-Sesame-too")), Reason::WrongClaim);
}

#[test]
fn five_wrong_codes_lock_a_sender_for_an_hour_even_for_the_right_one() {
    let world = with_code();
    for _ in 0..MAX_WRONG_PER_SENDER {
        let answer = world.say(ANN, "/start wrong");
        assert_eq!(refused(&answer), Reason::WrongClaim);
        assert_eq!(answer.1.len(), 1);
    }
    let locked = world.say(ANN, CODE);
    assert_eq!(refused(&locked), Reason::ClaimLocked);
    assert_eq!(locked.1.len(), 1);
    assert!(world.say(ANN, CODE).1.is_empty(), "said once");
    // Small talk is no guess, and others are not locked.
    assert_eq!(refused(&world.say(ANN, "hello")), Reason::NoOwner);
    world.wait(HOUR);
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::Claimed);
}

#[test]
fn fifty_wrong_codes_lock_everybody_for_an_hour() {
    let world = with_code();
    for n in 0..MAX_WRONG {
        assert_eq!(refused(&world.say(1_000 + n, "/start wrong")), Reason::WrongClaim);
    }
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::ClaimLocked);
    world.wait(HOUR - 1);
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::ClaimLocked);
    world.wait(1);
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::Claimed, "refused tries do not prolong the lock");
}

#[test]
fn a_redelivered_wrong_code_counts_once() {
    let world = with_code();
    let knock = world.private(ANN, "/start wrong");
    for _ in 0..20 {
        world.knock(&knock);
    }
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::Claimed);
}

#[test]
fn bots_blocked_people_and_groups_cannot_claim() {
    let world = with_code();
    let mut bot = world.private(ANN, CODE);
    bot.sender.as_mut().unwrap().is_bot = true;
    assert_eq!(refused(&world.knock(&bot)), Reason::Bot);
    let group = Knock { text: Some(CODE.into()), ..world.in_group(ANN) };
    assert_eq!(refused(&world.knock(&group)), Reason::GroupUnknown);
    world.dir.block("main", ANN, &Actor::Admin("o@example.org".into()), &world.cfg(), T0).unwrap();
    assert_eq!(refused(&world.say(ANN, CODE)), Reason::Blocked);
    assert!(!world.dir.has_owner(&world.cfg()).unwrap());
}

#[test]
fn a_configured_owner_ends_the_claim_for_good() {
    let mut world = World::unowned();
    let old = world.dir.claim_code(&world.cfg(), [9; 16]).unwrap().unwrap();
    world.owners = vec![OWNER];
    assert_eq!(refused(&world.say(ANN, &old)), Reason::PairingStarted);
    world.say(OWNER, "hi");
    world.owners.clear();
    let new = world.dir.claim_code(&world.cfg(), [3; 16]).unwrap().unwrap();
    assert_ne!(old, new);
    assert_eq!(refused(&world.say(OWNER, "hi")), Reason::NoOwner, "off the list, no owner any more");
}

#[test]
fn russian_claims_read_russian() {
    let world = with_code();
    let mut knock = world.private(ANN, "привет");
    knock.sender.as_mut().unwrap().language_code = Some("ru".into());
    assert!(text(&world.knock(&knock).1[0]).contains("нет владельца"));
}
