//! The log: recent events, live as they come, and who did what.
//!
//! Lines come from strangers' servers: they are text here, whatever is in them. The script prepends new ones with the same
//! marks as [`line`] makes. Not here: the socket (`edge::admin::live`).

use maud::{Markup, html};

use super::access::Identity;
use super::look::{self, Frame, Tone, encode};
use super::port::{Office, read};
use super::request::{Answer, Request};
use crate::directory::desk::{AuditView, DeskAsk, LogsView, Refused};
use crate::directory::{AuditEntry, AuditQuery, EventQuery, Level, LogLine, OpenAlert};
use crate::text::Lang;
use crate::text::admin as common;
use crate::text::admin::logs as words;

/// `/_admin/logs`.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let query = event_query(request)?;
    let view: LogsView = read(&office.directory(&DeskAsk::Events(query.clone())).await?)?;
    let frame = Frame::new(request, who, "logs");
    let lang = frame.lang;
    let body = html! {
        (tabs(lang, false))
        (troubles(lang, &view.alerts))
        section.card {
            (event_filter(lang, &query, &view.words))
            @if query.before.is_none() { (live_line(lang)) }
            (list(lang, &query, &view.events))
            @if view.events.is_empty() { (look::nothing(lang)) }
            (older(lang, "/_admin/logs", request, view.next))
            p.quiet { (words::keeps(lang)) }
        }
    };
    Ok(look::page(&frame, common::logs(lang), body))
}

/// `GET /api/logs`.
pub async fn api<O: Office>(office: &O, request: &Request) -> Result<Answer, Refused> {
    Ok(Answer::json(&office.directory(&DeskAsk::Events(event_query(request)?)).await?))
}

/// `/_admin/logs/audit`.
pub async fn audit_page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let query = audit_query(request);
    let view: AuditView = read(&office.directory(&DeskAsk::Audit(query.clone())).await?)?;
    let frame = Frame::new(request, who, "logs");
    let lang = frame.lang;
    let body = html! {
        (tabs(lang, true))
        section.card {
            form.filter method="get" action="/_admin/logs/audit" {
                label { (words::who(lang)) input type="search" name="who" value=(query.who.as_deref().unwrap_or_default()) maxlength="100"; }
                (word_choice(lang, "what", &query.what, &view.words))
                button type="submit" { (words::filter(lang)) }
            }
            @if view.entries.is_empty() { (look::nothing(lang)) } @else { (decisions(lang, &view.entries)) }
            (older(lang, "/_admin/logs/audit", request, view.next))
            p.quiet { (words::keeps_audit(lang)) }
        }
    };
    Ok(look::page(&frame, words::audit(lang), body))
}

/// `GET /api/audit`.
pub async fn audit_api<O: Office>(office: &O, request: &Request) -> Result<Answer, Refused> {
    Ok(Answer::json(&office.directory(&DeskAsk::Audit(audit_query(request))).await?))
}

/// `GET /_admin/logs/live`: from the line after `after` on.
pub fn live(request: &Request) -> Answer {
    Answer::LiveLog { after: request.query_int("after").filter(|after| (0..1 << 53).contains(after)) }
}

fn event_query(request: &Request) -> Result<EventQuery, Refused> {
    let text = |name| request.query(name).map(str::to_owned);
    let level = match request.query("level") {
        None => None,
        Some(level) => match Level::from_word(level) {
            Some(level) => Some(level),
            None => return Err(Refused::bad_input("`level` is info, warning or error.")),
        },
    };
    Ok(EventQuery {
        level,
        what: text("what"),
        session: text("session"),
        text: text("q"),
        before: request.query_int("before"),
        after: None,
        limit: request.query_int("limit"),
    })
}

fn audit_query(request: &Request) -> AuditQuery {
    let text = |name| request.query(name).map(str::to_owned);
    let (before, limit) = (request.query_int("before"), request.query_int("limit"));
    AuditQuery { who: text("who"), what: text("what"), before, limit }
}

fn tabs(lang: Lang, audit: bool) -> Markup {
    html! {
        nav.tabs {
            a href="/_admin/logs" aria-current=[(!audit).then_some("page")] { (words::events(lang)) }
            a href="/_admin/logs/audit" aria-current=[audit.then_some("page")] { (words::audit(lang)) }
        }
    }
}

fn troubles(lang: Lang, alerts: &[OpenAlert]) -> Markup {
    html! {
        @if !alerts.is_empty() {
            (look::card(words::troubles(lang), html! {
                ul {
                    @for alert in alerts {
                        li {
                            (look::badge(Tone::Warning, words::alert(lang, alert.kind.as_str()))) " "
                            @if !alert.subject.is_empty() { b { (alert.subject) } " " }
                            (look::time(alert.since)) " "
                            span.quiet { @if alert.told_at.is_some() { (words::told(lang)) } @else { (words::not_told(lang)) } }
                        }
                    }
                }
            }))
        }
    }
}

