//! Whatever is changed at the desk is in the audit with who did it; whatever only looks is not.

use super::*;
use crate::backup::key;
use crate::directory::backups::{RestoreAction, What};
use crate::directory::desk::models::ModelsAsk;
use crate::directory::desk::people::*;
use crate::directory::desk::{Act, AgentsAsk, BindingPlace, ConfigAsk, Desk, DeskAsk, Refused};
use serde_json::json;

const CAPS: Caps = Caps { day_nano_usd: 9, month_nano_usd: 9, person_day_nano_usd: None };

/// Whether `ask` changes something. Whoever adds a question says so here, and if it does, an example below.
fn changes(ask: &DeskAsk) -> bool {
    match ask {
        DeskAsk::State | DeskAsk::Events(_) | DeskAsk::Audit(_) | DeskAsk::Backups | DeskAsk::LastRestore => false,
        DeskAsk::Doctor | DeskAsk::Conversations { .. } | DeskAsk::Conversation { .. } => false,
        // What follows a deletion, which `NoteAct` had written down before.
        DeskAsk::Unlist { .. } => false,
        DeskAsk::BackUpNow | DeskAsk::RestoreBackup(_) | DeskAsk::NoteAct { .. } => true,
        DeskAsk::Config(ask) => match ask {
            ConfigAsk::Live | ConfigAsk::Check { .. } | ConfigAsk::Versions { .. } | ConfigAsk::Version { .. } => false,
            ConfigAsk::Save { .. } | ConfigAsk::Rollback { .. } => true,
        },
        DeskAsk::Agents(ask) => match ask {
            AgentsAsk::All | AgentsAsk::Resolve { .. } => false,
            AgentsAsk::Save { .. } | AgentsAsk::Delete { .. } => true,
            AgentsAsk::Bind { .. } | AgentsAsk::Unbind { .. } => true,
        },
        DeskAsk::People(ask) => match ask {
            PeopleAsk::People(_) | PeopleAsk::Groups(_) | PeopleAsk::Invites(_) | PeopleAsk::Refusals(_) => false,
            PeopleAsk::Person { .. } | PeopleAsk::Group { .. } | PeopleAsk::Cap { .. } => true,
            PeopleAsk::Invite { .. } | PeopleAsk::Revoke { .. } => true,
        },
        DeskAsk::Models(ask) => match ask {
            // A report follows a leave, which was written down.
            ModelsAsk::State | ModelsAsk::Spend { .. } | ModelsAsk::Report { .. } => false,
            ModelsAsk::Leave { .. } | ModelsAsk::ClearRest { .. } => true,
        },
    }
}

impl World {
    fn at_desk(&self, ask: &DeskAsk) -> Result<String, Refused> {
        let who = Actor::Admin("ann@example.com".into());
        self.update_id();
        let cfg = self.cfg();
        self.dir.desk(ask, &Desk { who: &who, cfg: &cfg, caps: &CAPS, now: self.now(), random: self.random() })
    }

    fn by_ann(&self) -> usize {
        let query = AuditQuery { who: Some("admin:ann@example.com".into()), limit: Some(500), ..AuditQuery::default() };
        self.dir.audit_search(&query).unwrap().len()
    }

    /// The ask succeeds, and is in the audit if it changes something.
    #[track_caller]
    fn does(&self, ask: DeskAsk) {
        let before = self.by_ann();
        self.at_desk(&ask).unwrap_or_else(|refused| panic!("{ask:?}: {refused:?}"));
        assert_eq!(self.by_ann() > before, changes(&ask), "{ask:?}");
    }
}

