//! The desk's part about agents: who there is, where each answers, who answers in one place; changes to both.
//!
//! Agents and bindings stand in the configuration document. A change edits that document and saves it as the settings do,
//! by compare-and-set: a mistake is named by its path in the document. Not here: what is allowed
//! (`config::schema`), which binding wins (`config::resolve`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Desk, Problem, Refused, view};
use crate::directory::config::resolve::{MAIN, bound, resolve};
use crate::directory::config::shape::is_agent_id;
use crate::directory::config::{Agent, Binding, ConfigMark, Document, Saved};
use crate::directory::{Directory, GroupState};
use crate::llm::{ModelRef, Thinking};
use crate::store::Sql;
use crate::telegram::session::SessionKey;

/// What can be asked about agents. `base`: the version the change was thought up on; each change answers with a
/// [`Saved`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentsAsk {
    /// An [`AgentsView`].
    All,
    /// Adds an agent, or replaces one. `agent`: as in the document. `new`: refused if there is one of this id.
    Save {
        base: i64,
        id: String,
        agent: Value,
        #[serde(default)]
        new: bool,
    },
    /// Removes an agent with its bindings.
    Delete { base: i64, id: String },
    /// Says who answers in a place. `binding`: as in the document; goes before an earlier one for the same place.
    Bind { base: i64, binding: Value },
    /// Takes back what was said of a place.
    Unbind { base: i64, place: BindingPlace },
    /// Who answers in a conversation; a [`Resolved`].
    Resolve { bot: String, chat: i64, topic: Option<i64> },
}

/// Where a binding holds. All absent: everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindingPlace {
    pub bot: Option<String>,
    pub chat: Option<i64>,
    pub topic: Option<i64>,
}

/// All agents, `main` first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentsView {
    /// The live version; the base of a change.
    pub version: i64,
    pub agents: Vec<AgentView>,
    /// What agents without a model of their own use; absent: as the environment says.
    #[serde(default)]
    pub model: Option<ModelRef>,
    #[serde(default)]
    pub fallbacks: Option<Vec<ModelRef>>,
    /// Conversations and groups that are known, to choose from.
    pub places: Vec<KnownPlace>,
}

/// An agent with the places it is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    pub id: String,
    #[serde(flatten)]
    pub agent: Agent,
    /// Most specific places first.
    pub bindings: Vec<BoundPlace>,
}

/// A binding with the name of its chat, if that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundPlace {
    #[serde(flatten)]
    pub binding: Binding,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// A conversation or group that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPlace {
    pub bot: String,
    pub chat: i64,
    #[serde(default)]
    pub topic: Option<i64>,
    pub title: String,
}

/// Who answers in one place, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    pub agent: String,
    pub name: String,
    pub emoji: String,
    /// The binding that says so; absent: there is none for this place, so `main` answers.
    #[serde(default)]
    pub by: Option<Binding>,
    /// Absent: as the environment says.
    #[serde(default)]
    pub model: Option<ModelRef>,
    #[serde(default)]
    pub fallbacks: Option<Vec<ModelRef>>,
    pub thinking: Thinking,
}

impl<S: Sql> Directory<S> {
    pub(super) fn agents_desk(&self, ask: &AgentsAsk, desk: &Desk<'_>) -> Result<String, Refused> {
        match ask {
            AgentsAsk::All => view(&self.agents_view()?),
            AgentsAsk::Save { base, id, agent, new } => {
                let note = about("Agent", id);
                view(&self.edit_config(*base, &note, desk, |document| put_agent(document, id, agent, *new))?)
            }
            AgentsAsk::Delete { base, id } => {
                let note = about("Without agent", id);
                view(&self.edit_config(*base, &note, desk, |document| drop_agent(document, id))?)
            }
            AgentsAsk::Bind { base, binding } => {
                view(&self.edit_config(*base, "Binding", desk, |document| put_binding(document, binding))?)
            }
            AgentsAsk::Unbind { base, place } => {
                view(&self.edit_config(*base, "Without binding", desk, |document| drop_binding(document, place))?)
            }
            AgentsAsk::Resolve { bot, chat, topic } => {
                view(&self.resolved(&SessionKey { bot: bot.clone(), chat_id: *chat, topic: *topic })?)
            }
        }
    }

