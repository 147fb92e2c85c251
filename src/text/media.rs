//! What the assistant says about files: which it could not use and why, what it heard, what it sends as a file.

use super::Lang;

/// A file as a person calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Photo,
    Voice,
    Audio,
    Video,
    VideoNote,
    Animation,
    Sticker,
    Document,
    Named(String),
}

/// Why a file is of no use, or only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Of so many bytes.
    TooBig(u64),
    Gone,
    /// Fetching it failed for a reason that may pass.
    Failed,
    /// The model takes no pictures.
    Unseen,
    /// The model takes no sound, and nothing is set up to write it down.
    Unheard,
    /// What was set up to write it down failed.
    NotWrittenDown,
    /// The model takes no video.
    Unwatched,
    /// The model takes no PDF.
    Unread,
    /// Nothing takes this type.
    UnknownType,
    /// A text in an unknown encoding.
    UnknownEncoding,
    /// Only the beginning of a text was taken, this many bytes.
    Cut(u64),
}

impl What {
    fn name(&self, lang: Lang) -> String {
        match self {
            What::Photo => lang.pick("the photo", "фото"),
            What::Voice => lang.pick("the voice message", "голосовое сообщение"),
            What::Audio => lang.pick("the recording", "аудиозапись"),
            What::Video => lang.pick("the video", "видео"),
            What::VideoNote => lang.pick("the video message", "видеосообщение"),
            What::Animation => lang.pick("the animation", "анимация"),
            What::Sticker => lang.pick("the sticker", "стикер"),
            What::Document => lang.pick("the file", "файл"),
            What::Named(name) => {
                let short: String = name.chars().take(60).collect();
                return match lang {
                    Lang::En => format!("“{short}”"),
                    Lang::Ru => format!("«{short}»"),
                };
            }
        }
        .to_owned()
    }
}

/// One line about files that share a reason. `model`: the one that answers.
pub fn of_no_use(lang: Lang, files: &[What], why: Why, model: &str) -> String {
    let mut names: Vec<(String, usize)> = Vec::new();
    for name in files.iter().map(|what| what.name(lang)) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let shown = |(name, count): &(String, usize)| if *count > 1 { format!("{name} ×{count}") } else { name.clone() };
    let what = names.iter().map(shown).collect::<Vec<_>>().join(", ");
    match lang {
        Lang::En => english(&what, why, model),
        Lang::Ru => russian(&what, why, model),
    }
}

fn english(what: &str, why: Why, model: &str) -> String {
    match why {
        Why::TooBig(size) => format!(
            "📎 Too big: {what}, {} MB. Telegram lets me fetch files of up to 20 MB. Please send a smaller one.",
            megabytes(size)
        ),
        Why::Gone => format!("📎 Telegram no longer has {what}. Please send it again."),
        Why::Failed => format!("📎 I could not fetch {what} just now. Please send it again in a minute."),
        Why::Unseen => format!("📎 {model} cannot look at pictures ({what}). Pick a model that can: /model."),
        Why::Unheard => format!(
            "📎 {model} cannot listen ({what}), and no model for writing speech down is set up. Pick a model that can listen: /model."
        ),
        Why::NotWrittenDown => {
            format!("📎 I could not write down what is said in {what}. Please send it again in a minute, or as text.")
        }
        Why::Unwatched => format!("📎 {model} cannot watch video ({what}). Pick a model that can: /model."),
        Why::Unread => format!("📎 {model} cannot read PDF ({what}). Pick a model that can: /model."),
        Why::UnknownType => {
            format!("📎 I keep {what}, but cannot look inside. I can use pictures, sound, video, PDF and text files.")
        }
        Why::UnknownEncoding => format!("📎 I cannot make out the encoding of {what}. Please save it as UTF-8."),
        Why::Cut(bytes) => format!("📎 Long: {what}. I read the first {} kB.", bytes / 1_000),
    }
}

