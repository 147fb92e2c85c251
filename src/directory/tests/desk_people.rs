//! What the control plane sees of people and does about them.

use super::*;
use crate::directory::desk::people::*;
use crate::directory::desk::{Desk, DeskAsk, Refused};
use serde::de::DeserializeOwned;
use serde_json::json;

const CAPS: Caps = Caps { day_nano_usd: 9, month_nano_usd: 9, person_day_nano_usd: Some(5) };

impl World {
    fn people_desk<T: DeserializeOwned>(&self, ask: PeopleAsk) -> Result<T, Refused> {
        let who = Actor::Admin("o@example.org".into());
        self.update_id();
        let cfg = self.cfg();
        let desk = Desk { who: &who, cfg: &cfg, caps: &CAPS, now: self.now(), random: self.random() };
        let json = self.dir.desk(&DeskAsk::People(ask), &desk)?;
        Ok(serde_json::from_str(&json).unwrap())
    }

    fn act(&self, user_id: i64, act: PersonAct) -> Result<Acted, Refused> {
        self.people_desk(PeopleAsk::Person { bot: "main".into(), user_id, act, code: None })
    }

    fn act_on_group(&self, act: GroupAct) -> Result<Acted, Refused> {
        self.people_desk(PeopleAsk::Group { bot: "main".into(), chat_id: GROUP, act })
    }

    fn view(&self, q: &str) -> PeopleView {
        self.people_desk(PeopleAsk::People(Find { q: q.into(), ..Find::default() })).unwrap()
    }

    /// Conversations that a change is on its way to.
    fn pushes(&self) -> Vec<(String, Access)> {
        let mut pushes = Vec::new();
        while let Some(push) = self.dir.next_push().unwrap() {
            self.dir.pushed(push.id).unwrap();
            pushes.push((push.session, push.change.access));
        }
        pushes
    }
}

#[test]
fn a_decision_on_the_page_is_the_same_as_a_press() {
    for (act, press) in [(PersonAct::Approve, "a"), (PersonAct::Deny, "d"), (PersonAct::Block, "b")] {
        let [by_page, by_press] = [true, false].map(|page| {
            let world = World::owned();
            world.say(OWNER, "hi");
            world.say(ANN, "hi");
            world.deliver();
            let code = world.code();
            if page {
                let ask = PeopleAsk::Person { bot: "main".into(), user_id: ANN, act, code: Some(code.clone()) };
                assert!(world.people_desk::<Acted>(ask.clone()).unwrap().changed);
                // The first decision stands.
                assert_eq!(world.people_desk::<Acted>(ask).unwrap_err().status, 409);
            } else {
                world.press(OWNER, &format!("dir:{press}:{code}"));
            }
            let sent: Vec<_> = world
                .deliver()
                .into_iter()
                .map(|n| (n.method.clone(), to(&n), text(&n).replace(" (Ann1 Lee)", "")))
                .collect();
            let whats: Vec<_> =
                world.dir.audit_log(None, 9).unwrap().into_iter().map(|e| (e.what, e.subject)).collect();
            (world.state(ANN), sent, whats)
        });
        assert_eq!(by_page, by_press, "{act:?}");
    }
}

#[test]
fn a_code_must_be_that_persons() {
    let world = World::owned();
    world.say(ANN, "hi");
    let code = world.code();
    for (user_id, code) in [(66, code.as_str()), (ANN, "AAAAAAAA"), (ANN, "no code")] {
        let ask = PeopleAsk::Person { bot: "main".into(), user_id, act: PersonAct::Approve, code: Some(code.into()) };
        assert_eq!(world.people_desk::<Acted>(ask).unwrap_err().status, 404);
    }
    world.wait(HOUR);
    let ask = PeopleAsk::Person { bot: "main".into(), user_id: ANN, act: PersonAct::Approve, code: Some(code) };
    assert!(world.people_desk::<Acted>(ask).unwrap_err().message.contains("expired"));
    assert_eq!(world.state(ANN), None);
}

