//! Speech written down, for models that do not hear: by an OpenAI-style server or by Gemini (providers.md §6).
//!
//! What was heard is kept with the file, goes into the prompt as the person's words, and is shown to the person, so that a
//! mistake is seen. Not here: which server does it (`transcriber`), models that hear by themselves (`material`).

use futures::future::{Either, select};
use std::pin::pin;

use super::conversation::Conversation;
use super::files::{self, File, State};
use super::material::{self, Sort};
use super::meter::{Caller, Ended};
use super::outbox::{Slot, enqueue};
use super::ports::{Body, Ports, Waits};
use super::quiet::{Quiet, QuietCall};
use super::transcriber::Transcriber;
use super::turn::Turn;
use crate::directory::Level;
use crate::llm::catalogue::Accepts;
use crate::llm::openai::{Speech, parse_transcript, transcribe};
use crate::llm::{ErrorClass, MediaRef, Message, ModelError, Part, Prompt, Provider, Role, Usage};
use crate::store::{Sql, StoreError};
use crate::telegram::content::AttachmentKind;
use crate::telegram::method::{SendOptions, send_message};
use crate::telegram::render::{folded, plain};
use crate::text;

/// One transcription takes at most so long.
const DEADLINE_MS: i64 = 180_000;
/// Bytes of an answer: hours of speech.
const MAX_ANSWER: usize = 1 << 20;
/// Characters of a transcript that are shown.
const SHOWN: usize = 3_500;
/// What hosted Whisper servers charge a second, 10⁻⁹ US dollars ($0.006 a minute, OpenAI's price list).
const NANO_USD_PER_SECOND: u64 = 100_000;

