//! The settings page and the page of one version.
//!
//! It works without script: reviewing is a form that answers with the page again, with what was typed in it.

use maud::{Markup, html};
use serde_json::Value;

use super::SettingsView;
use super::environment::Base;
use super::fields::{COMMON, pretty, text_of};
use crate::admin::look::{self, Frame, Tone};
use crate::admin::request::{Answer, Request};
use crate::directory::config::schema::{MAX_DOCUMENT, field_at};
use crate::directory::config::shape::Shape;
use crate::directory::config::versions::MAX_NOTE;
use crate::directory::config::{Change, Kind, LineKind, VersionView};
use crate::directory::desk::{CheckView, Refused};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::refusals::refusal;
use crate::text::admin::settings as say;

/// What somebody is about to save.
pub struct Draft {
    /// The version it was begun on.
    pub base: i64,
    /// As typed.
    pub document: String,
    pub note: String,
    /// What a save would do; absent before a review.
    pub checked: Option<CheckView>,
    /// Why the last attempt failed.
    pub refused: Option<Refused>,
}

impl Draft {
    /// The live document, nothing typed yet.
    pub fn of(settings: &SettingsView) -> Draft {
        let document = pretty(&settings.config.document);
        Draft { base: settings.config.version, document, note: String::new(), checked: None, refused: None }
    }

    /// What came with a form.
    pub fn typed(request: &Request) -> Result<Draft, Refused> {
        let document = request.text("document").unwrap_or_default().to_owned();
        let note = request.text("note").unwrap_or_default().to_owned();
        Ok(Draft { base: request.need_int("base")?, document, note, checked: None, refused: None })
    }

    /// What the fields of the form show: what was typed, as far as it is JSON.
    fn value(&self) -> Value {
        serde_json::from_str(&self.document).unwrap_or_default()
    }
}

/// The whole page. `same`: a save was asked for and nothing differed.
pub fn settings(frame: &Frame, settings: &SettingsView, draft: &Draft, history: &[VersionView], same: bool) -> Answer {
    let lang = frame.lang;
    let live = settings.config.version;
    let status = match (&draft.refused, &draft.checked) {
        (Some(refused), _) => refused.status,
        (None, Some(checked)) if !checked.problems.is_empty() => 400,
        _ => 200,
    };
    let body = html! {
        @if same { p.flash role="status" { (say::nothing_differed(lang)) } }
        @if !settings.config.trouble.is_empty() {
            section.card role="alert" {
                p { strong { (say::unreadable(lang, live)) } }
                (look::problems(lang, &settings.config.trouble))
            }
        }
        (live_line(settings, lang))
        @if let Some(checked) = &draft.checked { (review(draft, checked, lang)) }
        (look::card(say::common(lang), common(settings, draft, lang)))
        (look::card(say::document(lang), document(draft, lang)))
        (look::card(say::history(lang), versions(live, history, lang)))
        (look::card(say::secrets(lang), secrets(settings, lang)))
    };
    look::page_with_status(status, frame, words::settings(lang), body)
}

/// One version: what it changed, and its whole document.
pub fn version(frame: &Frame, settings: &SettingsView, version: &VersionView) -> Answer {
    let lang = frame.lang;
    let number = version.version.version;
    let body = html! {
        section.card {
            (about(version, lang))
            (diff(&version.changes, lang))
            (rollback(settings.config.version, number, lang))
        }
        @if let Some(document) = &version.document { (look::card(say::document(lang), html! { pre { (pretty(document)) } })) }
        p { a href="/_admin/settings" { (words::settings(lang)) } }
    };
    look::page(frame, &say::version(lang, number), body)
}

fn live_line(settings: &SettingsView, lang: Lang) -> Markup {
    html! {
        p.quiet {
            @match &settings.config.saved {
                Some(saved) => {
                    (say::live(lang)) ": " a href={ "/_admin/settings/versions/" (saved.version) } { (say::version(lang, saved.version)) }
                    ", " (look::time(saved.at)) ", " (saved.author)
                }
                None => { (say::only_environment(lang)) }
            }
        }
    }
}

