//! Key and value: the policy for private messages, and whatever the admin page keeps.

use super::exchange::{Access, AccessChange, Actor, Change};
use super::people::PersonState;
use super::{Directory, DirectoryError, LIST_LIMIT, word};
use crate::store::Sql;
use serde::{Deserialize, Serialize};

/// Kept by the Directory itself.
const DM_POLICY: &str = "dm_policy";
pub(super) const CLAIM_CODE: &str = "claim_code";
const MAX_KEY: usize = 64;
/// Longest value, in bytes.
const MAX_VALUE: usize = 64 * 1024;

/// Who may write in private. Owners always may; blocked people never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DmPolicy {
    /// Strangers get a code, and owners are asked.
    #[default]
    Pairing,
    /// Only approved people; strangers hear nothing.
    Allowlist,
    /// Everybody. Spend is capped elsewhere.
    Open,
    /// Nobody.
    Disabled,
}

impl DmPolicy {
    pub fn as_str(self) -> &'static str {
        match self {
            DmPolicy::Pairing => "pairing",
            DmPolicy::Allowlist => "allowlist",
            DmPolicy::Open => "open",
            DmPolicy::Disabled => "disabled",
        }
    }
}

impl<S: Sql> Directory<S> {
    /// The policy for private messages: the configuration document's, else the setting. A word of a newer release counts
    /// as `allowlist`.
    pub fn dm_policy(&self) -> Result<DmPolicy, DirectoryError> {
        match self.configured_policy()? {
            Some(policy) => Ok(policy),
            None => self.policy_setting(),
        }
    }

    /// The setting that holds where the document says nothing.
    pub(super) fn policy_setting(&self) -> Result<DmPolicy, DirectoryError> {
        Ok(self.setting(DM_POLICY)?.map_or(DmPolicy::Pairing, |text| word(&text).unwrap_or(DmPolicy::Allowlist)))
    }

    /// Changes the setting that holds where the configuration document says nothing.
    pub fn set_dm_policy(&self, policy: DmPolicy, actor: &Actor, now: i64) -> Result<Change, DirectoryError> {
        let before = self.dm_policy()?;
        if before == policy {
            return Ok(Change::default());
        }
        self.put_setting(DM_POLICY, policy.as_str())?;
        self.audit(None, actor, "dm_policy", policy.as_str(), now)?;
        self.policy_changed(before)
    }

    /// What follows from a change of policy; `before`: the one that held. Turning private messages off closes the sessions
    /// of everybody approved at once; people admitted under `open` have no row and knock again when their admission runs
    /// out.
    pub(super) fn policy_changed(&self, before: DmPolicy) -> Result<Change, DirectoryError> {
        let mut change = Change::default();
        let policy = self.dm_policy()?;
        if policy != before && policy == DmPolicy::Disabled {
            let rows = self.sql.run(
                "SELECT bot, user_id FROM person WHERE state = ?1 ORDER BY since DESC LIMIT ?2",
                &[PersonState::Approved.as_str().into(), LIST_LIMIT.into()],
            )?;
            for row in rows {
                let session_prefix = format!("{}:{}", row.text(0)?, row.int(1)?);
                change.access.push(AccessChange { session_prefix, user_id: None, access: Access::Closed });
            }
        }
        Ok(change)
    }

    /// The value of `key`.
    pub fn setting(&self, key: &str) -> Result<Option<String>, DirectoryError> {
        let rows = self.sql.run("SELECT value FROM setting WHERE key = ?1", &[key.into()])?;
        Ok(rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()?)
    }

    /// Sets `key` (1–64 bytes) to `value` (at most 64 KiB). The policy and the claim code have their own doors.
    pub fn set_setting(&self, key: &str, value: &str, actor: &Actor, now: i64) -> Result<(), DirectoryError> {
        let reserved = key == DM_POLICY || key == CLAIM_CODE;
        if reserved || key.is_empty() || key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Err(DirectoryError::BadSetting);
        }
        self.put_setting(key, value)?;
        self.audit(None, actor, "setting", key, now)
    }

    /// Every setting but the claim code, by key.
    pub fn settings(&self) -> Result<Vec<(String, String)>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT key, value FROM setting WHERE key <> ?1 ORDER BY key LIMIT ?2",
            &[CLAIM_CODE.into(), LIST_LIMIT.into()],
        )?;
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
    }

    pub(super) fn put_setting(&self, key: &str, value: &str) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            &[key.into(), value.into()],
        )?;
        Ok(())
    }

    pub(super) fn forget_setting(&self, key: &str) -> Result<(), DirectoryError> {
        self.sql.run("DELETE FROM setting WHERE key = ?1", &[key.into()])?;
        Ok(())
    }
}
