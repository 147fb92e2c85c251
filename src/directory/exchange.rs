//! Questions to the Directory and its answers, as they travel between the Worker and the objects.
//!
//! Two releases may talk to each other for minutes: fields are only added, with `#[serde(default)]`, and a word
//! this release does not know becomes the closed one. The JSON is pinned by tests.

use super::outbox::Notice;
use crate::text::Lang;
use serde::{Deserialize, Serialize};

/// Longest display name or title kept, in characters.
pub const MAX_NAME: usize = 64;

/// What the environment says about owners.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config<'a> {
    /// `OWNER_TELEGRAM_IDS`: owners of every bot, always.
    pub owners: &'a [i64],
    /// The claim code from the environment; blank counts as absent, and then the Directory makes one.
    pub claim_code: Option<&'a str>,
}

/// Who acts: recorded in the audit and beside what they decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A Telegram user, by id.
    Telegram(i64),
    /// Somebody on the admin page, by the e-mail address Access vouches for.
    Admin(String),
    /// An invite link, by its id, for whom it let in.
    Invite(i64),
    /// The Directory itself.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::Telegram(id) => write!(f, "tg:{id}"),
            Actor::Admin(email) => write!(f, "admin:{email}"),
            Actor::Invite(id) => write!(f, "invite:{id}"),
            Actor::System => f.write_str("system"),
        }
    }
}

/// A Telegram user as an update shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    pub user_id: i64,
    #[serde(default)]
    pub is_bot: bool,
    pub first_name: String,
    #[serde(default)]
    pub last_name: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub language_code: Option<String>,
}

impl Sender {
    /// First and last name on one line, at most [`MAX_NAME`] characters, without characters that could disguise it.
    pub fn display_name(&self) -> String {
        let last = self.last_name.as_deref().unwrap_or_default();
        let name = one_line(&format!("{} {last}", self.first_name));
        if name.is_empty() { format!("id {}", self.user_id) } else { name }
    }

    /// The language to answer in.
    pub fn lang(&self) -> Lang {
        Lang::from_code(self.language_code.as_deref())
    }
}

/// One line of at most [`MAX_NAME`] characters. Strangers choose names and titles, and owners decide by them:
/// line breaks, controls and direction marks would let a name forge the rest of a prompt.
pub(super) fn one_line(text: &str) -> String {
    let visible = |c: char| match c {
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{061C}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    };
    let clean: String = text.chars().filter_map(visible).collect();
    let joined = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(MAX_NAME).collect::<String>().trim_end().to_owned()
}

/// Kind of chat an update came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    Private,
    /// A group or supergroup.
    Group {
        title: String,
    },
    Channel,
}

/// May this update come in?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// Our name of the bot, such as `main`.
    pub bot: String,
    pub update_id: i64,
    pub chat: ChatKind,
    pub chat_id: i64,
    #[serde(default)]
    pub sender: Option<Sender>,
    /// Set when somebody speaks as a chat: an anonymous administrator (the group itself) or a channel.
    #[serde(default)]
    pub sender_chat: Option<i64>,
    /// The message's text: only looked at for a claim or invite code, never stored.
    #[serde(default)]
    pub text: Option<String>,
}

/// The answer to a [`Knock`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Hand the update to its conversation.
    Admit(Admission),
    /// Answer 200 and do nothing: whatever had to be said is in the outbox.
    Refuse {
        reason: Reason,
        /// Ask no more about this sender in this chat (or about the whole chat, see [`Reason::concerns_chat`]) for so
        /// many milliseconds; may be 0. Never across chats: who is refused in private may talk in an admitted group.
        quiet_for_ms: i64,
    },
}

/// On what terms an update comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub owner: bool,
    /// In a group, answer only when addressed. False in private.
    pub require_mention: bool,
    pub bot_username: Option<String>,
    pub bot_user_id: Option<i64>,
    /// Good for so many milliseconds unless an [`AccessChange`] says otherwise. After that, knock again.
    pub good_for_ms: i64,
}

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The sender is a bot.
    Bot,
    /// A message of a channel, or without a sender.
    Channel,
    NoSender,
    /// Blocked by an owner.
    Blocked,
    /// Private messages are off.
    DmDisabled,
    /// The policy is `allowlist` and the sender is not on it.
    NotAllowed,
    /// This update made a pairing code; its prompts are in the outbox.
    PairingStarted,
    /// Asked less than an hour ago: still undecided, or denied.
    PairingWaiting,
    /// Too many others are waiting.
    PairingFull,
    /// The bot has no owner yet.
    NoOwner,
    /// A claim code that is not the one.
    WrongClaim,
    /// Too many wrong claim codes, by this sender or by all.
    ClaimLocked,
    /// The text was the claim code: the sender is the owner now, and the text goes no further.
    Claimed,
    /// The text was a good invite code: the sender is approved now, and the text goes no further.
    Invited,
    /// A group nobody has spoken for.
    GroupUnknown,
    /// A group waiting for an owner.
    GroupPending,
    GroupBlocked,
    /// A word of a newer release.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// The refusal holds for everybody in this chat, not only for the sender.
    pub fn concerns_chat(self) -> bool {
        matches!(self, Reason::Channel | Reason::GroupUnknown | Reason::GroupPending | Reason::GroupBlocked)
    }

    /// How long the Worker asks no more, in milliseconds: a stranger costs one call a minute. An owner's press clears it
    /// in the isolate that sees the press; a code may pass it (see `recall`).
    pub fn quiet_for_ms(self) -> i64 {
        match self {
            Reason::Claimed | Reason::Invited => 0,
            _ => 60_000,
        }
    }
}

/// Somebody pressed a button whose data starts with `dir:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    pub bot: String,
    pub update_id: i64,
    pub sender: Sender,
    /// `callback_query.data`.
    pub data: String,
    /// Where the pressed message is; absent for inaccessible ones.
    #[serde(default)]
    pub chat_id: Option<i64>,
    #[serde(default)]
    pub message_id: Option<i64>,
}

/// What a press came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressed {
    /// Text for `answerCallbackQuery`, at most 200 characters.
    pub answer: String,
    pub change: Change,
}

/// `my_chat_member`: the bot's own membership changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub bot: String,
    pub update_id: i64,
    pub chat: ChatKind,
    pub chat_id: i64,
    /// Who changed it.
    pub by: Sender,
    /// The bot is in the chat now: the new status is creator, administrator, member, or restricted with `is_member`.
    pub present: bool,
}

/// What an action did: what to send, and whom to tell. Empty when it changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Change {
    /// Rows just put into the outbox.
    pub notices: Vec<Notice>,
    /// To be pushed to Chat objects.
    pub access: Vec<AccessChange>,
}

impl Change {
    /// Drops repeated access changes.
    pub(super) fn without_repeats(mut self) -> Self {
        let mut kept: Vec<AccessChange> = Vec::new();
        for change in self.access {
            if !kept.contains(&change) {
                kept.push(change);
            }
        }
        self.access = kept;
        self
    }
}

/// A cached admission is no longer right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    /// `{bot}:{chat_id}`. Means this session and those that go on with `:`; `main:5` does not mean `main:55`.
    pub session_prefix: String,
    /// Only this sender (in groups); `None`: everybody in the chat.
    pub user_id: Option<i64>,
    pub access: Access,
}

/// New state of an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Open {
        require_mention: bool,
    },
    /// Forget the admission and stop work for it; the next message knocks again.
    Closed,
    /// Whoever writes in this private chat became an owner, or is one no more; nothing else changed.
    Owner(bool),
}