    fn agents_view(&self) -> Result<AgentsView, Refused> {
        let (version, mut document) = self.live()?.unwrap_or_default();
        let places = self.known_places()?;
        let main = (MAIN.to_owned(), document.agents.remove(MAIN).unwrap_or_default());
        let others = std::mem::take(&mut document.agents);
        let agents = std::iter::once(main).chain(others).map(|(id, agent)| {
            let mut bindings: Vec<&Binding> = document.bindings.iter().filter(|binding| binding.agent == id).collect();
            bindings.sort_by_key(|b| (b.topic.is_none(), b.chat.is_none(), b.bot.clone(), b.chat, b.topic));
            let named = |binding: &Binding| BoundPlace { binding: binding.clone(), title: title(binding, &places) };
            AgentView { bindings: bindings.into_iter().map(named).collect(), id, agent }
        });
        let agents = agents.collect();
        Ok(AgentsView { version, agents, model: document.models.default, fallbacks: document.models.fallbacks, places })
    }

    /// The conversations that changed last, and groups the bots may talk in.
    fn known_places(&self) -> Result<Vec<KnownPlace>, Refused> {
        let rows = self.conversations("", None)?.conversations;
        let known = |row: crate::directory::ConversationRow| KnownPlace {
            bot: row.bot,
            chat: row.chat_id,
            topic: row.topic,
            title: row.title,
        };
        let mut places: Vec<KnownPlace> = rows.into_iter().map(known).collect();
        for bot in self.bots()? {
            for group in self.groups(&bot.id)?.into_iter().filter(|group| group.state == GroupState::Admitted) {
                if !places.iter().any(|place| (place.bot.as_str(), place.chat) == (&bot.id, group.chat_id)) {
                    places.push(KnownPlace { bot: group.bot, chat: group.chat_id, topic: None, title: group.title });
                }
            }
        }
        Ok(places)
    }

    fn resolved(&self, session: &SessionKey) -> Result<Resolved, Refused> {
        let (_, document) = self.live()?.unwrap_or_default();
        let config = resolve(ConfigMark::default(), &document, session);
        let by = bound(&document, session).by.cloned();
        let (name, emoji) = (config.name, config.emoji);
        let (model, fallbacks, thinking) = (config.model, config.fallbacks, config.thinking);
        Ok(Resolved { agent: config.agent, name, emoji, by, model, fallbacks, thinking })
    }

    /// Saves the live document with one change. Based on another version than the live one, it is refused unless it
    /// changes nothing.
    fn edit_config(
        &self,
        base: i64,
        note: &str,
        desk: &Desk<'_>,
        edit: impl FnOnce(&mut Map<String, Value>) -> Result<(), Refused>,
    ) -> Result<Saved, Refused> {
        if self.config_trouble()?.is_some() {
            return Err(Refused::conflict("The live configuration is of a release that this one cannot read."));
        }
        let (_, live) = self.live()?.unwrap_or_default();
        let mut document = as_object(&live)?;
        edit(&mut document)?;
        self.save_config(base, &Value::Object(document).to_string(), note, desk.who, desk.now)
    }
}

/// The note of a version. An id that is none is refused by its place in the document, not as part of a note.
fn about(what: &str, id: &str) -> String {
    if is_agent_id(id) { format!("{what} {id}") } else { what.to_owned() }
}

fn as_object(document: &Document) -> Result<Map<String, Value>, Refused> {
    match serde_json::to_value(document) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Refused::new(500, "store_failed", "The configuration could not be written.")),
    }
}

