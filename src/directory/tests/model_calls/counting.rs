//! Each call is counted once, whatever is lost or repeated on the way; what `/usage` shows of it.

use super::*;
use crate::store::{Row, Sql, StoreError, Value};

#[test]
fn a_repeated_report_counts_once() {
    let world = World::owned();
    world.reserve(1, &[(GPT, USD / 10)], &CAPS);
    let report = world.report(1, GPT, 7);
    for _ in 0..3 {
        world.ask(vec![report.clone(), report.clone()], None, &CAPS);
    }
    let once = Totals {
        calls: 1,
        failures: 0,
        input: 100,
        cached_input: 10,
        output: 20,
        thinking: 5,
        nano_usd: 7,
        assumed_nano_usd: 0,
    };
    assert_eq!((world.usage().day, world.usage().month), (once, once));
    // The same step of another conversation is another call.
    let ask = ModelAsk { session: "main:56".into(), reports: vec![report], reserve: None, ..ModelAsk::default() };
    let answer = world.dir.model_call(&ask, &CAPS, &world.cfg(), world.now()).unwrap();
    assert_eq!(answer, ModelAnswer::default());
    assert_eq!(world.usage().day.calls, 2);
}

#[test]
fn a_call_nothing_is_heard_of_is_counted_at_its_estimate() {
    let world = World::owned();
    world.reserve(1, &[(GPT, USD / 10)], &CAPS);
    world.wait(20 * MINUTE - 1);
    assert_eq!(world.usage().day, Totals::default());
    world.wait(1);
    let presumed = Totals { calls: 1, nano_usd: USD / 10, assumed_nano_usd: USD / 10, ..Totals::default() };
    assert_eq!(world.usage().day, presumed);
    assert_eq!(world.usage().day, presumed);
    // The report comes after all, with a message of the next hour: it takes the place of the estimate.
    world.wait(HOUR);
    let report = CallReport { at: T0 + MINUTE, ..world.report(1, GPT, 5) };
    world.tell(report.clone());
    world.tell(report);
    let day = world.usage().day;
    assert_eq!((day.calls, day.nano_usd, day.assumed_nano_usd, day.input), (1, 5, 0, 100));
}

#[test]
fn a_report_older_than_its_memory_changes_nothing() {
    let world = World::owned();
    world.reserve(1, &[(GPT, USD / 10)], &CAPS);
    let report = world.report(1, GPT, 5);
    world.wait(HOUR);
    world.usage();
    world.wait(2 * DAY);
    world.tell(report);
    assert_eq!((world.usage().month.calls, world.usage().month.nano_usd), (1, USD / 10));
    world.tell(world.report(2, GPT, 5));
    assert_eq!(world.rows("model_call"), 1, "the day's first call lets the old one go");
}

#[test]
fn a_report_without_a_grant_counts_too_and_a_clock_ahead_does_no_harm() {
    let world = World::owned();
    let ahead = CallReport { at: world.now() + 40 * DAY, person: None, assumed: true, ..world.report(9, FLASH, 11) };
    world.tell(ahead);
    let view = world.usage();
    assert_eq!((view.day.calls, view.day.nano_usd, view.day.assumed_nano_usd), (1, 11, 11));
    assert_eq!(view.by_person, [(0, String::new(), view.day)]);
}

#[test]
fn absurd_numbers_do_not_break_the_ledger() {
    let world = World::owned();
    let usage =
        Usage { input: u64::MAX, cached_input: u64::MAX, output: u64::MAX, thinking: u64::MAX, ..Usage::default() };
    for step in 1..4 {
        world.tell(CallReport { usage, ..world.report(step, GPT, u64::MAX) });
    }
    assert!(matches!(world.reserve(4, &[(GPT, 1)], &CAPS), Reserved::Capped { cap: Cap::Month, .. }));
    assert!(world.usage().text(crate::text::Lang::En, world.now()).contains("calls"));
}

