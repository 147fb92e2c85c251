//! What owners hear of by themselves: a budget's thresholds, each once, and a key that is refused.
//!
//! Not here: the words (`text::usage`). They go through the outbox, by the bot whose conversation came upon it.

use super::calendar::{day_of, first_of_month};
use crate::directory::{Config, Directory, DirectoryError, pairing::MAX_OWNERS_TOLD, prompt};
use crate::store::Sql;
use crate::text::{Lang, usage};

/// Of the cap, percent.
const THRESHOLDS: [u64; 3] = [100, 80, 50];

/// What `said` calls a refused key.
const KEY_REFUSED: &str = "key_refused";

/// How a budget stands.
pub(super) struct Budget {
    pub span: usage::Span,
    pub spent: u64,
    pub cap: u64,
    /// A call was just refused for it.
    pub refused: bool,
}

impl<S: Sql> Directory<S> {
    /// Tells owners that a budget passed a threshold; of several passed at once the highest. A refused call counts as
    /// all of it: nothing of that size fits any more. Once per period, threshold and cap: after the cap was changed it is
    /// news again. A cap of zero was meant so.
    pub(super) fn tell_budget(
        &self,
        bot: &str,
        budget: &Budget,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<(), DirectoryError> {
        let &Budget { span, spent, cap, refused } = budget;
        let reached = |percent: &&u64| u128::from(spent) * 100 >= u128::from(cap) * u128::from(**percent);
        let percent = if refused { Some(&100) } else { THRESHOLDS.iter().find(reached) };
        let Some(&percent) = percent.filter(|_| cap > 0) else { return Ok(()) };
        let (today, this_month) = (format!("day:{}", day_of(now)), format!("month:{}", first_of_month(now)));
        let period = match span {
            usage::Span::Day => &today,
            usage::Span::Month => &this_month,
        };
        let stored_cap = i64::try_from(cap.min(super::caps::MOST)).unwrap_or(i64::MAX);
        let news = self.sql.run(
            "INSERT INTO budget_told (period, cap, percent) VALUES (?1, ?2, ?3) ON CONFLICT (period, cap) DO UPDATE \
             SET percent = excluded.percent WHERE percent < excluded.percent RETURNING percent",
            &[period.as_str().into(), stored_cap.into(), i64::try_from(percent).unwrap_or(100).into()],
        )?;
        if news.is_empty() {
            return Ok(());
        }
        self.sql.run("DELETE FROM budget_told WHERE period NOT IN (?1, ?2)", &[today.into(), this_month.into()])?;
        self.tell_owners(bot, cfg, now, |lang| usage::threshold(lang, span, percent, spent, cap))
    }

    /// Tells owners, at most once an hour for a provider, that it refuses its key.
    pub(super) fn tell_key_refused(
        &self,
        bot: &str,
        provider: &str,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<(), DirectoryError> {
        // Keys belong to the deployment, so what was said through one bot was said.
        let what = format!("{KEY_REFUSED}:{provider}");
        if self.said_lately("", &what, 0, now)? {
            return Ok(());
        }
        self.note_said("", &what, 0, now)?;
        self.tell_owners(bot, cfg, now, |lang| usage::key_refused(lang, provider))
    }

    fn tell_owners(
        &self,
        bot: &str,
        cfg: &Config<'_>,
        now: i64,
        text: impl Fn(Lang) -> String,
    ) -> Result<(), DirectoryError> {
        for owner in self.owners(cfg)?.into_iter().take(MAX_OWNERS_TOLD) {
            let lang = prompt::lang_of(self.person(bot, owner)?.as_ref());
            self.queue(prompt::line(bot, owner, &text(lang)), now)?;
        }
        Ok(())
    }
}