#[test]
fn configuration_and_agents() {
    let world = World::owned();
    let save = |base, document: &str| ConfigAsk::Save { base, document: document.into(), note: String::new() };
    for ask in [
        ConfigAsk::Live,
        ConfigAsk::Check { document: "{}".into() },
        save(0, r#"{"budget":{"day_usd":2}}"#),
        save(1, r#"{"budget":{"day_usd":3}}"#),
        ConfigAsk::Rollback { base: 2, version: 1 },
        ConfigAsk::Versions { before: None, limit: 9 },
        ConfigAsk::Version { version: 1 },
    ] {
        world.does(DeskAsk::Config(ask));
    }
    let place = BindingPlace { bot: Some("main".into()), ..BindingPlace::default() };
    for ask in [
        AgentsAsk::All,
        AgentsAsk::Save { base: 3, id: "tutor".into(), agent: json!({ "name": "Tutor" }), new: true },
        AgentsAsk::Bind { base: 4, binding: json!({ "bot": "main", "agent": "tutor" }) },
        AgentsAsk::Resolve { bot: "main".into(), chat: 1, topic: None },
        AgentsAsk::Unbind { base: 5, place },
        AgentsAsk::Delete { base: 6, id: "tutor".into() },
    ] {
        world.does(DeskAsk::Agents(ask));
    }
}

#[test]
fn people_groups_and_invitations() {
    let world = World::owned();
    world.dir.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    world.say(OWNER, "hi");
    world.say(ANN, "hi");
    world.member(OWNER, true);
    let person = |act| PeopleAsk::Person { bot: "main".into(), user_id: ANN, act, code: None };
    let group = |act| PeopleAsk::Group { bot: "main".into(), chat_id: GROUP, act };
    for ask in [
        PeopleAsk::People(Find::default()),
        person(PersonAct::Approve),
        PeopleAsk::Cap { user_id: ANN, nano_usd: Some(5) },
        PeopleAsk::Cap { user_id: ANN, nano_usd: None },
        person(PersonAct::Promote),
        person(PersonAct::Demote),
        person(PersonAct::Block),
        person(PersonAct::Unblock),
        PeopleAsk::Groups(Find::default()),
        group(GroupAct::MentionOff),
        group(GroupAct::MentionOn),
        group(GroupAct::Block),
        group(GroupAct::Admit),
        group(GroupAct::Leave),
        group(GroupAct::Forget),
        PeopleAsk::Invite { bot: "main".into(), note: "for Ben".into(), uses: 1, days: 1 },
        PeopleAsk::Invites(Find::default()),
        PeopleAsk::Revoke { id: 1 },
        PeopleAsk::Refusals(Find::default()),
    ] {
        world.does(DeskAsk::People(ask));
    }
    let world = World::owned();
    world.say(ANN, "hi");
    world.does(DeskAsk::People(person(PersonAct::Deny)));
    world.say(ANN, "hi");
    world.does(DeskAsk::People(person(PersonAct::Approve)));
    world.does(DeskAsk::People(person(PersonAct::Remove)));
}

#[test]
fn models() {
    let world = World::owned();
    let resting = "INSERT INTO model_health (provider, model, class, until, failures, failed_at) VALUES ('ollama', '', 'auth', ?1, 1, ?2)";
    world.dir.sql.run(resting, &[(T0 + HOUR).into(), T0.into()]).unwrap();
    let candidate = Candidate { model: crate::llm::ModelRef::new("gemini", "a"), estimate_nano_usd: 1 };
    for ask in [
        ModelsAsk::State,
        ModelsAsk::Spend { days: 30 },
        ModelsAsk::Leave { bot: "main".into(), candidate },
        ModelsAsk::ClearRest { provider: "ollama".into(), model: None },
    ] {
        world.does(DeskAsk::Models(ask));
    }
}

#[test]
fn conversations() {
    let world = World::owned();
    let session = || "main:55".to_owned();
    world.dir.note_session("main", "main:55", T0).unwrap();
    world.does(DeskAsk::Conversations { search: None, before: None });
    world.does(DeskAsk::Conversation { session: session() });
    for act in [Act::Stop, Act::Retry, Act::SendAgain, Act::Export, Act::Delete] {
        world.does(DeskAsk::NoteAct { session: session(), act, about: Some(1) });
    }
    world.does(DeskAsk::Unlist { session: session() });
}

#[test]
fn backups_and_looks() {
    let world = World::owned();
    for ask in [
        DeskAsk::State,
        DeskAsk::Backups,
        DeskAsk::Events(EventQuery::default()),
        DeskAsk::Audit(AuditQuery::default()),
    ] {
        world.does(ask);
    }
    world.does(DeskAsk::BackUpNow);
    let world = World::owned();
    let restore = RestoreAction { what: What::All, session: None, manifest: Some(key::of(key::MANIFEST, T0)) };
    world.does(DeskAsk::RestoreBackup(restore));
    world.does(DeskAsk::LastRestore);
}

#[test]
fn what_was_refused_is_not_there() {
    let world = World::owned();
    for ask in [
        DeskAsk::Config(ConfigAsk::Save {
            base: 7,
            document: r#"{"budget":{"day_usd":2}}"#.into(),
            note: String::new(),
        }),
        DeskAsk::RestoreBackup(RestoreAction { what: What::All, session: None, manifest: None }),
    ] {
        assert!(changes(&ask) && world.at_desk(&ask).is_err());
    }
    assert_eq!(world.by_ann(), 0);
}
