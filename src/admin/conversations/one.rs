//! One conversation: how it stands, its transcript as bubbles, the search in it, the acts; and the question before deletion.

use maud::{Markup, html};

use super::parts::{bubble, foreign, search, tabs, title};
use super::{at, known};
use crate::admin::look::{self, Frame, Tone, badge, button, encode};
use crate::admin::port::{Office, read};
use crate::admin::request::{Answer, Request};
use crate::chat::desk::{ChatAsk, MessagesView, OverviewView};
use crate::directory::desk::Refused;
use crate::text::Lang;
use crate::text::admin as shared;
use crate::text::admin::conversations as say;

pub async fn page<O: Office>(office: &O, request: &Request, frame: &Frame, session: &str) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let asked = request.query("q").unwrap_or_default();
    let before = request.query_int("before");
    let ask = ChatAsk::Messages { before, search: Some(asked.to_owned()) };
    let (overview, messages) = futures::join!(office.chat(session, &ChatAsk::Overview), office.chat(session, &ask));
    let overview: OverviewView = read(&overview?)?;
    let messages: MessagesView = read(&messages?)?;
    let body = html! {
        p { a href="/_admin/conversations" { "← " (say::all(lang)) } }
        (look::card_of(title(lang, &row), standing(lang, session, &overview)))
        (tabs(lang, session, ""))
        (search(lang, &at(session, ""), asked, say::search_inside(lang)))
        (transcript(lang, session, asked, before, &messages))
    };
    Ok(look::page(frame, shared::conversations(lang), body))
}

fn standing(lang: Lang, session: &str, now: &OverviewView) -> Markup {
    let here = |below: &str| at(session, below);
    html! {
        p.meta {
            code { (session) } " "
            @if now.deleting { (badge(Tone::Warning, say::being_deleted(lang))) " " }
            @if let Some(turn) = now.running {
                a href=(here(&format!("/turns/{turn}"))) { (badge(Tone::Warning, say::running(lang))) } " "
            }
            @if now.admitted { (badge(Tone::Good, say::access_open(lang))) }
            @else { (badge(Tone::Bad, say::access_closed(lang))) }
        }
        dl.facts.loose {
            @if !now.agent.is_empty() { dt { (say::agent(lang)) } dd { (foreign(&now.agent)) } }
            dt { (say::model(lang)) }
            dd { (foreign(&now.model)) @if now.picked { " (" (say::picked(lang)) ")" } }
            dt { (say::thinking(lang)) } dd { (foreign(&now.thinking)) }
            dt { (say::language(lang)) } dd { (now.lang) }
            dt { (say::messages(lang)) }
            dd { span.number { (now.messages) } @if now.summarised { " (" (say::summarised(lang)) ")" } }
            dt { (say::tokens(lang)) } dd.number { (now.tokens) }
            @for (name, count) in [
                (say::waiting(lang), now.waiting),
                (say::deliveries_waiting(lang), now.undelivered),
                (say::deliveries_uncertain(lang), now.ambiguous),
                (say::deliveries_failed(lang), now.failed),
            ] {
                @if count > 0 { dt { (name) } dd.number { (count) } }
            }
            @if now.files > 0 {
                dt { (say::stored_files(lang)) } dd.number { (now.files) " · " (now.file_bytes / 1_000) " kB" }
            }
        }
        p.acts {
            @if now.running.is_some() || now.waiting > 0 {
                (button(&here("/stop"), &[], say::stop(lang), Tone::Bad))
            }
            a.button href=(here("/export?form=markdown")) download { (say::export_markdown(lang)) }
            a.button href=(here("/export?form=jsonl")) download { (say::export_jsonl(lang)) }
            a.button.bad href=(here("/delete")) { (say::delete(lang)) }
        }
    }
}

fn transcript(lang: Lang, session: &str, asked: &str, before: Option<i64>, view: &MessagesView) -> Markup {
    let older = |next: i64| at(session, &format!("?q={}&before={next}", encode(asked)));
    let searched = !asked.is_empty();
    html! {
        @if !searched && let Some(next) = view.next { p.pager { a href=(older(next)) { "↑ " (shared::older(lang)) } } }
        @if searched { p.quiet { (say::looked_at(lang, view.looked_at)) } }
        @if view.messages.is_empty() && !searched { (look::nothing(lang)) }
        div.transcript {
            @if searched {
                @for message in &view.messages {
                    (bubble(lang, session, message))
                    p.context {
                        a href=(at(session, &format!("?before={}#m{}", message.id + 1, message.id))) { (say::in_context(lang)) }
                    }
                }
            } @else {
                @let mut epoch = None;
                @for message in view.messages.iter().rev() {
                    @if epoch.is_some_and(|epoch| epoch != message.epoch) { p.fresh { (say::fresh_start(lang)) } }
                    @let _ = epoch.insert(message.epoch);
                    (bubble(lang, session, message))
                }
            }
        }
        p.pager {
            @if searched && let Some(next) = view.next { a href=(older(next)) { (say::search_on(lang)) } " " }
            @if before.is_some() || searched { a href=(at(session, "")) { "↓ " (say::newest(lang)) } }
        }
    }
}

pub async fn ask_delete<O: Office>(office: &O, frame: &Frame, session: &str) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let body = html! {
        (look::card_of(title(lang, &row), html! {
            p { code { (session) } }
            p { (say::delete_what(lang)) }
            (button(&at(session, "/delete"), &[("confirm", session)], say::delete_now(lang), Tone::Bad))
            a.button href=(at(session, "")) { (shared::cancel(lang)) }
        }))
    };
    Ok(look::page(frame, say::delete_title(lang), body))
}
