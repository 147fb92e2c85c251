//! What one person may spend a day, where it differs from the general cap.
//!
//! Kept by Telegram id, as the ledger is: a person has one day, whatever bots they write to, and keeps their cap when they
//! are removed and come again. Not here: the general cap (`Caps`), and how caps are held (`model_calls`).

use super::exchange::{Actor, Config};
use super::{Caps, Directory, DirectoryError};
use crate::store::Sql;

impl<S: Sql> Directory<S> {
    /// The day's cap that `person` is held to, 10⁻⁹ US dollars: their own, else the general one. `None`: none, as for
    /// owners and for nobody in particular.
    pub fn held_to(&self, person: Option<i64>, caps: &Caps, cfg: &Config<'_>) -> Result<Option<u64>, DirectoryError> {
        let Some(person) = person else { return Ok(None) };
        let cap = self.own_cap(person)?.or(caps.person_day_nano_usd);
        match cap {
            Some(_) if self.is_owner(person, cfg)? => Ok(None),
            cap => Ok(cap),
        }
    }

    /// Sets a person's own cap; `None`: the general one holds. False if it was so before.
    pub fn set_own_cap(
        &self,
        user_id: i64,
        nano_usd: Option<u64>,
        actor: &Actor,
        now: i64,
    ) -> Result<bool, DirectoryError> {
        if self.own_cap(user_id)? == nano_usd {
            return Ok(false);
        }
        match nano_usd {
            Some(nano) => self.sql.run(
                "INSERT INTO person_cap (user_id, nano_usd) VALUES (?1, ?2) \
                 ON CONFLICT (user_id) DO UPDATE SET nano_usd = excluded.nano_usd",
                &[user_id.into(), i64::try_from(nano).unwrap_or(i64::MAX).into()],
            )?,
            None => self.sql.run("DELETE FROM person_cap WHERE user_id = ?1", &[user_id.into()])?,
        };
        let what = if nano_usd.is_some() { "cap" } else { "cap_general" };
        self.audit(None, actor, what, &user_id.to_string(), now)?;
        Ok(true)
    }

    fn own_cap(&self, user_id: i64) -> Result<Option<u64>, DirectoryError> {
        let rows = self.sql.run("SELECT nano_usd FROM person_cap WHERE user_id = ?1", &[user_id.into()])?;
        Ok(rows.first().map(|row| row.int(0)).transpose()?.map(|nano| nano.max(0).unsigned_abs()))
    }
}