fn russian(what: &str, why: Why, model: &str) -> String {
    match why {
        Why::TooBig(size) => format!(
            "📎 Слишком большой файл: {what}, {} МБ. Telegram отдаёт мне файлы до 20 МБ. Пришлите, пожалуйста, поменьше.",
            megabytes(size)
        ),
        Why::Gone => format!("📎 В Telegram этого больше нет: {what}. Пришлите, пожалуйста, ещё раз."),
        Why::Failed => format!("📎 Сейчас не получилось загрузить: {what}. Пришлите ещё раз через минуту."),
        Why::Unseen => format!("📎 Модель {model} не видит картинок ({what}). Выберите ту, что видит: /model."),
        Why::Unheard => format!(
            "📎 Модель {model} не слышит звука ({what}), а модель для записи речи не настроена. Выберите ту, что слышит: /model."
        ),
        Why::NotWrittenDown => {
            format!("📎 Не получилось разобрать речь: {what}. Пришлите ещё раз через минуту или напишите словами.")
        }
        Why::Unwatched => format!("📎 Модель {model} не смотрит видео ({what}). Выберите ту, что смотрит: /model."),
        Why::Unread => format!("📎 Модель {model} не читает PDF ({what}). Выберите ту, что читает: /model."),
        Why::UnknownType => format!(
            "📎 Сохраню, но заглянуть внутрь не могу: {what}. Мне подходят картинки, звук, видео, PDF и текстовые файлы."
        ),
        Why::UnknownEncoding => format!("📎 Не могу разобрать кодировку: {what}. Сохраните, пожалуйста, в UTF-8."),
        Why::Cut(bytes) => format!("📎 Длинный файл: {what}. Прочитаю первые {} кБ.", bytes / 1_000),
    }
}

/// With one decimal, rounded up: a file just over 20 MB must not show as one of 20.0. A megabyte as Telegram counts it.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1_048_576);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Above the words heard in a recording.
pub fn heard(lang: Lang) -> &'static str {
    lang.pick("🎙 What I heard:", "🎙 Что я услышал:")
}

/// At the end of the last message of an answer that is too long for messages. Short: it comes on top of a full one.
pub fn rest_in_file(lang: Lang) -> &'static str {
    lang.pick("✂️ The whole answer is in the file.", "✂️ Весь ответ — в файле.")
}

/// Under a file with an answer.
pub fn whole_answer(lang: Lang) -> &'static str {
    lang.pick("The whole answer", "Весь ответ целиком")
}

/// Under a file with code.
pub fn whole_code(lang: Lang) -> &'static str {
    lang.pick("The whole code", "Код целиком")
}

pub fn nothing_to_export(lang: Lang) -> &'static str {
    lang.pick(
        "There is nothing to export yet. /export all takes earlier conversations too.",
        "Пока нечего выгружать. /export all возьмёт и прежние разговоры.",
    )
}

pub fn export_failed(lang: Lang) -> &'static str {
    lang.pick(
        "⚠️ The export could not be stored just now. Please try again in a minute.",
        "⚠️ Сейчас не получилось сохранить выгрузку. Попробуйте ещё раз через минуту.",
    )
}

/// Only the oldest `messages` went into the files.
pub fn export_cut(lang: Lang, messages: i64) -> String {
    match lang {
        Lang::En => {
            format!("✂️ The conversation is too long for one export: the files have its first {messages} messages.")
        }
        Lang::Ru => {
            format!("✂️ Разговор слишком длинный для одной выгрузки: в файлах его первые сообщения ({messages}).")
        }
    }
}

/// The heading of an export; `at` is a date with time.
pub fn export_title(lang: Lang, at: &str) -> String {
    match lang {
        Lang::En => format!("Conversation, exported {at} UTC"),
        Lang::Ru => format!("Разговор, выгружен {at} UTC"),
    }
}

pub fn the_person(lang: Lang) -> &'static str {
    lang.pick("You", "Вы")
}

pub fn a_tool(lang: Lang) -> &'static str {
    lang.pick("Tool", "Инструмент")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_up() {
        let limit = 20 * 1_048_576;
        assert_eq!([megabytes(limit), megabytes(limit + 1), megabytes(21_076_377)], ["20.0", "20.1", "20.1"]);
    }

    #[test]
    fn files_of_one_reason_share_a_line() {
        let album = [What::Photo, What::Photo, What::Named("a.png".into())];
        let line = of_no_use(Lang::En, &album, Why::Unseen, "ollama/m");
        assert_eq!(line, "📎 ollama/m cannot look at pictures (the photo ×2, “a.png”). Pick a model that can: /model.");
        assert!(of_no_use(Lang::Ru, &album, Why::Unseen, "m").contains("(фото ×2, «a.png»)"));
    }
}
