//! The first page: is all well, and what is to be done if not.

use maud::html;

use super::access::Identity;
use super::look::{self, Frame};
use super::port::{Office, read};
use super::request::{Answer, Request};
use crate::directory::Bot;
use crate::directory::desk::{DeskAsk, Refused};
use crate::text::admin as words;

pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let bots: Vec<Bot> = read(&office.directory(&DeskAsk::Bots).await?)?;
    let frame = Frame::new(request, who, "");
    let body = html! {
        (look::card(words::overview(frame.lang), html! {
            ul { @for bot in &bots { li { "@" (bot.username.as_deref().unwrap_or(&bot.id)) } } }
        }))
    };
    Ok(look::page(&frame, words::overview(frame.lang), body))
}

pub async fn api<O: Office>(office: &O, _request: &Request, _who: &Identity) -> Result<Answer, Refused> {
    Ok(Answer::json(&office.directory(&DeskAsk::Bots).await?))
}
