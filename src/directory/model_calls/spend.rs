//! What was spent, for charts: by day, by model, by person.
//!
//! Not here: drawing (`admin::models`), and the numbers people see in Telegram (`usage`).

use serde::{Deserialize, Serialize};

use super::calendar::day_of;
use super::exchange::Totals;
use super::usage::{SUMS, totals};
use crate::directory::{Directory, DirectoryError};
use crate::store::{Sql, StoreError, all_or_nothing};

/// Longest span of a chart, in days.
pub const MAX_DAYS: i64 = 366;
/// Models and people shown by name; the rest is left to the sum.
const MOST: i64 = 50;

/// Sums of the last days, this one included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    pub days: i64,
    pub total: Totals,
    /// Each of the days, also those without a call, oldest first.
    pub by_day: Vec<DaySpend>,
    /// The dearest fifty.
    pub by_model: Vec<ModelSpend>,
    /// The dearest fifty.
    pub by_person: Vec<PersonSpend>,
}

/// One day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySpend {
    /// Its beginning, Unix milliseconds.
    pub at: i64,
    #[serde(flatten)]
    pub totals: Totals,
}

/// One model, as `provider/model`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpend {
    pub model: String,
    #[serde(flatten)]
    pub totals: Totals,
}

/// One person; id 0 is nobody in particular.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSpend {
    pub user_id: i64,
    /// Empty: not known.
    pub name: String,
    #[serde(flatten)]
    pub totals: Totals,
}

impl<S: Sql> Directory<S> {
    /// The last `days` (1 to [`MAX_DAYS`]; clamped), that of `now` included.
    pub fn spend(&self, days: i64, now: i64) -> Result<Spend, DirectoryError> {
        all_or_nothing(&self.sql, || self.presume_unheard(now).map_err(StoreError::from))?;
        let days = days.clamp(1, MAX_DAYS);
        let first = day_of(now) - days + 1;
        let grouped = |column: &str, order: &str, limit: i64| {
            let query = format!(
                "SELECT {SUMS}, {column} FROM model_usage WHERE day >= ?1 GROUP BY {column} ORDER BY {order} LIMIT ?2"
            );
            self.sql.run(&query, &[first.into(), limit.into()])
        };
        let total = self.sql.run(&format!("SELECT {SUMS} FROM model_usage WHERE day >= ?1"), &[first.into()])?;
        let mut by_day: Vec<DaySpend> = (0..days)
            .map(|day| DaySpend { at: (first + day) * crate::directory::DAY, totals: Totals::default() })
            .collect();
        for row in grouped("day", "day", days)? {
            let day = usize::try_from(row.int(8)? - first).ok().and_then(|index| by_day.get_mut(index));
            if let Some(day) = day {
                day.totals = totals(&row)?;
            }
        }
        let dearest = "sum(nano_usd) DESC, sum(calls) DESC, 9";
        let mut by_model = Vec::new();
        for row in grouped("model", dearest, MOST)? {
            by_model.push(ModelSpend { model: row.text(8)?.to_owned(), totals: totals(&row)? });
        }
        let mut by_person = Vec::new();
        for row in grouped("person", dearest, MOST)? {
            let user_id = row.int(8)?;
            by_person.push(PersonSpend { user_id, name: self.name_of(user_id)?, totals: totals(&row)? });
        }
        Ok(Spend { days, total: total.first().map_or(Ok(Totals::default()), totals)?, by_day, by_model, by_person })
    }
}