fn event_filter(lang: Lang, query: &EventQuery, known: &[String]) -> Markup {
    let levels = [Level::Info, Level::Warning, Level::Error];
    html! {
        form.filter method="get" action="/_admin/logs" {
            label { (words::level(lang))
                select name="level" {
                    @for level in levels {
                        option value=(if level == Level::Info { "" } else { level.as_str() }) selected[query.level == Some(level)] {
                            @if level == Level::Info { (words::all_levels(lang)) } @else { (level_word(lang, level)) }
                        }
                    }
                }
            }
            (word_choice(lang, "what", &query.what, known))
            label { (words::session(lang)) input type="search" name="session" value=(query.session.as_deref().unwrap_or_default()) maxlength="128"; }
            label { (words::text(lang)) input type="search" name="q" value=(query.text.as_deref().unwrap_or_default()) maxlength="100"; }
            button type="submit" { (words::filter(lang)) }
        }
    }
}

/// A choice among the words there are; one that is asked for and is no more is there too.
fn word_choice(lang: Lang, name: &str, chosen: &Option<String>, known: &[String]) -> Markup {
    let gone = chosen.iter().filter(|word| !known.contains(word));
    html! {
        label { (words::what(lang))
            select name=(name) {
                option value="" { (words::anything(lang)) }
                @for word in known.iter().chain(gone) {
                    option value=(word) selected[chosen.as_ref() == Some(word)] { (word) }
                }
            }
        }
    }
}

/// Shown by the script alone: without it nothing comes by itself.
fn live_line(lang: Lang) -> Markup {
    html! {
        p.live hidden data-live-state {
            span data-on=(words::live(lang)) data-off=(words::reconnecting(lang)) data-paused=(words::paused(lang)) {}
            " "
            button type="button" data-pause=(words::pause(lang)) data-resume=(words::resume(lang)) { (words::pause(lang)) }
        }
    }
}

fn list(lang: Lang, query: &EventQuery, events: &[LogLine]) -> Markup {
    let first = query.before.is_none();
    let newest = events.first().map_or(0, |line| line.id);
    let filter = |text: &Option<String>| text.clone().unwrap_or_default();
    html! {
        ol.log data-live=[first.then_some("/_admin/logs/live")] data-after=[first.then_some(newest)]
            data-level=(query.level.map_or("", Level::as_str)) data-what=(filter(&query.what))
            data-session=(filter(&query.session)) data-q=(filter(&query.text))
            data-word-info=(words::info(lang)) data-word-warning=(words::warning(lang)) data-word-error=(words::error(lang)) {
            @for event in events { (line(lang, event)) }
        }
    }
}

/// One line; the script makes the same.
fn line(lang: Lang, line: &LogLine) -> Markup {
    html! {
        li {
            span.meta {
                (look::time(line.at)) " " (look::badge(tone(line.level), level_word(lang, line.level))) " "
                code { (line.what) }
                @if !line.session.is_empty() {
                    " " a href={ "/_admin/conversations/" (encode(&line.session)) } { (line.session) }
                }
            }
            // Marks of direction in it end with it.
            p dir="auto" { (line.text) }
        }
    }
}

