//! A conversation backed up and put back: what comes back, what is not done twice, what comes meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tideclaw::backup::manifest::Entry;
use tideclaw::backup::orders::{BackUp, Done, PutBack};
use tideclaw::backup::vault::{Pieces, Taker, Vault};
use tideclaw::backup::{DumpError, Refused};

use super::clock::Clock;
use super::model::Script;
use super::sim::{Sim, World};
use super::telegram::Answer;

/// Storage that takes a while for each piece, so that other things happen in between.
pub struct Slow {
    world: Rc<World>,
    files: RefCell<BTreeMap<String, Vec<u8>>>,
    writes: Cell<u32>,
}

const PIECE_MS: i64 = 50;

impl Slow {
    fn clock(&self) -> &Clock {
        &self.world.clock
    }
}

impl Vault for Slow {
    async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
        self.writes.set(self.writes.get() + 1);
        let mut bytes = Vec::new();
        while let Some(piece) = pieces()? {
            bytes.extend(piece);
            self.clock().sleep(PIECE_MS).await;
        }
        let length = bytes.len() as u64;
        assert!(self.files.borrow_mut().insert(key.to_owned(), bytes).is_none(), "written twice");
        Ok(length)
    }

    async fn read(&self, key: &str, _bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
        let bytes = self.files.borrow().get(key).cloned().ok_or(Refused::Missing)?;
        for piece in bytes.chunks(bytes.len() / 5 + 1) {
            self.clock().sleep(PIECE_MS).await;
            take(piece)?;
        }
        Ok(())
    }
}

fn vault(sim: &Sim) -> Rc<Slow> {
    Rc::new(Slow { world: sim.world.clone(), files: RefCell::default(), writes: Cell::new(0) })
}

const SESSION: &str = "main:7";

fn order(sim: &Sim, at: i64) -> BackUp {
    BackUp { session: sim.session(), key: format!("backups/{at}"), at }
}

fn back_up(sim: &mut Sim, vault: &Rc<Slow>, at: i64) -> Entry {
    let (order, vault, done) = (order(sim, at), vault.clone(), Rc::new(RefCell::new(None)));
    let answer = done.clone();
    sim.task(|chat| async move { drop(answer.replace(Some(chat.back_up(&*vault, &order).await))) });
    sim.run_until(|_| done.borrow().is_some());
    match done.take() {
        Some(Done::BackedUp(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

/// Puts the conversation back; `meanwhile` happens when a part of the backup was read.
fn put_back(sim: &mut Sim, vault: &Rc<Slow>, entry: &Entry, job: i64, meanwhile: impl FnOnce(&mut Sim)) -> Done {
    let order = PutBack { job, entry: entry.clone(), blocked: vec![66] };
    let (vault, done) = (vault.clone(), Rc::new(RefCell::new(None)));
    let answer = done.clone();
    sim.task(|chat| async move { drop(answer.replace(Some(chat.put_back(&*vault, &order).await))) });
    sim.run_for(PIECE_MS * 2);
    meanwhile(sim);
    sim.run_until(|_| done.borrow().is_some());
    let (done, replaced) = done.take().unwrap();
    if replaced {
        sim.reopen();
    }
    done
}

fn last_prompt(sim: &Sim) -> String {
    sim.answer_requests().last().unwrap().prompt().join("\n")
}

fn restored(done: &Done) -> bool {
    matches!(done, Done::PutBack { .. })
}

#[test]
fn a_lost_conversation_comes_back_and_the_model_sees_what_was_said() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Forty-two."));
    sim.text("My number is 42");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    assert!(entry.rows > 5 && entry.object == sim.session());

    let said = sim.screen().len();
    sim.lose();
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    sim.run();
    assert_eq!(sim.screen().len(), said, "nothing is said again");
    // The Directory is asked anew: what the backup knew of access is old.
    assert!(sim.store.rows("SELECT value FROM setting WHERE key = 'settings'")[0].contains("\"blocked\":[66]"));
    sim.world.model.next(Script::says("It is 42."));
    sim.text("What is my number?");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "It is 42.");
    let prompt = last_prompt(&sim);
    assert!(prompt.contains("My number is 42") && prompt.contains("Forty-two."), "{prompt}");
}

#[test]
fn what_was_under_way_in_the_backup_is_not_done_again() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("First."));
    sim.text("One");
    sim.run();
    // The model hangs: a turn is open, and a message waits behind it.
    sim.world.model.next(Script::partial(10, &["Hm"]).hang());
    sim.text("Two");
    sim.run_for(1_000);
    sim.text("Three");
    sim.run_for(100);
    assert!(!sim.waiting_rows().is_empty());
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);

    let said = sim.screen().len();
    sim.lose();
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    sim.run();
    assert_eq!(sim.screen().len(), said);
    assert_eq!(sim.requests().len(), 2, "the model is not asked again");
    let ended = sim.store.rows("SELECT state, error FROM turn ORDER BY id");
    assert_eq!(ended, ["answered -", "failed restored from a backup"]);
    assert_eq!(sim.store.rows("SELECT count(*) FROM inbox WHERE outcome = 'dropped'"), ["1"]);
    assert_eq!(
        sim.store.rows("SELECT count(*) FROM step WHERE state IN ('asking', 'begun') OR report IS NOT NULL"),
        ["0"]
    );
    assert_eq!(sim.store.rows("SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')"), ["0"]);
}

