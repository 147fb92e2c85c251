//! What rests after which failure, for how long, and what ends it.

use super::*;

/// The rest that reaches farthest.
fn until(world: &World) -> Option<i64> {
    world.usage().resting.iter().map(|rest| rest.1 - world.now()).max()
}

fn asks(class: ErrorClass, retry_after_ms: u64) -> Failure {
    Failure { retry_after_ms: Some(retry_after_ms), ..failure(class) }
}

#[test]
fn each_class_has_its_rest() {
    use ErrorClass::*;
    // 2026-11-18 11:06:40 UTC is 03:06:40 in California: 20 h 53 min 20 s to its midnight.
    let midnight = 75_200_000;
    let pacific = Failure { scope: Some(Scope::Model), reset: Some(Reset::MidnightPacific), ..asks(Quota, 38_000) };
    let of = |scope, class| Failure { scope: Some(scope), ..failure(class) };
    for (failure, name, rest) in [
        (failure(Auth), Some("ollama"), HOUR),
        (failure(Quota), Some("ollama"), HOUR),
        (asks(Quota, 90_000), Some("ollama"), 90_000),
        (pacific, Some(GPT), midnight),
        (of(Scope::Model, Quota), Some(GPT), HOUR),
        (failure(Plan), Some(GPT), DAY),
        (of(Scope::Provider, Plan), Some("ollama"), DAY),
        (failure(Retired), Some(GPT), DAY),
        (failure(Rate), Some(GPT), MINUTE),
        (asks(Rate, 7_000), Some(GPT), 7_000),
        (asks(Rate, u64::MAX), Some(GPT), DAY),
        (of(Scope::Provider, Rate), Some("ollama"), MINUTE),
        (failure(Transient), Some(GPT), 30_000),
        (asks(Transient, 120_000), Some(GPT), 120_000),
        (failure(Overflow), None, 0),
        (failure(BadRequest), None, 0),
        (failure(Content), None, 0),
        (failure(Empty), None, 0),
    ] {
        let world = World::owned();
        world.fail(1, GPT, failure.clone());
        let expected: Vec<_> = name.iter().map(|name| (name.to_string(), world.now() + rest, failure.class)).collect();
        assert_eq!(world.usage().resting, expected, "{failure:?}");
        world.wait(rest);
        assert_eq!(world.usage().resting, [], "{failure:?}");
    }
}

#[test]
fn trouble_with_a_relay_rests_shortly_and_only_the_model_it_was_about() {
    let world = World::owned();
    let away = Failure { relay: true, ..failure(ErrorClass::Transient) };
    for step in 0..5 {
        world.fail(step, "relay:home/qwen3:8b", away.clone());
        assert_eq!(until(&world), Some(15_000), "no longer the fifth time");
        world.wait(15_000);
    }
    world.fail(9, "relay:home/qwen3:8b", away);
    let names: Vec<String> = world.usage().resting.into_iter().map(|rest| rest.0).collect();
    assert_eq!(names, ["relay:home/qwen3:8b"]);
    assert_eq!(granted(&world.reserve(20, &[("relay:home/qwen3:8b", 0), ("relay:den/qwen3:8b", 0)], &CAPS)), 1);
    world.wait(15_000);
    // A model that no relay has may be back with the next one that connects.
    let nowhere = Failure { relay: true, ..asks(ErrorClass::Retired, 60_000) };
    world.fail(10, "relay/qwen3:8b", nowhere);
    assert_eq!(until(&world), Some(60_000));
}

#[test]
fn a_quota_that_stays_used_up_rests_longer_each_time() {
    let world = World::owned();
    for (step, hours) in [1, 2, 4, 6, 6].into_iter().enumerate() {
        world.fail(step as i64, GPT, failure(ErrorClass::Quota));
        assert_eq!(until(&world), Some(hours * HOUR));
        world.wait(hours * HOUR);
    }
    world.tell(world.report(99, GLM, 1)); // Another model of the provider answers: its quota is back.
    world.fail(100, GPT, failure(ErrorClass::Quota));
    assert_eq!(until(&world), Some(HOUR));
}

#[test]
fn trouble_in_a_row_rests_longer_but_calls_that_fail_together_count_once() {
    let world = World::owned();
    for step in 0..15 {
        world.fail(step, GPT, failure(ErrorClass::Transient));
    }
    assert_eq!(until(&world), Some(30_000));
    for (step, rest) in (2..14).map(|n: i64| (100 + n, (n * 30_000).min(300_000))) {
        world.wait(300_000);
        world.fail(step, GPT, failure(ErrorClass::Transient));
        assert_eq!(until(&world), Some(rest));
    }
    // Long forgotten.
    world.wait(3 * DAY);
    world.fail(200, GLM, failure(ErrorClass::Transient));
    assert_eq!(world.rows("model_health"), 1);
}