fn decisions(lang: Lang, entries: &[AuditEntry]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th { (words::when(lang)) } th { (words::who(lang)) } th { (words::what(lang)) }
                    th { (words::subject(lang)) } th { (words::bot(lang)) }
                } }
                tbody {
                    @for entry in entries {
                        tr {
                            td { (look::time(entry.at)) }
                            td { @if entry.who == "system" { (words::system(lang)) } @else { (entry.who) } }
                            td { code { (entry.what) } }
                            td { (entry.subject) }
                            td { (entry.bot.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

/// The link to older ones, with the filters kept.
fn older(lang: Lang, path: &str, request: &Request, next: Option<i64>) -> Markup {
    let kept = request.query.iter().filter(|(name, value)| {
        matches!(name.as_str(), "level" | "what" | "session" | "q" | "who") && !value.trim().is_empty()
    });
    let kept: String = kept.map(|(name, value)| format!("&{name}={}", encode(value))).collect();
    html! {
        @if let Some(next) = next {
            p { a href={ (path) "?before=" (next) (kept) } rel="next" { (common::older(lang)) } }
        }
    }
}

fn tone(level: Level) -> Tone {
    match level {
        Level::Info => Tone::Plain,
        Level::Warning => Tone::Warning,
        Level::Error => Tone::Bad,
    }
}

fn level_word(lang: Lang, level: Level) -> &'static str {
    match level {
        Level::Info => words::info(lang),
        Level::Warning => words::warning(lang),
        Level::Error => words::error(lang),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::admin::Area;
    use crate::admin::request::Method;
    use crate::admin::testing::{OWNER, T0, TestOffice};
    use crate::directory::{Actor, Caps, Config, DmPolicy, Event, Outside};

    const EVIL: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>";

    fn note(office: &TestOffice, session: &str, level: Level, what: &str, text: &str) {
        office.directory.note_events(session, &[Event::new(T0, level, what, text)], T0).unwrap();
    }

    fn json(office: &TestOffice, path: &str) -> serde_json::Value {
        match office.ask(Area::Api, Method::Get, path, "", Lang::En) {
            Answer::Json { status: 200, json } => serde_json::from_str(&json).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        let office = TestOffice::new();
        note(&office, "main:<b>&\"", Level::Error, EVIL, &format!("upstream said {EVIL}"));
        let actor = Actor::Admin(EVIL.into());
        office.directory.set_dm_policy(DmPolicy::Open, &actor, T0).unwrap();
        let asked =
            format!("?what={}&session={}&q={}&who={}", encode(EVIL), encode(EVIL), encode("upstream"), encode("alert"));
        for path in ["logs", "logs/audit", &format!("logs{asked}"), &format!("logs/audit{asked}")] {
            let html = office.page(path);
            for evil in ["<script>alert", "<img", "<b>&"] {
                assert!(!html.contains(evil), "{evil} in {path}");
            }
        }
        assert!(office.page("logs").contains("upstream said &lt;script&gt;alert(1)"));
        assert!(office.page("logs").contains("/_admin/conversations/main%3A%3Cb%3E%26%22"));
    }

    #[test]
    fn filters_narrow_and_stay_while_paging() {
        let office = TestOffice::new();
        for n in 0..150 {
            note(&office, "main:1", Level::Warning, "telegram", &format!("refused {n}"));
        }
        note(&office, "main:2", Level::Error, "store", "disk full");
        assert_eq!(json(&office, "logs")["events"].as_array().unwrap().len(), 100);
        assert_eq!(json(&office, "logs?level=error")["events"][0]["text"], "disk full");
        assert_eq!(json(&office, "logs?session=main:2")["events"].as_array().unwrap().len(), 1);
        assert_eq!(json(&office, "logs?q=refused%201&what=telegram")["events"].as_array().unwrap().len(), 61);
        let html = office.page("logs?what=telegram&q=refused");
        let link = html.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
        assert!(link.starts_with("/_admin/logs?before=51&amp;what=telegram&amp;q=refused"), "{link}");
        let second = json(&office, "logs?before=51&what=telegram&q=refused");
        assert_eq!((second["events"].as_array().unwrap().len(), second["next"].is_null()), (50, true));
        let refused = office.ask(Area::Api, Method::Get, "logs?level=loud", "", Lang::En);
        assert!(matches!(refused, Answer::Json { status: 400, .. }));
    }

    #[test]
    fn only_the_newest_page_is_live() {
        let office = TestOffice::new();
        note(&office, "", Level::Info, "alert", "x");
        assert!(office.page("logs").contains("data-live=\"/_admin/logs/live\" data-after=\"1\""));
        assert!(!office.page("logs?before=9").contains("data-live="));
        let live = |path| office.ask(Area::Pages, Method::Get, path, "", Lang::En);
        assert_eq!(live("logs/live?after=7"), Answer::LiveLog { after: Some(7) });
        for odd in ["logs/live", "logs/live?after=x", "logs/live?after=-1", "logs/live?after=9223372036854775807"] {
            assert_eq!(live(odd), Answer::LiveLog { after: None }, "{odd}");
        }
    }

    #[test]
    fn decisions_are_listed_by_who() {
        let office = TestOffice::new();
        for (who, policy) in [("ann@example.com", DmPolicy::Open), ("ben@example.com", DmPolicy::Disabled)] {
            office.directory.set_dm_policy(policy, &Actor::Admin(who.into()), T0).unwrap();
        }
        let html = office.page("logs/audit?who=ben");
        assert!(html.contains("admin:ben@example.com") && html.contains("disabled") && !html.contains("admin:ann@"));
        assert_eq!(json(&office, "audit?who=ann")["entries"][0]["subject"], "open");
        assert_eq!(json(&office, "audit?before=2")["entries"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn troubles_stand_above() {
        let office = TestOffice::new();
        let cfg = Config { owners: &[OWNER], claim_code: None };
        let caps = Caps { day_nano_usd: 1, month_nano_usd: 1, person_day_nano_usd: None };
        let outside = Outside { last_backup_at: Some(T0 - 200_000_000), ..Outside::default() };
        office.directory.look_out(&outside, &caps, &cfg, T0).unwrap();
        assert!(office.page("logs").contains("no fresh backup"));
        assert_eq!(json(&office, "logs")["alerts"][0]["kind"], "backup");
    }
}