#[test]
fn an_approved_person_can_become_an_owner_and_be_one_no_more() {
    let world = World::owned();
    assert_eq!(world.act(ANN, PersonAct::Promote).unwrap_err().status, 400);
    world.act(ANN, PersonAct::Approve).unwrap();
    world.dir.note_session("main", "main:55", T0).unwrap();
    world.pushes();
    assert!(world.act(ANN, PersonAct::Promote).unwrap().changed);
    assert_eq!(world.pushes(), [("main:55".into(), Access::Owner(true))]);
    assert!(admitted(&world.say(ANN, "hi")).owner);
    // As an owner she is known to the other bot, which never approved her.
    admitted(&world.knock(&Knock { bot: "two".into(), ..world.private(ANN, "hi") }));
    world.dir.note_session("two", "two:55", T0).unwrap();
    assert!(world.act(ANN, PersonAct::Demote).unwrap().changed);
    assert_eq!(world.pushes(), [("main:55".into(), Access::Owner(false)), ("two:55".into(), Access::Closed)]);
    assert!(!admitted(&world.say(ANN, "hi")).owner);
    assert!(!world.act(ANN, PersonAct::Demote).unwrap().changed);
    let whats: Vec<_> = world.dir.audit_log(None, 3).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(whats, ["demote", "promote", "approve"]);
}

#[test]
fn the_last_owner_and_those_of_the_environment_stay() {
    let world = World { claim_code: Some("open-sesame"), ..World::unowned() };
    world.say(ANN, "open-sesame");
    for act in [PersonAct::Demote, PersonAct::Remove, PersonAct::Block] {
        assert!(world.act(ANN, act).unwrap_err().message.contains("last owner"));
    }
    let world = World::owned();
    for act in [PersonAct::Demote, PersonAct::Remove, PersonAct::Block] {
        assert!(world.act(OWNER, act).unwrap_err().message.contains("OWNER_TELEGRAM_IDS"));
    }
    let owner = &world.view("").owners[0];
    assert_eq!((owner.user_id, owner.configured, owner.name.as_str(), &owner.bot), (OWNER, true, "", &None));
}

#[test]
fn the_claim_code_is_shown_while_nobody_owns_the_bots() {
    let world = World::unowned();
    world.dir.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    let claim = world.view("").claim.unwrap();
    assert_eq!(claim.links, [format!("https://t.me/tide_bot?start={}", claim.code)]);
    assert_eq!(refused(&world.say(ANN, &format!("/start {}", claim.code))), Reason::Claimed);
    assert_eq!(world.view("").claim, None);
    // A code that no link can carry is shown without one.
    let world = World { claim_code: Some("open sesame!"), ..World::unowned() };
    world.dir.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    assert_eq!(world.view("").claim.unwrap(), Claim { code: "open sesame!".into(), links: vec![] });
}

#[test]
fn people_are_found_by_name_username_and_id_in_any_alphabet() {
    let world = World::owned();
    for (id, name) in [(201, "Мария"), (202, "Bob"), (203, "Straße")] {
        let mut knock = world.private(id, "hi");
        knock.sender.as_mut().unwrap().first_name = name.into();
        world.dir.approve("main", id, &Actor::System, &world.cfg(), T0).unwrap();
        world.knock(&knock);
    }
    world.dir.approve("two", 202, &Actor::System, &world.cfg(), T0).unwrap();
    let ids = |q: &str| world.view(q).people.iter().map(|row| row.person.user_id).collect::<Vec<_>>();
    assert_eq!(ids("мАРИ"), [201]);
    assert_eq!(ids("STRAß"), [203]);
    assert_eq!(ids("@ann203"), [203]);
    assert_eq!(ids("202"), [202, 202]);
    assert_eq!(ids("'; DROP TABLE person"), Vec::<i64>::new());
    let two = Find { bot: Some("two".into()), ..Find::default() };
    assert_eq!(world.people_desk::<PeopleView>(PeopleAsk::People(two)).unwrap().people.len(), 1);
}

#[test]
fn long_lists_come_in_pages() {
    let world = World::owned();
    for user in 0..250 {
        world.dir.approve("main", 1_000 + user, &Actor::System, &world.cfg(), T0 + user).unwrap();
    }
    let mut seen = Vec::new();
    for (page, rows, more) in [(1, 100, true), (2, 100, true), (3, 50, false), (4, 0, false)] {
        let find = Find { page, ..Find::default() };
        let view: PeopleView = world.people_desk(PeopleAsk::People(find)).unwrap();
        assert_eq!((view.people.len(), view.more), (rows, more), "{page}");
        seen.extend(view.people.iter().map(|row| row.person.user_id));
    }
    seen.dedup();
    assert_eq!((seen.len(), seen[0]), (250, 1_249));
}