#[test]
fn what_comes_while_a_backup_is_put_back_is_answered_with_the_old_history() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Old answer."));
    sim.text("Old question");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    sim.world.model.next(Script::says("Answer to be forgotten."));
    sim.text("Question to be forgotten");
    sim.run();
    // This one is being answered when the rows change under it.
    sim.world.model.next(Script::partial(10, &["Hm"]).hang());
    sim.world.model.next(Script::says("Both are answered."));
    let done = put_back(&mut sim, &vault, &entry, 1, |sim| {
        sim.text("Question meanwhile");
        sim.run_for(PIECE_MS / 2);
    });
    assert!(restored(&done));
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Both are answered.");
    let prompt = last_prompt(&sim);
    assert!(
        prompt.contains("Old question") && prompt.contains("Question meanwhile") && !prompt.contains("forgotten"),
        "{prompt}"
    );
    assert_eq!(sim.store.rows("SELECT count(*) FROM inbox WHERE outcome IS NULL"), ["0"]);
    assert_eq!(sim.store.rows("SELECT count(*) FROM turn WHERE state = 'running'"), ["0"]);
    // Numbers of updates are not given again: keys of files hold them.
    let numbers = sim.store.rows("SELECT seq > 1000000 FROM inbox WHERE kind = 'message' ORDER BY seq");
    assert_eq!(numbers, ["0", "1"]);
}

#[test]
fn an_answer_on_its_way_still_arrives() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Old answer."));
    sim.text("Old question");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    sim.world.telegram.once("sendMessage", Answer::Flood(30));
    sim.world.model.next(Script::says("Late answer."));
    sim.text("New question");
    sim.run_for(5_000);
    assert!(!sim.screen().contains(&"Late answer.".to_owned()));
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    sim.run();
    let late = sim.screen().iter().filter(|text| *text == "Late answer.").count();
    assert_eq!(late, 1);
}

#[test]
fn the_same_restore_asked_for_twice_is_done_once() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("A."));
    sim.text("Q");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    sim.run();
    sim.world.model.next(Script::says("B."));
    sim.text("Said after the restore");
    sim.run();
    let messages = |sim: &Sim| sim.store.rows("SELECT count(*) FROM message");
    let after = messages(&sim);
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    assert_eq!(messages(&sim), after);
    assert!(restored(&put_back(&mut sim, &vault, &entry, 2, |_| {})));
    assert_ne!(messages(&sim), after, "another restore is another");
}

#[test]
fn a_damaged_backup_or_another_conversations_changes_nothing() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("A."));
    sim.text("Q");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    let everything = |sim: &Sim| {
        let tables = ["inbox", "turn", "step", "message", "outbox", "setting", "file", "summary"];
        tables.map(|table| sim.store.rows(&format!("SELECT * FROM {table} ORDER BY 1")))
    };
    let before = everything(&sim);
    let whole = vault.files.borrow()[&entry.key].clone();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        vault.files.borrow_mut().insert(entry.key.clone(), whole[..cut].to_vec());
        let done = put_back(&mut sim, &vault, &entry, 1, |_| {});
        assert!(matches!(done, Done::Failed { passing: false, .. }), "{done:?}");
    }
    for place in (0..whole.len()).step_by(97) {
        let mut altered = whole.clone();
        altered[place] ^= 2;
        vault.files.borrow_mut().insert(entry.key.clone(), altered);
        assert!(!restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})), "altered at {place}");
    }
    vault.files.borrow_mut().insert(entry.key.clone(), whole);
    let other = Entry { object: "main:404".into(), ..entry.clone() };
    assert!(!restored(&put_back(&mut sim, &vault, &other, 1, |_| {})));
    assert_eq!(everything(&sim), before);
    assert_eq!(sim.store.rows("SELECT count(*) FROM sqlite_master WHERE name LIKE 'restore_%'"), ["0"]);
}

#[test]
fn only_one_restore_at_a_time() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("A."));
    sim.text("Q");
    sim.run();
    let vault = vault(&sim);
    let entry = back_up(&mut sim, &vault, 7);
    let again = vault.clone();
    let other = entry.clone();
    let second = Rc::new(RefCell::new(None));
    let answer = second.clone();
    let done = put_back(&mut sim, &vault, &entry, 1, |sim| {
        let order = PutBack { job: 2, entry: other, blocked: vec![] };
        sim.task(|chat| async move { drop(answer.replace(Some(chat.put_back(&*again, &order).await))) });
        sim.run_until(|_| second.borrow().is_some());
        assert!(matches!(second.take(), Some((Done::Failed { passing: true, .. }, false))));
    });
    assert!(restored(&done));
}

/// A backup written by release 0.1.0, whose newest schema of a conversation was 4.
#[test]
fn a_backup_of_an_older_schema_comes_back() {
    let lines = include_str!("../fixtures/backup/chat-schema-4.ndjson");
    let mut sim = Sim::private();
    let vault = vault(&sim);
    vault.files.borrow_mut().insert("old".into(), lines.as_bytes().to_vec());
    let trailer: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let entry = Entry {
        object: SESSION.into(),
        key: "old".into(),
        at: 1,
        bytes: lines.len() as i64,
        rows: trailer["rows"].as_i64().unwrap(),
        sha256: trailer["sha256"].as_str().unwrap().into(),
    };
    assert_eq!(sim.session(), SESSION);
    assert!(restored(&put_back(&mut sim, &vault, &entry, 1, |_| {})));
    sim.world.model.next(Script::says("It is 42."));
    sim.text("What is my number?");
    sim.run();
    let prompt = last_prompt(&sim);
    assert!(prompt.contains("My number is 42") && prompt.contains("Forty-two."), "{prompt}");
}
