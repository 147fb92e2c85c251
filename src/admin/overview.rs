//! The first page: how all stands, and what is to be done where it does not.
//!
//! Everything but the providers' list comes from the doctor's facts, so that nobody is asked twice; what is to be done is
//! what the doctor finds within a few seconds. Not here: the judgement itself (`doctor`).

use maud::{Markup, html};
use serde::Serialize;

use super::access::Identity;
use super::doctor::{self, Finding, Severity};
use super::look::{self, Frame, Tone};
use super::port::{Office, read};
use super::relays;
use super::request::{Answer, Request};
use crate::directory::Totals;
use crate::directory::desk::{DeskAsk, Refused, State, view};
use crate::llm::{Servers, servers};
use crate::relay::HubView;
use crate::telegram::webhook_info::WebhookInfo;
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::{overview as say, relays as relay_words};
use crate::text::amount;

/// All that the page shows.
#[derive(Debug, Serialize)]
pub struct Overview {
    pub release: &'static str,
    #[serde(flatten)]
    pub state: State,
    pub webhooks: Vec<Webhook>,
    pub providers: Vec<ProviderState>,
    /// Bots that were not looked at, because there are so many.
    pub bots_left_out: usize,
    /// `None`: `RELAY_TOKEN` is unset, or the hub did not answer.
    pub relays: Option<HubView>,
    #[serde(skip)]
    relays_set_up: bool,
    /// Warnings and errors of the doctor, the worst first; `None`: it was still looking.
    pub to_do: Option<Vec<Finding>>,
}

/// A bot's webhook as Telegram sees it; `info` absent: Telegram did not answer.
#[derive(Debug, Serialize)]
pub struct Webhook {
    pub bot: String,
    pub standing: Standing,
    #[serde(flatten)]
    pub info: Option<WebhookInfo>,
}

/// How a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Good,
    Unset,
    /// Set to an address that is not ours.
    Elsewhere,
    /// A delivery failed within ten minutes.
    Failing,
    Unknown,
}

/// A provider this deployment may call.
#[derive(Debug, Serialize)]
pub struct ProviderState {
    pub name: &'static str,
    pub has_key: bool,
    pub gateway: bool,
    /// The longest rest of the provider or one of its models, Unix milliseconds.
    pub rests_until: Option<i64>,
}

/// A failed delivery is news for so long, seconds.
const FRESH_ERROR_S: i64 = 600;
/// The page waits no longer for anybody, milliseconds.
const PATIENCE_MS: i64 = 4_000;

pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let frame = Frame::new(request, who, "");
    let overview = gather(office, request, frame.lang).await?;
    Ok(look::page(&frame, words::overview(frame.lang), body(&overview, frame.lang)))
}

/// Findings are in English, unless `?lang=ru` asks for the page's other words.
pub async fn api<O: Office>(office: &O, request: &Request, _who: &Identity) -> Result<Answer, Refused> {
    let lang = Lang::from_code(request.query("lang"));
    Ok(Answer::json(&view(&gather(office, request, lang).await?)?))
}

async fn gather<O: Office>(office: &O, request: &Request, lang: Lang) -> Result<Overview, Refused> {
    let began = office.now();
    let mut facts = doctor::gather(office, &request.origin, PATIENCE_MS).await;
    // Of somebody who was too slow for this page the doctor's own page speaks.
    let was_whole = office.now() - began < PATIENCE_MS;
    let to_do = was_whole.then(|| {
        let mut findings = doctor::report(&facts, lang).findings;
        findings.retain(|finding| finding.severity >= Severity::Warning);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    });
    let state = match facts.directory.take().and_then(|directory| directory.state) {
        Some(state) => state,
        None => read::<State>(&office.directory(&DeskAsk::State).await?)?,
    };
    let webhooks = facts.bots.into_iter().map(|bot| {
        let standing = standing(bot.webhook.as_ref(), &bot.id, &request.origin, office.now());
        Webhook { bot: bot.id, standing, info: bot.webhook }
    });
    let webhooks = webhooks.collect();
    let servers = Servers::from_variables(|name| office.variable(name));
    let rests = |name: &str| {
        let of = |rest: &&(String, i64, _)| rest.0.split('/').next() == Some(name);
        state.usage.resting.iter().filter(of).map(|rest| rest.1).max()
    };
    // Relays have a card of their own.
    let providers = servers.0.iter().filter(|server| server.name != servers::RELAY).map(|server| ProviderState {
        name: server.name,
        has_key: server.endpoint.key().is_some(),
        gateway: server.gateway.is_some(),
        rests_until: rests(server.name),
    });
    let providers = providers.collect();
    Ok(Overview {
        release: env!("CARGO_PKG_VERSION"),
        state,
        webhooks,
        bots_left_out: facts.bots_left_out,
        providers,
        relays_set_up: facts.relays.token.is_some(),
        relays: facts.relays.hub,
        to_do,
    })
}

