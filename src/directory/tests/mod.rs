//! Scenarios against real SQLite: who writes, what they and the owners hear, and what time does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claim;
mod config;
mod conversations;
mod desk_audit;
mod desk_people;
mod events;
mod groups;
mod invites;
mod model_calls;
mod outbox;
mod pairing;
mod people;
mod pinned;

use super::*;
use crate::store::native::Sqlite;
use std::cell::Cell;

/// The owner named in the configuration of most scenarios.
const OWNER: i64 = 1;
const ANN: i64 = 55;
const GROUP: i64 = -1_001_234_567_890;
/// A moment to begin at: 2026-11-20.
const T0: i64 = 1_795_000_000_000;

/// A Directory, a clock and an ever-growing update id.
struct World {
    dir: Directory<Sqlite>,
    owners: Vec<i64>,
    claim_code: Option<&'static str>,
    now: Cell<i64>,
    updates: Cell<i64>,
}

impl World {
    /// With one configured owner.
    fn owned() -> Self {
        Self { owners: vec![OWNER], ..Self::unowned() }
    }

    /// Without any owner.
    fn unowned() -> Self {
        let dir = Directory::new(Sqlite::memory().unwrap()).unwrap();
        Self { dir, owners: vec![], claim_code: None, now: Cell::new(T0), updates: Cell::new(0) }
    }

    fn cfg(&self) -> Config<'_> {
        Config { owners: &self.owners, claim_code: self.claim_code }
    }

    fn now(&self) -> i64 {
        self.now.get()
    }

    fn wait(&self, ms: i64) {
        self.now.set(self.now() + ms);
    }

    fn update_id(&self) -> i64 {
        self.updates.set(self.updates.get() + 1);
        self.updates.get()
    }

    /// Sixteen bytes that differ with every update.
    fn random(&self) -> [u8; 16] {
        let n = self.updates.get();
        std::array::from_fn(|i| (n as u64).wrapping_mul(2654435761).wrapping_shr(i as u32 * 4) as u8 ^ (i as u8))
    }

    fn knock(&self, knock: &Knock) -> (Verdict, Vec<Notice>) {
        self.dir.knock(knock, &self.cfg(), self.now(), self.random()).unwrap()
    }

    /// A private text.
    fn private(&self, user_id: i64, text: &str) -> Knock {
        Knock {
            bot: "main".into(),
            update_id: self.update_id(),
            chat: ChatKind::Private,
            chat_id: user_id,
            sender: Some(sender(user_id)),
            sender_chat: None,
            text: Some(text.into()),
        }
    }

    fn say(&self, user_id: i64, text: &str) -> (Verdict, Vec<Notice>) {
        self.knock(&self.private(user_id, text))
    }

    /// A text in [`GROUP`].
    fn in_group(&self, user_id: i64) -> Knock {
        let chat = ChatKind::Group { title: "Family".into() };
        Knock { chat, chat_id: GROUP, ..self.private(user_id, "hello all") }
    }

    fn say_in_group(&self, user_id: i64) -> (Verdict, Vec<Notice>) {
        self.knock(&self.in_group(user_id))
    }

    fn member(&self, by: i64, present: bool) -> Change {
        self.member_of(GROUP, by, present)
    }

    fn member_of(&self, chat_id: i64, by: i64, present: bool) -> Change {
        let chat = ChatKind::Group { title: "Family".into() };
        let member = Member { bot: "main".into(), update_id: self.update_id(), chat, chat_id, by: sender(by), present };
        self.dir.member(&member, &self.cfg(), self.now()).unwrap()
    }

    fn press(&self, user_id: i64, data: &str) -> Pressed {
        let press = Press {
            bot: "main".into(),
            update_id: self.update_id(),
            sender: sender(user_id),
            data: data.into(),
            chat_id: Some(user_id),
            message_id: Some(9_000 + user_id),
        };
        self.dir.press(&press, &self.cfg(), self.now()).unwrap()
    }

    /// Sends everything that is due; each message gets the id `9000 + chat`.
    fn deliver(&self) -> Vec<Notice> {
        let mut sent = Vec::new();
        while let Some(notice) = self.dir.take_due(self.now()).unwrap() {
            let message_id = notice.payload["chat_id"].as_i64().map(|chat| 9_000 + chat);
            self.dir.record(notice.id, &Outcome::Sent { message_id }, self.now()).unwrap();
            sent.push(notice);
        }
        sent
    }

    /// The code of the only person waiting.
    fn code(&self) -> String {
        let pending = self.dir.pending("main", self.now()).unwrap();
        assert_eq!(pending.len(), 1, "{pending:?}");
        pending[0].code.clone()
    }

    fn state(&self, user_id: i64) -> Option<PersonState> {
        let people = self.dir.people("main", &self.cfg()).unwrap();
        people.into_iter().find(|person| person.user_id == user_id).map(|person| person.state)
    }
}

fn sender(user_id: i64) -> Sender {
    Sender {
        user_id,
        is_bot: false,
        first_name: format!("Ann{user_id}"),
        last_name: Some("Lee".into()),
        username: Some(format!("ann{user_id}")),
        language_code: Some("en".into()),
    }
}

fn text(notice: &Notice) -> &str {
    notice.payload["text"].as_str().unwrap_or_default()
}

fn to(notice: &Notice) -> i64 {
    notice.payload["chat_id"].as_i64().unwrap()
}

#[track_caller]
fn refused(answer: &(Verdict, Vec<Notice>)) -> Reason {
    match &answer.0 {
        Verdict::Refuse { reason, .. } => *reason,
        Verdict::Admit(admission) => panic!("admitted: {admission:?}"),
    }
}

#[track_caller]
fn admitted(answer: &(Verdict, Vec<Notice>)) -> &Admission {
    match &answer.0 {
        Verdict::Admit(admission) => admission,
        Verdict::Refuse { reason, .. } => panic!("refused: {reason:?}"),
    }
}