/// What a save would do, and the button for it.
fn review(draft: &Draft, checked: &CheckView, lang: Lang) -> Markup {
    let ready = checked.problems.is_empty() && !checked.changes.is_empty();
    let stale = draft.base != checked.version;
    // The refusal knows more: it is about the note, or about an older version, too.
    let told = draft.refused.as_ref().map(|refused| &refused.problems).filter(|problems| !problems.is_empty());
    let problems = told.unwrap_or(&checked.problems);
    look::card(
        say::review(lang),
        html! {
            @if let Some(refused) = &draft.refused { p role="alert" { strong { (refusal(lang, &refused.message)) } } }
            @if stale { p role="alert" { strong { (say::saved_meanwhile(lang, checked.version)) } } }
            @if !problems.is_empty() {
                @if draft.refused.is_none() { p role="alert" { strong { (say::has_mistakes(lang)) } } }
                (look::problems(lang, problems))
            }
            @if !checked.warnings.is_empty() {
                ul.warnings { @for warning in &checked.warnings { li { code { (warning.path) } " — " (refusal(lang, &warning.message)) } } }
            }
            @if checked.changes.is_empty() { p { (say::nothing_differs(lang)) } }
            (diff(&checked.changes, lang))
            @if ready {
                form method="post" action="/_admin/settings/save" {
                    // The difference shown is the one to the live version.
                    input type="hidden" name="base" value=(checked.version);
                    input type="hidden" name="document" value=(draft.document);
                    (note(draft, lang))
                    button.good type="submit" { (words::save(lang)) }
                }
            }
        },
    )
}

fn note(draft: &Draft, lang: Lang) -> Markup {
    html! {
        label { (say::note(lang)) input.wide name="note" maxlength=(MAX_NOTE) value=(draft.note); }
    }
}

/// The most common places as fields.
fn common(settings: &SettingsView, draft: &Draft, lang: Lang) -> Markup {
    let value = draft.value();
    html! {
        @if value.is_object() {
            form method="post" action="/_admin/settings/review" {
                input type="hidden" name="fields" value="1";
                input type="hidden" name="base" value=(draft.base);
                input type="hidden" name="document" value=(draft.document);
                div.fields {
                    @for path in COMMON {
                        @let base = settings.environment.iter().find(|base| base.path == path);
                        (field(path, &text_of(&value, path), base, lang))
                    }
                }
                button.good type="submit" { (say::review_button(lang)) }
            }
        } @else {
            p { (say::not_json(lang)) }
        }
    }
}

fn field(path: &str, text: &str, base: Option<&Base>, lang: Lang) -> Markup {
    let Some(field) = field_at(path) else { return html! {} };
    let otherwise = say::otherwise(lang, base.and_then(|base| base.value.as_deref()));
    html! {
        label {
            ((field.about)(lang))
            @match field.shape {
                Shape::Word(words) => {
                    select name=(path) {
                        option value="" selected[text.is_empty()] { (otherwise) }
                        @for word in *words { option value=(word) selected[text == *word] { (word) } }
                        @if !text.is_empty() && !words.contains(&text) { option value=(text) selected { (text) } }
                    }
                }
                Shape::Number { .. } => { input name=(path) value=(text) inputmode="decimal" placeholder=(otherwise) autocomplete="off"; }
                _ => { input name=(path) value=(text) placeholder=(otherwise) autocomplete="off" spellcheck="false"; }
            }
            @if let Some(variable) = base.and_then(|base| base.variable) {
                small.quiet { (say::goes_before(lang)) " " code { (variable) } }
            }
        }
    }
}

