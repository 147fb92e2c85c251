//! Files of a turn on their way here: from Telegram into storage, and what the person hears about those of no use.
//!
//! The row of a file is its journal: a download that died with its process begins anew, unless the file had arrived.
//! Not here: the rows (`files`), what a model is shown (`material`), writing down speech (`transcribe`).

use futures::future::{Either, join_all, select};
use std::pin::pin;

use super::conversation::Conversation;
use super::files::{self, File, LIMIT, State};
use super::material::{self, Sort};
use super::outbox::Slot;
use super::ports::{FetchError, Ports};
use super::turn::{self, End, Turn};
use super::{sniff, transcript};
use crate::directory::Level;
use crate::llm::catalogue::Accepts;
use crate::store::{Sql, StoreError};
use crate::telegram::content::AttachmentKind;
use crate::telegram::method::{SendOptions, get_file};
use crate::telegram::outcome::{self, Found};
use crate::text;
use crate::text::media::{What, Why};

/// Downloads side by side: a Worker has six connections (cloudflare.md §1.1), and answers need some of them.
const AT_ONCE: usize = 3;
/// Tries of one download.
const TRIES: u32 = 3;
/// One download takes at most so long: 20 MB over a slow line.
const DOWNLOAD_MS: i64 = 120_000;
/// A look into storage.
const LOOK_MS: i64 = 20_000;
/// A pause Telegram asks for is waited out up to this; then the person is asked to send the file again.
const LONGEST_PAUSE_MS: i64 = 60_000;
/// The live configuration is waited for so long; leave for the call brings it all the same.
const CONFIG_MS: i64 = 4_000;
/// A text file is read up to here.
const TEXT_BYTES: u64 = 200_000;

/// What came of one try.
enum Trial {
    Stored {
        size: u64,
        mime: String,
        text: Option<String>,
    },
    Lost(State, Option<u64>),
    /// May work after so many milliseconds.
    Again(i64),
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Fetches what the person sent with this turn. False: there is nothing in it to answer, and the turn has ended. A stop
    /// ends it early; the caller meets it again. `begun`: a model was called for the turn, so it goes on as it is; else
    /// the live configuration is learnt meanwhile, because what files are of use depends on who answers.
    pub(super) async fn fetch_files(&self, turn: &mut Turn, begun: bool) -> Result<bool, StoreError> {
        if files::of_turn(&self.sql, turn.id)?.is_empty() {
            return Ok(true);
        }
        {
            let stopped = pin!(self.live.stop.raised());
            if let Either::Right((done, _)) = select(stopped, pin!(self.fetch_and_choose(turn, begun))).await {
                done?;
            }
        }
        // A transcription minds the stop itself: it has a report to make.
        let accepts = self.accepts(&turn.model);
        let all = files::of_turn(&self.sql, turn.id)?;
        self.transcribe_files(turn, &all, accepts).await?;
        if self.live.stop.is_raised() {
            return Ok(true);
        }
        self.conclude(turn, accepts)
    }

    async fn fetch_and_choose(&self, turn: &mut Turn, begun: bool) -> Result<(), StoreError> {
        if begun {
            self.fetch_all(turn).await?;
        } else {
            let (fetched, learnt) = futures::join!(self.fetch_all(turn), self.learn_config(CONFIG_MS));
            fetched.and(learnt)?;
            self.choose_model(turn)?;
        }
        self.learn(&turn.model).await
    }

    async fn fetch_all(&self, turn: &Turn) -> Result<(), StoreError> {
        let all = files::of_turn(&self.sql, turn.id)?;
        let queued: Vec<&File> = all.iter().filter(|file| file.state == State::Queued).collect();
        for some in queued.chunks(AT_ONCE) {
            for done in join_all(some.iter().map(|file| self.fetch_file(file))).await {
                done?;
            }
        }
        Ok(())
    }

    /// Tells the person what is of no use. False if nothing is left to answer.
    fn conclude(&self, turn: &Turn, accepts: Accepts) -> Result<bool, StoreError> {
        let all = files::of_turn(&self.sql, turn.id)?;
        let Some(question) = transcript::question(&self.sql, turn.epoch, turn.id)? else { return Ok(true) };
        let useful =
            all.iter().any(|file| self.why_useless(file, accepts).is_none_or(|why| matches!(why, Why::Cut(_))));
        let speechless = question.text().trim().is_empty();
        self.atomically(|| {
            self.say_what_is_useless(turn, &all, accepts)?;
            if speechless && !useful {
                let error = Some("nothing in its files can be used");
                turn::finish(&self.sql, turn.id, End { state: "failed", error, ..End::default() }, self.ports.now())?;
            }
            Ok(())
        })?;
        Ok(!speechless || useful)
    }

    async fn fetch_file(&self, file: &File) -> Result<(), StoreError> {
        for tries in 1..=TRIES {
            let met_before = tries > 1 || file.tries > 0;
            files::begin(&self.sql, &file.key)?;
            match self.try_file(file, met_before).await? {
                Trial::Stored { size, mime, text } => {
                    return files::stored(&self.sql, &file.key, size, &mime, text.as_deref());
                }
                Trial::Lost(state, size) => return files::set_state(&self.sql, &file.key, state, size),
                Trial::Again(pause) if tries == TRIES || pause > LONGEST_PAUSE_MS => break,
                Trial::Again(pause) => self.ports.sleep(pause).await,
            }
        }
        self.note(Level::Warning, "file", "a file could not be fetched");
        files::set_state(&self.sql, &file.key, State::Failed, None)
    }

