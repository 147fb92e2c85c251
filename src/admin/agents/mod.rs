//! Agents: who there is, where each answers, and who answers in one place.
//!
//! Every change saves a version of the configuration document, so its history and rollback are on the settings page. Not
//! here: the change itself (`directory::desk`), what is allowed (`directory::config::schema`).

mod page;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
mod tests;

use serde_json::{Map, Value};

use super::access::Identity;
use super::look::Frame;
use super::port::{Office, read};
use super::request::{Answer, Method, Request};
use crate::directory::desk::{AgentsAsk, AgentsView, BindingPlace, DeskAsk, Refused, Resolved};
use crate::text::admin as words;
use page::{Draft, Typed};

/// Fields of an agent that a form has.
const FIELDS: [&str; 7] = ["name", "emoji", "persona", "model", "fallbacks", "thinking", "tools"];
/// Fields of a request to save an agent that do not belong to it.
const FRAME: [&str; 3] = ["base", "id", "new"];

/// `/_admin/agents…`; `rest` is the path after it.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity, rest: &[&str]) -> Result<Answer, Refused> {
    let frame = Frame::new(request, who, "agents");
    match (request.method, rest) {
        (Method::Get, []) => {
            let agents = gather(office).await?;
            let typed = if request.query("add").is_some() { Typed::Agent(Draft::empty()) } else { Typed::Nothing };
            let resolved = match asked_place(request)? {
                Some(ask) => Some(read::<Resolved>(&self::ask(office, ask).await?)?),
                None => None,
            };
            Ok(page::all(office, request, &frame, &agents, &typed, resolved.as_ref(), None))
        }
        (Method::Get, [id]) => {
            let agents = gather(office).await?;
            let Some(draft) = Draft::of(&agents, id) else { return Err(no_such_agent(request)) };
            Ok(page::one(office, &frame, &agents, &draft, None))
        }
        (Method::Post, []) => {
            let id = request.need_text("id")?.to_owned();
            let save = AgentsAsk::Save { base: request.need_int("base")?, id, agent: agent(request), new: true };
            changed(office, request, &frame, save, Typed::Agent(Draft::typed(request, None))).await
        }
        (Method::Post, ["bind"]) => {
            let bind = AgentsAsk::Bind { base: request.need_int("base")?, binding: binding(request) };
            changed(office, request, &frame, bind, Typed::Binding).await
        }
        (Method::Post, ["unbind"]) => {
            let unbind = AgentsAsk::Unbind { base: request.need_int("base")?, place: place(request)? };
            changed(office, request, &frame, unbind, Typed::Nothing).await
        }
        (Method::Post, ["agent", id]) => {
            let id = (*id).to_owned();
            let typed = Typed::Agent(Draft::typed(request, Some(&id)));
            let save = AgentsAsk::Save { base: request.need_int("base")?, id, agent: agent(request), new: false };
            changed(office, request, &frame, save, typed).await
        }
        (Method::Post, ["agent", id, "delete"]) => {
            let delete = AgentsAsk::Delete { base: request.need_int("base")?, id: (*id).to_owned() };
            changed(office, request, &frame, delete, Typed::Nothing).await
        }
        _ => Err(Refused::not_found(words::not_found(request.lang))),
    }
}

/// `/api/agents…`; `rest` is the path after it.
pub async fn api<O: Office>(office: &O, request: &Request, rest: &[&str]) -> Result<Answer, Refused> {
    let what = match (request.method, rest) {
        (Method::Get, []) => AgentsAsk::All,
        (Method::Get, ["resolve"]) => {
            asked_place(request)?.ok_or_else(|| Refused::bad_input("The parameters `bot` and `chat` are needed."))?
        }
        (Method::Post, [id]) => AgentsAsk::Save {
            base: request.need_int("base")?,
            id: (*id).to_owned(),
            agent: agent(request),
            new: request.flag("new"),
        },
        (Method::Post, [id, "delete"]) => AgentsAsk::Delete { base: request.need_int("base")?, id: (*id).to_owned() },
        _ => return Err(Refused::not_found("No such route.")),
    };
    Ok(Answer::json(&ask(office, what).await?))
}