/// The name of the chat a binding is about.
fn title(binding: &Binding, places: &[KnownPlace]) -> String {
    let bot_fits = |place: &&KnownPlace| binding.bot.as_ref().is_none_or(|bot| *bot == place.bot);
    let mut there = places.iter().filter(bot_fits).filter(|place| Some(place.chat) == binding.chat);
    there.next().map(|place| place.title.clone()).unwrap_or_default()
}

fn put_agent(document: &mut Map<String, Value>, id: &str, agent: &Value, new: bool) -> Result<(), Refused> {
    let agents = document.entry("agents").or_insert_with(|| json!({}));
    let Value::Object(agents) = agents else { return Ok(()) };
    if new && (agents.contains_key(id) || id == MAIN) {
        let message = "There is an agent of this id already.".to_owned();
        let problem = Problem { path: format!("agents.{id}"), message, allowed: Vec::new() };
        return Err(Refused { problems: vec![problem], ..Refused::bad_input("There is an agent of this id already.") });
    }
    agents.insert(id.to_owned(), agent.clone());
    Ok(())
}

fn drop_agent(document: &mut Map<String, Value>, id: &str) -> Result<(), Refused> {
    let agents = document.get_mut("agents").and_then(Value::as_object_mut);
    if agents.and_then(|agents| agents.remove(id)).is_none() {
        return Err(Refused::not_found("There is no such agent."));
    }
    if let Some(bindings) = document.get_mut("bindings").and_then(Value::as_array_mut) {
        bindings.retain(|binding| binding.get("agent").and_then(Value::as_str) != Some(id));
    }
    Ok(())
}

fn put_binding(document: &mut Map<String, Value>, binding: &Value) -> Result<(), Refused> {
    let bindings = document.entry("bindings").or_insert_with(|| json!([]));
    let Value::Array(bindings) = bindings else { return Ok(()) };
    match bindings.iter_mut().find(|known| place(known) == place(binding)) {
        Some(known) => *known = binding.clone(),
        None => bindings.push(binding.clone()),
    }
    Ok(())
}

fn drop_binding(document: &mut Map<String, Value>, wanted: &BindingPlace) -> Result<(), Refused> {
    let wanted = serde_json::to_value(wanted).unwrap_or_default();
    let bindings = document.get_mut("bindings").and_then(Value::as_array_mut);
    let before = bindings.as_ref().map_or(0, |bindings| bindings.len());
    let after = bindings.map_or(0, |bindings| {
        bindings.retain(|known| place(known) != place(&wanted));
        bindings.len()
    });
    if after == before { Err(Refused::not_found("There is no such binding.")) } else { Ok(()) }
}

/// What a binding says of the place; absent and `null` are the same.
fn place(binding: &Value) -> [Option<&Value>; 3] {
    ["bot", "chat", "topic"].map(|field| binding.get(field).filter(|value| !value.is_null()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_pinned() {
        let binding = json!({"bot": "work", "agent": "tutor"});
        let place = BindingPlace { bot: Some("work".into()), ..BindingPlace::default() };
        for (ask, expected) in [
            (AgentsAsk::All, json!("all")),
            (
                AgentsAsk::Save { base: 1, id: "tutor".into(), agent: json!({}), new: true },
                json!({"save": {"base": 1, "id": "tutor", "agent": {}, "new": true}}),
            ),
            (AgentsAsk::Delete { base: 1, id: "tutor".into() }, json!({"delete": {"base": 1, "id": "tutor"}})),
            (AgentsAsk::Bind { base: 1, binding: binding.clone() }, json!({"bind": {"base": 1, "binding": binding}})),
            (
                AgentsAsk::Unbind { base: 1, place },
                json!({"unbind": {"base": 1, "place": {"bot": "work", "chat": null, "topic": null}}}),
            ),
            (
                AgentsAsk::Resolve { bot: "main".into(), chat: 5, topic: None },
                json!({"resolve": {"bot": "main", "chat": 5, "topic": null}}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&ask).unwrap(), expected);
            assert_eq!(serde_json::from_value::<AgentsAsk>(expected).unwrap(), ask);
        }
    }
}
