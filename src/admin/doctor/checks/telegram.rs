//! Bots: token, webhook, what arrives by it, menus. Rules: telegram.md §2.

use super::Desk;
use crate::admin::doctor::facts::{BotFacts, Facts, Me, Probe, Profile, host};
use crate::telegram::webhook_info::WebhookInfo;
use crate::text::admin::doctor as words;

/// More waiting updates than this are no burst any more.
const PENDING: i64 = 10;
const MANY_PENDING: i64 = 100;
/// An error younger than this is happening now, in minutes.
const NOW_MIN: i64 = 15;
/// An error older than this is over, in minutes.
const OVER_MIN: i64 = 60;
/// Telegram's words on an error, cut for a line.
const MOST_TEXT: usize = 120;

pub fn check(facts: &Facts, desk: &mut Desk) {
    for bot in &facts.bots {
        desk.about(&bot.id);
        let profile = token(bot, desk);
        match &bot.webhook {
            Some(info) => webhook(facts, bot, info, desk),
            None => {
                for id in ["webhook_set", "webhook_updates", "webhook_pending", "webhook_errors"] {
                    desk.unknown(id, "Telegram");
                }
            }
        }
        secret(bot, desk);
        privacy(facts, bot, profile, desk);
        match bot.commands {
            Some(true) => desk.ok("commands", words::commands_set(desk.lang)),
            Some(false) => desk.warning("commands", words::commands_differ(desk.lang)),
            None => desk.unknown("commands", "Telegram"),
        }
    }
    desk.subject = None;
    if facts.bots_left_out > 0 {
        desk.info("bots_left_out", words::bots_left_out(desk.lang, facts.bots_left_out));
    }
}

fn token<'a>(bot: &'a BotFacts, desk: &mut Desk) -> Option<&'a Profile> {
    match &bot.me {
        Me::Is(profile) => {
            desk.ok("bot_token", words::token_works(desk.lang, &profile.username));
            Some(profile)
        }
        Me::Refused => {
            desk.error("bot_token", words::token_refused(desk.lang));
            None
        }
        Me::Unknown => {
            desk.warning("bot_token", words::telegram_silent(desk.lang));
            None
        }
    }
}

fn webhook(facts: &Facts, bot: &BotFacts, info: &WebhookInfo, desk: &mut Desk) {
    let lang = desk.lang;
    let path = url::Url::parse(&info.url).map(|url| url.path().to_owned()).unwrap_or_default();
    let (theirs, ours) = (host(&info.url), host(&facts.origin));
    if info.url.is_empty() {
        desk.error("webhook_set", words::no_webhook(lang));
    } else if path != format!("/telegram/{}", bot.id) {
        desk.error("webhook_set", words::webhook_wrong_path(lang, &path));
    } else if theirs != ours {
        desk.warning("webhook_set", words::webhook_elsewhere(lang, theirs.as_deref().unwrap_or("?")));
    } else {
        desk.ok("webhook_set", words::webhook_is_set(lang));
    }
    if info.has_our_kinds() {
        desk.ok("webhook_updates", words::updates_exact(lang));
    } else {
        desk.error("webhook_updates", words::updates_differ(lang));
    }
    match info.pending_update_count {
        count if count > MANY_PENDING => desk.error("webhook_pending", words::pending(lang, count)),
        count if count > PENDING => desk.warning("webhook_pending", words::pending(lang, count)),
        _ => desk.ok("webhook_pending", words::nothing_pending(lang)),
    }
    last_error(facts, info, desk);
}

fn last_error(facts: &Facts, info: &WebhookInfo, desk: &mut Desk) {
    let lang = desk.lang;
    let minutes = info.last_error_date.map(|at| (facts.now / 1_000 - at).max(0) / 60);
    let text = info.last_error_message.as_deref().unwrap_or("?");
    let short: String = text.chars().take(MOST_TEXT).collect();
    match minutes {
        Some(minutes) if minutes < OVER_MIN && text.contains("401") => {
            desk.error("webhook_errors", words::secret_wrong(lang));
        }
        Some(minutes) if minutes < NOW_MIN => {
            desk.error("webhook_errors", words::webhook_error(lang, minutes, &short));
        }
        Some(minutes) if minutes < OVER_MIN => {
            desk.warning("webhook_errors", words::webhook_error(lang, minutes, &short));
        }
        _ => desk.ok("webhook_errors", words::no_webhook_error(lang)),
    }
}

/// Somebody without the secret must get our 401.
fn secret(bot: &BotFacts, desk: &mut Desk) {
    let lang = desk.lang;
    let path = format!("/telegram/{}", bot.id);
    match bot.unsigned {
        _ if !bot.has_secret => desk.error("webhook_secret", words::no_secret(lang)),
        Probe::Answered { status: 401, ours: true } => desk.ok("webhook_secret", words::secret_is_asked(lang)),
        Probe::Answered { status, ours: false } if matches!(status, 302 | 303 | 307 | 401 | 403) => {
            desk.error("webhook_secret", words::webhook_behind_access(lang, &path, status));
        }
        Probe::Answered { status, .. } => desk.error("webhook_secret", words::secret_not_asked(lang, status)),
        Probe::Silent => desk.unknown("webhook_secret", &path),
        Probe::NotFromHere => desk.info("webhook_secret", words::not_from_here(lang)),
    }
}

/// What privacy mode hides, and what it would be good for.
fn privacy(facts: &Facts, bot: &BotFacts, profile: Option<&Profile>, desk: &mut Desk) {
    let (Some(profile), Some(directory)) = (profile, &facts.directory) else {
        return desk.unknown("privacy", "Telegram");
    };
    let mut groups = directory.groups.iter().filter(|group| group.bot == bot.id);
    let sees_all = profile.can_read_all_group_messages;
    if let Some(group) = groups.clone().find(|group| !group.require_mention && !sees_all) {
        desk.warning("privacy", words::privacy_hides(desk.lang, &group.title));
    } else if sees_all && groups.all(|group| group.require_mention) {
        desk.info("privacy", words::privacy_off(desk.lang));
    } else {
        desk.ok("privacy", words::privacy_fits(desk.lang));
    }
}
