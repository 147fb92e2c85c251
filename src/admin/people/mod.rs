//! People, groups, invitations and those turned away: pages and routes of the API.
//!
//! | route | does |
//! |---|---|
//! | `GET people`, `groups`, `invites`, `refusals` | lists; `bot`, `q` and `page` narrow them |
//! | `POST people/{bot}/{id}/{approve…demote}` | `code` (optional): about that code, the first decision stands |
//! | `POST people/{bot}/{id}/cap` | `usd`: the person's own cap for a day, `null` for the general one |
//! | `POST groups/{bot}/{chat}/{admit, leave, block, forget}` | |
//! | `POST groups/{bot}/{chat}/mention` | `on`: answer only when addressed |
//! | `POST invites` | `bot`, `note`, `uses`, `days`: a link, shown once |
//! | `POST invites/{id}/revoke` | |
//!
//! Names, titles and notes come from anybody: they are only ever written as text. Not here: the rules (`directory`).

mod groups;
mod invites;
mod list;
mod refusals;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use maud::{Markup, html};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::Value;

use super::access::Identity;
use super::look::Frame;
use super::port::{Office, read};
use super::request::{Answer, Method, Request};
use crate::directory::desk::people::{Find, GroupAct, PeopleAsk};
use crate::directory::desk::{DeskAsk, Refused};
use crate::directory::invites::USUAL_DAYS;
use crate::directory::{Bot, parse_usd};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::people as text;

/// The page of a list, or what a page's form does.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let ask = ask(office, request, words::not_found(request.lang))?;
    let json = office.directory(&DeskAsk::People(ask.clone())).await?;
    let frame = Frame::new(request, who, "people");
    match ask {
        PeopleAsk::People(find) => Ok(list::page(&frame, office, &find, &read(&json)?)),
        PeopleAsk::Groups(find) => Ok(groups::page(&frame, office, &find, &read(&json)?)),
        PeopleAsk::Invites(find) => Ok(invites::page(&frame, office, &find, &read(&json)?)),
        PeopleAsk::Refusals(find) => Ok(refusals::page(&frame, office, &find, &read(&json)?)),
        // The link is not kept, so it cannot be shown after a redirect.
        PeopleAsk::Invite { .. } => Ok(invites::made(&frame, &read(&json)?)),
        _ => Ok(Answer::See(back(request))),
    }
}

/// A view, or what came of an action, as JSON.
pub async fn api<O: Office>(office: &O, request: &Request) -> Result<Answer, Refused> {
    let ask = ask(office, request, "No such route.")?;
    Ok(Answer::json(&office.directory(&DeskAsk::People(ask)).await?))
}

/// What the request asks of the Directory. `no_such`: what to say if it leads nowhere.
fn ask<O: Office>(office: &O, request: &Request, no_such: &str) -> Result<PeopleAsk, Refused> {
    let nowhere = || Refused::not_found(no_such);
    let path = request.path();
    if request.method == Method::Get {
        return match path.as_slice() {
            ["people"] => Ok(PeopleAsk::People(find(request))),
            ["groups"] => Ok(PeopleAsk::Groups(find(request))),
            ["invites"] => Ok(PeopleAsk::Invites(find(request))),
            ["refusals"] => Ok(PeopleAsk::Refusals(find(request))),
            _ => Err(nowhere()),
        };
    }
    let known = |bot: &str| match office.bots().iter().any(|known| known == bot) {
        true => Ok(bot.to_owned()),
        false => Err(Refused::not_found("No such bot.")),
    };
    let id = |text: &str| text.parse::<i64>().map_err(|_| nowhere());
    match path.as_slice() {
        ["people", bot, user, "cap"] => {
            known(bot)?;
            Ok(PeopleAsk::Cap { user_id: id(user)?, nano_usd: usd(request)? })
        }
        ["people", bot, user, act] => Ok(PeopleAsk::Person {
            bot: known(bot)?,
            user_id: id(user)?,
            act: word(act).ok_or_else(nowhere)?,
            code: request.text("code").map(str::to_owned),
        }),
        ["groups", bot, chat, "mention"] => {
            if !request.fields.contains_key("on") {
                return Err(Refused::bad_input("The field `on` is missing."));
            }
            let act = if request.flag("on") { GroupAct::MentionOn } else { GroupAct::MentionOff };
            Ok(PeopleAsk::Group { bot: known(bot)?, chat_id: id(chat)?, act })
        }
        ["groups", bot, chat, act] => {
            let act = word(act).filter(|act| !matches!(act, GroupAct::MentionOn | GroupAct::MentionOff));
            Ok(PeopleAsk::Group { bot: known(bot)?, chat_id: id(chat)?, act: act.ok_or_else(nowhere)? })
        }
        ["invites"] => Ok(PeopleAsk::Invite {
            bot: known(request.need_text("bot")?)?,
            note: request.text("note").unwrap_or_default().to_owned(),
            uses: request.int("uses")?.unwrap_or(1),
            days: request.int("days")?.unwrap_or(USUAL_DAYS),
        }),
        ["invites", invite, "revoke"] => Ok(PeopleAsk::Revoke { id: id(invite)? }),
        _ => Err(nowhere()),
    }
}

