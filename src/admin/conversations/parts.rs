//! Parts that the pages about conversations share.

use maud::{Markup, html};

use super::at;
use crate::admin::look::{self, Tone, badge, time};
use crate::chat::desk::MessageView;
use crate::directory::ConversationRow;
use crate::text::Lang;
use crate::text::admin as shared;
use crate::text::admin::conversations as say;

/// Somebody else's words on one line; their direction ends with them.
pub fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// A conversation's name for people.
pub fn title(lang: Lang, row: &ConversationRow) -> Markup {
    html! {
        @if row.title.is_empty() { (say::no_title(lang)) } @else { (foreign(&row.title)) }
        @if let Some(topic) = row.topic { " · " (say::topic(lang)) " " (topic) }
    }
}

/// How something ended.
pub fn state(lang: Lang, word: &str) -> Markup {
    let tone = match word {
        "answered" | "turn" | "merged" | "sent" | "done" | "stored" => Tone::Good,
        "failed" | "refused" | "too_big" | "gone" => Tone::Bad,
        "stopped" | "ambiguous" | "cut" | "dropped" | "running" | "sending" => Tone::Warning,
        _ => Tone::Plain,
    };
    html! { bdi { (badge(tone, say::state_of(lang, word))) } }
}

/// The links between the pages of a conversation.
pub fn tabs(lang: Lang, session: &str, here: &str) -> Markup {
    let tabs = [
        ("", say::transcript(lang)),
        ("/turns", say::turns(lang)),
        ("/updates", say::updates(lang)),
        ("/files", say::files(lang)),
    ];
    html! {
        nav.tabs {
            @for (below, name) in tabs {
                a href=(at(session, below)) aria-current=[(below == here).then_some("page")] { (name) }
            }
        }
    }
}

/// A search field that asks with GET.
pub fn search(lang: Lang, action: &str, asked: &str, hint: &str) -> Markup {
    html! {
        form.search method="get" action=(action) role="search" {
            input type="search" name="q" value=(asked) placeholder=(hint) aria-label=(hint) maxlength="200";
            button type="submit" { (shared::search(lang)) }
        }
    }
}

/// Milliseconds for people.
pub fn lasted(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// A message as a bubble.
pub fn bubble(lang: Lang, session: &str, message: &MessageView) -> Markup {
    let who = match message.role.as_str() {
        "user" => say::person(lang),
        "tool" => say::tool(lang),
        _ => message.model.as_deref().unwrap_or("?"),
    };
    html! {
        article.bubble.from-model[message.role == "assistant"].from-tool[message.role == "tool"].replaced[message.replaced]
            id=(format!("m{}", message.id)) {
            header {
                b { (foreign(who)) } " " (time(message.at))
                @if message.replaced { " " (look::badge(Tone::Plain, say::replaced(lang))) }
                @if let Some(turn) = message.turn {
                    " " a href=(at(session, &format!("/turns/{turn}"))) { (say::show_turn(lang)) " " (turn) }
                }
            }
            @if !message.text.is_empty() { div.words dir="auto" { (message.text) } }
            @if message.cut { p.quiet { (say::cut(lang)) } }
            @for extra in &message.extras {
                details {
                    summary { (foreign(kind(lang, &extra.kind))) }
                    pre dir="auto" { (extra.text) }
                }
            }
        }
    }
}

fn kind(lang: Lang, kind: &str) -> &str {
    match kind {
        "thought" => say::thought(lang),
        "file" => say::file(lang),
        "call" => say::call(lang),
        "result" => say::result(lang),
        other => other,
    }
}