#[test]
fn a_success_ends_the_rest_unless_it_is_older_than_the_failure() {
    let world = World::owned();
    let early = world.report(1, GPT, 1);
    world.wait(1);
    world.fail(2, GPT, failure(ErrorClass::Auth));
    world.fail(3, GPT, failure(ErrorClass::Plan));
    world.fail(4, GLM, failure(ErrorClass::Plan));
    world.tell(early);
    assert_eq!(world.usage().resting.len(), 3);
    world.tell(world.report(5, GPT, 1));
    assert_eq!(world.usage().resting, [(GLM.to_owned(), world.now() + DAY, ErrorClass::Plan)]);
}

#[test]
fn a_lighter_failure_does_not_shorten_a_rest() {
    let world = World::owned();
    world.fail(1, GPT, failure(ErrorClass::Retired));
    world.fail(2, GPT, failure(ErrorClass::Transient));
    assert_eq!(world.usage().resting, [(GPT.to_owned(), world.now() + DAY, ErrorClass::Retired)]);
}

#[test]
fn a_repeated_report_of_a_failure_changes_nothing() {
    let world = World::owned();
    let report = CallReport { failure: Some(failure(ErrorClass::Quota)), ..world.report(1, GPT, 0) };
    world.tell(report.clone());
    world.wait(HOUR);
    world.tell(report);
    assert_eq!(until(&world), None);
}

#[test]
fn the_next_model_is_granted_and_the_first_again_after_its_rest() {
    let world = World::owned();
    let chain = [(GPT, 1), (GLM, 1), (FLASH, 1)];
    world.fail(1, GPT, failure(ErrorClass::Transient));
    assert_eq!(granted(&world.reserve(2, &chain, &CAPS)), 1);
    world.fail(3, GLM, failure(ErrorClass::Quota)); // The whole provider.
    assert_eq!(granted(&world.reserve(4, &chain, &CAPS)), 2);
    world.wait(HOUR);
    assert_eq!(granted(&world.reserve(5, &chain, &CAPS)), 0);
}

#[test]
fn when_all_rest_the_soonest_free_is_tried_whatever_the_reason() {
    let world = World::owned();
    let chain = [(GPT, 1), (FLASH, 1)];
    world.fail(1, GPT, asks(ErrorClass::Rate, 50_000));
    world.fail(2, FLASH, failure(ErrorClass::Transient));
    assert_eq!(granted(&world.reserve(3, &chain, &CAPS)), 1);
    assert_eq!(granted(&world.reserve(3, &[(GPT, 1)], &CAPS)), 0, "alone it is the soonest free");
    world.fail(4, FLASH, failure(ErrorClass::Auth));
    assert_eq!(granted(&world.reserve(5, &chain, &CAPS)), 0);
    world.fail(6, GPT, failure(ErrorClass::Plan));
    assert_eq!(granted(&world.reserve(7, &chain, &CAPS)), 1, "an hour is less than a day");
    // Too dear and resting: what could be paid decides.
    assert_eq!(granted(&world.reserve(7, &[(GPT, 1), (FLASH, 5 * USD)], &CAPS)), 0);
}

#[test]
fn owners_hear_of_a_refused_key_once_an_hour() {
    let world = World::owned();
    let refused = |step| world.fail(step, GPT, failure(ErrorClass::Auth));
    refused(1);
    refused(2);
    let told = world.deliver();
    assert_eq!(told.len(), 1);
    assert!(text(&told[0]).contains("“ollama” refuses"), "{told:?}");
    world.fail(3, FLASH, failure(ErrorClass::Auth));
    assert_eq!(world.deliver().len(), 1, "another provider is other news");
    world.wait(HOUR - 1);
    refused(4);
    assert!(world.deliver().is_empty());
    world.wait(HOUR);
    refused(5);
    assert_eq!(world.deliver().len(), 1);
}

#[test]
fn a_refused_feature_is_left_out_until_it_is_worth_another_try() {
    let world = World::owned();
    let lacks = |feature| Failure { feature: Some(feature), ..failure(ErrorClass::BadRequest) };
    world.fail(1, GPT, lacks(Feature::Tools));
    world.fail(2, GPT, lacks(Feature::Thinking));
    world.fail(3, GPT, lacks(Feature::Tools));
    let without = |step, name| match world.reserve(step, &[(name, 1)], &CAPS) {
        Reserved::Granted { without, .. } => without,
        other => panic!("{other:?}"),
    };
    assert_eq!(without(4, GPT), [Feature::Thinking, Feature::Tools]);
    assert_eq!(without(5, GLM), []);
    world.wait(30 * DAY);
    assert_eq!(without(6, GPT), []);
}