/// `/api/bindings…`; `rest` is the path after it.
pub async fn bindings_api<O: Office>(office: &O, request: &Request, rest: &[&str]) -> Result<Answer, Refused> {
    let what = match (request.method, rest) {
        (Method::Post, []) => AgentsAsk::Bind { base: request.need_int("base")?, binding: binding(request) },
        (Method::Post, ["delete"]) => AgentsAsk::Unbind { base: request.need_int("base")?, place: place(request)? },
        _ => return Err(Refused::not_found("No such route.")),
    };
    Ok(Answer::json(&ask(office, what).await?))
}

async fn ask<O: Office>(office: &O, ask: AgentsAsk) -> Result<String, Refused> {
    office.directory(&DeskAsk::Agents(ask)).await
}

async fn gather<O: Office>(office: &O) -> Result<AgentsView, Refused> {
    read(&ask(office, AgentsAsk::All).await?)
}

/// Saves, or shows the page again with what was typed and why it was refused. The base becomes the live version then.
async fn changed<O: Office>(
    office: &O,
    request: &Request,
    frame: &Frame,
    what: AgentsAsk,
    typed: Typed,
) -> Result<Answer, Refused> {
    let refused = match ask(office, what).await {
        Ok(_) => return Ok(Answer::See("/_admin/agents?done=1".to_owned())),
        Err(refused) => refused,
    };
    let agents = gather(office).await?;
    Ok(match typed {
        Typed::Agent(draft) if !draft.new => page::one(office, frame, &agents, &draft, Some(&refused)),
        typed => page::all(office, request, frame, &agents, &typed, None, Some(&refused)),
    })
}

fn no_such_agent(request: &Request) -> Refused {
    Refused::not_found(words::not_found(request.lang))
}

/// The place the tester asks about; `None`: it does not ask.
fn asked_place(request: &Request) -> Result<Option<AgentsAsk>, Refused> {
    let number = |name: &str| match request.query(name) {
        Some(text) => text
            .parse::<i64>()
            .map(Some)
            .map_err(|_| Refused::bad_input(&format!("The parameter `{name}` must be a whole number."))),
        None => Ok(None),
    };
    let (Some(bot), Some(chat)) = (request.query("bot"), number("chat")?) else { return Ok(None) };
    Ok(Some(AgentsAsk::Resolve { bot: bot.to_owned(), chat, topic: number("topic")? }))
}

/// The agent as the document writes it: a form's blank fields are left out, its list is cut at commas.
fn agent(request: &Request) -> Value {
    let mut agent = Map::new();
    for (name, value) in request.fields.iter().filter(|(name, _)| !FRAME.contains(&name.as_str())) {
        let value = match value {
            Value::Null => continue,
            Value::String(text) if text.trim().is_empty() => continue,
            Value::String(text) if name == "fallbacks" && text.trim() == "-" => Value::Array(Vec::new()),
            Value::String(text) if name == "fallbacks" => {
                let models = text.split([',', '\n']).map(str::trim).filter(|model| !model.is_empty());
                models.map(|model| Value::String(model.to_owned())).collect()
            }
            // Forms send line breaks as CR LF.
            Value::String(text) => Value::String(text.trim().replace("\r\n", "\n")),
            other => other.clone(),
        };
        agent.insert(name.clone(), value);
    }
    Value::Object(agent)
}

/// The binding as the document writes it. What is no number goes as it was typed: the check names its place.
fn binding(request: &Request) -> Value {
    let mut binding = Map::new();
    for name in ["bot", "chat", "topic", "agent"] {
        let value = match request.fields.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) if text.trim().is_empty() => continue,
            Some(Value::String(text)) if name == "chat" || name == "topic" => {
                let number = text.trim().parse::<i64>();
                number.map_or_else(|_| Value::String(text.clone()), Value::from)
            }
            Some(Value::String(text)) => Value::String(text.trim().to_owned()),
            Some(other) => other.clone(),
        };
        binding.insert(name.to_owned(), value);
    }
    Value::Object(binding)
}

fn place(request: &Request) -> Result<BindingPlace, Refused> {
    let bot = request.text("bot").map(str::to_owned);
    Ok(BindingPlace { bot, chat: request.int("chat")?, topic: request.int("topic")? })
}
