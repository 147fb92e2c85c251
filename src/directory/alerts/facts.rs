//! What is wrong right now, as far as tables and the shell can tell.
//!
//! Not here: whether owners heard of it already (`state`).

use std::collections::BTreeMap;

use super::away::{Counts, counts_from, relay_facts};
use super::state::{Seen, Voice};
use super::{AlertKind, Outside};
use crate::directory::model_calls::day_of;
use crate::directory::{Caps, DAY, Directory, DirectoryError, HOUR, MINUTE, word};
use crate::llm::{ErrorClass, ModelRef};
use crate::store::Sql;
use crate::text::alerts::Trouble;
use crate::text::usage::Span;

/// A backup older than this is a trouble. The daily one begins when the last is a day old, and takes its time.
const BACKUP_AGE: i64 = DAY + HOUR;
/// A provider that failed for so long is down.
const DOWN_AFTER: i64 = 5 * MINUTE;
/// What failed last so long ago and was not called since says nothing any more.
const STALE_AFTER: i64 = HOUR;
/// An error of the webhook counts for so long.
const WEBHOOK_RECENT: i64 = 10 * MINUTE;
/// More updates waiting at Telegram than a burst explains.
const WEBHOOK_PENDING: i64 = 50;
/// A message of ours that waits for so long is stuck.
const OUTBOX_WAITS: i64 = 15 * MINUTE;
/// Of a cap, percent.
const CAP_NEAR: u128 = 80;
/// Subjects of one kind looked at.
const MOST: i64 = 20;

/// One trouble there may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub kind: AlertKind,
    pub subject: String,
    pub seen: Seen,
    pub voice: Voice,
    /// For the text.
    pub trouble: Trouble,
}

impl Fact {
    pub(super) fn new(kind: AlertKind, subject: &str, since: i64, trouble: Trouble) -> Fact {
        Fact { kind, subject: subject.to_owned(), seen: Seen::Trouble { since }, voice: Voice::Alerts, trouble }
    }
}

/// A row of `model_health`.
struct Failing {
    model: String,
    class: ErrorClass,
    until: i64,
    failed_at: i64,
    since: i64,
}

impl Failing {
    /// Whether it failed for long enough: it rests still, or failed again and again, and not long ago.
    fn is_down(&self, now: i64) -> bool {
        let passing =
            matches!(self.class, ErrorClass::Auth | ErrorClass::Quota | ErrorClass::Rate | ErrorClass::Transient);
        let rests = self.until > now && now - self.since >= DOWN_AFTER;
        let failed = self.failed_at - self.since >= DOWN_AFTER && now - self.failed_at < STALE_AFTER;
        passing && (rests || failed)
    }
}

impl<S: Sql> Directory<S> {
    /// All there is to see at `now`. What is not in it is fine.
    /// `relays_known`: those of which a trouble is known.
    pub(super) fn facts(
        &self,
        outside: &Outside,
        caps: &Caps,
        relays_known: &[String],
        now: i64,
    ) -> Result<Vec<Fact>, DirectoryError> {
        let mut facts = Vec::new();
        facts.extend(self.backup_fact(outside, now)?);
        facts.extend(webhook_facts(outside, now));
        facts.extend(self.provider_facts(outside, now)?);
        facts.extend(relay_facts(outside, relays_known, now));
        facts.extend(self.outbox_facts(now)?);
        facts.extend(self.cap_facts(caps, now)?);
        Ok(facts)
    }

    /// Without any backup the first conversation's age counts: a bot of today has nothing to lose yet.
    fn backup_fact(&self, outside: &Outside, now: i64) -> Result<Option<Fact>, DirectoryError> {
        let from = match outside.last_backup_at {
            Some(at) => Some(at),
            None => {
                let rows = self.sql.run("SELECT min(since) FROM session", &[])?;
                rows.first().map(|row| row.opt_int(0)).transpose()?.flatten()
            }
        };
        let Some(from) = from.filter(|from| now - from > BACKUP_AGE) else { return Ok(None) };
        let hours = outside.last_backup_at.map(|at| (now - at) / HOUR);
        Ok(Some(Fact::new(AlertKind::Backup, "", from + BACKUP_AGE, Trouble::Backup { hours })))
    }

