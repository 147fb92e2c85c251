//! The bots of this deployment, by their secrets: `TELEGRAM_BOT_TOKEN` is bot `main`, `TELEGRAM_BOT_TOKEN_WORK` bot `work`.

use worker::Env;

use super::config::text;
use super::telegram::Telegram;

/// Bot ids are short and plain, so that a path cannot name any other variable.
const MAX_ID: usize = 32;

fn variable(name: &str, bot: &str) -> Option<String> {
    let plain = bot.len() <= MAX_ID
        && !bot.is_empty()
        && bot.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !plain {
        return None;
    }
    Some(if bot == "main" { name.to_owned() } else { format!("{name}_{}", bot.to_ascii_uppercase()) })
}

/// The secret Telegram sends with each update of `bot`.
pub fn webhook_secret(env: &Env, bot: &str) -> Option<String> {
    text(env, &variable("TELEGRAM_WEBHOOK_SECRET", bot)?)
}

/// The door to Telegram of `bot`, if it has a token.
pub fn telegram(env: &Env, bot: &str) -> Option<Telegram> {
    let token = text(env, &variable("TELEGRAM_BOT_TOKEN", bot)?)?;
    let base = text(env, "TELEGRAM_API_BASE").unwrap_or_else(|| "https://api.telegram.org".to_owned());
    Some(Telegram::new(&base, &token))
}

/// Telegram's number of a bot is the part of its token before the colon.
pub fn user_id(env: &Env, bot: &str) -> Option<i64> {
    let token = text(env, &variable("TELEGRAM_BOT_TOKEN", bot)?)?;
    token.split(':').next()?.parse().ok()
}

/// The ids of all bots that have a token.
pub fn all(env: &Env) -> Vec<String> {
    let keys = js_sys::Object::keys(env.unchecked_ref_object());
    let mut bots: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            let key = key.as_string()?;
            let rest = key.strip_prefix("TELEGRAM_BOT_TOKEN")?;
            match rest {
                "" => Some("main".to_owned()),
                _ => rest.strip_prefix('_').map(str::to_ascii_lowercase),
            }
        })
        .filter(|bot| telegram(env, bot).is_some())
        .collect();
    bots.sort();
    bots
}

/// A view of the environment as a plain object.
trait AsObject {
    fn unchecked_ref_object(&self) -> &js_sys::Object;
}

impl AsObject for Env {
    fn unchecked_ref_object(&self) -> &js_sys::Object {
        use wasm_bindgen::JsCast;
        self.unchecked_ref()
    }
}