#[test]
fn owners_see_everybody_and_others_themselves() {
    let world = World::owned();
    world.say(ANN, "hello"); // Known by name from now on.
    world.tell(world.report(1, GPT, 30));
    world.tell(CallReport { person: Some(OWNER), ..world.report(2, FLASH, 100) });
    world.tell(CallReport { person: None, failure: Some(failure(ErrorClass::Content)), ..world.report(3, GPT, 1) });
    world.fail(4, GLM, failure(ErrorClass::Retired));

    let view = world.usage();
    assert_eq!((view.day.calls, view.day.failures, view.day.nano_usd), (4, 2, 131));
    let dearest: Vec<String> = view.by_model.iter().map(|(model, _)| model.to_string()).collect();
    assert_eq!(dearest, [FLASH, GPT, GLM]);
    let people: Vec<(i64, &str, u64)> =
        view.by_person.iter().map(|(id, name, sum)| (*id, &**name, sum.nano_usd)).collect();
    assert_eq!(people, [(OWNER, "", 100), (ANN, "Ann55 Lee", 30), (0, "", 1)]);
    assert_eq!(view.resting, [(GLM.to_owned(), world.now() + DAY, ErrorClass::Retired)]);
    assert_eq!((view.caps, view.person_cap_nano_usd), (Some(CAPS), None));

    let caps = Caps { person_day_nano_usd: Some(50), ..CAPS };
    let ask = UsageAsk { person: Some(ANN), owner: false };
    let view = world.dir.usage(&ask, &caps, &world.cfg(), world.now()).unwrap();
    assert_eq!((view.day.calls, view.day.nano_usd), (2, 30));
    assert_eq!((view.by_person.len(), view.caps, view.person_cap_nano_usd), (0, None, Some(50)));
    let text = view.text(crate::text::Lang::En, world.now());
    assert!(text.starts_with("📊 Your usage") && !text.contains("People") && text.contains("glm-5.3: 24 h"), "{text}");

    // A stranger without a name asks: not everybody's numbers.
    let nobody = world.dir.usage(&UsageAsk { person: None, owner: false }, &caps, &world.cfg(), world.now()).unwrap();
    assert_eq!(nobody.day.nano_usd, 1);
}

#[test]
fn a_list_has_ten_rows_at_most() {
    let world = World::owned();
    for step in 1..30 {
        let report = world.report(step, &format!("ollama/m{step}"), step.unsigned_abs());
        world.tell(CallReport { person: Some(1_000 + step), failure: Some(failure(ErrorClass::Plan)), ..report });
    }
    let view = world.usage();
    assert_eq!((view.by_model.len(), view.by_person.len(), view.resting.len()), (10, 10, 10));
    assert_eq!((view.by_model[0].1.nano_usd, view.day.calls), (29, 29));
}

#[test]
fn what_is_kept_is_bounded() {
    let world = World::owned();
    for step in 1..=1_000 {
        world.reserve(step, &[(GPT, 10)], &CAPS);
        if step % 3 > 0 {
            world.tell(world.report(step, GPT, 5));
        }
        world.wait(DAY / 50); // 20 days in all.
    }
    // Two days, and that of the last sweep.
    assert!(world.rows("model_call") <= 150, "{}", world.rows("model_call"));
    assert!(world.rows("model_usage") <= 22, "{}", world.rows("model_usage"));
    assert_eq!(world.rows("model_health"), 0);
    // And the ledger lets go of what is older than 400 days.
    world.wait(401 * DAY);
    world.tell(world.report(2_000, GPT, 5));
    assert!(world.rows("model_usage") <= 2);
}

/// Fails one statement, counted from when it was armed.
struct Faulty {
    store: Sqlite,
    fail_at: Cell<Option<u32>>,
}

impl Sql for Faulty {
    fn run(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        if let Some(left) = self.fail_at.get() {
            self.fail_at.set(left.checked_sub(1));
            if left == 0 {
                return Err(StoreError::Sql("disk full".into()));
            }
        }
        self.store.run(statement, params)
    }

    fn atomically(&self, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.store.atomically(work)
    }
}

#[test]
fn a_failing_statement_leaves_nothing_half_done() {
    let store = Faulty { store: Sqlite::memory().unwrap(), fail_at: Cell::new(None) };
    let dir = Directory::new(store).unwrap();
    let owners = [OWNER];
    let cfg = Config { owners: &owners, claim_code: None };
    let auth = Some(failure(ErrorClass::Auth));
    let report = World::unowned().report(1, GPT, USD * 6 / 10);
    let refused = CallReport { failure: auth, ..World::unowned().report(2, FLASH, 0) };
    let reserve = Reserve { step: 3, person: Some(ANN), candidates: candidates(&[(GPT, 5)]) };
    let ask = ModelAsk {
        session: "main:55".into(),
        reports: vec![report, refused],
        reserve: Some(reserve),
        ..ModelAsk::default()
    };
    let mut statements = 0;
    loop {
        dir.sql.fail_at.set(Some(statements));
        match dir.model_call(&ask, &CAPS, &cfg, T0) {
            Err(_) => statements += 1,
            Ok(answer) => break assert_eq!(granted(&answer.reserved.unwrap()), 0),
        }
        dir.sql.fail_at.set(None);
        for table in ["model_call", "model_usage", "model_health", "outbox", "budget_told", "said"] {
            let rows = dir.sql.run(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
            assert_eq!(rows[0].int(0), Ok(0), "{table} after failing statement {statements}");
        }
    }
    assert!(statements > 10, "{statements}");
    dir.sql.fail_at.set(None);
    let view = dir.usage(&UsageAsk { person: None, owner: true }, &CAPS, &cfg, T0).unwrap();
    assert_eq!((view.day.calls, view.day.nano_usd), (2, USD * 6 / 10));
    assert_eq!(dir.notices(10).unwrap().len(), 2, "the key and half of the budget");
}
