//! Commands: what a person can ask for without the model. They are answered at once, also while a turn runs.

use super::accept::Accepted;
use super::conversation::{Conversation, WATCHDOG_MS};
use super::inbox::{self, Entry};
use super::outbox::Slot;
use super::ports::Ports;
use super::transcript;
use crate::llm::Thinking;
use crate::store::{Sql, StoreError};
use crate::telegram::command::Command;
use crate::telegram::message::Message;
use crate::telegram::method::SendOptions;
use crate::telegram::update::Update;
use crate::text;

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn accept_command(
        &self,
        update: &Update,
        message: &Message,
        command: &Command<'_>,
    ) -> Result<Accepted, StoreError> {
        match command.name.as_str() {
            "model" if command.args.is_empty() => return self.accept_lookup(update, message, "menu"),
            "status" => return self.accept_lookup(update, message, "status"),
            "usage" => return self.accept_lookup(update, message, "usage"),
            "export" if command.args.trim().eq_ignore_ascii_case("all") => {
                return self.accept_lookup(update, message, "export_all");
            }
            "export" => return self.accept_lookup(update, message, "export"),
            _ => {}
        }
        if command.name == "compact" {
            return self.accept_compaction(update, message, command);
        }
        if !self.insert_closed(update, Some(message.message_id), "command", &command.name)? {
            return Ok(Accepted::quiet());
        }
        let line = self.run_command(message, command)?;
        let reply_to = (!message.chat.is_private()).then_some(message.message_id);
        self.say(Slot::Command, None, &line, &SendOptions { reply_to, ..SendOptions::default() })?;
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        Ok(Accepted::work())
    }

    fn run_command(&self, message: &Message, command: &Command<'_>) -> Result<String, StoreError> {
        let lang = self.settings.borrow().lang;
        Ok(match command.name.as_str() {
            "start" => text::chat::welcome(lang).to_owned(),
            "help" | "commands" => text::chat::help(lang).to_owned(),
            "new" | "reset" => self.start_afresh()?,
            "stop" => {
                let dropped = inbox::close_waiting(&self.sql, "dropped", "stopped by the person")?;
                let compacting = self.stop_compactions()?;
                let running = self.stop_turn()?;
                let words = if running || compacting || dropped > 0 {
                    text::chat::stopping
                } else {
                    text::chat::nothing_to_stop
                };
                words(lang).to_owned()
            }
            "whoami" | "id" => {
                let target = self.target();
                text::chat::whoami(lang, message.from.as_ref().map(|user| user.id), message.chat.id, target.topic)
            }
            "model" => self.set_model_by_name(command.args)?,
            "think" => self.set_thinking(command.args)?,
            "reasoning" => {
                let shown = wants(command.args);
                self.change(|settings| settings.show_reasoning = shown)?;
                text::models::reasoning(lang, shown).to_owned()
            }
            "footer" => {
                let shown = wants(command.args);
                self.change(|settings| settings.show_footer = shown)?;
                text::models::footer_set(lang, shown).to_owned()
            }
            name => text::chat::unknown_command(lang, name),
        })
    }

    /// `/new`: whatever runs ends, what waits is dropped, and the prompt starts empty. The old messages stay stored.
    fn start_afresh(&self) -> Result<String, StoreError> {
        inbox::close_waiting(&self.sql, "dropped", "the person started a fresh conversation")?;
        self.stop_compactions()?;
        self.stop_turn()?;
        let epoch = self.settings.borrow().epoch;
        let (archived, _) = transcript::size(&self.sql, epoch)?;
        self.change(|settings| settings.epoch = epoch + 1)?;
        Ok(text::chat::fresh_start(self.settings.borrow().lang, archived))
    }

    /// A command that needs a look elsewhere waits in the inbox for its lane.
    fn accept_lookup(&self, update: &Update, message: &Message, kind: &str) -> Result<Accepted, StoreError> {
        let now = self.ports.now();
        let entry = Entry {
            update_id: update.id,
            kind,
            message_id: Some(message.message_id),
            user_id: update.sender().map(|user| user.id),
            ..Entry::default()
        };
        if inbox::insert(&self.sql, entry, now)?.is_none() {
            return Ok(Accepted::quiet());
        }
        self.live.lookup_asked.set(true);
        self.alarm_by(now + WATCHDOG_MS);
        Ok(Accepted::work())
    }

    /// `/think [level]`.
    fn set_thinking(&self, level: &str) -> Result<String, StoreError> {
        let lang = self.settings.borrow().lang;
        let level = level.to_lowercase();
        match LEVELS.iter().find(|(name, _)| *name == level) {
            Some(&(name, thinking)) => {
                self.change(|settings| settings.thinking = thinking)?;
                Ok(text::models::thinking_set(lang, name))
            }
            None => {
                let now = self.agent().thinking(self.settings.borrow().thinking);
                let name = LEVELS.iter().find(|(_, level)| *level == now).map_or("default", |(name, _)| name);
                Ok(text::models::thinking_now(lang, name))
            }
        }
    }
}

/// What `/think` takes.
const LEVELS: &[(&str, Thinking)] = &[
    ("off", Thinking::Off),
    ("minimal", Thinking::Minimal),
    ("low", Thinking::Low),
    ("medium", Thinking::Medium),
    ("high", Thinking::High),
    ("default", Thinking::Default),
];

/// `off` and its like mean no, anything else yes.
fn wants(argument: &str) -> bool {
    !matches!(argument.trim().to_lowercase().as_str(), "off" | "no" | "0" | "hide" | "нет" | "выкл")
}
