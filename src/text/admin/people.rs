//! Words of the pages about people, groups, invitations and those turned away.

use crate::text::Lang;

words! {
    title_people: "People", "Люди";
    title_groups: "Groups", "Группы";
    title_invites: "Invitations", "Приглашения";
    title_refusals: "Turned away", "Не допущены";

    // Finding.
    find: "Name, @username or id", "Имя, @username или id";
    bot: "Bot", "Бот";
    all_bots: "All bots", "Все боты";

    // Private messages and the first owner.
    private_messages: "Private messages", "Личные сообщения";
    change_in_settings: "Change it in Settings", "Изменить в настройках";
    policy_pairing: "Strangers get a code, and owners are asked.", "Незнакомцы получают код, владельцев спрашивают.";
    policy_allowlist: "Only approved people; strangers hear nothing.", "Только допущенные; незнакомцам бот не отвечает.";
    policy_open: "Everybody may write. Spend is held by the caps alone.", "Писать может каждый. Расходы держат только лимиты.";
    policy_disabled: "Nobody but owners.", "Никто, кроме владельцев.";
    claim: "The bot has no owner yet", "У бота пока нет владельца";
    claim_how: "Whoever sends this code to the bot in private becomes its owner. Keep it to yourself.", "Владельцем станет тот, кто пришлёт боту этот код в личном чате. Никому его не показывайте.";
    claim_open: "Open in Telegram", "Открыть в Telegram";

    // Those who wait.
    waiting: "Waiting for a decision", "Ждут решения";
    nobody_waits: "Nobody waits.", "Никто не ждёт.";
    code: "Code", "Код";
    until: "until", "до";
    approve: "Approve", "Пустить";
    deny: "Deny", "Отказать";
    block: "Block", "Заблокировать";
    unblock: "Unblock", "Разблокировать";
    remove: "Remove", "Убрать";
    promote: "Make an owner", "Сделать владельцем";
    demote: "No longer an owner", "Больше не владелец";

    owners: "Owners", "Владельцы";
    configured: "from OWNER_TELEGRAM_IDS", "из OWNER_TELEGRAM_IDS";
    configured_how: "Owners named in OWNER_TELEGRAM_IDS can only be removed there.", "Владельцев из OWNER_TELEGRAM_IDS можно убрать только там.";
    others: "Everybody else", "Остальные";
    person: "Person", "Человек";
    state: "State", "Состояние";
    since: "Since", "С";
    cap: "Daily cap", "Лимит на день";
    today: "today", "сегодня";
    cap_usd: "US dollars a day", "Долларов США в день";
    cap_how: "Empty: the general cap. Owners have none.", "Пусто: общий лимит. У владельцев его нет.";
    general_cap: "General cap a person and day", "Общий лимит на человека в день";
    no_cap: "no cap of their own", "отдельного лимита нет";
    approved: "approved", "допущен";
    blocked: "blocked", "заблокирован";
    known: "not let in", "не допущен";

    // Groups.
    group: "Group", "Группа";
    group_pending: "waits for you", "ждёт решения";
    group_admitted: "admitted", "разрешена";
    group_blocked: "blocked", "заблокирована";
    not_there: "the bot is not in it", "бота там нет";
    added_by: "added by", "добавил(а)";
    admit: "Admit", "Разрешить";
    leave: "Leave", "Выйти";
    leave_and_block: "Leave and block", "Выйти и заблокировать";
    forget: "Forget", "Забыть";
    answers_when: "Answers", "Отвечает";
    when_addressed: "only when addressed", "только на обращения";
    to_everything: "to every message", "на каждое сообщение";
    mention_on: "Only when addressed", "Только на обращения";
    mention_off: "To every message", "На каждое сообщение";

    // Invitations.
    new_invite: "New invitation", "Новое приглашение";
    make: "Make a link", "Создать ссылку";
    note: "Note for yourself (may be empty)", "Заметка для себя (можно не заполнять)";
    uses: "For how many people (1–50)", "На сколько человек (1–50)";
    days: "Good for how many days (1–365)", "Сколько дней действует (1–365)";
    invites_how: "Whoever opens the link is let in at once, and owners are told.", "Кто откроет ссылку, будет допущен сразу, а владельцы об этом узнают.";
    invites_do_not_work: "Links let nobody in now: the bot has no owner, or private messages are open to all or to nobody.", "Сейчас ссылки никого не пускают: у бота нет владельца, либо личные сообщения открыты всем или никому.";
    made: "The link is ready", "Ссылка готова";
    shown_once: "Copy it now: it is shown only this once and is not kept.", "Скопируйте её сейчас: ссылка показана один раз и не хранится.";
    used: "Used", "Использовано";
    of: "of", "из";
    made_by: "made by", "создал(а)";
    came_in: "Came in", "Вошли";
    revoke: "Revoke", "Отозвать";
    invite_open: "open", "действует";
    invite_used_up: "used up", "использовано";
    invite_expired: "expired", "истекло";
    invite_revoked: "revoked", "отозвано";

    // Turned away.
    when: "When", "Когда";
    who: "Who", "Кто";
    why: "Why", "Почему";
    nothing_kept: "What they wrote is not kept.", "Что они писали, не сохраняется.";

    // Why.
    why_bot: "is a bot", "это бот";
    why_channel: "wrote as a channel", "писал как канал";
    why_no_sender: "no sender", "нет отправителя";
    why_blocked: "is blocked", "заблокирован";
    why_dm_disabled: "private messages are off", "личные сообщения выключены";
    why_not_allowed: "is not on the list", "нет в списке допущенных";
    why_pairing_started: "got a code", "получил код";
    why_pairing_waiting: "has a code already, or was denied", "код уже выдан, либо отказано";
    why_pairing_full: "too many others waited", "слишком много ожидающих";
    why_no_owner: "the bot had no owner", "у бота не было владельца";
    why_wrong_claim: "a wrong claim code", "неверный код владельца";
    why_claim_locked: "too many wrong claim codes", "слишком много неверных кодов";
    why_group_unknown: "an unknown group", "неизвестная группа";
    why_group_pending: "a group nobody admitted", "группу никто не разрешил";
    why_group_blocked: "a blocked group", "группа заблокирована";
}

/// Who decided, as the audit writes it: `tg:5`, `admin:ann@example.com`, `invite:3`, `system`.
pub fn decided_by(lang: Lang, by: &str) -> String {
    let (kind, who) = by.split_once(':').unwrap_or((by, ""));
    match (kind, lang) {
        ("tg", Lang::En) => format!("by Telegram id {who}"),
        ("tg", Lang::Ru) => format!("решил(а) Telegram id {who}"),
        ("admin", Lang::En) => format!("by {who}"),
        ("admin", Lang::Ru) => format!("решил(а) {who}"),
        ("invite", Lang::En) => format!("with invitation {who}"),
        ("invite", Lang::Ru) => format!("по приглашению {who}"),
        _ => by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decided_reads_well_and_unknown_words_stay() {
        assert_eq!(decided_by(Lang::En, "admin:a@b.example"), "by a@b.example");
        assert_eq!(decided_by(Lang::Ru, "invite:3"), "по приглашению 3");
        assert_eq!(decided_by(Lang::En, "moon:1"), "moon:1");
    }
}
