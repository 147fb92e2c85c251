//! Is this a document? Every mistake at once, each with its place and what may stand there.
//!
//! A document is walked by its shape, never by its own depth, and no value is repeated in a message: it may be a secret
//! in the wrong place. Not here: the rules about one place (`schema`), those about two (`cross`), and saving (`versions`).

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::path::{Path, ROOT};
use super::schema::{DOCUMENT, MAX_DOCUMENT};
use super::shape::{DECIMALS, Field, Key, MAX_DEADLINE, Shape, is_agent_id, is_bot_id};
use super::{Document, cross, twice};
use crate::directory::desk::Problem;
use crate::llm::catalogue::Catalogue;
use crate::llm::redact::looks_secret;
use crate::llm::{ModelRef, servers};

/// Most mistakes told at once.
const MAX_PROBLEMS: usize = 100;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// The document, if there is no mistake in it.
    pub document: Option<Document>,
    /// What the text holds, if it is JSON: also with mistakes in it.
    pub value: Option<Value>,
    pub problems: Vec<Problem>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// Checks a document as it was typed or sent. Never panics, whatever the text.
pub fn check(text: &str) -> Checked {
    let refused = |message: String| Checked { problems: vec![problem(ROOT, &message)], ..Checked::default() };
    if text.len() > MAX_DOCUMENT {
        return refused(format!("The document has more than {} KiB.", MAX_DOCUMENT / 1024));
    }
    let mut value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return refused(format!("This is not JSON: {error}.")),
    };
    unify_line_breaks(&mut value);
    let mut problems = Problems::default();
    if let Some(path) = twice::first(text) {
        problems.add(&path, "This field is there twice.");
    }
    problems.walk(&DOCUMENT, &value, &Path::default());
    cross::check(&value, &mut problems);
    if problems.list.is_empty() {
        catalogue(&value, &mut problems);
    }
    let warnings = cross::warnings(&value);
    let (mut problems, more) = (problems.list, problems.more);
    if more > 0 {
        problems.push(problem(ROOT, &format!("And {more} more mistakes.")));
    }
    let mut document = None;
    if problems.is_empty() {
        // By way of text: the parser of text is compiled in anyway.
        match serde_json::from_str(&value.to_string()) {
            Ok(read) => document = Some(read),
            Err(_) => problems.push(problem(ROOT, "This release cannot read the document.")),
        }
    }
    Checked { document, value: Some(value), problems, warnings }
}

/// Forms write a line break as two signs.
fn unify_line_breaks(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("\r\n") => *text = text.replace("\r\n", "\n"),
        Value::Array(entries) => entries.iter_mut().for_each(unify_line_breaks),
        Value::Object(fields) => fields.values_mut().for_each(unify_line_breaks),
        _ => {}
    }
}

/// What the shapes cannot say of the catalogue says its own reader.
fn catalogue(value: &Value, problems: &mut Problems) {
    if let Some(entries) = value.pointer("/models/catalogue") {
        for wrong in Catalogue::new(Some(&entries.to_string())).1 {
            problems.add("models.catalogue", wrong.trim_start_matches("MODEL_CATALOGUE: "));
        }
    }
}

/// A mistake without a list of what is allowed.
pub fn problem(path: &str, message: &str) -> Problem {
    Problem { path: path.to_owned(), message: message.to_owned(), allowed: Vec::new() }
}

/// Mistakes found so far.
#[derive(Default)]
pub struct Problems {
    pub list: Vec<Problem>,
    /// Found but not kept.
    more: usize,
}

impl Problems {
    pub fn add(&mut self, path: &str, message: &str) {
        self.add_with(path, message, Vec::new());
    }