const INSTRUCTION: &str = "Write down what is said in this recording, word for word, in the language spoken. Only the \
words: no comment, no translation, no timestamps. If nothing is said, write [no speech].";

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Writes down the recordings of `all` that the model cannot hear. A stop ends it early.
    pub(super) async fn transcribe_files(&self, turn: &Turn, all: &[File], accepts: Accepts) -> Result<(), StoreError> {
        let Some(transcriber) = &self.config.transcriber else { return Ok(()) };
        for file in all.iter().filter(|file| is_speech(file) && !material::takes(accepts, &file.mime)) {
            let heard = match transcriber.server.provider {
                Provider::OpenAi => self.heard_by_server(turn, file, transcriber).await?,
                _ => self.heard_by_model(turn, file, transcriber).await?,
            };
            match heard {
                Heard::Words(words) => self.keep_words(turn, file, &words)?,
                Heard::Nothing => self.note(Level::Warning, "transcription", "a recording could not be written down"),
                Heard::Stopped => return Ok(()),
            }
        }
        Ok(())
    }

    fn keep_words(&self, turn: &Turn, file: &File, words: &str) -> Result<(), StoreError> {
        let mut shown = plain(text::media::heard(turn.lang));
        shown.append("\n", folded(words, SHOWN));
        let options = SendOptions { reply_to: Some(file.message_id), silent: true, keyboard: None };
        let call = send_message(self.target(), &shown, &options);
        self.atomically(|| {
            files::set_text(&self.sql, &file.key, words)?;
            enqueue(&self.sql, Some(turn.id), Slot::Notice, 0, &call, 0, self.ports.now()).map(drop)
        })
    }

    async fn heard_by_model(&self, turn: &Turn, file: &File, with: &Transcriber) -> Result<Heard, StoreError> {
        let parts = vec![Part::text(INSTRUCTION), Part::media(media(file))];
        let call = QuietCall {
            caller: Caller { turn: turn.id, kind: "transcribe", person: turn.user_id },
            models: &|| vec![with.model.clone()],
            prompt: Prompt { messages: vec![Message { role: Role::User, parts }], ..Prompt::default() },
            give_way: None,
        };
        Ok(match self.quiet_call(call).await? {
            Quiet::Said(answer, _) => Heard::Words(answer.text().trim().to_owned()),
            Quiet::Stopped => Heard::Stopped,
            Quiet::Failed(_) | Quiet::NoLeave(_) => Heard::Nothing,
        })
    }

    async fn heard_by_server(&self, turn: &Turn, file: &File, with: &Transcriber) -> Result<Heard, StoreError> {
        let caller = Caller { turn: turn.id, kind: "transcribe", person: turn.user_id };
        let seconds = u64::try_from(file.duration.unwrap_or(60)).unwrap_or(60);
        // As tokens this is what Gemini would count; the price is per second, below.
        let Ok(leave) = self.ask_leave_by_any(caller, &|| vec![with.model.clone()], seconds * 32).await? else {
            return Ok(Heard::Nothing);
        };
        let media = media(file);
        let speech = Speech { media: &media, file_name: file_name(&file.mime), language: None };
        // Unguessable enough for a recording that was made before this moment.
        let boundary = format!("tideclaw{:x}x{:x}", self.ports.now(), leave.step);
        let request = transcribe(&with.server.endpoint, &with.model.model, &speech, &boundary);
        let request = with.server.seal(request, &[("turn", turn.id), ("step", leave.step)]);
        let answer = async {
            let mut response = self
                .ports
                .model(request, Waits::default())
                .await
                .map_err(|_| ModelError::transient("connection failed"))?;
            let mut bytes = Vec::new();
            while let Some(chunk) = response.body.next().await {
                bytes.extend(chunk.map_err(|_| ModelError::transient("the answer was cut"))?);
                if bytes.len() > MAX_ANSWER {
                    return Err(ModelError::transient("the answer is too long"));
                }
            }
            match response.status {
                200..300 => parse_transcript(&bytes),
                status => Err(with.server.provider.classify(status, response.retry_after.as_deref(), &bytes)),
            }
        };
        let answer = pin!(self.in_time(DEADLINE_MS, answer));
        let answer = match select(pin!(self.live.stop.raised()), answer).await {
            Either::Left(_) => {
                self.close_call(&leave, leave.step, &Ended { state: "stopped", ..Ended::default() })?;
                return Ok(Heard::Stopped);
            }
            Either::Right((answer, _)) => answer.unwrap_or_else(|| Err(ModelError::transient("deadline passed"))),
        };
        let nano_usd = if with.server.is_local() { 0 } else { seconds * NANO_USD_PER_SECOND };
        let spent = Usage { cost_nano_usd: Some(nano_usd), ..Usage::default() };
        let (state, usage, error, heard) = match answer {
            Ok(words) => ("done", spent, None, Heard::Words(words)),
            Err(error) if error.class == ErrorClass::Empty => ("done", spent, None, Heard::Words("[no speech]".into())),
            Err(error) => ("failed", Usage::default(), Some(error), Heard::Nothing),
        };
        if let Some(error) = &error {
            self.note(
                Level::Warning,
                "transcription",
                &format!("transcription failed: {:?} {:?}: {}", error.class, error.status, error.detail),
            );
        }
        let guessed = error.is_none();
        self.close_call(&leave, leave.step, &Ended { state, usage, guessed, error: error.as_ref(), log_id: None })?;
        Ok(heard)
    }
}

/// What came of one recording.
enum Heard {
    Words(String),
    Nothing,
    Stopped,
}

/// Files in which somebody speaks to the assistant.
fn is_speech(file: &File) -> bool {
    file.state == State::Stored
        && file.text.is_none()
        && (Sort::of(&file.mime) == Sort::Audio || file.kind == AttachmentKind::VideoNote)
}

fn media(file: &File) -> MediaRef {
    MediaRef { key: file.key.clone(), mime: file.mime.clone(), size: file.size }
}

/// Servers tell the format by the name's ending; Telegram's voice is Opus in Ogg.
fn file_name(mime: &str) -> &'static str {
    match mime {
        "audio/ogg" | "audio/opus" => "voice.ogg",
        "audio/mpeg" => "voice.mp3",
        "audio/wav" => "voice.wav",
        "audio/flac" => "voice.flac",
        "audio/webm" | "video/webm" => "voice.webm",
        "audio/mp4" | "audio/aac" => "voice.m4a",
        _ => "voice.mp4",
    }
}
