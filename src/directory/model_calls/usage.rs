//! The numbers for `/usage`: everybody's for an owner, a person's own for others.
//!
//! Not here: the words (`text::usage`).

use super::calendar::{day_of, first_of_month};
use super::exchange::{Caps, Totals, UsageAsk, UsageView};
use super::ledger::NOBODY;
use crate::directory::{Config, Directory, DirectoryError};
use crate::store::{Row, Sql, StoreError, Value, all_or_nothing};
use crate::text::{Lang, usage};

/// Rows of a list.
const TOP: usize = 10;

/// The columns of [`Totals`], in the order of `totals`.
pub(super) const SUMS: &str = "coalesce(sum(calls), 0), coalesce(sum(failures), 0), coalesce(sum(input), 0), \
    coalesce(sum(cached_input), 0), coalesce(sum(output), 0), coalesce(sum(thinking), 0), coalesce(sum(nano_usd), 0), \
    coalesce(sum(assumed_nano_usd), 0)";

impl<S: Sql> Directory<S> {
    /// What was used and spent in this day and month. Calls of which nothing was heard are counted first. `caps`: those
    /// of the environment.
    pub fn usage(&self, ask: &UsageAsk, caps: &Caps, cfg: &Config<'_>, now: i64) -> Result<UsageView, DirectoryError> {
        let caps = self.caps(caps)?;
        all_or_nothing(&self.sql, || self.presume_unheard(now).map_err(StoreError::from))?;
        // NULL: everybody.
        let whose: Option<i64> = if ask.owner { None } else { Some(ask.person.unwrap_or(NOBODY)) };
        let (today, first) = (day_of(now), first_of_month(now));
        let mut by_model = Vec::new();
        for row in self.sums("model", whose, first)? {
            if let Ok(model) = row.text(8)?.parse() {
                by_model.push((model, totals(&row)?));
            }
        }
        let mut by_person = Vec::new();
        if ask.owner {
            for row in self.sums("person", None, first)? {
                let person = row.int(8)?;
                by_person.push((person, self.name_of(person)?, totals(&row)?));
            }
        }
        let resting = self.resting(now)?;
        let resting = resting.iter().take(TOP).map(|rest| (rest.name(), rest.until, rest.class)).collect();
        Ok(UsageView {
            owner: ask.owner,
            day: self.since(whose, today)?,
            month: self.since(whose, first)?,
            caps: ask.owner.then_some(caps),
            person_cap_nano_usd: self.held_to(ask.person, &caps, cfg)?,
            by_model,
            by_person,
            resting,
        })
    }

    /// The sums since `day`.
    fn since(&self, whose: Option<i64>, day: i64) -> Result<Totals, DirectoryError> {
        let query = format!("SELECT {SUMS} FROM model_usage WHERE day >= ?1 AND (?2 IS NULL OR person = ?2)");
        let rows = self.sql.run(&query, &[day.into(), Value::from(whose)])?;
        rows.first().map_or(Ok(Totals::default()), totals)
    }

    /// The dearest groups since `day`: [`SUMS`], then the value of `column`.
    fn sums(&self, column: &str, whose: Option<i64>, day: i64) -> Result<Vec<Row>, DirectoryError> {
        let query = format!(
            "SELECT {SUMS}, {column} FROM model_usage WHERE day >= ?1 AND (?2 IS NULL OR person = ?2) GROUP BY {column} \
             ORDER BY sum(nano_usd) DESC, sum(calls) DESC, {column} LIMIT {TOP}"
        );
        Ok(self.sql.run(&query, &[day.into(), Value::from(whose)])?)
    }

    /// Empty: not known.
    pub(super) fn name_of(&self, person: i64) -> Result<String, DirectoryError> {
        let rows = self.sql.run("SELECT name FROM person WHERE user_id = ?1 LIMIT 1", &[person.into()])?;
        Ok(rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()?.unwrap_or_default())
    }
}

pub(super) fn totals(row: &Row) -> Result<Totals, DirectoryError> {
    let number = |index| Ok::<u64, StoreError>(row.int(index)?.max(0).unsigned_abs());
    Ok(Totals {
        calls: number(0)?,
        failures: number(1)?,
        input: number(2)?,
        cached_input: number(3)?,
        output: number(4)?,
        thinking: number(5)?,
        nano_usd: number(6)?,
        assumed_nano_usd: number(7)?,
    })
}

impl UsageView {
    /// The answer to `/usage`, at `now`.
    pub fn text(&self, lang: Lang, now: i64) -> String {
        let sums = |totals: &Totals| usage::Sums {
            calls: totals.calls,
            failures: totals.failures,
            input: totals.input,
            cached_input: totals.cached_input,
            output: totals.output,
            nano_usd: totals.nano_usd,
            assumed: totals.assumed_nano_usd > 0,
        };
        let caps = self.caps.as_ref();
        usage::page(
            lang,
            &usage::Page {
                everybody: self.owner,
                day: sums(&self.day),
                month: sums(&self.month),
                day_cap: caps.map(|caps| caps.day_nano_usd).or(self.person_cap_nano_usd),
                month_cap: caps.map(|caps| caps.month_nano_usd),
                models: self.by_model.iter().map(|(model, totals)| (model.to_string(), sums(totals))).collect(),
                people: self
                    .by_person
                    .iter()
                    .map(|(id, name, totals)| (usage::person(lang, *id, name), sums(totals)))
                    .collect(),
                resting: self.resting.iter().map(|(name, until, _)| (name.clone(), until - now)).collect(),
            },
        )
    }
}
