//! Models: who answers, whether they can, and what it may cost.

use super::Desk;
use crate::admin::doctor::facts::{Facts, Listed, ProviderFacts};
use crate::admin::relays::wanted;
use crate::directory::Caps;
use crate::directory::desk::DoctorFacts;
use crate::llm::ModelRef;
use crate::text::admin::doctor as words;
use crate::text::amount::usd;

const DOLLAR: u64 = 1_000_000_000;
/// Caps above these are no ceiling for a person, a family or a small team (DESIGN §1).
const ABSURD_DAY: u64 = 100 * DOLLAR;
const ABSURD_MONTH: u64 = 1_000 * DOLLAR;
/// Share of a cap that is worth a word, per cent.
const NEAR: u64 = 80;
const MINUTE_MS: i64 = 60_000;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let chain = facts.chain();
    default_model(&chain, desk);
    homes(facts, &chain, desk);
    let stand_ins = chain.len().saturating_sub(1);
    match stand_ins {
        0 => desk.info("fallbacks", words::no_fallback(desk.lang)),
        count => desk.ok("fallbacks", words::fallbacks_there(desk.lang, count)),
    }
    match &facts.directory {
        Some(directory) => {
            caps(facts, directory, desk);
            budget(directory, desk);
            resting(facts, directory, desk);
        }
        None => ["caps", "budget", "cooldowns"].into_iter().for_each(|id| desk.unknown(id, "the Directory")),
    }
    for provider in &facts.models.providers {
        desk.about(provider.name);
        answers(provider, &chain, desk);
    }
    desk.subject = None;
}

fn default_model(chain: &[Result<ModelRef, String>], desk: &mut Desk) {
    let unreadable = chain.iter().find_map(|model| model.as_ref().err());
    match (chain.first(), unreadable) {
        (_, Some(name)) => desk.error("default_model", words::model_unreadable(desk.lang, name)),
        (Some(Ok(model)), None) => {
            desk.ok("default_model", words::default_model(desk.lang, &String::from(model.clone())));
        }
        _ => {}
    }
}

/// Whether every model that may be asked has a server. The first without one is named; it is worse if it is the default.
fn homes(facts: &Facts, chain: &[Result<ModelRef, String>], desk: &mut Desk) {
    // Of models behind relays `relays` speaks.
    let has_home = |model: &ModelRef| {
        wanted(model).is_some()
            || facts
                .models
                .providers
                .iter()
                .any(|provider| provider.name == model.provider && (provider.has_key || !provider.needs_key))
    };
    let homeless =
        chain.iter().enumerate().find_map(|(at, model)| model.as_ref().ok().filter(|m| !has_home(m)).map(|m| (at, m)));
    match homeless {
        Some((at, model)) => {
            let said = words::model_homeless(desk.lang, &String::from(model.clone()));
            if at == 0 { desk.error("provider_keys", said) } else { desk.warning("provider_keys", said) }
        }
        None => desk.ok("provider_keys", words::keys_set(desk.lang)),
    }
}

fn caps(facts: &Facts, directory: &DoctorFacts, desk: &mut Desk) {
    let lang = desk.lang;
    let Some(Caps { day_nano_usd: day, month_nano_usd: month, .. }) = directory.usage.caps else {
        return desk.unknown("caps", "the Directory");
    };
    let (day_text, month_text) = (usd(day), usd(month));
    if !facts.variables.bad_budgets.is_empty() {
        desk.error("caps", words::bad_budget(lang, &facts.variables.bad_budgets.join(", ")));
    } else if day > ABSURD_DAY || month > ABSURD_MONTH {
        desk.warning("caps", words::caps_absurd(lang, &day_text, &month_text));
    } else if day > month {
        desk.warning("caps", words::caps_crossed(lang, &day_text, &month_text));
    } else if day == 0 {
        desk.info("caps", words::caps_zero(lang));
    } else {
        desk.ok("caps", words::caps_set(lang, &day_text, &month_text));
    }
}

fn budget(directory: &DoctorFacts, desk: &mut Desk) {
    let usage = &directory.usage;
    let Some(caps) = usage.caps else { return desk.unknown("budget", "the Directory") };
    // A cap of zero is no budget that could be used up; `caps` speaks of it.
    let share = |spent: u64, cap: u64| spent.saturating_mul(100).checked_div(cap).unwrap_or(0);
    let used = share(usage.day.nano_usd, caps.day_nano_usd).max(share(usage.month.nano_usd, caps.month_nano_usd));
    match used {
        100.. => desk.error("budget", words::budget_gone(desk.lang)),
        NEAR.. => desk.warning("budget", words::budget_near(desk.lang, used)),
        _ => desk.ok("budget", words::budget_left(desk.lang, &usd(usage.day.nano_usd), &usd(usage.month.nano_usd))),
    }
}

fn resting(facts: &Facts, directory: &DoctorFacts, desk: &mut Desk) {
    // The one that rests longest is what somebody has to look after.
    match directory.usage.resting.iter().max_by_key(|(_, until, _)| *until) {
        Some((name, until, class)) => {
            let minutes = ((until - facts.now).max(0) + MINUTE_MS - 1) / MINUTE_MS;
            let class = format!("{class:?}");
            desk.warning("cooldowns", words::resting(desk.lang, name, &class, minutes));
        }
        None => desk.ok("cooldowns", words::nobody_rests(desk.lang)),
    }
}

/// Whether a provider answers, and has what is asked of it.
fn answers(provider: &ProviderFacts, chain: &[Result<ModelRef, String>], desk: &mut Desk) {
    let lang = desk.lang;
    let wanted: Vec<&ModelRef> = chain.iter().flatten().filter(|model| model.provider == provider.name).collect();
    // A provider nobody asks is no trouble.
    let used = !wanted.is_empty();
    if provider.needs_key && !provider.has_key {
        // Ollama Cloud is set up without a key too; that only matters when it is to answer.
        let said = words::key_missing(lang);
        return if used { desk.error("provider_answers", said) } else { desk.info("provider_answers", said) };
    }
    match &provider.list {
        Listed::Refused if used => desk.error("provider_answers", words::key_refused(lang)),
        Listed::Refused => desk.warning("provider_answers", words::key_refused(lang)),
        Listed::Odd(status) => desk.warning("provider_answers", words::provider_odd(lang, *status)),
        Listed::Silent => desk.warning("provider_answers", words::provider_silent(lang)),
        Listed::Models(names) => {
            // An empty list says nothing of what is there.
            let unlisted = wanted.iter().find(|model| !names.is_empty() && !is_listed(names, &model.model));
            match unlisted {
                Some(model) => {
                    desk.warning("provider_answers", words::model_unlisted(lang, &String::from((*model).clone())))
                }
                None => desk.ok("provider_answers", words::provider_answers(lang, names.len())),
            }
        }
    }
}

/// Ollama adds `:latest` where no tag is given, and `-cloud` to what a local daemon passes on.
fn is_listed(names: &[String], model: &str) -> bool {
    let short = |name: &str| name.trim_end_matches(":latest").trim_end_matches("-cloud").to_owned();
    names.iter().any(|name| name == model || short(name) == short(model))
}
