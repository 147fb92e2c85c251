//! Who may talk, and who waits to.

use super::Desk;
use crate::admin::doctor::facts::Facts;
use crate::directory::DmPolicy;
use crate::directory::desk::DoctorFacts;
use crate::text::admin::doctor as words;

const DAY_MS: i64 = 86_400_000;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let Some(directory) = &facts.directory else {
        let ids = ["owner", "claim_code", "private_policy", "groups_unmentioned", "waiting_people"];
        return ids.into_iter().for_each(|id| desk.unknown(id, "the Directory"));
    };
    owner(facts, directory, desk);
    match directory.private {
        DmPolicy::Open => desk.warning("private_policy", words::policy_open(desk.lang)),
        _ => desk.ok("private_policy", words::policy_closed(desk.lang)),
    }
    let unmentioned: Vec<_> = directory.groups.iter().filter(|group| !group.require_mention).collect();
    match unmentioned.first() {
        Some(first) => {
            desk.info("groups_unmentioned", words::groups_unmentioned(desk.lang, unmentioned.len(), &first.title));
        }
        None => desk.ok("groups_unmentioned", words::groups_by_mention(desk.lang)),
    }
    waiting(facts, directory, desk);
}

fn owner(facts: &Facts, directory: &DoctorFacts, desk: &mut Desk) {
    let (lang, claim) = (desk.lang, facts.variables.claim_code);
    match (directory.has_owner, claim) {
        (true, _) => desk.ok("owner", words::has_owner(lang)),
        (false, true) => desk.warning("owner", words::claim_open(lang)),
        (false, false) => desk.error("owner", words::nobody_owns(lang)),
    }
    if directory.has_owner && claim {
        desk.info("claim_code", words::claim_left(lang));
    } else {
        desk.ok("claim_code", words::claim_shut(lang));
    }
}

fn waiting(facts: &Facts, directory: &DoctorFacts, desk: &mut Desk) {
    let (people, groups) = (directory.people_waiting, directory.groups_waiting);
    let count = people.count + groups.count;
    let oldest = [people.since, groups.since].into_iter().flatten().min();
    let days = oldest.map_or(0, |since| (facts.now - since).max(0) / DAY_MS);
    match (count, days) {
        (0, _) => desk.ok("waiting_people", words::nobody_waits(desk.lang)),
        (_, 0) => desk.info("waiting_people", words::people_wait(desk.lang, count)),
        _ => desk.warning("waiting_people", words::people_wait_long(desk.lang, count, days)),
    }
}
