//! What the Directory asks of conversations, as it travels. Two releases may talk for minutes: fields are only added.

use serde::{Deserialize, Serialize};

use super::manifest::Entry;

/// Back yourself up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUp {
    pub session: String,
    /// Where to; written at most once.
    pub key: String,
    /// Unix milliseconds, for the header.
    pub at: i64,
}

/// Put yourself back from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// Names the restore: asked again for the same one, a conversation that has done it does nothing.
    pub job: i64,
    pub entry: Entry,
    /// Whom this bot ignores, for a conversation that does not know.
    #[serde(default)]
    pub blocked: Vec<i64>,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// The backup is stored.
    BackedUp(Entry),
    /// The rows are in place.
    PutBack { rows: i64 },
    /// Nothing was changed. One English sentence.
    Failed {
        error: String,
        /// It may work when tried again: nothing is wrong with the backup.
        #[serde(default)]
        passing: bool,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn the_json_is_pinned() {
        let entry = Entry { object: "main:5".into(), key: "k".into(), at: 1, bytes: 2, rows: 3, sha256: "ab".into() };
        let order = BackUp { session: "main:5".into(), key: "k".into(), at: 1 };
        assert_eq!(json(&order), r#"{"session":"main:5","key":"k","at":1}"#);
        let order = PutBack { job: 9, entry: entry.clone(), blocked: vec![7] };
        let pinned =
            r#"{"job":9,"entry":{"object":"main:5","key":"k","at":1,"bytes":2,"rows":3,"sha256":"ab"},"blocked":[7]}"#;
        assert_eq!(json(&order), pinned);
        let done = Done::Failed { error: "no".into(), passing: true };
        assert_eq!(json(&done), r#"{"failed":{"error":"no","passing":true}}"#);
        assert_eq!(json(&Done::PutBack { rows: 3 }), r#"{"put_back":{"rows":3}}"#);
        assert!(json(&Done::BackedUp(entry)).starts_with(r#"{"backed_up":{"object":"main:5","#));
    }
}
