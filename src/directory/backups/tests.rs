//! Runs, retention and restores in virtual time, over a real Directory and a storage in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::backup::key;
use crate::backup::manifest::{Entry, ManifestReader};
use crate::backup::orders::{BackUp, Done, PutBack};
use crate::backup::vault::memory::Memory;
use crate::backup::vault::{Pieces, Taker, Vault};
use crate::backup::{DumpError, Refused};
use crate::directory::{Actor, Config, DAY, HOUR, MINUTE};
use crate::store::native::Sqlite;
use futures::executor::block_on;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::pin::pin;

const T0: i64 = 1_795_132_800_000;

/// Storage and conversations that are no more than their names.
#[derive(Default)]
struct World {
    vault: Memory,
    now: Cell<i64>,
    calls: Cell<u32>,
    /// Conversations that fail.
    broken: RefCell<BTreeSet<String>>,
    /// The next call to a conversation never returns.
    hangs: Cell<bool>,
    restored: RefCell<Vec<PutBack>>,
    log: RefCell<Vec<String>>,
}

impl World {
    fn call(&self) {
        self.calls.set(self.calls.get() + 1);
        // Nothing in the world takes no time.
        self.now.set(self.now.get() + 3);
    }
}

impl Vault for World {
    async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
        self.call();
        self.vault.write(key, pieces).await
    }

    async fn read(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
        self.call();
        self.vault.read(key, bytes, take).await
    }
}

impl Outside for World {
    fn now(&self) -> i64 {
        self.now.get()
    }

    async fn list(&self, cursor: Option<&str>) -> Option<Found> {
        self.call();
        let files = self.vault.files.borrow();
        let after = cursor.unwrap_or_default();
        let page: Vec<_> = files.iter().filter(|(key, _)| key.as_str() > after).take(7).collect();
        let cursor = (page.len() == 7).then(|| page[6].0.clone());
        let files = page.into_iter().map(|(key, bytes)| (key.clone(), bytes.len() as i64)).collect();
        (!self.vault.down.get()).then_some(Found { files, cursor })
    }

    async fn delete(&self, keys: &[String]) -> bool {
        self.call();
        assert!(keys.len() <= 1_000);
        keys.iter().for_each(|key| drop(self.vault.files.borrow_mut().remove(key)));
        !self.vault.down.get()
    }

    async fn back_up(&self, order: &BackUp) -> Done {
        self.call();
        if self.hangs.take() {
            futures::future::pending::<()>().await;
        }
        if self.broken.borrow().contains(&order.session) {
            return Done::Failed { error: "it is broken".into(), passing: true };
        }
        let twice = self.vault.files.borrow_mut().insert(order.key.clone(), order.session.clone().into_bytes());
        assert!(twice.is_none());
        Done::BackedUp(Entry {
            object: order.session.clone(),
            key: order.key.clone(),
            at: order.at,
            bytes: order.session.len() as i64,
            rows: 1,
            sha256: format!("{:064x}", order.at),
        })
    }

    async fn put_back(&self, order: &PutBack) -> Done {
        self.call();
        assert!(self.vault.files.borrow().contains_key(&order.entry.key));
        if self.broken.borrow().contains(&order.entry.object) {
            return Done::Failed { error: "the checksum is wrong".into(), passing: false };
        }
        self.restored.borrow_mut().push(order.clone());
        Done::PutBack { rows: 1 }
    }

