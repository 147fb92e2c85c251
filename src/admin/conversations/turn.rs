//! Turns: their list, and one with its timeline as bars, its steps, deliveries, updates and words.

use maud::{Markup, html};

use super::parts::{bubble, foreign, lasted, state, tabs, title};
use super::{at, known, updates};
use crate::admin::look::{self, Frame, Tone, button, money, time};
use crate::admin::port::{Office, read};
use crate::admin::request::{Answer, Request};
use crate::chat::desk::{ChatAsk, DeliveryView, StepView, TurnRow, TurnView, TurnsView};
use crate::directory::desk::Refused;
use crate::text::Lang;
use crate::text::admin as shared;
use crate::text::admin::conversations as say;

pub async fn list<O: Office>(office: &O, request: &Request, frame: &Frame, session: &str) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let before = request.query("before").map(str::to_owned);
    let view: TurnsView = read(&office.chat(session, &ChatAsk::Turns { before }).await?)?;
    let body = html! {
        p { a href=(at(session, "")) { "← " (title(lang, &row)) } }
        (tabs(lang, session, "/turns"))
        @if view.turns.is_empty() { (look::nothing(lang)) }
        ul.convs {
            @for turn in &view.turns {
                li.card {
                    a.over href=(at(session, &format!("/turns/{}", turn.id))) {
                        @match turn.asked.as_deref().filter(|text| !text.is_empty()) {
                            Some(text) => (foreign(text)),
                            None => { (say::turn(lang)) " " (turn.id) }
                        }
                    }
                    p.quiet.meta { (time(turn.created_at)) " " (state(lang, &turn.state)) " " (foreign(model(turn))) " " (took(turn)) }
                    @if let Some(error) = &turn.error { p.problems dir="auto" { (error) } }
                }
            }
        }
        @if let Some(next) = &view.next {
            p.pager { a href=(at(session, &format!("/turns?before={}", look::encode(next)))) { (shared::older(lang)) } }
        }
    };
    Ok(look::page(frame, say::turns(lang), body))
}

fn model(turn: &TurnRow) -> &str {
    turn.answered_by.as_deref().unwrap_or(&turn.model)
}

fn took(turn: &TurnRow) -> String {
    turn.finished_at.map(|end| lasted(end - turn.asked_at)).unwrap_or_default()
}

pub async fn page<O: Office>(office: &O, frame: &Frame, session: &str, id: i64) -> Result<Answer, Refused> {
    let lang = frame.lang;
    let row = known(office, session).await?;
    let view: TurnView = read(&office.chat(session, &ChatAsk::Turn { id }).await?)?;
    let turn = &view.turn;
    let body = html! {
        p { a href=(at(session, "/turns")) { "← " (say::turns(lang)) } " · " a href=(at(session, "")) { (title(lang, &row)) } }
        section.card {
            dl.facts.loose {
                dt { (say::outcome(lang)) } dd { (state(lang, &turn.state)) }
                dt { (say::model(lang)) }
                dd { (foreign(model(turn))) @if model(turn) != turn.model { " (" (foreign(&turn.model)) ")" } }
                dt { (say::started(lang)) } dd { (time(turn.asked_at)) }
                @if turn.finished_at.is_some() { dt { (say::took(lang)) } dd.number { (took(turn)) } }
                @if let Some(first) = turn.first_at { dt { (say::first_words(lang)) } dd.number { (lasted(first - turn.asked_at)) } }
                @if turn.attempts > 1 { dt { (say::runs(lang)) } dd.number { (turn.attempts) } }
                dt { (say::cost(lang)) } dd { (money(view.steps.iter().filter_map(|step| step.nano_usd).sum())) }
            }
            @if let Some(error) = &turn.error { p.problems dir="auto" { (error) } }
            @if view.can_retry {
                (button(&at(session, "/retry"), &[("turn", &turn.id.to_string())], say::retry(lang), Tone::Good))
            }
            @if turn.state == "running" { (button(&at(session, "/stop"), &[], say::stop(lang), Tone::Bad)) }
        }
        (look::card(say::timeline(lang), timeline(lang, &view, office.now())))
        @if !view.steps.is_empty() { (look::card(say::steps(lang), steps(lang, &view.steps))) }
        (look::card(say::said(lang), html! {
            div.transcript { @for message in &view.messages { (bubble(lang, session, message)) } }
        }))
        @if !view.deliveries.is_empty() { (look::card(say::deliveries(lang), deliveries(lang, session, &view.deliveries))) }
        @if !view.updates.is_empty() { (look::card(say::updates(lang), updates::table(lang, session, &view.updates))) }
        @if !view.files.is_empty() {
            (look::card(say::files(lang), html! {
                ul { @for file in &view.files { li { (foreign(file.name.as_deref().unwrap_or(&file.kind))) " · " (foreign(&file.mime)) " " (state(lang, &file.state)) } } }
            }))
        }
    };
    Ok(look::page(frame, &format!("{} {id}", say::turn(lang)), body))
}