    pub fn add_with(&mut self, path: &str, message: &str, allowed: Vec<String>) {
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { allowed, ..problem(path, message) });
        } else {
            self.more += 1;
        }
    }

    fn must_be(&mut self, path: &Path, shape: &Shape) {
        let allowed = if matches!(shape, Shape::Object(_)) { Vec::new() } else { shape.allowed() };
        self.add_with(path.as_str(), &format!("Must be {}.", shape.rule()), allowed);
    }

    fn walk(&mut self, shape: &'static Shape, value: &Value, path: &Path) {
        match (shape, value) {
            (Shape::Object(fields), Value::Object(values)) => {
                for (name, value) in values {
                    match fields.iter().find(|field| field.name == name) {
                        Some(_) if value.is_null() => {
                            self.add(path.field(name).as_str(), "Must not be null. Leave the field out instead.");
                        }
                        Some(field) => self.walk(field.shape, value, &path.field(name)),
                        None => self.unknown(fields, name, path),
                    }
                }
                for field in fields.iter().filter(|field| field.needed && !values.contains_key(field.name)) {
                    self.add(path.field(field.name).as_str(), &format!("Is missing. Must be {}.", field.shape.rule()));
                }
            }
            (Shape::Map { keys, most, of }, Value::Object(values)) => {
                if values.len() > *most {
                    self.add(path.as_str(), &format!("Has {} entries, and at most {most} are allowed.", values.len()));
                }
                for (name, value) in values.iter().take(*most) {
                    let path = path.field(name);
                    match keys {
                        Key::Agent if !is_agent_id(name) => self.must_be(&path, &Shape::AgentId),
                        Key::Model => self.model(name, &path),
                        Key::Agent => {}
                    }
                    self.walk(of, value, &path);
                }
            }
            (Shape::List { most, of }, Value::Array(entries)) => {
                if entries.len() > *most {
                    self.add(path.as_str(), &format!("Has {} entries, and at most {most} are allowed.", entries.len()));
                }
                for (index, entry) in entries.iter().enumerate().take(*most) {
                    self.walk(of, entry, &path.entry(index));
                }
            }
            (Shape::Number { least, most }, Value::Number(number)) => {
                let fits = |number: f64| (*least..=*most).contains(&number) && decimals(number) <= DECIMALS;
                if !number.as_f64().is_some_and(fits) {
                    self.must_be(path, shape);
                }
            }
            (Shape::Whole { least, most }, Value::Number(number)) => {
                if !number.as_i64().is_some_and(|number| (*least..=*most).contains(&number)) {
                    self.must_be(path, shape);
                }
            }
            (Shape::Switch, Value::Bool(_)) => {}
            (_, Value::String(text)) => self.text(shape, text, path),
            _ => self.must_be(path, shape),
        }
    }

    fn text(&mut self, shape: &'static Shape, text: &str, path: &Path) {
        let lines = matches!(shape, Shape::Text { lines: true, .. });
        let is_forbidden = |c: char| (c.is_control() && !(lines && matches!(c, '\n' | '\t'))) || disguises(c);
        let fits = match shape {
            Shape::Text { most, .. } => text.chars().count() <= *most,
            Shape::Emoji => is_one_emoji(text),
            Shape::Bot => is_bot_id(text),
            Shape::AgentId => is_agent_id(text),
            Shape::Word(words) => words.contains(&text),
            Shape::Deadlines => are_deadlines(text),
            Shape::Model => return self.model(text, path),
            _ => false,
        };
        if looks_secret(text) {
            self.add(path.as_str(), SECRET);
        } else if text.contains(is_forbidden) {
            self.add(path.as_str(), "Has control characters in it.");
        } else if !fits {
            self.must_be(path, shape);
        }
    }

    fn model(&mut self, name: &str, path: &Path) {
        if looks_secret(name) {
            return self.add(path.as_str(), SECRET);
        }
        match name.parse::<ModelRef>() {
            Err(error) => self.add(path.as_str(), &format!("Is no model: {error}.")),
            Ok(model) if !servers::names().any(|known| known == servers::family(&model.provider)) => {
                let allowed = servers::names().map(|name| format!("{name}/…")).collect();
                self.add_with(path.as_str(), "This release knows no such provider.", allowed);
            }
            Ok(_) => {}
        }
    }

    fn unknown(&mut self, fields: &[Field], name: &str, path: &Path) {
        let mut known: Vec<&str> = fields.iter().map(|field| field.name).collect();
        known.sort_by_key(|known| distance(known, name));
        let message = match known.first() {
            Some(closest) if distance(closest, name) <= 2 => format!("There is no such field. Is `{closest}` meant?"),
            _ => "There is no such field.".to_owned(),
        };
        let allowed = known.into_iter().map(str::to_owned).collect();
        self.add_with(path.field(name).as_str(), &message, allowed);
    }
}

/// What is said of a value that must not be here.
pub const SECRET: &str = "Looks like a key or token. Secrets belong to `wrangler secret put`, never in this document.";

/// Signs that make text read otherwise than it is: the bidirectional overrides and isolates.
pub fn disguises(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn decimals(number: f64) -> usize {
    // Rust writes the shortest digits that read back as the same number, without an exponent.
    number.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

fn is_one_emoji(text: &str) -> bool {
    text.graphemes(true).nth(1).is_none() && text.chars().count() <= 16 && !text.chars().all(|c| c.is_ascii_graphic())
        || text.is_empty()
}

fn are_deadlines(text: &str) -> bool {
    let seconds = |part: &str| part.trim().parse::<f64>().is_ok_and(|s| s > 0.0 && s <= MAX_DEADLINE);
    text.len() <= 64 && matches!(text.split(',').count(), 3 | 4) && text.split(',').all(seconds)
}

/// Letters to change, add or drop (Levenshtein); counted up to a length that a field's name may have.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 32;
    if b.len() > LONGEST {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let here = if x == y { diagonal } else { 1 + diagonal.min(left).min(*cell) };
            diagonal = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or(0)
}