    fn log(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}

fn directory() -> Directory<Sqlite> {
    Directory::new(Sqlite::memory().unwrap()).unwrap()
}

fn world() -> World {
    let world = World::default();
    world.now.set(T0);
    world
}

fn admin() -> Actor {
    Actor::Admin("ann@example.com".into())
}

/// The conversation says that it changed now.
fn change(directory: &Directory<Sqlite>, world: &World, session: &str) {
    directory.note_session("main", session, world.now.get()).unwrap();
    let query = "UPDATE session SET changed_at = max(?2, changed_at + 1) WHERE name = ?1";
    directory.sql.run(query, &[session.into(), world.now.get().into()]).unwrap();
}

/// Alarms until nothing is left to do. Returns how many invocations that took and the most calls of one.
fn alarms(directory: &Directory<Sqlite>, world: &World, sub_requests: u32) -> (u32, u32) {
    let (mut invocations, mut most) = (0, 0);
    while directory.backups_wait().unwrap() {
        world.calls.set(0);
        block_on(directory.work_on_backups(world, sub_requests)).unwrap();
        invocations += 1;
        most = most.max(world.calls.get());
        assert!(invocations < 5_000, "it never ends");
    }
    (invocations, most)
}

fn tick(directory: &Directory<Sqlite>, world: &World) {
    directory.begin_backup_if_due(world.now.get()).unwrap();
    alarms(directory, world, 40);
}

fn entries(world: &World, manifest: &str) -> Vec<Entry> {
    let (mut reader, mut entries) = (ManifestReader::default(), Vec::new());
    let bytes = world.vault.files.borrow().get(manifest).unwrap_or_else(|| panic!("no {manifest}")).clone();
    reader
        .push(&bytes, &mut |entry| {
            entries.push(entry);
            Ok(())
        })
        .unwrap();
    reader.finish().unwrap();
    entries
}

#[test]
fn a_hundred_and_twenty_conversations_take_several_invocations_of_forty_calls() {
    let (directory, world) = (directory(), world());
    (0..120).for_each(|n| change(&directory, &world, &format!("main:{n}")));
    directory.begin_backup_if_due(T0).unwrap();
    let (invocations, most) = alarms(&directory, &world, 40);
    assert_eq!((invocations, most), (4, 40));
    let view = directory.backups().unwrap();
    let (run, manifest) = (&view.runs[0], &view.manifests[0]);
    assert_eq!((run.state.as_str(), run.done, run.failed, manifest.objects), ("done", 121, 0, 121));
    assert_eq!((view.conversations, view.unsaved, view.files), (120, 0, 121));
    let listed = entries(&world, &manifest.key);
    assert_eq!(listed.len(), 121);
    for entry in listed {
        assert!(world.vault.files.borrow().contains_key(&entry.key));
    }
}

#[test]
fn only_what_changed_is_backed_up_again_and_nothing_if_nothing_did() {
    let (directory, world) = (directory(), world());
    ["main:1", "main:2"].iter().for_each(|session| change(&directory, &world, session));
    tick(&directory, &world);
    let files = || world.vault.files.borrow().len();
    assert_eq!(files(), 4, "two conversations, the Directory, the manifest");
    world.now.set(T0 + 5 * MINUTE);
    tick(&directory, &world);
    assert_eq!((files(), directory.backups().unwrap().runs.len()), (4, 1));
    change(&directory, &world, "main:2");
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!((view.runs.len(), view.runs[0].done), (2, 1));
    assert_eq!(view.manifests[0].objects, 3, "the list has all of them");
    // An administrative act, and a day, make the Directory due.
    world.now.set(T0 + 10 * MINUTE);
    directory.block("main", 66, &admin(), &Config::default(), world.now.get()).unwrap();
    tick(&directory, &world);
    assert_eq!(directory.backups().unwrap().runs[0].done, 1);
    world.now.set(T0 + 10 * MINUTE + DAY + HOUR);
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!((view.runs.len(), view.runs[0].done), (4, 1));
    assert!(view.newest_at.unwrap() >= world.now.get() - MINUTE, "a day never passes without a backup");
}

#[test]
fn what_changed_while_it_was_backed_up_is_due_again() {
    let (directory, world) = (directory(), world());
    change(&directory, &world, "main:1");
    directory.begin_backup_if_due(T0).unwrap();
    let run = directory.open_run().unwrap().unwrap();
    let Some(plan::Step::Chat { order, changed_at }) = directory.next_step(&run, T0).unwrap() else { panic!() };
    world.now.set(T0 + 1);
    change(&directory, &world, "main:1");
    let Done::BackedUp(entry) = block_on(world.back_up(&order)) else { panic!() };
    directory.chat_backed_up(run.id, &entry, changed_at).unwrap();
    assert_eq!(directory.backups().unwrap().unsaved, 1);
}

#[test]
fn a_large_conversation_rests_between_backups_unless_somebody_asks() {
    let (directory, world) = (directory(), world());
    change(&directory, &world, "main:1");
    tick(&directory, &world);
    directory.sql.run("UPDATE backup_version SET rows = 20000 WHERE object = 'main:1'", &[]).unwrap();
    let runs = || directory.backups().unwrap().runs.len();
    for (minutes, expected) in [(5, 1), (15, 1), (25, 2)] {
        world.now.set(T0 + minutes * MINUTE);
        change(&directory, &world, "main:1");
        tick(&directory, &world);
        assert_eq!(runs(), expected, "after {minutes} minutes");
    }
    directory.sql.run("UPDATE backup_version SET rows = 20000 WHERE object = 'main:1'", &[]).unwrap();
    change(&directory, &world, "main:1");
    directory.back_up_now(&admin(), world.now.get()).unwrap();
    assert_eq!(directory.back_up_now(&admin(), world.now.get()).unwrap_err().status, 409);
    alarms(&directory, &world, 40);
    assert_eq!(directory.backups().unwrap().unsaved, 0);
    assert_eq!(directory.backups().unwrap().runs[0].done, 2, "the Directory too");
}

#[test]
fn a_conversation_that_fails_holds_up_nobody_and_is_tried_again() {
    let (directory, world) = (directory(), world());
    ["main:1", "main:2", "main:3"].iter().for_each(|session| change(&directory, &world, session));
    world.broken.borrow_mut().insert("main:2".into());
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!((view.runs[0].done, view.runs[0].failed, view.unsaved, view.manifests[0].objects), (3, 1, 1, 3));
    assert_eq!((view.failures[0].object.as_str(), view.failures[0].tries), ("main:2", 1));
    world.now.set(T0 + 5 * MINUTE);
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!(view.failures[0].tries, 2);
    assert_eq!(view.manifests.len(), 1, "nothing new, no new list");
    world.broken.borrow_mut().clear();
    world.now.set(T0 + 10 * MINUTE);
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!((view.failures.len(), view.unsaved, view.manifests[0].objects), (0, 0, 4));
}

#[test]
fn a_run_cut_anywhere_goes_on() {
    for cut in 0..12 {
        let (directory, world) = (directory(), world());
        (0..5).for_each(|n| change(&directory, &world, &format!("main:{n}")));
        directory.begin_backup_if_due(T0).unwrap();
        block_on(directory.work_on_backups(&world, cut)).unwrap();
        // Killed in the middle of a call.
        world.hangs.set(true);
        block_on(async {
            let (working, soon) = (pin!(directory.work_on_backups(&world, 40)), pin!(async {}));
            assert!(matches!(select(working, soon).await, Either::Right(_)) || world.hangs.get());
        });
        world.hangs.set(false);
        alarms(&directory, &world, 3);
        let view = directory.backups().unwrap();
        assert_eq!(
            (view.unsaved, view.manifests[0].objects, view.runs[0].state.as_str()),
            (0, 6, "done"),
            "cut at {cut}"
        );
        // What nobody heard of is deleted in the end.
        world.now.set(T0 + 2 * HOUR);
        change(&directory, &world, "main:0");
        tick(&directory, &world);
        let known = directory.number("SELECT count(*) FROM backup_version WHERE state = 'asked'", &[]).unwrap();
        assert_eq!(known, 0);
    }
}

#[test]
fn storage_that_is_down_fails_the_run_and_the_next_one_makes_up_for_it() {
    let (directory, world) = (directory(), world());
    change(&directory, &world, "main:1");
    tick(&directory, &world);
    world.now.set(T0 + 5 * MINUTE);
    change(&directory, &world, "main:1");
    world.vault.down.set(true);
    directory.begin_backup_if_due(world.now.get()).unwrap();
    alarms(&directory, &world, 40);
    let view = directory.backups().unwrap();
    assert_eq!((view.runs[0].state.as_str(), view.manifests.len()), ("failed", 1));
    world.vault.down.set(false);
    world.now.set(T0 + 10 * MINUTE);
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!((view.runs[0].state.as_str(), view.manifests[0].objects), ("done", 2));
    assert!(view.newest_at.unwrap() >= T0 + 10 * MINUTE);
}

#[test]
fn sixty_days_of_backups_keep_what_they_promise_and_nothing_else() {
    let (directory, world) = (directory(), world());
    let mut random = 1u64;
    let mut deleted_at = None;
    while world.now.get() < T0 + 60 * DAY {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for n in 0..3 {
            if random >> (20 + n) & 7 == 0 {
                change(&directory, &world, &format!("main:{n}"));
            }
        }
        if deleted_at.is_none() && world.now.get() > T0 + 20 * DAY {
            change(&directory, &world, "main:99");
            tick(&directory, &world);
            directory.sql.run("UPDATE session SET changed_at = 0 WHERE name = 'main:99'", &[]).unwrap();
            deleted_at = Some(world.now.get());
        }
        tick(&directory, &world);
        let passed = world.now.get() - T0;
        if passed % DAY < 30 * MINUTE {
            check_storage(&directory, &world);
        }
        world.now.set(T0 + (passed / (20 * MINUTE) + 1) * 20 * MINUTE);
    }
    assert!(deleted_at.is_some());
    let left = world.vault.files.borrow().keys().filter(|key| key.contains("/main.99-")).count();
    assert_eq!(left, 0, "a deleted conversation leaves with the last list that has it");
    let manifests = directory.backups().unwrap().manifests;
    assert!((50..=80).contains(&manifests.len()), "{}", manifests.len());
}

/// Everything on a manifest is in storage, and everything in storage is on a manifest.
fn check_storage(directory: &Directory<Sqlite>, world: &World) {
    let manifests: BTreeSet<String> = directory.backups().unwrap().manifests.into_iter().map(|m| m.key).collect();
    let listed: BTreeSet<String> = manifests
        .iter()
        .flat_map(|key| entries(world, key))
        .map(|entry| entry.key)
        .chain(manifests.iter().cloned())
        .collect();
    let stored: BTreeSet<String> = world.vault.files.borrow().keys().cloned().collect();
    assert_eq!(listed.symmetric_difference(&stored).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// A deployment with an owner, a blocked person, spending and two conversations, backed up; then what came after.
fn lived() -> (Directory<Sqlite>, World) {
    let (directory, world) = (directory(), world());
    ["main:1", "main:-2:7"].iter().for_each(|session| change(&directory, &world, session));
    directory.block("main", 66, &admin(), &Config::default(), T0).unwrap();
    directory.put_setting("claim_code", "secret").unwrap();
    spend(&directory, 5_000);
    tick(&directory, &world);
    (directory, world)
}

fn spend(directory: &Directory<Sqlite>, nano_usd: i64) {
    directory
        .sql
        .run(
            "INSERT INTO model_usage VALUES (20777, 1, 'ollama/m', 1, 0, 1, 0, 1, 0, ?1, 0)
             ON CONFLICT (day, person, model) DO UPDATE SET nano_usd = excluded.nano_usd",
            &[nano_usd.into()],
        )
        .unwrap();
}

fn begin(directory: &Directory<Sqlite>, world: &World, what: What, session: Option<&str>) -> RestoreView {
    let action = RestoreAction { what, session: session.map(str::to_owned), manifest: None };
    directory.restore_backup(&action, &admin(), world.now.get()).unwrap()
}

#[test]
fn after_a_loss_everything_comes_back_from_storage_alone() {
    let (old, world) = lived();
    drop(old);
    let directory = directory();
    world.now.set(T0 + HOUR);
    assert!(!directory.backups().unwrap().looked);
    // The cron comes first and writes a list of next to nothing: it is not what a restore takes.
    tick(&directory, &world);
    let view = directory.backups().unwrap();
    assert_eq!(
        (view.looked, view.manifests.len(), view.manifests[0].found, view.manifests[1].found),
        (true, 2, false, true)
    );
    assert_eq!(view.usual_manifest, Some(view.manifests[1].key.clone()));
    assert_eq!(begin(&directory, &world, What::All, None).state, "open");
    assert_eq!(directory.back_up_now(&admin(), T0).unwrap_err().status, 409);
    alarms(&directory, &world, 2);
    let restore = directory.last_restore().unwrap().unwrap();
    assert_eq!((restore.state.as_str(), restore.total, restore.done, restore.failed), ("done", 3, 3, 0));
    assert_eq!(
        directory.number("SELECT count(*) FROM person WHERE user_id = 66 AND state = 'blocked'", &[]).unwrap(),
        1
    );
    assert_eq!(directory.number("SELECT sum(nano_usd) FROM model_usage", &[]).unwrap(), 5_000);
    assert_eq!(directory.setting("claim_code").unwrap(), None, "a secret is in no backup");
    let what: Vec<String> = directory.audit_log(None, 9).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(what, ["restore", "block"]);
    let orders = world.restored.borrow();
    let of: Vec<(&str, &[i64])> = orders.iter().map(|o| (o.entry.object.as_str(), o.blocked.as_slice())).collect();
    assert_eq!(of, [("main:-2:7", [66].as_slice()), ("main:1", &[66])]);
    // From here on backups go on as before.
    let view = directory.backups().unwrap();
    assert_eq!((view.conversations, view.unsaved, view.manifests[1].found), (2, 2, false));
    world.now.set(T0 + 2 * HOUR);
    tick(&directory, &world);
    assert_eq!(directory.backups().unwrap().manifests[0].objects, 3);
    check_storage(&directory, &world);
}

#[test]
fn a_new_directory_deletes_nothing_of_the_one_that_was_lost_until_something_was_restored() {
    for ticks in [1, 40 * 24] {
        let (old, world) = lived();
        let good = old.backups().unwrap().usual_manifest.unwrap();
        drop(old);
        let directory = directory();
        // Within the same hour: the newest list of that hour is the one of next to nothing. Then on for 40 days.
        world.now.set(T0 + 60_000);
        for _ in 0..ticks {
            tick(&directory, &world);
            directory.audit(None, &admin(), "act", "x", world.now.get()).unwrap();
            world.now.set(world.now.get() + HOUR);
        }
        assert!(entries(&world, &good).iter().all(|entry| world.vault.files.borrow().contains_key(&entry.key)));
        assert_eq!(directory.backups().unwrap().usual_manifest, Some(good.clone()));
        // One conversation first, the rest later.
        begin(&directory, &world, What::Conversation, Some("main:1"));
        alarms(&directory, &world, 40);
        tick(&directory, &world);
        let action = RestoreAction { what: What::All, session: None, manifest: Some(good.clone()) };
        if ticks == 1 {
            directory.restore_backup(&action, &admin(), world.now.get()).unwrap();
            alarms(&directory, &world, 40);
            let restore = directory.last_restore().unwrap().unwrap();
            assert_eq!((restore.state.as_str(), restore.done, restore.failed), ("done", 3, 0));
            world.now.set(T0 + 31 * DAY);
            tick(&directory, &world);
        }
        // After thirty days, and something restored, it goes like any other.
        assert!(!world.vault.files.borrow().contains_key(&good), "{ticks} ticks");
        // A file that was the newest twice stays as long as the lists from between the two.
        world.now.set(world.now.get() + 31 * DAY);
        tick(&directory, &world);
        check_storage(&directory, &world);
    }
}

#[test]
fn a_restore_in_place_brings_back_people_and_keeps_audit_spending_and_conversations() {
    let (directory, world) = lived();
    world.now.set(T0 + HOUR);
    directory.unblock("main", 66, &admin(), T0 + HOUR).unwrap();
    spend(&directory, 9_000);
    change(&directory, &world, "main:3");
    begin(&directory, &world, What::Directory, None);
    alarms(&directory, &world, 40);
    assert_eq!(directory.last_restore().unwrap().unwrap().state, "done");
    assert_eq!(
        directory.number("SELECT count(*) FROM person WHERE user_id = 66 AND state = 'blocked'", &[]).unwrap(),
        1
    );
    assert_eq!(directory.number("SELECT sum(nano_usd) FROM model_usage", &[]).unwrap(), 9_000, "caps stay caps");
    assert_eq!(directory.number("SELECT count(*) FROM session", &[]).unwrap(), 3);
    assert_eq!(directory.setting("claim_code").unwrap().as_deref(), Some("secret"));
    let what: Vec<String> = directory.audit_log(None, 9).unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(what, ["restore", "unblock", "block"]);
    assert!(world.restored.borrow().is_empty());
}

#[test]
fn one_conversation_comes_back_alone() {
    let (directory, world) = lived();
    begin(&directory, &world, What::Conversation, Some("main:1"));
    alarms(&directory, &world, 40);
    assert_eq!(directory.last_restore().unwrap().unwrap().state, "done");
    let orders = world.restored.borrow();
    assert_eq!((orders.len(), orders[0].entry.object.as_str()), (1, "main:1"));
    assert_eq!(directory.backups().unwrap().unsaved, 1, "it is due again");
    drop(orders);
    begin(&directory, &world, What::Conversation, Some("main:404"));
    alarms(&directory, &world, 40);
    let restore = directory.last_restore().unwrap().unwrap();
    assert_eq!((restore.state.as_str(), restore.error.as_deref()), ("failed", Some("the manifest does not list it")));
}

#[test]
fn damaged_files_are_refused_with_nothing_changed() {
    let (directory, world) = lived();
    let manifest = directory.usual_manifest().unwrap().unwrap();
    let itself = entries(&world, &manifest).into_iter().find(|entry| entry.object == key::DIRECTORY).unwrap().key;
    directory.unblock("main", 66, &admin(), T0 + HOUR).unwrap();
    let blocked =
        || directory.number("SELECT count(*) FROM person WHERE user_id = 66 AND state = 'blocked'", &[]).unwrap();
    for (key, error) in [(&manifest, "manifest:"), (&itself, "directory:")] {
        let whole = world.vault.files.borrow()[key].clone();
        let half = whole[..whole.len() / 2].to_vec();
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 1;
        for bad in [half, altered, Vec::new()] {
            world.vault.files.borrow_mut().insert(key.clone(), bad);
            begin(&directory, &world, What::All, None);
            alarms(&directory, &world, 40);
            let restore = directory.last_restore().unwrap().unwrap();
            assert_eq!(restore.state, "failed");
            assert!(restore.error.unwrap().starts_with(error));
            assert_eq!((blocked(), world.restored.borrow().len()), (0, 0));
        }
        world.vault.files.borrow_mut().insert(key.clone(), whole);
    }
    // One conversation's file: the others come back.
    world.broken.borrow_mut().insert("main:1".into());
    begin(&directory, &world, What::All, None);
    alarms(&directory, &world, 40);
    let restore = directory.last_restore().unwrap().unwrap();
    assert_eq!((restore.state.as_str(), restore.done, restore.failed), ("partly", 2, 1));
    assert_eq!(restore.failures, [RestoreItemView { object: "main:1".into(), error: "the checksum is wrong".into() }]);
    assert_eq!(blocked(), 1);
}

#[test]
fn storage_that_is_down_is_asked_three_times() {
    let (directory, world) = lived();
    world.vault.down.set(true);
    begin(&directory, &world, What::Directory, None);
    let (_, calls) = alarms(&directory, &world, 40);
    let restore = directory.last_restore().unwrap().unwrap();
    assert_eq!(
        (calls, restore.state.as_str(), restore.error.as_deref()),
        (3, "failed", Some("manifest: storage did not answer"))
    );
}

#[test]
fn what_cannot_be_restored_is_not_begun() {
    let (directory, world) = lived();
    let ask = |what, session: Option<&str>, manifest: Option<&str>| {
        let action = RestoreAction { what, session: session.map(str::to_owned), manifest: manifest.map(str::to_owned) };
        directory.restore_backup(&action, &admin(), world.now.get())
    };
    for (what, session, manifest) in [
        (What::Conversation, None, None),
        (What::Conversation, Some("directory"), None),
        (What::All, Some("main:1"), None),
        (What::All, None, Some("files/main:1/2026-11/1-0")),
        (What::All, None, Some("backups/2026-11-20/main.1-1795132800123.ndjson.gz")),
    ] {
        assert_eq!(ask(what, session, manifest).unwrap_err().status, 400);
    }
    ask(What::All, None, None).unwrap();
    assert_eq!(ask(What::All, None, None).unwrap_err().status, 409);
    let empty = super::tests::directory();
    let action = RestoreAction { what: What::All, session: None, manifest: None };
    assert_eq!(empty.restore_backup(&action, &admin(), T0).unwrap_err().status, 404);
}

#[test]
fn the_json_is_pinned() {
    let action = RestoreAction { what: What::Conversation, session: Some("main:5".into()), manifest: None };
    assert_eq!(serde_json::to_string(&action).unwrap(), r#"{"what":"conversation","session":"main:5"}"#);
    let (directory, world) = lived();
    let json = serde_json::to_string(&directory.backups().unwrap()).unwrap();
    let at = directory.backups().unwrap().manifests[0].at;
    let run = &directory.backups().unwrap().runs[0];
    let expected = format!(
        r#"{{"looked":true,"newest_at":{at},"conversations":2,"unsaved":0,"files":3,"bytes":{},"runs":[{{"id":1,"reason":"schedule","state":"done","started_at":{T0},"ended_at":{},"done":3,"failed":0,"bytes":{},"deleted":0,"error":null}}],"failures":[],"manifests":[{{"key":"backups/2026-11-20/manifest-{at}.ndjson.gz","at":{at},"objects":3,"bytes":{},"found":false}}],"usual_manifest":"backups/2026-11-20/manifest-{at}.ndjson.gz","restore":null}}"#,
        run.bytes,
        run.ended_at.unwrap(),
        run.bytes,
        run.bytes
    );
    assert_eq!(json, expected);
    let restore = begin(&directory, &world, What::All, None);
    let expected = format!(
        r#"{{"id":1,"what":"all","session":"","manifest":"backups/2026-11-20/manifest-{at}.ndjson.gz","who":"admin:ann@example.com","state":"open","started_at":{},"ended_at":null,"total":0,"done":0,"failed":0,"error":null,"failures":[]}}"#,
        restore.started_at
    );
    assert_eq!(serde_json::to_string(&restore).unwrap(), expected);
}