/// A stretch of the timeline.
struct Bar<'a> {
    name: &'a str,
    detail: &'a str,
    class: &'static str,
    from: i64,
    to: i64,
}

/// Bars from the first message to the last effect. Positions are attributes of SVG, because the page may have no styles.
fn timeline(lang: Lang, view: &TurnView, now: i64) -> Markup {
    let turn = &view.turn;
    let ends = view.steps.iter().filter_map(|step| step.ended_at);
    let last = ends.chain(view.deliveries.iter().map(|delivery| delivery.created_at)).chain(turn.finished_at).max();
    let start = turn.asked_at;
    let end = if turn.finished_at.is_some() { last.unwrap_or(now) } else { now }.max(start + 1);
    let mut bars = vec![Bar {
        name: say::whole(lang),
        detail: "",
        class: "whole",
        from: start,
        to: turn.finished_at.unwrap_or(end),
    }];
    if turn.created_at > start {
        bars.push(Bar { name: say::gathering(lang), detail: "", class: "gathering", from: start, to: turn.created_at });
    }
    for step in &view.steps {
        let class = match step.state.as_str() {
            "done" => "done",
            "failed" | "refused" => "failed",
            _ => "odd",
        };
        let detail = step.model.as_deref().unwrap_or_default();
        bars.push(Bar { name: &step.kind, detail, class, from: step.started_at, to: step.ended_at.unwrap_or(end) });
    }
    let place = |at: i64| (at.clamp(start, end) - start) * 1_000 / (end - start);
    html! {
        div.waterfall {
            @for bar in &bars {
                div.name { (foreign(bar.name)) @if !bar.detail.is_empty() { " " span.quiet { (foreign(bar.detail)) } } }
                svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label=(format!("+{} … +{}", lasted(bar.from - start), lasted(bar.to - start))) {
                    rect.track x="0" y="8" width="1000" height="4" {}
                    rect class=(bar.class) x=(place(bar.from)) y="3" width=((place(bar.to) - place(bar.from)).max(4)) height="14" {}
                    @if bar.class == "whole" && let Some(first) = turn.first_at {
                        rect.first x=(place(first)) y="0" width="4" height="20" {}
                    }
                    @if bar.class == "whole" {
                        @for delivery in &view.deliveries { rect.tick x=(place(delivery.created_at)) y="0" width="3" height="20" {} }
                    }
                }
                div.number { (lasted((bar.to - bar.from).max(0))) }
            }
        }
    }
}

fn steps(lang: Lang, steps: &[StepView]) -> Markup {
    html! {
        div.scroll { table.stacked {
            thead { tr { th { (say::what(lang)) } th { (say::state(lang)) } th { (say::started(lang)) } th { (say::took(lang)) } th { (say::input_output(lang)) } th { (say::cost(lang)) } th { (say::gateway_log(lang)) } } }
            tbody {
                @for step in steps {
                    tr {
                        td { (foreign(&step.kind)) " " span.quiet { (foreign(step.model.as_deref().unwrap_or_default())) } }
                        td {
                            (state(lang, &step.state))
                            @if let Some(note) = &step.note { br; span.quiet dir="auto" { (note) } }
                        }
                        td { (time(step.started_at)) }
                        td.number { @if let Some(end) = step.ended_at { (lasted(end - step.started_at)) } }
                        td.number { @if step.input + step.output > 0 { (step.input) " (" (step.cached_input) ") → " (step.output) } }
                        td.number { @if let Some(cost) = step.nano_usd { (money(cost)) } }
                        td { @if let Some(log) = &step.log_id { code { (foreign(log)) } } }
                    }
                }
            }
        } }
    }
}

fn deliveries(lang: Lang, session: &str, deliveries: &[DeliveryView]) -> Markup {
    html! {
        div.scroll { table.stacked {
            thead { tr { th { (say::what(lang)) } th { (say::state(lang)) } th { (say::telegram_id(lang)) } th { (say::when(lang)) } th { (say::text(lang)) } } }
            tbody {
                @for delivery in deliveries {
                    tr {
                        td { (foreign(&delivery.slot)) " " span.quiet { (foreign(&delivery.method)) } }
                        td {
                            (state(lang, &delivery.state))
                            @if let Some(error) = &delivery.error { br; span.quiet dir="auto" { (error) } }
                            @if delivery.state == "ambiguous" {
                                br; (button(&at(session, "/send-again"), &[("delivery", &delivery.id.to_string())], say::send_again(lang), Tone::Plain))
                            }
                        }
                        td.number { @if let Some(id) = delivery.message_id { (id) } }
                        td { (time(delivery.created_at)) }
                        td.words dir="auto" { (delivery.text.as_deref().unwrap_or_default()) }
                    }
                }
            }
        } }
    }
}