    async fn try_file(&self, file: &File, met_before: bool) -> Result<Trial, StoreError> {
        const PAUSE: Trial = Trial::Again(1_000);
        if met_before {
            // The instance that fetched it may have died between the storage and the row.
            match self.in_time(LOOK_MS, self.ports.size(&file.key)).await {
                Some(Ok(Some(size))) => return Ok(self.inspect(file, size).await.unwrap_or(PAUSE)),
                Some(Ok(None)) => {}
                _ => return Ok(PAUSE),
            }
        }
        let at = match outcome::file(&self.ports.telegram(&get_file(&file.file_id)).await) {
            Found::At(at) => at,
            Found::TooBig => return Ok(Trial::Lost(State::TooBig, None)),
            Found::Gone => return Ok(Trial::Lost(State::Gone, None)),
            Found::Later { after_ms, flood } => {
                if flood {
                    self.note_flood(self.ports.now() + after_ms)?;
                }
                return Ok(Trial::Again(after_ms));
            }
            Found::Unauthorized => {
                self.note_refused_token()?;
                return Ok(Trial::Lost(State::Failed, None));
            }
        };
        let told = at.file_size.or((file.size > 0).then_some(file.size));
        if let Some(size) = told.filter(|&size| size > LIMIT) {
            return Ok(Trial::Lost(State::TooBig, Some(size)));
        }
        let fetched = self.in_time(DOWNLOAD_MS, self.ports.fetch(&at.file_path, &file.key, told, LIMIT)).await;
        Ok(match fetched {
            Some(Ok(size)) => self.inspect(file, size).await.unwrap_or(PAUSE),
            Some(Err(FetchError::TooBig(size))) => Trial::Lost(State::TooBig, Some(size)),
            // The path is good for an hour or so: a new one is asked for.
            Some(Err(FetchError::Refused(_) | FetchError::Lost)) | None => PAUSE,
        })
    }

    /// What a stored file is. `None` if storage did not tell.
    async fn inspect(&self, file: &File, size: u64) -> Option<Trial> {
        let head = self.in_time(LOOK_MS, self.ports.head(&file.key, sniff::HEAD as u64)).await?.ok()?;
        let mime = sniff::real_type(&file.mime, file.name.as_deref(), &head);
        let text = match Sort::of(&mime) {
            Sort::Text => {
                let bytes = self.in_time(LOOK_MS, self.ports.head(&file.key, TEXT_BYTES)).await?.ok()?;
                read_text(&bytes, size)
            }
            _ => None,
        };
        Some(Trial::Stored { size, mime, text })
    }

    pub(super) async fn in_time<T>(&self, ms: i64, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.ports.sleep(ms))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    /// One line for each reason, once a turn.
    fn say_what_is_useless(&self, turn: &Turn, all: &[File], accepts: Accepts) -> Result<(), StoreError> {
        let mut reasons: Vec<(Why, Vec<What>)> = Vec::new();
        for file in all.iter().filter(|file| file.told_turn != Some(turn.id)) {
            // A sticker's emoji says enough.
            let Some(why) = self.why_useless(file, accepts).filter(|_| file.kind != AttachmentKind::Sticker) else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, files)) => files.push(material::what(file)),
                None => reasons.push((why, vec![material::what(file)])),
            }
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let model = turn.model.to_string();
        let line = |(why, files): &(Why, Vec<What>)| text::media::of_no_use(turn.lang, files, *why, &model);
        let lines = reasons.iter().map(line).collect::<Vec<_>>().join("\n");
        files::told(&self.sql, turn.id)?;
        let options = SendOptions { silent: true, reply_to: turn.reply_to, ..SendOptions::default() };
        self.say(Slot::Notice, Some(turn.id), &lines, &options)
    }

    /// Why the model gets nothing, or not all, of a file.
    fn why_useless(&self, file: &File, accepts: Accepts) -> Option<Why> {
        match file.state {
            State::Stored => {}
            State::TooBig => return Some(Why::TooBig(file.size)),
            State::Gone => return Some(Why::Gone),
            State::Queued | State::Failed => return Some(Why::Failed),
        }
        if material::takes(accepts, &file.mime) {
            return None;
        }
        let unheard = if self.config.transcriber.is_some() { Why::NotWrittenDown } else { Why::Unheard };
        match (Sort::of(&file.mime), &file.text) {
            (Sort::Text, Some(_)) => {
                let most = TEXT_BYTES.min(self.text_room(&self.model()) as u64);
                (file.size > most).then_some(Why::Cut(most))
            }
            (Sort::Text, None) => Some(Why::UnknownEncoding),
            (Sort::Audio | Sort::Video, Some(_)) => None,
            (Sort::Image, _) => Some(Why::Unseen),
            (Sort::Audio, None) => Some(unheard),
            (Sort::Video, None) if file.kind == AttachmentKind::VideoNote => Some(unheard),
            (Sort::Video, None) => Some(Why::Unwatched),
            (Sort::Pdf, _) => Some(Why::Unread),
            (Sort::Other, _) => Some(Why::UnknownType),
        }
    }
}

/// The text of a file of `size` bytes that begins with `bytes`, with a note where it was cut.
fn read_text(bytes: &[u8], size: u64) -> Option<String> {
    let cut = size > bytes.len() as u64;
    let text = sniff::decode(bytes, cut)?;
    Some(if cut { format!("{}\n[cut here: the file has {size} bytes]", text.trim_end()) } else { text })
}
