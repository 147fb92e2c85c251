//! Troubles that owners hear of by themselves, in Telegram: a backup that is too old, a provider that is down, a webhook
//! that fails, messages that do not leave, a relay that is away, a budget that has room again.
//!
//! Looked at with each tick of the cron (5 minutes). Not here: what owners hear at once and elsewhere, budgets' thresholds
//! and refused keys (`model_calls::tell`); the words (`text::alerts`).
//!
//! | file | holds |
//! |---|---|
//! | `facts` | what is wrong right now |
//! | `away` | the same of relays |
//! | `state` | when it is told |

mod away;
mod facts;
mod state;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::pairing::MAX_OWNERS_TOLD;
use super::{Caps, Config, Directory, DirectoryError, Level, Relays, prompt, word};
use crate::llm::ModelRef;
use crate::store::{Sql, StoreError, all_or_nothing};
use crate::text::{Lang, alerts as words};
use facts::Fact;
use state::{Alert, Say, Seen, Voice, step};

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// The last backup is older than a day.
    Backup,
    /// A provider, or all its models in use, fail for five minutes.
    Provider,
    /// Telegram cannot deliver to a bot's webhook, or many updates wait there.
    Webhook,
    /// Messages of the Directory do not leave.
    Outbox,
    /// Four fifths of a budget are spent.
    Cap,
    /// A relay that models need has been away for ten minutes.
    Relay,
}

impl AlertKind {
    pub const ALL: [AlertKind; 6] = [
        AlertKind::Backup,
        AlertKind::Provider,
        AlertKind::Webhook,
        AlertKind::Outbox,
        AlertKind::Cap,
        AlertKind::Relay,
    ];

    /// As stored, and as metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::Backup => "backup",
            AlertKind::Provider => "provider",
            AlertKind::Webhook => "webhook",
            AlertKind::Outbox => "outbox",
            AlertKind::Cap => "cap",
            AlertKind::Relay => "relay",
        }
    }
}

/// What the shell found out beside the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// When the last backup ended, Unix milliseconds; `None`: there is none.
    pub last_backup_at: Option<i64>,
    pub webhooks: Vec<WebhookSeen>,
    /// Bots that can send.
    pub bots: Vec<String>,
    pub relays: Relays,
    /// Models behind relays that are to answer ([`Directory::models_of_relays`]).
    pub models_of_relays: Vec<ModelRef>,
}

/// A bot's webhook as Telegram sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSeen {
    pub bot: String,
    /// `None`: not asked, or Telegram did not say.
    pub health: Option<WebhookHealth>,
}

/// Of `getWebhookInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookHealth {
    /// Unix milliseconds.
    pub last_error_at: Option<i64>,
    /// Telegram's words.
    pub error: String,
    /// Updates that wait for delivery.
    pub pending: i64,
}

/// A trouble under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlert {
    pub kind: AlertKind,
    /// The provider, bot or span; empty: there is but one.
    pub subject: String,
    /// Unix milliseconds.
    pub since: i64,
    /// When owners last heard of it; `None`: not yet.
    #[serde(default)]
    pub told_at: Option<i64>,
}

type Key = (AlertKind, String);

impl<S: Sql> Directory<S> {
    /// Looks at all there is and queues what owners have to hear, all or nothing.
    pub fn look_out(&self, outside: &Outside, caps: &Caps, cfg: &Config<'_>, now: i64) -> Result<(), DirectoryError> {
        let lines =
            all_or_nothing(&self.sql, || self.look_out_steps(outside, caps, cfg, now).map_err(StoreError::from))?;
        lines.into_iter().try_for_each(|(level, text)| self.note(level, "alert", &text, now))
    }

