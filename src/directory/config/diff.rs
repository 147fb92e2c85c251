//! The readable difference of two documents: what was added, removed or changed, by path.
//!
//! Objects are compared by name, lists of objects by their entries (one taken out in front does not change all the
//! others), other lists as a whole, long texts by line (`lines`). Not here: how it looks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lines::{self, Line, Step};
use super::path::Path;

/// Most changes told.
pub const MAX_CHANGES: usize = 500;

/// From so many characters on, or with line breaks, texts are compared by line.
const LONG: usize = 100;

/// What happened to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// In the newer document; of what was removed, in the older.
    pub path: String,
    pub kind: Kind,
    /// As JSON; text without quotes. Absent where `lines` say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of long texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
}

/// What of `before` is otherwise in `after`, at most [`MAX_CHANGES`].
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(before, after, &Path::default(), &mut changes);
    changes
}

fn compare(before: &Value, after: &Value, path: &Path, changes: &mut Vec<Change>) {
    if before == after || changes.len() >= MAX_CHANGES {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = path.field(name);
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => compare(old, new, &path, changes),
                    (Some(old), None) => one_sided(old, &path, Kind::Removed, changes),
                    (None, Some(new)) => one_sided(new, &path, Kind::Added, changes),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).all(Value::is_object) => {
            entries(old, new, path, changes);
        }
        (Value::String(old), Value::String(new)) if is_long(old) || is_long(new) => {
            let lines = lines::compare(old, new);
            changes.push(Change {
                path: path.as_str().to_owned(),
                kind: Kind::Changed,
                before: None,
                after: None,
                lines,
            });
        }
        _ => changes.push(Change {
            path: path.as_str().to_owned(),
            kind: Kind::Changed,
            before: Some(shown(before)),
            after: Some(shown(after)),
            lines: Vec::new(),
        }),
    }
}

/// Entries of a list; those put in where others were taken out count as the same, changed.
fn entries(old: &[Value], new: &[Value], path: &Path, changes: &mut Vec<Change>) {
    let mut gone: Vec<usize> = Vec::new();
    let mut come: Vec<usize> = Vec::new();
    let close = |gone: &mut Vec<usize>, come: &mut Vec<usize>, changes: &mut Vec<Change>| {
        for (old_at, new_at) in gone.iter().zip(come.iter()) {
            if let (Some(old), Some(new)) = (old.get(*old_at), new.get(*new_at)) {
                compare(old, new, &path.entry(*new_at), changes);
            }
        }
        for at in gone.iter().skip(come.len()) {
            whole(old.get(*at), &path.entry(*at), Kind::Removed, changes);
        }
        for at in come.iter().skip(gone.len()) {
            whole(new.get(*at), &path.entry(*at), Kind::Added, changes);
        }
        gone.clear();
        come.clear();
    };
    for step in lines::steps(old, new) {
        match step {
            Step::Gone(at) => gone.push(at),
            Step::New(at) => come.push(at),
            Step::Same(..) => close(&mut gone, &mut come, changes),
        }
    }
    close(&mut gone, &mut come, changes);
}

/// Something that is only in one of the two, leaf by leaf.
fn one_sided(value: &Value, path: &Path, kind: Kind, changes: &mut Vec<Change>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                one_sided(value, &path.field(name), kind, changes);
            }
        }
        Value::Array(entries) if !entries.is_empty() && entries.iter().all(Value::is_object) => {
            for (index, entry) in entries.iter().enumerate() {
                whole(Some(entry), &path.entry(index), kind, changes);
            }
        }
        _ => whole(Some(value), path, kind, changes),
    }
}

fn whole(value: Option<&Value>, path: &Path, kind: Kind, changes: &mut Vec<Change>) {
    let Some(value) = value.filter(|_| changes.len() < MAX_CHANGES) else { return };
    let text = Some(shown(value));
    let (before, after) = if kind == Kind::Removed { (text, None) } else { (None, text) };
    changes.push(Change { path: path.as_str().to_owned(), kind, before, after, lines: Vec::new() });
}

fn is_long(text: &str) -> bool {
    text.contains('\n') || text.chars().nth(LONG).is_some()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: Value, after: Value) -> Vec<String> {
        let side = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let one = |change: Change| {
            let lines: String = change.lines.iter().map(|line| format!(" |{}", line.marked())).collect();
            format!("{} {}→{}{lines}", change.path, side(change.before), side(change.after))
        };
        diff(&before, &after).into_iter().map(one).collect()
    }

    #[test]
    fn what_was_added_removed_and_changed() {
        let before = json!({"models":{"default":"ollama/a"},"budget":{"day_usd":1.0,"month_usd":10.0}});
        let after = json!({"models":{"default":"ollama/b","fallbacks":["ollama/a"]},"budget":{"day_usd":1.0},
            "agents":{"tutor":{"name":"T","tools":"none"},"plain":{}}});
        assert_eq!(
            told(before, after),
            [
                "agents.plain -→{}",
                "agents.tutor.name -→T",
                "agents.tutor.tools -→none",
                "budget.month_usd 10.0→-",
                "models.default ollama/a→ollama/b",
                r#"models.fallbacks -→["ollama/a"]"#,
            ]
        );
        assert!(told(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 2}]})).is_empty());
    }

    #[test]
    fn an_entry_taken_out_does_not_change_the_others() {
        let entry = |chat: i64, agent: &str| json!({"chat": chat, "agent": agent});
        let before = json!({"bindings": [entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(4, "d")]});
        let after = json!({"bindings": [entry(2, "b"), entry(3, "x"), entry(4, "d"), entry(5, "e")]});
        assert_eq!(
            told(before, after),
            [
                r#"bindings[0] {"agent":"a","chat":1}→-"#,
                "bindings[1].agent c→x",
                r#"bindings[3] -→{"agent":"e","chat":5}"#,
            ]
        );
    }

    #[test]
    fn long_texts_are_told_by_line() {
        let persona = |text: &str| json!({"agents": {"a": {"persona": text}}});
        assert_eq!(
            told(persona("one\ntwo\nthree\nfour\nfive\nsix"), persona("one\ntwo\nthree\nfour\n5\nsix")),
            ["agents.a.persona -→- | … | three | four |-five |+5 | six"]
        );
        assert_eq!(told(persona("short"), persona("other")), ["agents.a.persona short→other"]);
    }

    #[test]
    fn the_json_is_pinned() {
        let change = Change {
            path: "a.b".into(),
            kind: Kind::Changed,
            before: Some("1".into()),
            after: Some("2".into()),
            lines: vec![],
        };
        let json = r#"{"path":"a.b","kind":"changed","before":"1","after":"2"}"#;
        assert_eq!(serde_json::to_string(&change).unwrap(), json);
        assert_eq!(serde_json::from_str::<Change>(json).unwrap(), change);
    }

    #[test]
    fn a_difference_has_an_end() {
        let many: Value = (0..2_000).map(|n| (format!("x{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(diff(&json!({}), &many).len(), MAX_CHANGES);
        let list = |n: i64| Value::Array((0..2_000).map(|i| json!({"n": i * n})).collect());
        assert_eq!(diff(&list(1), &list(3)).len(), MAX_CHANGES);
    }
}