#[test]
fn the_page_shows_a_persons_day_and_their_cap() {
    let world = World::owned();
    world.act(ANN, PersonAct::Approve).unwrap();
    let row = |world: &World| world.view("55").people[0].clone();
    assert_eq!((row(&world).cap_nano_usd, row(&world).today_nano_usd), (None, 0));
    let set = |nano_usd| world.people_desk::<Acted>(PeopleAsk::Cap { user_id: ANN, nano_usd }).unwrap().changed;
    assert_eq!((set(Some(7)), set(Some(7))), (true, false));
    assert_eq!((row(&world).cap_nano_usd, world.view("").person_cap_nano_usd), (Some(7), Some(5)));
    assert!(set(None));
    let whats: Vec<_> = world.dir.audit_log(None, 2).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(whats, ["cap_general", "cap"]);
}

#[test]
fn groups_are_admitted_left_blocked_and_forgotten() {
    let world = World::owned();
    assert_eq!(world.act_on_group(GroupAct::Leave).unwrap_err().status, 404);
    world.member(ANN, true);
    world.deliver();
    assert!(world.act_on_group(GroupAct::Admit).unwrap().changed);
    assert_eq!(world.deliver()[0].method, "editMessageText", "the owner's prompt");
    world.dir.note_session("main", &format!("main:{GROUP}"), T0).unwrap();
    world.pushes();
    assert!(world.act_on_group(GroupAct::MentionOff).unwrap().changed);
    assert_eq!(world.pushes(), [(format!("main:{GROUP}"), Access::Open { require_mention: false })]);
    assert!(!admitted(&world.say_in_group(66)).require_mention);
    assert!(!world.act_on_group(GroupAct::MentionOff).unwrap().changed);

    let left = world.act_on_group(GroupAct::Leave).unwrap();
    assert_eq!(left.access[0].access, Access::Closed);
    assert_eq!(world.deliver().last().unwrap().method, "leaveChat");
    assert_eq!(refused(&world.say_in_group(66)), Reason::GroupPending);
    assert!(!world.act_on_group(GroupAct::Leave).unwrap().changed);
    // Whoever brings it back, owners are asked again.
    world.wait(HOUR);
    assert_eq!(world.member(66, true).notices.len(), 1);

    assert!(world.act_on_group(GroupAct::Block).unwrap().changed);
    assert_eq!(refused(&world.say_in_group(66)), Reason::GroupBlocked);
    assert!(world.act_on_group(GroupAct::Forget).unwrap().changed);
    assert_eq!(refused(&world.say_in_group(66)), Reason::GroupUnknown);
}

#[test]
fn a_link_needs_an_owner_a_name_and_sane_numbers() {
    let ask = |uses, days, note: &str| PeopleAsk::Invite { bot: "main".into(), note: note.into(), uses, days };
    let nobody = World::unowned();
    assert_eq!(nobody.people_desk::<MadeInvite>(ask(1, 7, "")).unwrap_err().code, "no_owner");
    let world = World::owned();
    assert_eq!(world.people_desk::<MadeInvite>(ask(1, 7, "")).unwrap_err().status, 503);
    world.dir.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    for (uses, days) in [(0, 7), (51, 7), (1, 0), (1, 366), (-1, 7)] {
        assert_eq!(world.people_desk::<MadeInvite>(ask(uses, days, "")).unwrap_err().status, 400);
    }
    assert_eq!(world.people_desk::<MadeInvite>(ask(1, 7, &"n".repeat(201))).unwrap_err().status, 400);
    let made: MadeInvite = world.people_desk(ask(2, 7, "home")).unwrap();
    assert_eq!(made.expires_at, T0 + 7 * DAY);
    let code = made.link.strip_prefix("https://t.me/tide_bot?start=").unwrap();
    assert_eq!(refused(&world.say(ANN, &format!("/start {code}"))), Reason::Invited);
    let view: InvitesView = world.people_desk(PeopleAsk::Invites(Find::default())).unwrap();
    assert!(view.work && view.invites[0].people[0].name == "Ann55 Lee");
    assert!(!serde_json::to_string(&view).unwrap().contains(code), "shown once");
    assert!(world.people_desk::<Acted>(PeopleAsk::Revoke { id: made.id }).unwrap().changed);
    assert!(!world.people_desk::<Acted>(PeopleAsk::Revoke { id: made.id }).unwrap().changed);
    assert_eq!(world.people_desk::<Acted>(PeopleAsk::Revoke { id: 99 }).unwrap_err().status, 404);
    world.dir.set_dm_policy(DmPolicy::Open, &Actor::System, T0).unwrap();
    assert!(!world.people_desk::<InvitesView>(PeopleAsk::Invites(Find::default())).unwrap().work);
}

