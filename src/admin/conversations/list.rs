//! The list of conversations, newest first, with a search by person, title and recent words.

use maud::html;

use super::at;
use super::parts::{foreign, search, state, title};
use crate::admin::look::{self, Frame, encode, time};
use crate::admin::port::{Office, read};
use crate::admin::request::{Answer, Request};
use crate::directory::ConversationsView;
use crate::directory::desk::{DeskAsk, Refused};
use crate::text::admin as shared;
use crate::text::admin::conversations as say;

pub async fn page<O: Office>(office: &O, request: &Request, frame: &Frame) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let asked = request.query("q").unwrap_or_default();
    let ask =
        DeskAsk::Conversations { search: Some(asked.to_owned()), before: request.query("before").map(str::to_owned) };
    let view: ConversationsView = read(&office.directory(&ask).await?)?;
    let body = html! {
        @match request.query("deleted") {
            Some("soon") => { p.flash role="status" { (say::deleting(lang)) } }
            Some(_) => { p.flash role="status" { (say::deleted(lang)) } }
            None => {}
        }
        (search(lang, "/_admin/conversations", asked, say::search_list(lang)))
        @if let Some(total) = view.total { p.quiet { (say::total(lang, total)) } }
        @if view.conversations.is_empty() { (look::nothing(lang)) }
        ul.convs {
            @for row in &view.conversations {
                li.card {
                    a.over href=(at(&row.session, "")) { (title(lang, row)) }
                    p.quiet.meta {
                        (foreign(&row.bot)) " · " (time(row.changed_at))
                        @if let Some(outcome) = &row.outcome { " " (state(lang, outcome)) }
                        @if row.waiting > 0 { " " (look::badge(look::Tone::Warning, &format!("{} {}", say::waiting(lang), row.waiting))) }
                    }
                    @if !row.newest.is_empty() { p.newest dir="auto" { (row.newest) } }
                }
            }
        }
        p.pager {
            @if request.query("before").is_some() || !asked.is_empty() {
                a href="/_admin/conversations" { (say::all(lang)) } " "
            }
            @if let Some(next) = &view.next {
                a href=(format!("/_admin/conversations?q={}&before={}", encode(asked), encode(next))) { (shared::older(lang)) }
            }
        }
    };
    Ok(look::page(frame, shared::conversations(lang), body))
}
