//! The bots we answer as: what Telegram told us about them, and which command menus they already show.
//!
//! Not here: tokens, which are Worker secrets and never stored.

use super::{Directory, DirectoryError, LIST_LIMIT};
use crate::store::{Row, Sql};
use serde::{Deserialize, Serialize};

/// A bot and its profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Our name, such as `main`.
    pub id: String,
    /// Telegram's id, once `getMe` has answered.
    pub user_id: Option<i64>,
    /// Without `@`.
    pub username: Option<String>,
    /// When `getMe` last answered, Unix milliseconds.
    pub profile_checked_at: Option<i64>,
}

impl<S: Sql> Directory<S> {
    /// What is known of `bot`.
    pub fn bot(&self, bot: &str) -> Result<Option<Bot>, DirectoryError> {
        let query = "SELECT id, user_id, username, profile_checked_at FROM bot WHERE id = ?1";
        self.sql.run(query, &[bot.into()])?.first().map(read).transpose()
    }

    /// Every bot that has a profile, by name.
    pub fn bots(&self) -> Result<Vec<Bot>, DirectoryError> {
        let query = "SELECT id, user_id, username, profile_checked_at FROM bot ORDER BY id LIMIT ?1";
        self.sql.run(query, &[LIST_LIMIT.into()])?.iter().map(read).collect()
    }

    /// Records what `getMe` answered.
    pub fn set_bot_profile(
        &self,
        bot: &str,
        user_id: i64,
        username: Option<&str>,
        now: i64,
    ) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO bot (id, user_id, username, profile_checked_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO \
             UPDATE SET user_id = excluded.user_id, username = excluded.username, profile_checked_at = excluded.profile_checked_at",
            &[bot.into(), user_id.into(), username.into(), now.into()],
        )?;
        Ok(())
    }

    /// Hash of the command menu last set for `scope` and `language` (empty: all languages).
    pub fn commands_hash(&self, bot: &str, scope: &str, language: &str) -> Result<Option<String>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT hash FROM bot_commands WHERE bot = ?1 AND scope = ?2 AND language = ?3",
            &[bot.into(), scope.into(), language.into()],
        )?;
        Ok(rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()?)
    }

    /// Records that `setMyCommands` succeeded.
    pub fn set_commands_hash(&self, bot: &str, scope: &str, language: &str, hash: &str) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO bot_commands (bot, scope, language, hash) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (bot, scope, language) DO UPDATE SET hash = excluded.hash",
            &[bot.into(), scope.into(), language.into(), hash.into()],
        )?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Bot, DirectoryError> {
    Ok(Bot {
        id: row.text(0)?.to_owned(),
        user_id: row.opt_int(1)?,
        username: row.opt_text(2)?.map(str::to_owned),
        profile_checked_at: row.opt_int(3)?,
    })
}
