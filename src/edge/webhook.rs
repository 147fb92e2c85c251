//! `POST /telegram/{bot}`: from Telegram's request to a stored update and a 200.
//!
//! For a sender this isolate knows, one call to the Chat object and nothing else stands between the two (DESIGN §3.1).
//! Anything but 200 makes Telegram deliver again and hold that chat's queue meanwhile, so 5xx means "not stored" only.

use std::cell::RefCell;

use futures::StreamExt;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use worker::{Env, Request, Response, Result};

use super::directory_object::{KnockAt, Moved, UnknownKind};
use super::router::{json, refuse};
use super::{bots, clock, objects, trouble};
use crate::directory::invites::{code_in, without_codes};
use crate::directory::{
    AccessChange, Button, Change, ChatKind, Knock, Level, Member, Memory, Passes, Press, Pressed, Recall, Sender,
    Verdict,
};
use crate::telegram::message::{Chat, User};
use crate::telegram::method::answer_callback;
use crate::telegram::session::SessionKey;
use crate::telegram::update::{Callback, Membership, Update, UpdateKind};

/// Largest body taken, in bytes (DESIGN §3.1).
const MAX_BODY: usize = 1 << 20;

thread_local! {
    /// What this isolate knows of the Directory's verdicts.
    static RECALL: RefCell<Recall> = RefCell::default();
}

pub async fn receive(mut request: Request, env: &Env, bot: &str) -> Result<Response> {
    let Some(secret) = bots::webhook_secret(env, bot) else { return refuse(404, "not_found", "No such bot.") };
    let given = request.headers().get("x-telegram-bot-api-secret-token")?.unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(secret.as_bytes())) {
        // Whoever brings none is a passer-by, or the doctor who looks whether the door is shut.
        if !given.is_empty() {
            trouble::note(env, Level::Warning, "webhook", &format!("bot {bot}: a request with a wrong secret")).await;
        }
        return refuse(401, "unauthorized", "Unauthorized.");
    }
    let Some(body) = read_body(&mut request, MAX_BODY).await? else {
        trouble::note(env, Level::Error, "webhook", &format!("bot {bot}: an update over 1 MiB was refused")).await;
        return refuse(413, "too_large", "An update has at most 1 MiB.");
    };
    let update = match Update::decode(&body) {
        Ok(update) => update,
        Err(error) => {
            trouble::note(env, Level::Error, "webhook", &format!("bot {bot}: an update could not be read")).await;
            return refuse(400, "bad_update", &error.to_string());
        }
    };
    let answer = take(env, bot, &update, body).await;
    if !answer.as_ref().is_ok_and(|response| response.status_code() < 500) {
        trouble::note(env, Level::Error, "webhook", &format!("bot {bot}: an update could not be stored")).await;
    }
    answer
}

async fn take(env: &Env, bot: &str, update: &Update, body: String) -> Result<Response> {
    match &update.kind {
        UpdateKind::Unknown(kind) => note_unknown(env, bot, kind, update.id).await,
        UpdateKind::Membership(membership) => member(env, bot, update, membership).await,
        UpdateKind::Callback(callback) if callback.data.as_deref().is_some_and(Button::is_ours) => {
            press(env, bot, update, callback).await
        }
        _ => match update.chat() {
            Some(chat) => forward(env, bot, update, chat, body).await,
            // A press on an inaccessible message: nothing to act on.
            None => Response::empty(),
        },
    }
}

/// The body as text; `None` if it is over `limit` bytes. A body of undeclared length is never held beyond that.
pub(super) async fn read_body(request: &mut Request, limit: usize) -> Result<Option<String>> {
    let declared = request.headers().get("content-length")?.and_then(|length| length.parse::<usize>().ok());
    match declared {
        Some(length) if length > limit => return Ok(None),
        Some(_) => return Ok(Some(request.text().await?)),
        None => {}
    }
    let mut stream = request.stream()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk?);
        if bytes.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Hands the update to its conversation, asking the Directory first if this isolate does not know the session.
async fn forward(env: &Env, bot: &str, update: &Update, chat: &Chat, body: String) -> Result<Response> {
    // The Directory gets a code with the question, which it does not store; a conversation stores what it gets.
    let body = without_codes(body);
    let session = SessionKey { bot: bot.to_owned(), chat_id: chat.id, topic: update.topic() }.to_string();
    let chat_key = format!("{bot}:{}", chat.id);
    let subject = format!("{chat_key}:{}", update.sender().map_or(0, |sender| sender.id));
    let memory = RECALL.with_borrow(|recall| recall.look_up(&session, &subject, &chat_key, clock::now()));
    match memory {
        Memory::Known => {
            if let UpdateKind::Message(message) = &update.kind
                && let Some(to) = message.migrate_to_chat_id
            {
                // The group's admission goes along to its new id, before anybody writes there.
                let moved = Moved { bot: bot.to_owned(), from: chat.id, to };
                match ask::<_, Change>(env, "/move", &moved).await? {
                    Ok(change) => forget(&change),
                    Err(response) => return Ok(response),
                }
            }
            let response = objects::chat(env, &session, "/update", None, Some(body.clone())).await?;
            if response.status_code() != 409 {
                return Ok(response);
            }
            RECALL.with_borrow_mut(|recall| recall.forget_session(&session));
        }
        // Only a chat we sent drafts to can stop them: it exists and knows for itself whether it may talk.
        Memory::Unknown | Memory::Quiet { .. } if matches!(update.kind, UpdateKind::Stopped(_)) => {
            let response = objects::chat(env, &session, "/update", None, Some(body)).await?;
            return if response.status_code() == 409 { Response::empty() } else { Ok(response) };
        }
        Memory::Quiet { passes } => {
            if !looks_like_code(update, passes) || !within_limit(env, &subject).await {
                return Response::empty();
            }
        }
        Memory::Unknown => {}
    }
    let knock = KnockAt { session: session.clone(), knock: knock(bot, update, chat) };
    let verdict: Verdict = match ask(env, "/knock", &knock).await? {
        Ok(verdict) => verdict,
        Err(response) => return Ok(response),
    };
    RECALL.with_borrow_mut(|recall| recall.note(&session, &subject, &chat_key, &verdict, clock::now()));
    let Verdict::Admit(admission) = verdict else { return Response::empty() };
    let admission = serde_json::to_string(&admission)?;
    objects::chat(env, &session, "/update", Some(&admission), Some(body)).await
}

