//! The page of all agents, and that of one. Works without script.

use maud::{Markup, html};
use serde_json::Value;

use super::FIELDS;
use crate::admin::look::{self, Frame, Tone, encode};
use crate::admin::port::Office;
use crate::admin::request::{Answer, Request};
use crate::directory::config::resolve::MAIN;
use crate::directory::config::schema::MAX_PERSONA;
use crate::directory::config::{Binding, ToolsProfile};
use crate::directory::desk::{AgentView, AgentsView, BoundPlace, KnownPlace, Refused, Resolved};
use crate::llm::{ModelRef, Servers};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::agents as say;
use crate::text::admin::refusals::refusal;

/// What a form came with, shown again if it was refused.
pub enum Typed {
    Nothing,
    Agent(Draft),
    /// The fields are in the request.
    Binding,
}

/// An agent as its form shows it: texts as typed.
pub struct Draft {
    pub id: String,
    pub new: bool,
    fields: Vec<(&'static str, String)>,
}

impl Draft {
    pub fn empty() -> Draft {
        Draft { id: String::new(), new: true, fields: Vec::new() }
    }

    /// As it is saved.
    pub fn of(agents: &AgentsView, id: &str) -> Option<Draft> {
        let found = agents.agents.iter().find(|agent| agent.id == id)?;
        let value = serde_json::to_value(&found.agent).unwrap_or_default();
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            // No stand-ins is not the same as those of all.
            Some(Value::Array(models)) if models.is_empty() => "-".to_owned(),
            Some(Value::Array(models)) => models.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        Some(Draft { id: id.to_owned(), new: false, fields: FIELDS.map(|name| (name, text(name))).into() })
    }

