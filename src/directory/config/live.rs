//! The document that holds now: told to conversations that go by another, and what it changes in the Directory's own
//! decisions, caps and private messages.
//!
//! Kept in memory by instance and read anew when the newest row is another one, so that a save, a rollback and a restored
//! backup all hold at the next call. Not here: what conversations make of it (`resolve`).

use std::cell::RefCell;
use std::rc::Rc;

use super::Document;
use super::check::check;
use super::document::Budget;
use super::resolve::{ConfigMark, SessionConfig, resolve};
use crate::directory::desk::Problem;
use crate::directory::{Caps, Directory, DirectoryError, DmPolicy};
use crate::store::Sql;
use crate::telegram::session::SessionKey;

/// What one instance remembers of the newest row.
#[derive(Default)]
pub(in crate::directory) struct Memory(RefCell<Option<Rc<Newest>>>);

/// The newest row, read.
struct Newest {
    id: i64,
    at: i64,
    document: Result<Document, Vec<Problem>>,
}

impl<S: Sql> Directory<S> {
    /// The version that holds, with its document; `None`: the environment alone. That is also so when the newest row was
    /// written by a release that this one cannot read ([`Directory::config_trouble`]).
    pub fn live(&self) -> Result<Option<(i64, Document)>, DirectoryError> {
        Ok(self.newest()?.and_then(|newest| Some((newest.id, newest.document.as_ref().ok()?.clone()))))
    }

    /// The newest version if this release cannot read it, and why. The environment holds meanwhile.
    pub fn config_trouble(&self) -> Result<Option<(i64, Vec<Problem>)>, DirectoryError> {
        Ok(self.newest()?.and_then(|newest| Some((newest.id, newest.document.as_ref().err()?.clone()))))
    }

    /// The caps that hold: the document's before those of the environment. Safe to apply twice.
    pub fn caps(&self, environment: &Caps) -> Result<Caps, DirectoryError> {
        let newest = self.newest()?;
        let budget = newest.as_ref().and_then(|newest| Some(&newest.document.as_ref().ok()?.budget));
        Ok(budget.map_or(*environment, |budget| over(budget, environment)))
    }

    /// Who may write in private, if the document says so.
    pub(in crate::directory) fn configured_policy(&self) -> Result<Option<DmPolicy>, DirectoryError> {
        Ok(self.newest()?.and_then(|newest| newest.document.as_ref().ok()?.access.private))
    }

    /// Forgets what was read, so that the next question reads the store.
    pub(super) fn forget_live_config(&self) {
        self.config.0.replace(None);
    }

    /// What the conversation `session` is to go by from now on, if that is not what it goes by (`known`).
    pub(in crate::directory) fn config_news(
        &self,
        session: &str,
        known: ConfigMark,
    ) -> Result<Option<SessionConfig>, DirectoryError> {
        let newest = self.newest()?;
        let live = newest.as_ref().and_then(|newest| Some((newest, newest.document.as_ref().ok()?)));
        let Some((newest, document)) = live else {
            return Ok((known != ConfigMark::default()).then(SessionConfig::default));
        };
        let mark = ConfigMark { version: newest.id, at: newest.at };
        let session = SessionKey::parse(session).filter(|_| mark != known);
        Ok(session.map(|session| resolve(mark, document, &session)))
    }

    fn newest(&self) -> Result<Option<Rc<Newest>>, DirectoryError> {
        let rows = self.sql.run("SELECT id, at FROM config_version ORDER BY id DESC LIMIT 1", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (id, at) = (row.int(0)?, row.int(1)?);
        let known = self.config.0.borrow().clone();
        if let Some(known) = known.filter(|known| (known.id, known.at) == (id, at)) {
            return Ok(Some(known));
        }
        let Some(text) = self.document_of(id)? else { return Ok(None) };
        let checked = check(&text);
        let document = checked.document.ok_or(checked.problems);
        let newest = Rc::new(Newest { id, at, document });
        self.config.0.replace(Some(newest.clone()));
        Ok(Some(newest))
    }
}

/// `environment` with what the document says instead.
fn over(budget: &Budget, environment: &Caps) -> Caps {
    Caps {
        day_nano_usd: budget.day_usd.map_or(environment.day_nano_usd, nano_usd),
        month_nano_usd: budget.month_usd.map_or(environment.month_nano_usd, nano_usd),
        person_day_nano_usd: budget.person_day_usd.map(nano_usd).or(environment.person_day_nano_usd),
    }
}

/// A checked amount (0 to 100,000 dollars, at most six decimals) in 10⁻⁹ dollars, exactly.
fn nano_usd(usd: f64) -> u64 {
    (usd * 1_000_000.0).round() as u64 * 1_000
}
