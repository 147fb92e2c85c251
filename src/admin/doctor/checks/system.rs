//! Releases, clocks, leftovers, what is stuck.

use super::Desk;
use crate::admin::doctor::facts::{Facts, host};
use crate::directory::desk::DoctorFacts;
use crate::text::admin::doctor as words;

const MINUTE_MS: i64 = 60_000;
/// Access allows tokens this much, in seconds.
const SKEW_S: i64 = 60;
const BIG_SKEW_S: i64 = 300;
/// A message that waits longer is not just waiting out a flood, in minutes.
const STUCK_MIN: i64 = 10;
const LONG_STUCK_MIN: i64 = 60;
/// Deliveries of conversations that wait at once.
const MANY_DELIVERIES: i64 = 50;
/// Errors an hour that are more than a bad moment.
const MANY_ERRORS: i64 = 20;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let lang = desk.lang;
    match host(&facts.origin).as_deref() {
        Some("localhost") | None => desk.note("public_url", super::Severity::Info, words::local_address(lang), None),
        Some(_) => desk.ok("public_url", words::url_known(lang, &facts.origin)),
    }
    clock(facts, desk);
    tokens(facts, desk);
    let Some(directory) = &facts.directory else {
        desk.error("directory", words::directory_silent(lang));
        let ids = ["versions", "config", "outbox", "errors"];
        return ids.into_iter().for_each(|id| desk.unknown(id, "the Directory"));
    };
    if directory.version == facts.version {
        desk.ok("versions", words::versions_equal(lang, facts.version));
    } else {
        desk.warning("versions", words::versions_differ(lang, facts.version, &directory.version));
    }
    match directory.unread_config {
        Some(version) => desk.error("config", words::config_unread(lang, version)),
        None => desk.ok("config", words::config_read(lang)),
    }
    outbox(facts, directory, desk);
    match directory.errors {
        None => desk.unknown("errors", "the log"),
        Some(0) => desk.ok("errors", words::no_errors(lang)),
        Some(count) if count >= MANY_ERRORS => desk.warning("errors", words::errors(lang, count)),
        Some(count) => desk.info("errors", words::errors(lang, count)),
    }
}

fn clock(facts: &Facts, desk: &mut Desk) {
    let Some(theirs) = facts.telegram_time else { return desk.unknown("clock", "Telegram") };
    let seconds = (facts.now - theirs).abs() / 1_000;
    match seconds {
        BIG_SKEW_S.. => desk.error("clock", words::clock_off(desk.lang, seconds)),
        SKEW_S.. => desk.warning("clock", words::clock_off(desk.lang, seconds)),
        _ => desk.ok("clock", words::clock_right(desk.lang)),
    }
}

/// Secrets that open something nobody uses.
fn tokens(facts: &Facts, desk: &mut Desk) {
    let variables = &facts.variables;
    if variables.gateway_token {
        desk.info("unused_tokens", words::token_unused(desk.lang, "GATEWAY_TOKEN"));
    } else {
        desk.ok("unused_tokens", words::no_unused_token(desk.lang));
    }
    let deployed = host(&facts.origin).as_deref() != Some("localhost");
    match (variables.debug_token, deployed) {
        (true, true) => desk.warning("debug_token", words::debug_token(desk.lang)),
        (true, false) => desk.info("debug_token", words::debug_token(desk.lang)),
        (false, _) => desk.ok("debug_token", words::no_debug_token(desk.lang)),
    }
}

fn outbox(facts: &Facts, directory: &DoctorFacts, desk: &mut Desk) {
    let lang = desk.lang;
    let waiting = directory.outbox;
    let minutes = waiting.since.map_or(0, |since| (facts.now - since).max(0) / MINUTE_MS);
    match (minutes, directory.deliveries) {
        (LONG_STUCK_MIN.., _) => desk.error("outbox", words::stuck(lang, waiting.count, minutes)),
        (STUCK_MIN.., _) => desk.warning("outbox", words::stuck(lang, waiting.count, minutes)),
        (_, Some(count)) if count > MANY_DELIVERIES => desk.warning("outbox", words::many_deliveries(lang, count)),
        _ => desk.ok("outbox", words::nothing_stuck(lang)),
    }
}
