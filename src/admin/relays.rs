//! Relays: what the hub knows of them, on pages and as `GET /api/relays`.
//!
//! Not here: how a call finds its way through one (`relay`), what is wrong with them (`doctor`).

use maud::{Markup, html};
use serde::Serialize;

use super::look::{self, Tone, badge, button};
use super::port::Office;
use super::request::Answer;
use crate::directory::desk::{Refused, view};
use crate::llm::{ModelRef, servers};
use crate::relay::{HubView, Model, RelayView};
use crate::text::Lang;
use crate::text::admin::relays as say;

/// What lets relays in; without it there are none, and the hub is not asked.
pub const TOKEN: &str = "RELAY_TOKEN";

/// `GET /api/relays`.
#[derive(Debug, Serialize)]
struct Relays {
    /// `RELAY_TOKEN` is set.
    set_up: bool,
    #[serde(flatten)]
    hub: HubView,
}

pub async fn api<O: Office>(office: &O) -> Result<Answer, Refused> {
    let set_up = office.variable(TOKEN).is_some();
    let hub = match office.relays().await {
        Some(hub) => hub,
        None if set_up => return Err(Refused::new(503, "not_reachable", "The relays' hub did not answer. Try again.")),
        None => HubView::default(),
    };
    Ok(Answer::json(&view(&Relays { set_up, hub })?))
}

/// Of a model behind a relay: the relay it is to be, if one is named, and the model's name there. `None`: it is somewhere
/// else.
pub fn wanted(model: &ModelRef) -> Option<(Option<&str>, &str)> {
    let provider = &model.provider;
    (servers::family(provider) == servers::RELAY).then(|| (servers::relay_name(provider), model.model.as_str()))
}

/// Whether a relay has a model. Ollama adds `:latest` where no tag is given.
pub fn has(relay: &RelayView, model: &str) -> bool {
    let short = |name: &str| name.trim_end_matches(":latest").to_owned();
    relay.models.iter().any(|known| short(&known.name) == short(model))
}

/// All relays, each with how it stands. `None`: the hub did not answer. `ping`: where a test call of a model is posted, if
/// there are to be buttons for it.
pub fn list(hub: Option<&HubView>, ping: Option<&str>, lang: Lang) -> Markup {
    html! {
        @match hub {
            None => p { (badge(Tone::Warning, say::hub_silent(lang))) },
            Some(hub) => {
                @if hub.relays.is_empty() { p { (say::none_yet(lang)) } }
                @for relay in &hub.relays { (one(relay, ping, lang)) }
                @if hub.queued > 0 { p { (say::queued(lang)) ": " span.number { (hub.queued) } } }
            }
        }
    }
}

fn one(relay: &RelayView, ping: Option<&str>, lang: Lang) -> Markup {
    let ollama = relay.ollama.as_deref().map(|release| format!("Ollama {release}"));
    let latency = relay.latency_ms.filter(|_| relay.connected).map(|ms| say::latency(lang, ms));
    let facts = [Some(say::release(lang, &relay.software)), ollama, latency];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    html! {
        p {
            strong { (relay.name) } " " (standing(relay, lang)) " "
            span.quiet { (say::since(lang)) " " (look::time(relay.since)) }
            br;
            span.quiet {
                (facts) " · "
                (say::in_flight(lang, relay.in_flight, relay.max_parallel)) " · "
                (say::calls(lang, relay.calls, relay.failed))
            }
            @if let Some(trouble) = &relay.trouble { br; (badge(Tone::Bad, say::ollama_trouble(lang))) " " (trouble) }
        }
        @if relay.models.is_empty() { p.quiet { (say::no_models(lang)) } }
        @match ping.filter(|_| relay.connected) {
            None => p { @for model in &relay.models { (named(relay, model, lang)) " " } },
            Some(action) => ul.rows {
                @for model in &relay.models {
                    @let name = format!("relay:{}/{}", relay.name, model.name);
                    li { p { (named(relay, model, lang)) } (button(action, &[("model", &name)], say::ping(lang), Tone::Plain)) }
                }
            }
        }
    }
}

