//! What operators see of the log and of decisions.
//!
//! Not here: how lines come and go (`events`, `journal`), what watches live (`edge`).

use serde::{Deserialize, Serialize};

use super::Refused;
use crate::directory::{AuditEntry, AuditQuery, Directory, EventQuery, LogLine, OpenAlert};
use crate::store::Sql;

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsView {
    pub events: Vec<LogLine>,
    /// `before` of the page after this one; `None`: there is none.
    pub next: Option<i64>,
    /// The words there are to filter by.
    pub words: Vec<String>,
    /// Troubles under way; owners hear of them.
    pub alerts: Vec<OpenAlert>,
}

/// A page of decisions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    pub entries: Vec<AuditEntry>,
    /// `before` of the page after this one; `None`: there is none.
    pub next: Option<i64>,
    /// The words there are to filter by.
    pub words: Vec<String>,
}

/// Lines in one page.
pub const PAGE: i64 = 100;

impl<S: Sql> Directory<S> {
    pub(super) fn logs_view(&self, query: &EventQuery) -> Result<LogsView, Refused> {
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let mut events = self.events(&EventQuery { limit: Some(limit + 1), ..query.clone() })?;
        let next = cut(&mut events, limit, |line| line.id);
        Ok(LogsView { events, next, words: self.event_words()?, alerts: self.open_alerts()? })
    }

    pub(super) fn audit_view(&self, query: &AuditQuery) -> Result<AuditView, Refused> {
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let mut entries = self.audit_search(&AuditQuery { limit: Some(limit + 1), ..query.clone() })?;
        let next = cut(&mut entries, limit, |entry| entry.id);
        Ok(AuditView { entries, next, words: self.audit_words()? })
    }
}

/// Cuts a list that was asked for one more than `limit`, and says where the next page begins, if there is one.
fn cut<T>(list: &mut Vec<T>, limit: i64, id: impl Fn(&T) -> i64) -> Option<i64> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = list.len() > limit;
    list.truncate(limit);
    list.last().filter(|_| more).map(id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::directory::{AlertKind, Level};

    #[test]
    fn the_json_is_pinned() {
        let line = LogLine {
            id: 1,
            at: 2,
            level: Level::Error,
            what: "store".into(),
            session: "main:1".into(),
            text: "disk".into(),
        };
        let alert = OpenAlert { kind: AlertKind::Provider, subject: "ollama".into(), since: 3, told_at: None };
        let view = LogsView { events: vec![line], next: Some(1), words: vec!["store".into()], alerts: vec![alert] };
        let json = r#"{"events":[{"id":1,"at":2,"level":"error","what":"store","session":"main:1","text":"disk"}],"next":1,"words":["store"],"alerts":[{"kind":"provider","subject":"ollama","since":3,"told_at":null}]}"#;
        assert_eq!(serde_json::to_string(&view).unwrap(), json);
        let query: EventQuery = serde_json::from_str("{}").unwrap();
        assert_eq!(query, EventQuery::default());
        let view = AuditView { entries: vec![], next: None, words: vec![] };
        assert_eq!(serde_json::to_string(&view).unwrap(), r#"{"entries":[],"next":null,"words":[]}"#);
    }
}