    /// What there is to say, as lines for the log.
    fn look_out_steps(
        &self,
        outside: &Outside,
        caps: &Caps,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Vec<(Level, String)>, DirectoryError> {
        let mut known = self.known_alerts()?;
        let mut lines = Vec::new();
        let relays_known: Vec<String> =
            known.keys().filter(|(kind, _)| *kind == AlertKind::Relay).map(|(_, name)| name.clone()).collect();
        for fact in self.facts(outside, caps, &relays_known, now)? {
            let before = known.remove(&(fact.kind, fact.subject.clone()));
            let (after, say) = step(before, fact.seen, fact.voice, now);
            self.keep_alert(fact.kind, &fact.subject, before, after)?;
            lines.extend(self.say(say, fact.kind, &fact.subject, Some(&fact), outside, cfg, now)?);
        }
        for ((kind, subject), before) in known {
            let (after, say) = step(Some(before), Seen::Fine, Voice::Alerts, now);
            self.keep_alert(kind, &subject, Some(before), after)?;
            lines.extend(self.say(say, kind, &subject, None, outside, cfg, now)?);
        }
        Ok(lines)
    }

    /// When the last backup ended, Unix milliseconds; `None`: there is none.
    pub fn last_backup_at(&self) -> Result<Option<i64>, DirectoryError> {
        let rows = self.sql.run("SELECT max(at) FROM backup_manifest", &[])?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }

    /// Troubles under way, oldest first.
    pub fn open_alerts(&self) -> Result<Vec<OpenAlert>, DirectoryError> {
        let mut open: Vec<OpenAlert> = self
            .known_alerts()?
            .into_iter()
            .filter(|(_, alert)| alert.ended_at.is_none())
            .map(|((kind, subject), alert)| OpenAlert { kind, subject, since: alert.since, told_at: alert.told_at })
            .collect();
        open.sort_by_key(|alert| alert.since);
        Ok(open)
    }

    fn known_alerts(&self) -> Result<BTreeMap<Key, Alert>, DirectoryError> {
        let rows = self.sql.run("SELECT kind, subject, since, told_at, said, ended_at FROM alert LIMIT 200", &[])?;
        let mut known = BTreeMap::new();
        for row in &rows {
            // A kind of a newer release: that release will look after it.
            let Some(kind) = word(row.text(0)?) else { continue };
            let alert =
                Alert { since: row.int(2)?, told_at: row.opt_int(3)?, said: row.int(4)?, ended_at: row.opt_int(5)? };
            known.insert((kind, row.text(1)?.to_owned()), alert);
        }
        Ok(known)
    }

    fn keep_alert(
        &self,
        kind: AlertKind,
        subject: &str,
        before: Option<Alert>,
        after: Option<Alert>,
    ) -> Result<(), DirectoryError> {
        if before == after {
            return Ok(());
        }
        match after {
            None => self.sql.run(
                "DELETE FROM alert WHERE kind = ?1 AND subject = ?2",
                &[kind.as_str().into(), subject.into()],
            )?,
            Some(alert) => self.sql.run(
                "INSERT OR REPLACE INTO alert (kind, subject, since, told_at, said, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[
                    kind.as_str().into(),
                    subject.into(),
                    alert.since.into(),
                    alert.told_at.into(),
                    alert.said.into(),
                    alert.ended_at.into(),
                ],
            )?,
        };
        Ok(())
    }

    /// Queues the message for owners, each in their language. The same for the log, in English.
    #[expect(clippy::too_many_arguments, reason = "all of it is what one message depends on")]
    fn say(
        &self,
        say: Option<Say>,
        kind: AlertKind,
        subject: &str,
        fact: Option<&Fact>,
        outside: &Outside,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Option<(Level, String)>, DirectoryError> {
        let text = |lang: Lang| match (say?, fact) {
            (Say::Over, _) => Some(over(lang, kind, subject)),
            (_, Some(fact)) => Some(words::trouble(lang, &fact.trouble)),
            (_, None) => None,
        };
        let Some(line) = text(Lang::En) else { return Ok(None) };
        // Only what is new rings. A budget has room again at midnight UTC, when people sleep somewhere.
        let silent = say == Some(Say::Lasts) || (say == Some(Say::Over) && kind == AlertKind::Cap);
        for owner in self.owners(cfg)?.into_iter().take(MAX_OWNERS_TOLD) {
            let Some(bot) = self.bot_to_tell(owner, kind, subject, outside)? else { continue };
            let lang = prompt::lang_of(self.person(&bot, owner)?.as_ref());
            let Some(text) = text(lang) else { continue };
            let mut draft = prompt::line(&bot, owner, &text);
            if let (true, Some(payload)) = (silent, draft.payload.as_object_mut()) {
                payload.insert("disable_notification".to_owned(), json!(true));
            }
            self.queue(draft, now)?;
        }
        Ok(Some((if say == Some(Say::Over) { Level::Info } else { Level::Warning }, line)))
    }

    /// The bot that tells `owner`: one they wrote to, if possible not the one in trouble, `main` before others.
    fn bot_to_tell(
        &self,
        owner: i64,
        kind: AlertKind,
        subject: &str,
        outside: &Outside,
    ) -> Result<Option<String>, DirectoryError> {
        let mut met = Vec::new();
        for bot in &outside.bots {
            let in_trouble = matches!(kind, AlertKind::Webhook | AlertKind::Outbox) && bot == subject;
            met.push((self.person(bot, owner)?.is_none(), in_trouble, bot != "main", bot));
        }
        Ok(met.into_iter().min().map(|(_, _, _, bot)| bot.clone()))
    }
}

fn over(lang: Lang, kind: AlertKind, subject: &str) -> String {
    match kind {
        AlertKind::Backup => words::backup_over(lang).to_owned(),
        AlertKind::Provider => words::provider_over(lang, subject),
        AlertKind::Webhook => words::webhook_over(lang, subject),
        AlertKind::Outbox => words::outbox_over(lang, subject),
        AlertKind::Relay => words::relay_over(lang, subject),
        AlertKind::Cap => words::cap_over(lang, subject == "month").to_owned(),
    }
}
