//! Keeps bot profiles and command menus up to date, for the Directory object.
//!
//! Not here: when to; the cron asks often, and Telegram is called only when something is due.

use worker::{Env, console_error};

use super::directory_object::log;
use super::sql::ObjectSql;
use super::{bots, clock};
use crate::directory::desk::DeskAsk;
use crate::directory::desk::people::PeopleAsk;
use crate::directory::{ChatKind, Config, Directory, Knock};
use crate::telegram::method::{get_me, set_commands};
use crate::telegram::outcome::{self, Reply};
use crate::text::{self, Lang};

/// Profiles are asked for again after this long.
const PROFILE_EVERY_MS: i64 = 86_400_000;

/// A group's rule needs the bot's username; it is asked for once, before the first group is let in.
pub async fn ensure_known(env: &Env, directory: &Directory<ObjectSql>, knock: &Knock) {
    let in_group = matches!(knock.chat, ChatKind::Group { .. });
    if in_group && directory.bot(&knock.bot).is_ok_and(|bot| bot.is_none_or(|bot| bot.username.is_none())) {
        look_after(env, directory, &knock.bot).await;
    }
}

/// Links need the bot's username: one that lets somebody in, and the one for the first owner.
pub async fn ensure_named(env: &Env, directory: &Directory<ObjectSql>, ask: &DeskAsk, cfg: &Config<'_>) {
    let bots = match ask {
        DeskAsk::People(PeopleAsk::Invite { bot, .. }) => vec![bot.clone()],
        DeskAsk::People(PeopleAsk::People(_)) if directory.has_owner(cfg).is_ok_and(|owned| !owned) => bots::all(env),
        _ => return,
    };
    for bot in bots {
        if directory.bot(&bot).is_ok_and(|known| known.is_none_or(|known| known.username.is_none())) {
            look_after(env, directory, &bot).await;
        }
    }
}

/// Asks for a bot's profile and sets its command menus, each if due.
pub async fn look_after(env: &Env, directory: &Directory<ObjectSql>, bot: &str) {
    let now = clock::now();
    let Some(telegram) = bots::telegram(env, bot) else { return };
    let fresh = directory.bot(bot).is_ok_and(|known| {
        known.is_some_and(|known| known.profile_checked_at.is_some_and(|at| now - at < PROFILE_EVERY_MS))
    });
    if !fresh {
        let Reply::Answered { status: 200, body } = telegram.call(&get_me(), None).await else {
            return console_error!("getMe of bot {bot} failed");
        };
        let Some((id, username)) = read_profile(&body) else { return };
        log(directory.set_bot_profile(bot, id, username.as_deref(), now));
    }
    for (code, lang) in [("", Lang::En), ("ru", Lang::Ru)] {
        let menu = text::chat::menu(lang);
        let hash = menu_hash(&menu);
        if directory.commands_hash(bot, "default", code).is_ok_and(|known| known.as_deref() == Some(&hash)) {
            continue;
        }
        let reply = telegram.call(&set_commands(&menu, "default", code), None).await;
        if matches!(outcome::read(&reply), outcome::Outcome::Sent { .. }) {
            log(directory.set_commands_hash(bot, "default", code, &hash));
        }
    }
}

fn read_profile(body: &str) -> Option<(i64, Option<String>)> {
    let answer: serde_json::Value = serde_json::from_str(body).ok()?;
    let result = answer.get("result")?;
    Some((result.get("id")?.as_i64()?, result.get("username").and_then(|name| name.as_str()).map(str::to_owned)))
}

/// Tells one menu from another; menus are ours, so a plain join does.
fn menu_hash(menu: &[(&str, &str)]) -> String {
    menu.iter().map(|(name, text)| format!("{name}={text};")).collect()
}
