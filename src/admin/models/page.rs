//! The page about models and spend.

use maud::{Markup, html};

use super::chart;
use super::ping::Ping;
use super::report::{Model, Provider, Report, Role, Route, Source};
use crate::admin::look::{self, Frame, Tone, badge, button, card, meter, money, time};
use crate::admin::request::Answer;
use crate::directory::Spend;
use crate::directory::desk::models::Resting;
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::models as text;
use crate::text::admin::{overview, relays as relay_words};
use crate::text::amount::usd;

/// `relays`: how they stand, if there may be any.
pub fn page(frame: &Frame, report: &Report, spend: &Spend, relays: Option<Markup>, ping: Option<&Ping>) -> Answer {
    let lang = frame.lang;
    let body = html! {
        @if let Some(ping) = ping { (card(text::ping_title(lang), result(lang, ping))) }
        div.grid {
            (card(text::spend(lang), budget(lang, report)))
            (card(text::caps(lang), caps(lang, report)))
        }
        (card(text::chain(lang), html! {
            p.quiet { (text::chain_how(lang)) " " a href="/_admin/settings" { (text::change_in_settings(lang)) } }
            ul.rows { @for one in &report.models { li { (model(lang, one, report)) } } }
            (ping_form(lang))
        }))
        @if let Some(relays) = relays { (card(relay_words::title(lang), relays)) }
        div.grid {
            (card(text::providers(lang), html! { ul.rows { @for one in &report.providers { li { (provider(lang, one)) } } } }))
            (card(text::health(lang), health(lang, report)))
            (card(text::catalogue(lang), catalogue(lang, report)))
        }
        (card(text::by_day(lang), html! {
            nav.tabs aria-label=(text::by_day(lang)) {
                @for (days, title) in [(30, text::last_30(lang)), (90, text::last_90(lang))] {
                    a href={ "/_admin/models?days=" (days) } aria-current=[(spend.days == days).then_some("page")] { (title) }
                }
            }
            @if spend.total.calls == 0 { p.quiet { (text::no_calls(lang)) } } @else { (chart::by_day(lang, spend)) }
            @if spend.total.assumed_nano_usd > 0 { p.quiet { (text::partly_assumed(lang)) } }
            p.quiet { (text::utc(lang)) }
        }))
        @if spend.total.calls > 0 {
            (card(text::by_model(lang), chart::by_model(lang, spend)))
            (card(text::by_person(lang), chart::by_person(lang, spend)))
        }
    };
    look::page(frame, words::models(lang), body)
}

fn budget(lang: Lang, report: &Report) -> Markup {
    let state = &report.state;
    html! {
        dl.facts {
            @for (title, totals, cap) in [
                (text::today(lang), &state.today, state.caps.day_nano_usd),
                (text::this_month(lang), &state.month, state.caps.month_nano_usd),
            ] {
                dt { (title) }
                dd.number { (overview::of(lang, &usd(totals.nano_usd), &usd(cap))) (meter(totals.nano_usd, cap)) }
            }
            dt { (text::person_cap(lang)) }
            dd.number { @match state.caps.person_day_nano_usd { Some(cap) => (usd(cap)), None => { "—" } } }
        }
        p.quiet { (text::utc(lang)) }
    }
}

fn caps(lang: Lang, report: &Report) -> Markup {
    let caps = &report.state.caps;
    let amount = |nano: Option<u64>| nano.map(|nano| (nano as f64 / 1e9).to_string()).unwrap_or_default();
    html! {
        form method="post" action="/_admin/models/caps" {
            input type="hidden" name="base" value=(report.state.config);
            @for (name, title, cap) in [
                ("day_usd", text::day_cap(lang), Some(caps.day_nano_usd)),
                ("month_usd", text::month_cap(lang), Some(caps.month_nano_usd)),
                ("person_day_usd", text::person_cap(lang), caps.person_day_nano_usd),
            ] {
                label { (title) " " input.amount type="text" inputmode="decimal" name=(name) value=(amount(cap)); }
            }
            button type="submit" { (words::save(lang)) }
            p.quiet { (text::caps_how(lang)) }
        }
    }
}

fn model(lang: Lang, one: &Model, report: &Report) -> Markup {
    let name = one.model.to_string();
    let role = match one.role {
        Role::Default => text::default_model(lang),
        Role::StandIn => text::stand_in(lang),
        Role::OfAgent => text::of_agent(lang),
    };
    let from = match one.from {
        Source::Document => text::from_document(lang),
        Source::Environment => text::from_environment(lang),
    };
    let (input, output) = one.price;
    let per_million = |rate: u32| usd(u64::from(rate) * 1_000);
    html! {
        p {
            strong { (name) } " "
            (badge(Tone::Plain, role)) " "
            @match (&one.rests, one.set_up) {
                (_, false) => (badge(Tone::Bad, text::not_set_up(lang))),
                (Some(_), _) => (badge(Tone::Warning, text::rests(lang))),
                (None, true) => (badge(Tone::Good, text::ready(lang))),
            }
            @if report.overrides.contains(&name) { " " (badge(Tone::Plain, text::overridden(lang))) }
            br;
            span.quiet {
                (from) " · "
                @if one.assumed { (text::price_assumed(lang)) }
                @else if (input, output) == (0, 0) { (text::free(lang)) }
                @else { (per_million(input)) " / " (per_million(output)) " " (text::price_per_million(lang)) }
                @if let Some(rest) = &one.rests { " · " (text::until(lang)) " " (time(rest.until)) ": " (why(lang, rest)) }
                @for feature in &one.without { " · " (text::left_out(lang)) ": " (feature_name(lang, *feature)) }
            }
        }
        @if one.set_up { (button("/_admin/models/ping", &[("model", &name)], text::ping(lang), Tone::Plain)) }
    }
}