fn named(relay: &RelayView, model: &Model, lang: Lang) -> Markup {
    html! {
        code { (model.name) }
        @if model.loaded && relay.connected { " " (badge(Tone::Good, say::loaded(lang))) }
    }
}

fn standing(relay: &RelayView, lang: Lang) -> Markup {
    match (relay.connected, relay.draining, &relay.trouble) {
        (false, ..) => badge(Tone::Bad, say::away(lang)),
        (true, true, _) => badge(Tone::Plain, say::draining(lang)),
        (true, false, Some(_)) => badge(Tone::Warning, say::connected(lang)),
        (true, false, None) => badge(Tone::Good, say::connected(lang)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::admin::testing::{TestOffice, relay};

    fn office() -> TestOffice {
        let mut office = TestOffice::new();
        office.variables.insert(TOKEN, "x".repeat(64));
        office
    }

    #[test]
    fn without_a_token_nobody_asks_and_nothing_is_shown() {
        let office = TestOffice::new();
        *office.hub.borrow_mut() = Some(HubView { relays: vec![relay("home")], ..HubView::default() });
        let (status, view) = office.api("relays", Value::Null);
        assert_eq!((status, view), (200, json!({"set_up": false, "relays": [], "queued": 0, "instance": ""})));
        assert!(!office.page("").contains("home"));
        assert_eq!(office.hub_asked.get(), 0);
    }

    #[test]
    fn the_api_has_what_the_hub_says() {
        let office = office();
        assert_eq!(office.api("relays", Value::Null).0, 503, "the hub does not answer");
        *office.hub.borrow_mut() = Some(HubView { relays: vec![relay("home")], queued: 2, instance: "i".into() });
        let (status, view) = office.api("relays", Value::Null);
        assert_eq!((status, &view["set_up"], &view["queued"]), (200, &json!(true), &json!(2)));
        assert_eq!((&view["relays"][0]["name"], &view["relays"][0]["connected"]), (&json!("home"), &json!(true)));
    }

    #[test]
    fn pages_show_each_relay_and_foreign_text_as_text() {
        let office = office();
        assert!(office.page("").contains("The hub did not answer."));
        *office.hub.borrow_mut() = Some(HubView::default());
        assert!(office.page("").contains("No relay was ever connected."));
        let mut away = relay("vds");
        (away.connected, away.models) = (false, vec![]);
        let mut ill = relay("home");
        (ill.trouble, ill.in_flight) = (Some("<b>refused</b>".into()), 1);
        ill.models.push(Model { name: "<i>m</i>".into(), ..Model::default() });
        *office.hub.borrow_mut() = Some(HubView { relays: vec![ill, away], queued: 3, ..HubView::default() });
        for path in ["", "models"] {
            let html = office.page(path);
            for words in ["qwen3:8b", "loaded", "away", "1 of 2 in use", "7 calls, 1 failed", "12 ms", "Ollama 0.13.1"]
            {
                assert!(html.contains(words), "{path}: {words}: {html}");
            }
            assert!(html.contains("&lt;b&gt;refused") && html.contains("&lt;i&gt;m&lt;/i&gt;"));
            assert!(!html.contains("<b>refused") && !html.contains("<i>m"));
        }
        assert!(office.page("models").contains("value=\"relay:home/qwen3:8b\""), "a test call by relay");
        assert!(!office.page("models").contains("relay:vds/"), "who is away cannot be tested");
    }

    #[test]
    fn names_of_models_behind_relays() {
        let of = |provider: &str| wanted(&ModelRef::new(provider, "m")).map(|(name, _)| name.map(str::to_owned));
        assert_eq!(of("relay"), Some(None));
        assert_eq!(of("relay:home"), Some(Some("home".into())));
        assert_eq!((of("ollama"), of("relays"), of("x:relay")), (None, None, None));
        let one = relay("home");
        assert!(has(&one, "qwen3:8b") && has(&one, "nomic-embed-text") && has(&one, "nomic-embed-text:latest"));
        assert!(!has(&one, "qwen3") && !has(&one, "qwen3:14b"));
    }
}