/// Judges a webhook; `origin` is where this page was asked for. Another host of ours is as good: the path tells.
fn standing(info: Option<&WebhookInfo>, bot: &str, origin: &str, now: i64) -> Standing {
    let Some(info) = info else { return Standing::Unknown };
    if info.url.is_empty() {
        return Standing::Unset;
    }
    let ours = info.url.ends_with(&format!("/telegram/{bot}"));
    if !ours && !info.url.starts_with(origin) {
        return Standing::Elsewhere;
    }
    match info.last_error_date {
        Some(at) if now / 1_000 - at < FRESH_ERROR_S => Standing::Failing,
        _ => Standing::Good,
    }
}

fn body(overview: &Overview, lang: Lang) -> Markup {
    let state = &overview.state;
    html! {
        (look::card(say::to_do(lang), to_do(overview, lang)))
        div.grid {
            (look::card(say::bots(lang), bots(overview, lang)))
            (look::card(say::spend(lang), spend(state, lang)))
            (look::card(say::queue(lang), queue(overview, lang)))
            (look::card(say::providers(lang), providers(overview, lang)))
            @if overview.relays_set_up {
                (look::card(relay_words::title(lang), relays::list(overview.relays.as_ref(), None, lang)))
            }
            (look::card(say::backups(lang), html! {
                dl.facts { dt { (say::last_backup(lang)) } dd { (look::time_or_never(lang, state.last_backup_at)) } }
                p { a href="/_admin/backups" { (words::backups(lang)) } }
            }))
        }
        p.quiet { (say::release(lang)) " " (overview.release) " · " (say::configuration(lang)) ": "
            a href="/_admin/settings" {
                @if state.config == 0 { (say::from_environment(lang)) } @else { (say::version(lang, state.config)) }
            }
        }
    }
}

fn to_do(overview: &Overview, lang: Lang) -> Markup {
    html! {
        @match overview.to_do.as_deref() {
            None => p { a href="/_admin/doctor" { (say::still_looking(lang)) } },
            Some([]) => p { (look::badge(Tone::Good, say::all_is_well(lang))) },
            Some(findings) => {
                (doctor::list(findings, lang))
                p { a href="/_admin/doctor" { (words::doctor(lang)) } }
            }
        }
    }
}

fn bots(overview: &Overview, lang: Lang) -> Markup {
    let name = |id: &str| {
        let known = overview.state.bots.iter().find(|bot| bot.id == id);
        known.and_then(|bot| bot.username.clone()).map_or_else(|| id.to_owned(), |name| format!("@{name}"))
    };
    html! {
        @if overview.webhooks.is_empty() { p { (say::no_bots(lang)) } }
        @for webhook in &overview.webhooks {
            p { strong { (name(&webhook.bot)) } " " (standing_badge(webhook.standing, lang)) }
            @if let Some(info) = &webhook.info {
                @if let (Standing::Failing, Some(message)) = (webhook.standing, &info.last_error_message) {
                    p.quiet { (say::last_error(lang)) ": " (message) }
                }
                @if webhook.standing == Standing::Elsewhere { p.quiet { code { (info.url) } } }
            }
        }
        @if overview.bots_left_out > 0 { p.quiet { (say::more_bots(lang)) ": " (overview.bots_left_out) } }
    }
}

fn standing_badge(standing: Standing, lang: Lang) -> Markup {
    let (tone, text) = match standing {
        Standing::Good => (Tone::Good, say::webhook_good(lang)),
        Standing::Unset => (Tone::Bad, say::webhook_unset(lang)),
        Standing::Elsewhere => (Tone::Bad, say::webhook_elsewhere(lang)),
        Standing::Failing => (Tone::Bad, say::webhook_failing(lang)),
        Standing::Unknown => (Tone::Warning, say::webhook_unknown(lang)),
    };
    look::badge(tone, &format!("{}: {text}", say::webhook(lang)))
}

