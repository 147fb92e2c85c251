//! `/model`: the configured models and the providers' live lists as buttons, 8 to a page.
//!
//! Buttons hold an index into the list stored with the conversation, not the name (64 bytes at most), and a short hash
//! of that list, so that a button of an older menu cannot pick something else.

use std::str::FromStr;

use super::conversation::Conversation;
use super::inbox;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use crate::llm::{ModelRef, Server};
use crate::store::{Sql, StoreError};
use crate::telegram::method::{Button, Keyboard, SendOptions, edit_text, send_message};
use crate::telegram::render::plain;
use crate::text;

const PAGE: usize = 8;
/// Of one provider.
const MAX_MODELS: usize = 80;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// The live lists of all providers, `None` if one of them did not come.
    pub(super) async fn live_models(&self) -> (Vec<ModelRef>, bool) {
        let lists = self.config.servers.0.iter().map(|server| self.live_list(server));
        let lists = futures::future::join_all(lists).await;
        let complete = lists.iter().all(Option::is_some);
        (lists.into_iter().flatten().flatten().collect(), complete)
    }

    async fn live_list(&self, server: &Server) -> Option<Vec<ModelRef>> {
        let body = self.fetch_small(server.seal(server.provider.list(&server.endpoint), &[])).await?;
        let list = server.provider.parse_list(&body).ok()?;
        let mut models: Vec<ModelRef> = list.iter().map(|info| info.of(server.name)).collect();
        models.sort();
        models.truncate(MAX_MODELS);
        Some(models)
    }

    pub(super) fn show_menu(&self, seq: i64, found: Vec<ModelRef>, complete: bool) -> Result<(), StoreError> {
        let mut menu = self.agent().models.clone();
        for model in found.into_iter().filter(|model| ModelRef::from_str(&model.to_string()).is_ok()) {
            if !menu.contains(&model) {
                menu.push(model);
            }
        }
        // A button for a model that no turn could use would be a trap; a menu without buttons would be none.
        let servers = &self.config.servers;
        if menu.iter().any(|model| servers.of(model).is_some()) {
            menu.retain(|model| servers.of(model).is_some());
        }
        self.change(|settings| settings.menu = menu)?;
        inbox::close(&self.sql, seq, "command", Some("model"), None)?;
        let lang = self.settings.borrow().lang;
        let mut line = text::chat::pick_model(lang, &self.model().to_string());
        if !complete {
            line.push_str(text::chat::list_incomplete(lang));
        }
        let options = SendOptions { keyboard: Some(self.menu_keyboard(0)), ..SendOptions::default() };
        let call = send_message(self.target(), &plain(&line), &options);
        enqueue(&self.sql, None, Slot::Command, 0, &call, 0, self.ports.now())?;
        Ok(())
    }

    /// The model that answers here.
    pub(super) fn model(&self) -> ModelRef {
        // Its provider may be gone since it was picked.
        let picked = self.settings.borrow().model.clone().filter(|model| self.config.servers.of(model).is_some());
        picked.or_else(|| self.agent().models.first().cloned()).unwrap_or_else(|| ModelRef::new("ollama", "unset"))
    }

    fn menu_keyboard(&self, page: usize) -> Keyboard {
        let current = self.model();
        let settings = self.settings.borrow();
        let hash = hash(&settings.menu);
        let pages = settings.menu.len().div_ceil(PAGE).max(1);
        let page = page.min(pages - 1);
        let mut rows: Vec<Vec<Button>> = settings
            .menu
            .iter()
            .enumerate()
            .skip(page * PAGE)
            .take(PAGE)
            .map(|(index, model)| {
                let mark = if *model == current { "✓ " } else { "" };
                let name: String = model.to_string().chars().take(60).collect();
                vec![Button::new(format!("{mark}{name}"), format!("m:{index}:{hash:x}"))]
            })
            .collect();
        if pages > 1 {
            let turn = |label: &str, page: usize| Button::new(label, format!("mp:{page}:{hash:x}"));
            let last = pages - 1;
            rows.push(vec![
                turn("‹", if page == 0 { last } else { page - 1 }),
                turn(&format!("{}/{pages}", page + 1), page),
                turn("›", if page == last { 0 } else { page + 1 }),
            ]);
        }
        Keyboard(rows)
    }

    /// A model button. Returns the toast.
    pub(super) fn press_model(&self, argument: &str, message_id: Option<i64>) -> Result<String, StoreError> {
        let lang = self.settings.borrow().lang;
        let Some(model) = self.indexed(argument).and_then(|index| self.settings.borrow().menu.get(index).cloned())
        else {
            return Ok(text::chat::too_late(lang).to_owned());
        };
        let page = self.indexed(argument).unwrap_or(0) / PAGE;
        self.change(|settings| settings.model = Some(model.clone()))?;
        let line = text::chat::model_set(lang, &model.to_string());
        self.redraw_menu(message_id, &line, page)?;
        Ok(line)
    }

    /// A page button.
    pub(super) fn press_page(&self, argument: &str, message_id: Option<i64>) -> Result<String, StoreError> {
        let lang = self.settings.borrow().lang;
        let Some(page) = self.indexed(argument) else { return Ok(text::chat::too_late(lang).to_owned()) };
        let line = text::chat::pick_model(lang, &self.model().to_string());
        self.redraw_menu(message_id, &line, page)?;
        Ok(String::new())
    }

    fn redraw_menu(&self, message_id: Option<i64>, line: &str, page: usize) -> Result<(), StoreError> {
        let Some(id) = message_id else { return Ok(()) };
        let call = edit_text(self.target(), id, &plain(line), Some(&self.menu_keyboard(page)));
        enqueue(&self.sql, None, Slot::Tidy, 0, &call, 0, self.ports.now())?;
        Ok(())
    }

    /// The number in `<number>:<hash>`, if the hash is that of the present menu.
    fn indexed(&self, argument: &str) -> Option<usize> {
        let (index, given) = argument.split_once(':')?;
        let expected = format!("{:x}", hash(&self.settings.borrow().menu));
        (given == expected).then(|| index.parse().ok()).flatten()
    }

    /// `/model provider/name` or `/model name`.
    pub(super) fn set_model_by_name(&self, name: &str) -> Result<String, StoreError> {
        let lang = self.settings.borrow().lang;
        let full = if name.contains('/') { name.to_owned() } else { format!("{}/{name}", self.model().provider) };
        match ModelRef::from_str(&full) {
            Ok(model) if self.config.servers.of(&model).is_some() => {
                self.change(|settings| settings.model = Some(model.clone()))?;
                Ok(text::chat::model_set(lang, &model.to_string()))
            }
            _ => Ok(text::trouble::line(lang, text::trouble::Trouble::NoProvider)),
        }
    }
}

/// FNV-1a over the names, 32 bits: tells an old menu from the present one.
fn hash(menu: &[ModelRef]) -> u32 {
    let names = menu.iter().flat_map(|model| model.to_string().into_bytes().into_iter().chain([b'\n']));
    names.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