fn document(draft: &Draft, lang: Lang) -> Markup {
    let rows = (draft.document.lines().count() + 2).clamp(8, 30);
    html! {
        form method="post" action="/_admin/settings/review" {
            input type="hidden" name="base" value=(draft.base);
            input type="hidden" name="note" value=(draft.note);
            label {
                (say::document_hint(lang, MAX_DOCUMENT / 1024)) " " a href="/api/settings/schema" { "JSON Schema" }
                textarea.document name="document" rows=(rows) spellcheck="false" autocomplete="off" {
                    // The parser of pages drops a line break that comes first.
                    "\n" (draft.document)
                }
            }
            button.good type="submit" { (say::review_button(lang)) }
        }
    }
}

fn versions(live: i64, history: &[VersionView], lang: Lang) -> Markup {
    let oldest = history.last().map_or(0, |version| version.version.version);
    html! {
        @for version in history {
            article {
                (about(version, lang))
                @if !version.changes.is_empty() {
                    details { summary { (say::changes(lang, version.changes.len())) } (diff(&version.changes, lang)) }
                }
                (rollback(live, version.version.version, lang))
            }
        }
        @if history.is_empty() { (look::nothing(lang)) }
        @if oldest > 1 {
            p { a href={ "/_admin/settings?before=" (oldest) } { (words::older(lang)) } }
        } @else if live > 0 {
            article { h3 { (say::version(lang, 0)) ": " (say::only_environment(lang)) } (rollback(live, 0, lang)) }
        }
    }
}

/// Which version, by whom, when and why.
fn about(version: &VersionView, lang: Lang) -> Markup {
    let version = &version.version;
    html! {
        h3 { a href={ "/_admin/settings/versions/" (version.version) } { (say::version(lang, version.version)) } }
        p {
            (look::time(version.at)) " · " (version.author)
            @if let Some(restored) = version.restores { " · " (say::restores(lang, restored)) }
            @if !version.note.is_empty() { br; (version.note) }
        }
    }
}

fn rollback(live: i64, version: i64, lang: Lang) -> Markup {
    html! {
        @if live == version {
            (look::badge(Tone::Good, say::live(lang)))
        } @else {
            form.inline method="post" action="/_admin/settings/rollback" {
                input type="hidden" name="base" value=(live);
                input type="hidden" name="version" value=(version);
                button type="submit" { (say::back_to(lang, version)) }
            }
        }
    }
}

/// A difference by path, long texts by line.
pub fn diff(changes: &[Change], lang: Lang) -> Markup {
    html! {
        ul.diff {
            @for change in changes {
                li {
                    code { (change.path) } " "
                    @match change.kind {
                        Kind::Added => (look::badge(Tone::Good, say::added(lang))),
                        Kind::Removed => (look::badge(Tone::Bad, say::removed(lang))),
                        Kind::Changed => (look::badge(Tone::Plain, say::changed(lang))),
                    }
                    " "
                    @if let Some(before) = &change.before { del dir="auto" { (before) } }
                    @if change.before.is_some() && change.after.is_some() { " → " }
                    @if let Some(after) = &change.after { ins dir="auto" { (after) } }
                    @if !change.lines.is_empty() {
                        pre {
                            @for line in &change.lines {
                                @let class = match line.kind {
                                    LineKind::Gone => "gone",
                                    LineKind::New => "new",
                                    LineKind::Same | LineKind::Gap => "quiet",
                                };
                                span class=(class) { (line.marked()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn secrets(settings: &SettingsView, lang: Lang) -> Markup {
    html! {
        p { (say::secrets_hint(lang)) }
        p { code { "npx wrangler secret put " (say::secrets_name(lang)) } }
        div.scroll { table {
            @for secret in &settings.secrets {
                tr {
                    td { code { (secret.name) } }
                    td {
                        @if secret.set { (look::badge(Tone::Good, say::set(lang))) }
                        @else { (look::badge(Tone::Plain, say::not_set(lang))) }
                    }
                }
            }
        } }
    }
}