    fn provider_facts(&self, outside: &Outside, now: i64) -> Result<Vec<Fact>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT provider, model, class, until, failed_at, CASE WHEN since > 0 THEN since ELSE failed_at END \
             FROM model_health ORDER BY provider, model LIMIT 500",
            &[],
        )?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut failing: BTreeMap<String, Vec<Failing>> = BTreeMap::new();
        for row in &rows {
            failing.entry(row.text(0)?.to_owned()).or_default().push(Failing {
                model: row.text(1)?.to_owned(),
                class: word(row.text(2)?).unwrap_or(ErrorClass::Transient),
                until: row.int(3)?,
                failed_at: row.int(4)?,
                since: row.int(5)?,
            });
        }
        let used = self.sql.run(
            "SELECT DISTINCT model FROM model_usage WHERE day >= ?1 AND calls > 0 LIMIT 500",
            &[(day_of(now) - 1).into()],
        )?;
        let mut facts = Vec::new();
        for (provider, rows) in failing {
            let heard_from = match counts_from(&outside.relays, &provider) {
                Counts::From(at) => at,
                // `relay_facts` says that it is away.
                Counts::No => {
                    let trouble = Trouble::Provider { name: provider.clone(), minutes: 0 };
                    let fact = Fact::new(AlertKind::Provider, &provider, now, trouble);
                    facts.push(Fact { seen: Seen::Unknown, ..fact });
                    continue;
                }
            };
            let down: Vec<&Failing> =
                rows.iter().filter(|row| row.is_down(now) && row.failed_at > heard_from).collect();
            let mut models = Vec::new();
            for row in &used {
                let model: Result<ModelRef, _> = row.text(0)?.parse();
                models.extend(model.ok().filter(|model| model.provider == provider).map(|model| model.model));
            }
            let whole = down.iter().find(|row| row.model.is_empty()).map(|row| row.since);
            let all = !models.is_empty() && models.iter().all(|model| down.iter().any(|row| row.model == *model));
            // The last of them to fail makes it all of them.
            let last = down.iter().filter(|row| models.contains(&row.model)).map(|row| row.since).max();
            let Some(since) = whole.or(last.filter(|_| all)) else { continue };
            let trouble = Trouble::Provider { name: provider.clone(), minutes: (now - since) / MINUTE };
            let mut fact = Fact::new(AlertKind::Provider, &provider, since, trouble);
            // `tell_key_refused` says so.
            if down.iter().all(|row| row.class == ErrorClass::Auth) {
                fact.voice = Voice::Elsewhere;
            }
            facts.push(fact);
        }
        facts.truncate(usize::try_from(MOST).unwrap_or_default());
        Ok(facts)
    }

    fn outbox_facts(&self, now: i64) -> Result<Vec<Fact>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT bot, count(*), min(created_at) FROM outbox WHERE state IN ('waiting', 'sending') \
             AND created_at <= ?1 GROUP BY bot ORDER BY bot LIMIT ?2",
            &[(now - OUTBOX_WAITS).into(), MOST.into()],
        )?;
        let fact = |row: &crate::store::Row| {
            let (bot, count, oldest) = (row.text(0)?, row.int(1)?, row.int(2)?);
            let trouble = Trouble::Outbox { bot: bot.to_owned(), count, minutes: (now - oldest) / MINUTE };
            Ok(Fact::new(AlertKind::Outbox, bot, oldest + OUTBOX_WAITS, trouble))
        };
        rows.iter().map(fact).collect()
    }

    /// `tell_budget` says when a cap nears and is reached.
    fn cap_facts(&self, caps: &Caps, now: i64) -> Result<Vec<Fact>, DirectoryError> {
        let spent = self.spent(None, None, now)?;
        let mut facts = Vec::new();
        for (subject, span, spent, cap) in
            [("day", Span::Day, spent.day, caps.day_nano_usd), ("month", Span::Month, spent.month, caps.month_nano_usd)]
        {
            if cap > 0 && u128::from(spent) * 100 >= u128::from(cap) * CAP_NEAR {
                let trouble = Trouble::Cap { span };
                facts.push(Fact { voice: Voice::Elsewhere, ..Fact::new(AlertKind::Cap, subject, now, trouble) });
            }
        }
        Ok(facts)
    }
}

fn webhook_facts(outside: &Outside, now: i64) -> impl Iterator<Item = Fact> {
    outside.webhooks.iter().take(usize::try_from(MOST).unwrap_or_default()).filter_map(move |webhook| {
        let trouble = |error: &str, pending| Trouble::Webhook {
            bot: webhook.bot.clone(),
            error: crate::llm::redact::redact_to(error, 200),
            pending,
        };
        let Some(health) = &webhook.health else {
            let fact = Fact::new(AlertKind::Webhook, &webhook.bot, now, trouble("", 0));
            return Some(Fact { seen: Seen::Unknown, ..fact });
        };
        let failed_at = health.last_error_at.filter(|at| now - at < WEBHOOK_RECENT);
        if failed_at.is_none() && health.pending < WEBHOOK_PENDING {
            return None;
        }
        let error = if failed_at.is_some() { health.error.as_str() } else { "" };
        Some(Fact::new(AlertKind::Webhook, &webhook.bot, failed_at.unwrap_or(now), trouble(error, health.pending)))
    })
}