fn find(request: &Request) -> Find {
    Find {
        bot: request.query("bot").map(str::to_owned),
        q: request.query("q").unwrap_or_default().to_owned(),
        page: request.query_int("page").and_then(|page| usize::try_from(page).ok()).unwrap_or(1).max(1),
    }
}

/// An enum's word in a path.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    let plain: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(plain).ok()
}

/// The field `usd`: an amount as a JSON number or text; `null`, or blank in a form, is `None`.
fn usd(request: &Request) -> Result<Option<u64>, Refused> {
    let text = match request.fields.get("usd") {
        None => return Err(Refused::bad_input("The field `usd` is missing.")),
        Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
    };
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || Refused::bad_input("The field `usd` must be an amount such as 0.5, or null for the general cap.");
    parse_usd(&text).filter(|_| !text.starts_with('-')).map(Some).ok_or_else(wrong)
}

/// Where a form came from: the list of the same name, narrowed as it was.
fn back(request: &Request) -> String {
    let list = request.segments.first().map_or("people", String::as_str);
    let before = url::form_urlencoded::parse(request.text("back").unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("done", "1");
    for (name, value) in before.filter(|(name, _)| matches!(name.as_ref(), "bot" | "q" | "page")) {
        query.append_pair(&name, &value);
    }
    format!("/_admin/{list}?{}", query.finish())
}

/// `find` as a query, for links and for [`back`]; `page` instead of its own.
fn query(find: &Find, page: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(bot) = &find.bot {
        query.append_pair("bot", bot);
    }
    if !find.q.is_empty() {
        query.append_pair("q", &find.q);
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    query.finish()
}

type Title = fn(Lang) -> &'static str;

/// The lists of this part: first segment and title.
const TABS: [(&str, Title); 4] = [
    ("people", text::title_people),
    ("groups", text::title_groups),
    ("invites", text::title_invites),
    ("refusals", text::title_refusals),
];

/// Links between the lists, and the form that narrows the one at `here`.
fn head<O: Office>(lang: Lang, office: &O, here: &str, find: &Find, search: bool) -> Markup {
    let bots = office.bots();
    html! {
        nav.tabs aria-label=(text::title_people(lang)) {
            @for (at, title) in TABS {
                a href={ "/_admin/" (at) } aria-current=[(at == here).then_some("page")] { (title(lang)) }
            }
        }
        @if search || bots.len() > 1 {
            form.find method="get" action={ "/_admin/" (here) } role="search" {
                @if search {
                    input type="search" name="q" value=(find.q) placeholder=(text::find(lang)) aria-label=(text::find(lang));
                }
                @if bots.len() > 1 {
                    select name="bot" aria-label=(text::bot(lang)) {
                        option value="" { (text::all_bots(lang)) }
                        @for bot in &bots { option value=(bot) selected[find.bot.as_ref() == Some(bot)] { (bot) } }
                    }
                }
                button type="submit" { (words::search(lang)) }
            }
        }
    }
}

/// Links to the pages before and after.
fn pager(lang: Lang, here: &str, find: &Find, page: usize, more: bool) -> Markup {
    html! {
        @if page > 1 || more {
            p.pager {
                @if page > 1 { a href={ "/_admin/" (here) "?" (query(find, page - 1)) } rel="prev" { "← " (words::newer(lang)) } " " }
                @if more { a href={ "/_admin/" (here) "?" (query(find, page + 1)) } rel="next" { (words::older(lang)) " →" } }
            }
        }
    }
}

/// A bot as people know it, where there is more than one.
fn bot_name<O: Office>(office: &O, bots: &[Bot], bot: &str) -> Option<String> {
    if office.bots().len() < 2 {
        return None;
    }
    let username = bots.iter().find(|known| known.id == bot).and_then(|known| known.username.as_deref());
    Some(username.map_or_else(|| bot.to_owned(), |username| format!("@{username}")))
}

/// Name, username and id of somebody.
fn person(name: &str, username: Option<&str>, user_id: i64) -> Markup {
    html! {
        strong { @if name.is_empty() { "id " (user_id) } @else { (name) } }
        @if let Some(username) = username { " " span.quiet { "@" (username) } }
        @if !name.is_empty() { " " span.quiet.number { "id " (user_id) } }
    }
}