    /// What came with a form; `id`: of an agent that is there.
    pub fn typed(request: &Request, id: Option<&str>) -> Draft {
        let text = |name: &str| request.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Draft {
            id: id.map_or_else(|| text("id"), str::to_owned),
            new: id.is_none(),
            fields: FIELDS.map(|name| (name, text(name))).into(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }
}

/// All agents, the tester, and forms to add.
pub fn all<O: Office>(
    office: &O,
    request: &Request,
    frame: &Frame,
    agents: &AgentsView,
    typed: &Typed,
    resolved: Option<&Resolved>,
    refused: Option<&Refused>,
) -> Answer {
    let lang = frame.lang;
    let servers = Servers::from_variables(|name| office.variable(name));
    let again = matches!(typed, Typed::Binding).then_some(request);
    let body = html! {
        @if let Some(refused) = refused { (why_not(refused, lang)) }
        p { (say::intro(lang)) }
        p.quiet { (say::bot_name(lang)) " " (live_line(agents, lang)) }
        @if let Typed::Agent(draft) = typed {
            (look::card(say::add(lang), form(office, agents, draft, lang)))
        }
        div.grid {
            @for agent in &agents.agents { (card(agents, agent, &servers, lang)) }
        }
        @if !matches!(typed, Typed::Agent(_)) { p { a href="/_admin/agents?add=1" { (say::add(lang)) } } }
        (look::card(say::who_answers(lang), tester(office, request, resolved, lang)))
        (look::card(say::bindings(lang), binding_form(office, agents, again, lang)))
        (lists(agents))
    };
    let status = refused.map_or(200, |refused| refused.status);
    look::page_with_status(status, frame, words::agents(lang), body)
}

/// One agent with its form.
pub fn one<O: Office>(
    office: &O,
    frame: &Frame,
    agents: &AgentsView,
    draft: &Draft,
    refused: Option<&Refused>,
) -> Answer {
    let lang = frame.lang;
    let action = format!("/_admin/agents/agent/{}/delete", encode(&draft.id));
    let version = agents.version.to_string();
    let delete = if draft.id == MAIN { say::reset(lang) } else { say::delete(lang) };
    let body = html! {
        @if let Some(refused) = refused { (why_not(refused, lang)) }
        section.card { (form(office, agents, draft, lang)) }
        details {
            summary { (delete) }
            (look::button(&action, &[("base", &version)], say::delete_with_bindings(lang), Tone::Bad))
        }
        p { a href="/_admin/agents" { (words::agents(lang)) } }
    };
    let status = refused.map_or(200, |refused| refused.status);
    look::page_with_status(status, frame, &say::editing(lang, &draft.id), body)
}

fn why_not(refused: &Refused, lang: Lang) -> Markup {
    html! {
        section.card role="alert" {
            p { strong { (refusal(lang, &refused.message)) } }
            (look::problems(lang, &refused.problems))
            @if refused.status == 409 { p { (say::saved_meanwhile(lang)) } }
        }
    }
}

fn live_line(agents: &AgentsView, lang: Lang) -> Markup {
    html! {
        @if agents.version == 0 { (say::only_environment(lang)) } @else {
            a href={ "/_admin/settings/versions/" (agents.version) } { (say::live_version(lang)) " " (agents.version) } "."
        }
    }
}

fn card(agents: &AgentsView, view: &AgentView, servers: &Servers, lang: Lang) -> Markup {
    let agent = &view.agent;
    let models: Vec<&ModelRef> = agent.model.iter().chain(agent.fallbacks.iter().flatten()).collect();
    html! {
        section.card {
            h2 {
                @if !agent.emoji.is_empty() { (agent.emoji) " " }
                @if agent.name.is_empty() { (view.id) } @else { (agent.name) " " small.quiet { (view.id) } }
            }
            @if agent.persona.is_empty() { p.quiet { (say::no_persona(lang)) } } @else { p.persona { (excerpt(&agent.persona)) } }
            p {
                (say::model(lang)) ": "
                @match &agent.model { Some(model) => code { (model) }, None => span.quiet { (say::as_deployment(lang)) } }
                @if models.iter().any(|model| servers.of(model).is_none()) { " " (look::badge(Tone::Warning, say::not_set_up(lang))) }
                @if let Some(fallbacks) = &agent.fallbacks {
                    br; (say::fallbacks(lang)) ": "
                    @if fallbacks.is_empty() { (say::tools_none(lang)) }
                    @for (index, model) in fallbacks.iter().enumerate() { @if index > 0 { ", " } code { (model) } }
                }
                @if let Some(thinking) = agent.thinking { br; (say::thinking(lang)) ": " (word(&thinking)) }
                @if agent.tools == ToolsProfile::None { br; (say::tools(lang)) ": " (say::tools_none(lang)) }
            }
            (where_it_answers(agents, view, lang))
            p { a href={ "/_admin/agents/" (encode(&view.id)) } { (say::edit(lang)) } }
        }
    }
}

fn where_it_answers(agents: &AgentsView, view: &AgentView, lang: Lang) -> Markup {
    let is_main = view.id == MAIN;
    html! {
        @if is_main { p.quiet { (say::answers_everywhere_else(lang)) } }
        @if view.bindings.is_empty() && !is_main { p.quiet { (say::answers_nowhere(lang)) } }
        @if !view.bindings.is_empty() {
            h3 { (say::answers_in(lang)) }
            ul.bindings {
                @for bound in &view.bindings {
                    li { (place(&bound.binding, &bound.title, lang)) " " (unbind(agents.version, bound, lang)) }
                }
            }
        }
    }
}

fn unbind(version: i64, bound: &BoundPlace, lang: Lang) -> Markup {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let Binding { bot, chat, topic, .. } = &bound.binding;
    let (base, chat, topic) = (version.to_string(), number(*chat), number(*topic));
    let fields = [("base", base.as_str()), ("bot", bot.as_deref().unwrap_or("")), ("chat", &chat), ("topic", &topic)];
    look::button("/_admin/agents/unbind", &fields, say::remove(lang), Tone::Plain)
}

/// A place in words: what it does not name is left out.
fn place(binding: &Binding, title: &str, lang: Lang) -> Markup {
    let Binding { bot, chat, topic, .. } = binding;
    html! {
        @if bot.is_none() && chat.is_none() && topic.is_none() { (say::everywhere(lang)) }
        @if let Some(bot) = bot { (say::bot(lang)) " " strong { (bot) } " " }
        @if let Some(chat) = chat {
            (say::chat(lang)) " " @if !title.is_empty() { strong { (title) } " " } code { (chat) } " "
        }
        @if let Some(topic) = topic { (say::topic(lang)) " " code { (topic) } }
    }
}

/// The agent's form. Its button saves a version.
fn form<O: Office>(office: &O, agents: &AgentsView, draft: &Draft, lang: Lang) -> Markup {
    let action =
        if draft.new { "/_admin/agents".to_owned() } else { format!("/_admin/agents/agent/{}", encode(&draft.id)) };
    let servers = Servers::from_variables(|name| office.variable(name));
    let usual = agents.model.as_ref().map(ModelRef::to_string).or_else(|| office.variable("DEFAULT_MODEL"));
    let is_missing = draft.text("model").parse::<ModelRef>().is_ok_and(|model| servers.of(&model).is_none());
    html! {
        form method="post" action=(action) {
            input type="hidden" name="base" value=(agents.version);
            div.fields {
                @if draft.new {
                    label { (say::id(lang))
                        input name="id" value=(draft.id) required maxlength="32" autocapitalize="none" autocomplete="off";
                        small.quiet { (say::id_help(lang)) }
                    }
                }
                label { (say::name(lang)) input name="name" value=(draft.text("name")) maxlength="64"; }
                label { (say::emoji(lang)) input name="emoji" value=(draft.text("emoji")) maxlength="32"; }
                label { (say::model(lang))
                    input name="model" value=(draft.text("model")) list="models" placeholder=(usual.unwrap_or_default()) autocapitalize="none" autocomplete="off";
                    small.quiet { (say::empty_means(lang)) }
                    @if is_missing { " " (look::badge(Tone::Warning, say::not_set_up(lang))) }
                }
                label { (say::fallbacks(lang))
                    input name="fallbacks" value=(draft.text("fallbacks")) autocapitalize="none" autocomplete="off";
                    small.quiet { (say::models_help(lang)) ". " (say::empty_means(lang)) " " (say::dash_means(lang)) }
                }
                label { (say::thinking(lang)) (select("thinking", THINKING, draft.text("thinking"), say::models_own(lang))) }
                label { (say::tools(lang))
                    select name="tools" {
                        option value="" { (say::tools_all(lang)) }
                        option value="none" selected[draft.text("tools") == "none"] { (say::tools_none(lang)) }
                    }
                }
            }
            label { (say::persona(lang))
                textarea name="persona" maxlength=(MAX_PERSONA) { (draft.text("persona")) }
                small.quiet { (say::persona_help(lang)) }
            }
            button.good type="submit" { (words::save(lang)) }
        }
        datalist id="models" { @for model in models(office, agents) { option value=(model) {} } }
    }
}

const THINKING: &[&str] = &["off", "minimal", "low", "medium", "high"];

fn select(name: &str, values: &[&str], chosen: &str, empty: &str) -> Markup {
    html! {
        select name=(name) {
            option value="" { (empty) }
            @for value in values { option value=(value) selected[*value == chosen] { (value) } }
        }
    }
}

/// Models that are named somewhere.
fn models<O: Office>(office: &O, agents: &AgentsView) -> Vec<String> {
    let of_agents =
        agents.agents.iter().flat_map(|view| view.agent.model.iter().chain(view.agent.fallbacks.iter().flatten()));
    let of_all = agents.model.iter().chain(agents.fallbacks.iter().flatten());
    let variables = ["DEFAULT_MODEL", "FALLBACK_MODELS"].map(|name| office.variable(name).unwrap_or_default());
    let of_environment = variables.iter().flat_map(|list| list.split(',')).map(|name| name.trim().to_owned());
    let mut models: Vec<String> = of_agents.chain(of_all).map(ModelRef::to_string).chain(of_environment).collect();
    models.retain(|model| !model.is_empty());
    models.sort();
    models.dedup();
    models
}

fn tester<O: Office>(office: &O, request: &Request, resolved: Option<&Resolved>, lang: Lang) -> Markup {
    html! {
        form method="get" action="/_admin/agents" {
            div.fields {
                label { (say::bot(lang)) select name="bot" {
                    @for bot in office.bots() { option value=(bot) selected[request.query("bot") == Some(bot.as_str())] { (bot) } }
                } }
                label { (say::chat(lang)) input name="chat" value=(request.query("chat").unwrap_or_default()) list="chats" required inputmode="numeric" pattern="-?[0-9]+"; }
                label { (say::topic(lang)) input name="topic" value=(request.query("topic").unwrap_or_default()) list="topics" inputmode="numeric" pattern="[0-9]+"; }
            }
            button type="submit" { (say::ask(lang)) }
        }
        @if let Some(found) = resolved {
            p role="status" {
                strong { @if !found.emoji.is_empty() { (found.emoji) " " } @if found.name.is_empty() { (found.agent) } @else { (found.name) " (" (found.agent) ")" } }
                @if let Some(model) = &found.model { " · " code { (model) } }
                br;
                @match &found.by {
                    Some(binding) => { (say::by_binding(lang)) ": " (place(binding, "", lang)) }
                    None => { (say::by_default(lang)) }
                }
            }
        }
    }
}

/// `typed`: the request whose fields are shown again.
fn binding_form<O: Office>(office: &O, agents: &AgentsView, typed: Option<&Request>, lang: Lang) -> Markup {
    let text = |name: &str| typed.and_then(|request| request.text(name)).unwrap_or_default().to_owned();
    html! {
        p.quiet { (say::bindings_help(lang)) " " (say::chat_help(lang)) }
        form method="post" action="/_admin/agents/bind" {
            input type="hidden" name="base" value=(agents.version);
            div.fields {
                label { (say::agent(lang)) select name="agent" {
                    @for view in &agents.agents { option value=(view.id) selected[view.id == text("agent")] { (view.id) } }
                } }
                label { (say::bot(lang)) select name="bot" {
                    option value="" { (say::any_bot(lang)) }
                    @for bot in office.bots() { option value=(bot) selected[bot == text("bot")] { (bot) } }
                } }
                label { (say::chat(lang)) input name="chat" value=(text("chat")) list="chats" inputmode="numeric"; }
                label { (say::topic(lang)) input name="topic" value=(text("topic")) list="topics" inputmode="numeric"; }
            }
            button.good type="submit" { (say::bind(lang)) }
        }
    }
}

/// Chats and topics to choose from.
fn lists(agents: &AgentsView) -> Markup {
    let mut chats: Vec<&KnownPlace> = Vec::new();
    for place in &agents.places {
        if !chats.iter().any(|known| known.chat == place.chat) {
            chats.push(place);
        }
    }
    html! {
        datalist id="chats" { @for place in chats { option value=(place.chat) { (place.title) " (" (place.bot) ")" } } }
        datalist id="topics" {
            @for place in &agents.places {
                @if let Some(topic) = place.topic { option value=(topic) { (place.title) " " (place.chat) } }
            }
        }
    }
}

/// The beginning of a persona, for a card.
fn excerpt(text: &str) -> String {
    const MOST: usize = 240;
    let mut excerpt: String = text.chars().take(MOST).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}

/// A value as the document writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