#[test]
fn who_was_let_in_by_a_code_was_not_turned_away() {
    let world = World { claim_code: Some("open-sesame"), ..World::unowned() };
    world.say(ANN, "open-sesame");
    world.say(66, "hi");
    let view: RefusalsView = world.people_desk(PeopleAsk::Refusals(Find::default())).unwrap();
    assert_eq!(view.refusals.iter().map(|one| one.user_id).collect::<Vec<_>>(), [Some(66)]);
    let none = Find { q: "nobody".into(), ..Find::default() };
    assert!(world.people_desk::<RefusalsView>(PeopleAsk::Refusals(none)).unwrap().refusals.is_empty());
}

#[test]
fn the_json_is_pinned() {
    let world = World::owned();
    world.dir.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    world.act(ANN, PersonAct::Approve).unwrap();
    world.say(66, "hi");
    world.people_desk::<Acted>(PeopleAsk::Cap { user_id: ANN, nano_usd: Some(7) }).unwrap();
    let code = world.code();
    let bots = json!([{ "id": "main", "user_id": 7, "username": "tide_bot", "profile_checked_at": T0 }]);
    let expected = json!({
        "bots": bots, "policy": "pairing", "claim": null, "person_cap_nano_usd": 5,
        "waiting": [{
            "bot": "main", "code": code, "user_id": 66, "name": "Ann66 Lee", "username": "ann66",
            "created_at": T0, "expires_at": T0 + HOUR,
        }],
        "owners": [{ "user_id": 1, "name": "", "username": null, "configured": true, "bot": null }],
        "people": [
            {
                "bot": "main", "user_id": 55, "name": "", "username": null, "language_code": null, "state": "approved",
                "since": T0, "by": "admin:o@example.org", "cap_nano_usd": 7, "today_nano_usd": 0,
            },
        ],
        "page": 1, "more": false,
    });
    assert_eq!(serde_json::to_value(world.view("")).unwrap(), expected);

    world.member(ANN, true);
    let groups: GroupsView = world.people_desk(PeopleAsk::Groups(Find::default())).unwrap();
    let expected = json!({
        "bots": bots, "page": 1, "more": false,
        "groups": [{
            "bot": "main", "chat_id": GROUP, "title": "Family", "state": "pending", "require_mention": true,
            "present": true, "since": T0, "added_by": 55, "admitted_by": null, "owners_told_at": T0, "added_by_name": "",
        }],
    });
    assert_eq!(serde_json::to_value(groups).unwrap(), expected);

    let invite = PeopleAsk::Invite { bot: "main".into(), note: "n".into(), uses: 1, days: 1 };
    let made: MadeInvite = world.people_desk(invite.clone()).unwrap();
    assert_eq!(serde_json::to_value(&made).unwrap(), json!({ "id": 1, "link": made.link, "expires_at": T0 + DAY }));
    let invites: InvitesView = world.people_desk(PeopleAsk::Invites(Find::default())).unwrap();
    let expected = json!({
        "bots": bots, "work": true,
        "invites": [{
            "id": 1, "bot": "main", "note": "n", "uses": 1, "used": 0, "created_at": T0,
            "created_by": "admin:o@example.org", "expires_at": T0 + DAY, "revoked_at": null, "state": "open", "people": [],
        }],
    });
    assert_eq!(serde_json::to_value(invites).unwrap(), expected);

    let asks = [
        (
            PeopleAsk::People(Find { bot: None, q: "x".into(), page: 2 }),
            json!({ "people": { "bot": null, "q": "x", "page": 2 } }),
        ),
        (
            PeopleAsk::Person { bot: "main".into(), user_id: 5, act: PersonAct::Unblock, code: None },
            json!({ "person": { "bot": "main", "user_id": 5, "act": "unblock", "code": null } }),
        ),
        (PeopleAsk::Cap { user_id: 5, nano_usd: None }, json!({ "cap": { "user_id": 5, "nano_usd": null } })),
        (
            PeopleAsk::Group { bot: "main".into(), chat_id: -5, act: GroupAct::MentionOn },
            json!({ "group": { "bot": "main", "chat_id": -5, "act": "mention_on" } }),
        ),
        (invite, json!({ "invite": { "bot": "main", "note": "n", "uses": 1, "days": 1 } })),
        (PeopleAsk::Revoke { id: 3 }, json!({ "revoke": { "id": 3 } })),
    ];
    for (ask, expected) in asks {
        assert_eq!(serde_json::to_value(&ask).unwrap(), expected);
    }
    let acted = Acted { changed: true, access: vec![] };
    assert_eq!(serde_json::to_value(&acted).unwrap(), json!({ "changed": true, "access": [] }));
}