fn spend(state: &State, lang: Lang) -> Markup {
    let caps = state.usage.caps;
    let line = |title: &str, totals: &Totals, cap: Option<u64>| {
        let spent = amount::usd(totals.nano_usd);
        html! {
            dt { (title) }
            dd.number {
                @match cap {
                    Some(cap) => {
                        (say::of(lang, &spent, &amount::usd(cap)))
                        (look::meter(totals.nano_usd, cap))
                    }
                    None => (spent),
                }
            }
        }
    };
    html! {
        dl.facts {
            (line(say::today(lang), &state.usage.day, caps.map(|caps| caps.day_nano_usd)))
            (line(say::this_month(lang), &state.usage.month, caps.map(|caps| caps.month_nano_usd)))
            dt { (say::calls(lang)) } dd.number { (state.usage.day.calls) }
        }
        p { a href="/_admin/models" { (words::models(lang)) } }
    }
}

fn queue(overview: &Overview, lang: Lang) -> Markup {
    let state = &overview.state;
    let pending: i64 =
        overview.webhooks.iter().filter_map(|hook| hook.info.as_ref()).map(|i| i.pending_update_count).sum();
    html! {
        dl.facts {
            dt { (say::last_update(lang)) } dd { (look::time_or_never(lang, state.last_change_at)) }
            dt { (say::waiting_at_telegram(lang)) } dd.number { (pending) }
            dt { (say::waiting_here(lang)) } dd.number { (state.waiting) }
            dt { (say::all_conversations(lang)) } dd.number { a href="/_admin/conversations" { (state.conversations) } }
            dt { (say::busy_today(lang)) } dd.number { (state.lively) }
        }
    }
}

fn providers(overview: &Overview, lang: Lang) -> Markup {
    html! {
        @for provider in &overview.providers {
            p {
                strong { (provider.name) } " "
                @match provider.rests_until {
                    Some(until) => { (look::badge(Tone::Bad, say::rests_until(lang))) " " (look::time(until)) }
                    None if provider.has_key || provider.gateway => (look::badge(Tone::Good, say::ready(lang))),
                    None => (look::badge(Tone::Plain, say::has_no_key(lang))),
                }
                @if provider.gateway { " " span.quiet { (say::through_gateway(lang)) } }
            }
        }
        p { a href="/_admin/models" { (words::models(lang)) } }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::admin::testing::{T0, TestOffice};

    #[test]
    fn a_webhook_is_judged() {
        let of = |url: &str, failed_s_ago: Option<i64>| {
            let last_error_date = failed_s_ago.map(|ago| T0 / 1_000 - ago);
            let info = WebhookInfo { url: url.to_owned(), last_error_date, ..WebhookInfo::default() };
            standing(Some(&info), "main", "https://bot.example", T0)
        };
        assert_eq!(of("https://bot.example/telegram/main", None), Standing::Good);
        assert_eq!(of("https://bot.example/telegram/main", Some(3_600)), Standing::Good);
        assert_eq!(of("https://bot.example/telegram/main", Some(5)), Standing::Failing);
        assert_eq!(of("https://other.example/telegram/main", None), Standing::Good);
        assert_eq!(of("https://other.example/hook", None), Standing::Elsewhere);
        assert_eq!(of("", None), Standing::Unset);
        assert_eq!(standing(None, "main", "https://bot.example", T0), Standing::Unknown);
    }

    #[test]
    fn nobody_is_asked_twice() {
        let office = TestOffice::new();
        office.page("");
        let webhooks = office.called.borrow().iter().filter(|(_, call)| call.method == "getWebhookInfo").count();
        assert_eq!((webhooks, office.desked.borrow().as_slice()), (1, &[DeskAsk::Doctor][..]));
    }

    #[test]
    fn further_bots_are_counted() {
        let mut office = TestOffice::new();
        assert!(!office.page("").contains("Further bots"));
        office.bots = (0..8).map(|n| format!("bot{n}")).collect();
        assert!(office.page("").contains("Further bots: 3"));
    }

    #[test]
    fn what_telegram_says_is_shown_as_text() {
        let office = TestOffice::new();
        let answer = r#"{"ok":true,"result":{"url":"https://bot.example/telegram/main","pending_update_count":3,
            "last_error_date":1795000000,"last_error_message":"<script>alert(1)</script>"}}"#;
        office.telegram.borrow_mut().insert("getWebhookInfo".to_owned(), answer.to_owned());
        let html = office.page("");
        assert!(html.contains("deliveries fail") && html.contains("&lt;script&gt;alert(1)"), "{html}");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("$0 of $1.00"), "{html}");
    }
}