fn feature_name(lang: Lang, feature: crate::llm::Feature) -> &'static str {
    text::feature(lang, &super::ping::word(feature))
}

fn why(lang: Lang, rest: &Resting) -> &'static str {
    text::why(lang, &super::ping::word(rest.class))
}

fn ping_form(lang: Lang) -> Markup {
    html! {
        p.quiet { (text::ping_how(lang)) }
        form.find method="post" action="/_admin/models/ping" {
            input type="search" name="model" required placeholder=(text::ping_other(lang)) aria-label=(text::ping_other(lang));
            button type="submit" { (text::ping(lang)) }
        }
    }
}

fn result(lang: Lang, ping: &Ping) -> Markup {
    html! {
        div role="status" {
            p {
                strong { (ping.model) } " "
                @match &ping.trouble {
                    None => (badge(Tone::Good, text::answered(lang))),
                    Some(trouble) => (badge(Tone::Bad, text::why(lang, &trouble.code))),
                }
            }
            @if ping.total_ms > 0 || ping.ok {
                p {
                    @if let Some(first) = ping.first_ms { (text::first_byte(lang)) " " span.number { (text::seconds(lang, first)) } ", " }
                    (text::in_all(lang)) " " span.number { (text::seconds(lang, ping.total_ms)) }
                    " · " (text::took(lang, ping.input, ping.output)) " · "
                    @if ping.assumed { "≈" } (money(ping.nano_usd))
                }
            }
            @if let Some(trouble) = &ping.trouble {
                @if trouble.status.is_some() || !trouble.detail.is_empty() {
                    p.quiet {
                        (text::what_it_said(lang)) ": "
                        @if let Some(status) = trouble.status { "HTTP " (status) " " }
                        (trouble.detail)
                    }
                }
            }
            @if let Some(id) = &ping.log_id { p.quiet { "AI Gateway: " code { (id) } } }
        }
    }
}

fn provider(lang: Lang, one: &Provider) -> Markup {
    let route = match one.route {
        Some(Route::Gateway) => text::through_gateway(lang),
        Some(Route::Direct) => text::direct(lang),
        Some(Route::Own) => text::own_server(lang),
        Some(Route::Relay) => text::through_relays(lang),
        None => text::not_in_use(lang),
    };
    html! {
        p {
            strong { (one.name) } " "
            @if one.has_key { (badge(Tone::Good, text::key_set(lang))) } @else { (badge(Tone::Plain, text::key_unset(lang))) }
            @if one.rests_until.is_some() { " " (badge(Tone::Warning, text::rests(lang))) }
            br;
            span.quiet { (route) @if let Some(host) = &one.host { " · " (host) } }
        }
    }
}

fn health(lang: Lang, report: &Report) -> Markup {
    let state = &report.state;
    html! {
        @if state.resting.is_empty() && state.without.is_empty() { p.quiet { (text::all_well(lang)) } }
        ul.rows {
            @for rest in &state.resting {
                @let model = rest.model.as_deref().unwrap_or_default();
                li {
                    p {
                        strong { (rest.provider) @if !model.is_empty() { "/" (model) } }
                        @if model.is_empty() { " " (badge(Tone::Plain, text::whole_provider(lang))) }
                        br;
                        (why(lang, rest)) " "
                        span.quiet {
                            (text::until(lang)) " " (time(rest.until))
                            @if rest.failures > 1 { " · " (rest.failures) " " (text::in_a_row(lang)) }
                        }
                    }
                    (button("/_admin/models/rest/clear", &[("provider", &rest.provider), ("model", model)], text::clear(lang), Tone::Plain))
                }
            }
            @for one in &state.without {
                li { p { strong { (one.model) } br; (text::left_out(lang)) ": " (feature_name(lang, one.feature)) span.quiet { " · " (time(one.since)) } } }
            }
        }
        @if !state.resting.is_empty() { p.quiet { (text::clear_how(lang)) } }
    }
}

fn catalogue(lang: Lang, report: &Report) -> Markup {
    html! {
        @if report.overrides.is_empty() { p.quiet { (text::catalogue_none(lang)) } }
        ul { @for name in &report.overrides { li { (name) } } }
        @if !report.catalogue_problems.is_empty() {
            p { (text::catalogue_wrong(lang)) ":" }
            ul.problems { @for problem in &report.catalogue_problems { li { (problem) } } }
        }
    }
}
