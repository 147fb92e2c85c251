//! The desk's part about the configuration: read, check, save, history, rollback.
//!
//! Documents come as text, as they were typed: a mistake is then a mistake of the document, not of the question.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Problem, Refused, view};
use crate::directory::config::{Change, Version, check, diff};
use crate::directory::{Directory, DmPolicy};
use crate::store::Sql;

/// What can be asked about the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigAsk {
    /// A [`ConfigView`].
    Live,
    /// A [`CheckView`]; saves nothing.
    Check { document: String },
    /// Compare-and-set against version `base`; a [`Saved`](crate::directory::config::Saved).
    Save {
        base: i64,
        document: String,
        #[serde(default)]
        note: String,
    },
    /// [`VersionView`](crate::directory::config::VersionView)s older than `before`, newest first.
    Versions {
        #[serde(default)]
        before: Option<i64>,
        limit: i64,
    },
    /// One of them, with its document.
    Version { version: i64 },
    /// Makes the document of `version` live again; as `Save`.
    Rollback { base: i64, version: i64 },
}

/// The live version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigView {
    /// 0: nothing was saved yet, the environment alone holds.
    pub version: i64,
    /// Who saved it when; absent with version 0.
    #[serde(default)]
    pub saved: Option<Version>,
    pub document: Value,
    /// Why this release cannot read it: the environment holds meanwhile.
    #[serde(default)]
    pub trouble: Vec<Problem>,
    /// Who may write in private where the document does not say.
    pub private: DmPolicy,
}

/// What a save would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    /// The live version, which `changes` start from.
    pub version: i64,
    /// Nothing can be saved while there are any.
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    pub changes: Vec<Change>,
    /// As it would be stored, or with mistakes as it was typed; absent if it is not JSON.
    #[serde(default)]
    pub document: Option<Value>,
}

impl<S: Sql> Directory<S> {
    pub(super) fn config_desk(&self, ask: &ConfigAsk, desk: &Desk<'_>) -> Result<String, Refused> {
        match ask {
            ConfigAsk::Live => view(&self.config_view()?),
            ConfigAsk::Check { document } => view(&self.config_check(document)?),
            ConfigAsk::Save { base, document, note } => {
                view(&self.save_config(*base, document, note, desk.who, desk.now)?)
            }
            ConfigAsk::Versions { before, limit } => view(&self.config_versions(*before, *limit)?),
            ConfigAsk::Version { version } => match self.config_version(*version)? {
                Some(version) => view(&version),
                None => Err(Refused::not_found("There is no such version of the configuration.")),
            },
            ConfigAsk::Rollback { base, version } => view(&self.rollback_config(*base, *version, desk.who, desk.now)?),
        }
    }

    fn config_view(&self) -> Result<ConfigView, Refused> {
        let saved = self.newest_config()?;
        let version = saved.as_ref().map_or(0, |saved| saved.version);
        Ok(ConfigView {
            version,
            saved,
            document: self.config_value(version)?,
            trouble: self.config_trouble()?.map(|(_, trouble)| trouble).unwrap_or_default(),
            private: self.policy_setting()?,
        })
    }

    fn config_check(&self, document: &str) -> Result<CheckView, Refused> {
        let version = self.newest_config()?.map_or(0, |saved| saved.version);
        let checked = check(document);
        let typed = match &checked.document {
            Some(document) => serde_json::to_string(document).ok().and_then(|text| serde_json::from_str(&text).ok()),
            None => checked.value,
        };
        let live = self.config_value(version)?;
        let changes = typed.as_ref().map(|typed| diff(&live, typed)).unwrap_or_default();
        Ok(CheckView { version, problems: checked.problems, warnings: checked.warnings, changes, document: typed })
    }
}