/// Guards the doors a stranger may knock at more than once a minute: a claim code while the bot has no owner, an invite.
async fn within_limit(env: &Env, subject: &str) -> bool {
    match env.rate_limiter("WEBHOOK_LIMIT") {
        Ok(limiter) => limiter.limit(subject.to_owned()).await.is_ok_and(|outcome| outcome.success),
        Err(_) => false,
    }
}

fn looks_like_code(update: &Update, passes: Passes) -> bool {
    let UpdateKind::Message(message) = &update.kind else { return false };
    let text = message.text.as_deref().unwrap_or_default().trim();
    match passes {
        Passes::Nothing => return false,
        Passes::Invite => return code_in(text).is_some(),
        Passes::ClaimCode => {}
    }
    let word = text.strip_prefix("/start").map_or(text, str::trim);
    (6..=64).contains(&word.len()) && !word.contains(char::is_whitespace)
}

fn knock(bot: &str, update: &Update, chat: &Chat) -> Knock {
    let (sender_chat, text) = match &update.kind {
        UpdateKind::Message(message) => (message.sender_chat.as_ref().map(|chat| chat.id), message.text.clone()),
        UpdateKind::Edited(message) => (message.sender_chat.as_ref().map(|chat| chat.id), None),
        _ => (None, None),
    };
    Knock {
        bot: bot.to_owned(),
        update_id: update.id,
        chat: kind(chat),
        chat_id: chat.id,
        sender: update.sender().map(sender),
        sender_chat,
        text,
    }
}

fn kind(chat: &Chat) -> ChatKind {
    match chat.kind.as_str() {
        "private" => ChatKind::Private,
        "channel" => ChatKind::Channel,
        _ => ChatKind::Group { title: chat.title.clone().unwrap_or_default() },
    }
}

fn sender(user: &User) -> Sender {
    Sender {
        user_id: user.id,
        is_bot: user.is_bot,
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        username: user.username.clone(),
        language_code: user.language_code.clone(),
    }
}

async fn press(env: &Env, bot: &str, update: &Update, callback: &Callback) -> Result<Response> {
    let message = callback.message.as_ref();
    let press = Press {
        bot: bot.to_owned(),
        update_id: update.id,
        sender: sender(&callback.from),
        data: callback.data.clone().unwrap_or_default(),
        chat_id: message.map(|message| message.chat.id),
        message_id: message.map(|message| message.message_id),
    };
    let pressed: Pressed = match ask(env, "/press", &press).await? {
        Ok(pressed) => pressed,
        Err(response) => return Ok(response),
    };
    forget(&pressed.change);
    json(answer_callback(&callback.id, Some(&pressed.answer)).into_webhook_reply())
}

async fn member(env: &Env, bot: &str, update: &Update, membership: &Membership) -> Result<Response> {
    let subject = format!("{bot}:{}:member", membership.from.id);
    if !within_limit(env, &subject).await {
        // Not lost: Telegram delivers it again.
        return refuse(503, "busy", "Too many changes of membership.");
    }
    let member = Member {
        bot: bot.to_owned(),
        update_id: update.id,
        chat: kind(&membership.chat),
        chat_id: membership.chat.id,
        by: sender(&membership.from),
        present: matches!(
            membership.new_chat_member.status.as_str(),
            "creator" | "administrator" | "member" | "restricted"
        ),
    };
    match ask::<_, Change>(env, "/member", &member).await? {
        Ok(change) => {
            forget(&change);
            Response::empty()
        }
        Err(response) => Ok(response),
    }
}

async fn note_unknown(env: &Env, bot: &str, kind: &str, update_id: i64) -> Result<Response> {
    if !within_limit(env, &format!("{bot}:unknown")).await {
        return Response::empty();
    }
    let unknown = UnknownKind { bot: bot.to_owned(), kind: kind.to_owned(), update_id };
    match ask::<_, ()>(env, "/unknown", &unknown).await? {
        Ok(()) => Response::empty(),
        Err(response) => Ok(response),
    }
}

fn forget(change: &Change) {
    forget_access(&change.access);
}

/// Forgets what these changes made untrue.
pub(super) fn forget_access(changes: &[AccessChange]) {
    RECALL.with_borrow_mut(|recall| changes.iter().for_each(|change| recall.forget(change)));
}

/// Asks the Directory. `Err` holds the answer for Telegram when it could not say: not stored, deliver again.
async fn ask<Q: serde::Serialize, A: DeserializeOwned>(
    env: &Env,
    path: &str,
    question: &Q,
) -> Result<std::result::Result<A, Response>> {
    let body = serde_json::to_string(question)?;
    let mut response = objects::directory(env, path, Some(body)).await?;
    if response.status_code() != 200 {
        return Ok(Err(refuse(500, "directory_failed", "The Directory could not answer.")?));
    }
    match serde_json::from_str(&response.text().await?) {
        Ok(answer) => Ok(Ok(answer)),
        Err(_) => Ok(Err(refuse(500, "directory_failed", "The Directory's answer was not understood.")?)),
    }
}
