//! What happened to each update of a conversation, drops with their reasons; and its files.

use maud::html;

use super::parts::{foreign, state, tabs, title};
use super::{at, known};
use crate::admin::look::{self, Frame, time};
use crate::admin::port::{Office, read};
use crate::admin::request::{Answer, Request};
use crate::chat::desk::{ChatAsk, FilesView, UpdateRow, UpdatesView};
use crate::directory::desk::Refused;
use crate::text::Lang;
use crate::text::admin as shared;
use crate::text::admin::conversations as say;

pub async fn page<O: Office>(office: &O, request: &Request, frame: &Frame, session: &str) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let view: UpdatesView =
        read(&office.chat(session, &ChatAsk::Updates { before: request.query_int("before") }).await?)?;
    let body = html! {
        p { a href=(at(session, "")) { "← " (title(lang, &row)) } }
        (tabs(lang, session, "/updates"))
        @if view.updates.is_empty() { (look::nothing(lang)) } @else { section.card { (table(lang, session, &view.updates)) } }
        @if let Some(next) = view.next {
            p.pager { a href=(at(session, &format!("/updates?before={next}"))) { (shared::older(lang)) } }
        }
    };
    Ok(look::page(frame, say::updates(lang), body))
}

/// Updates with their outcomes.
pub fn table(lang: Lang, session: &str, updates: &[UpdateRow]) -> maud::Markup {
    html! {
        div.scroll { table.stacked {
            thead { tr { th { (say::when(lang)) } th { (say::kind(lang)) } th { (say::outcome(lang)) } th { (say::why(lang)) } th { (say::text(lang)) } } }
            tbody {
                @for update in updates {
                    tr {
                        td { (time(update.at)) }
                        td { (foreign(&update.kind)) br; span.quiet.number { (update.update_id) } }
                        td {
                            @match &update.outcome {
                                Some(outcome) => (state(lang, outcome)),
                                None => (look::badge(look::Tone::Warning, say::waits(lang))),
                            }
                            @if let Some(turn) = update.turn {
                                " " a href=(at(session, &format!("/turns/{turn}"))) { (say::turn(lang)) " " (turn) }
                            }
                        }
                        td { (foreign(update.detail.as_deref().unwrap_or_default())) }
                        td.words dir="auto" { (update.text.as_deref().unwrap_or_default()) }
                    }
                }
            }
        } }
    }
}

pub async fn files<O: Office>(office: &O, request: &Request, frame: &Frame, session: &str) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let view: FilesView = read(&office.chat(session, &ChatAsk::Files { before: request.query_int("before") }).await?)?;
    let body = html! {
        p { a href=(at(session, "")) { "← " (title(lang, &row)) } }
        (tabs(lang, session, "/files"))
        @if view.files.is_empty() { (look::nothing(lang)) } @else {
            section.card { div.scroll { table.stacked {
                thead { tr { th { (say::when(lang)) } th { (say::name(lang)) } th { (say::kind(lang)) } th { (say::size(lang)) } th { (say::state(lang)) } } }
                tbody {
                    @for file in &view.files {
                        tr {
                            td { (time(file.at)) }
                            td { (foreign(file.name.as_deref().unwrap_or("—"))) }
                            td { (foreign(&file.kind)) " · " (foreign(&file.mime)) }
                            td.number { (file.size / 1_000) " kB" }
                            td { (state(lang, &file.state)) " " a href=(at(session, &format!("/turns/{}", file.turn))) { (say::turn(lang)) " " (file.turn) } }
                        }
                    }
                }
            } } }
        }
        @if let Some(next) = view.next {
            p.pager { a href=(at(session, &format!("/files?before={next}"))) { (shared::older(lang)) } }
        }
    };
    Ok(look::page(frame, say::files(lang), body))
}
