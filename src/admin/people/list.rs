//! The page about people: the first owner, those who wait, owners, everybody else.

use maud::{Markup, html};

use super::{bot_name, head, pager, person, query};
use crate::admin::look::{self, Frame, Tone, badge, button, card, money, time};
use crate::admin::port::Office;
use crate::admin::request::Answer;
use crate::directory::desk::people::{Claim, Find, Owner, PeopleView, PersonRow, Waiting};
use crate::directory::{DmPolicy, PersonState};
use crate::text::Lang;
use crate::text::admin::people as text;

pub fn page<O: Office>(frame: &Frame, office: &O, find: &Find, view: &PeopleView) -> Answer {
    let lang = frame.lang;
    let back = query(find, view.page);
    let body = html! {
        (head(lang, office, "people", find, true))
        @if let Some(code) = &view.claim { (claim(lang, code)) }
        (card(text::waiting(lang), html! {
            @if view.waiting.is_empty() { p.quiet { (text::nobody_waits(lang)) } }
            ul.rows { @for one in &view.waiting { li { (waiting(lang, office, view, one, &back)) } } }
        }))
        @if view.page == 1 {
            (card(text::owners(lang), html! {
                ul.rows { @for one in &view.owners { li { (owner(lang, one, &back)) } } }
                @if view.owners.iter().any(|owner| owner.configured) { p.quiet { (text::configured_how(lang)) } }
            }))
        }
        (card(text::others(lang), html! {
            p.quiet {
                (text::general_cap(lang)) ": "
                @match view.person_cap_nano_usd { Some(cap) => (money(cap)), None => { "—" } }
                ". " (text::cap_how(lang))
            }
            @if view.people.is_empty() { (look::nothing(lang)) }
            ul.rows { @for one in &view.people { li { (row(lang, office, view, one, &back)) } } }
            (pager(lang, "people", find, view.page, view.more))
        }))
        (card(text::private_messages(lang), html! {
            p { (policy(lang, view.policy)) }
            p { a href="/_admin/settings" { (text::change_in_settings(lang)) } }
        }))
    };
    look::page(frame, text::title_people(lang), body)
}

fn policy(lang: Lang, policy: DmPolicy) -> &'static str {
    match policy {
        DmPolicy::Pairing => text::policy_pairing(lang),
        DmPolicy::Allowlist => text::policy_allowlist(lang),
        DmPolicy::Open => text::policy_open(lang),
        DmPolicy::Disabled => text::policy_disabled(lang),
    }
}

fn claim(lang: Lang, claim: &Claim) -> Markup {
    card(
        text::claim(lang),
        html! {
            p { (text::claim_how(lang)) }
            p { code.code { (claim.code) } }
            @for link in &claim.links { p { a href=(link) rel="noreferrer" { (text::claim_open(lang)) } } }
        },
    )
}

/// A button about a person.
fn act(bot: &str, user_id: i64, act: &str, label: &str, tone: Tone, fields: &[(&str, &str)]) -> Markup {
    button(&format!("/_admin/people/{bot}/{user_id}/{act}"), fields, label, tone)
}

fn waiting<O: Office>(lang: Lang, office: &O, view: &PeopleView, one: &Waiting, back: &str) -> Markup {
    let pending = &one.pending;
    let (bot, id) = (one.bot.as_str(), pending.user_id);
    let fields = [("code", pending.code.as_str()), ("back", back)];
    html! {
        p {
            (person(&pending.name, pending.username.as_deref(), id))
            @if let Some(bot) = bot_name(office, &view.bots, bot) { " " (badge(Tone::Plain, &bot)) }
            br;
            span.quiet { (text::code(lang)) " " } code { (crate::text::access::spaced(&pending.code)) }
            span.quiet { " " (text::until(lang)) " " (time(pending.expires_at)) }
        }
        (act(bot, id, "approve", text::approve(lang), Tone::Good, &fields))
        (act(bot, id, "deny", text::deny(lang), Tone::Plain, &fields))
        (act(bot, id, "block", text::block(lang), Tone::Bad, &fields))
    }
}

fn owner(lang: Lang, owner: &Owner, back: &str) -> Markup {
    html! {
        p {
            (person(&owner.name, owner.username.as_deref(), owner.user_id))
            @if owner.configured { " " (badge(Tone::Plain, text::configured(lang))) }
        }
        @if let (false, Some(bot)) = (owner.configured, &owner.bot) {
            (act(bot, owner.user_id, "demote", text::demote(lang), Tone::Bad, &[("back", back)]))
        }
    }
}

fn row<O: Office>(lang: Lang, office: &O, view: &PeopleView, row: &PersonRow, back: &str) -> Markup {
    let one = &row.person;
    let (bot, id) = (one.bot.as_str(), one.user_id);
    let (tone, state) = match one.state {
        PersonState::Approved | PersonState::Owner => (Tone::Good, text::approved(lang)),
        PersonState::Blocked => (Tone::Bad, text::blocked(lang)),
        PersonState::Pending => (Tone::Plain, text::known(lang)),
    };
    let fields = [("back", back)];
    html! {
        p {
            (person(&one.name, one.username.as_deref(), id)) " "
            (badge(tone, state))
            @if let Some(bot) = bot_name(office, &view.bots, bot) { " " (badge(Tone::Plain, &bot)) }
            br;
            span.quiet {
                (time(one.since))
                @if let Some(by) = &one.by { ", " (text::decided_by(lang, by)) }
                " · " (text::today(lang)) " " (money(row.today_nano_usd))
                @if let Some(cap) = row.cap_nano_usd { " " (crate::text::admin::people::of(lang)) " " (money(cap)) }
            }
        }
        @match one.state {
            PersonState::Blocked => (act(bot, id, "unblock", text::unblock(lang), Tone::Plain, &fields)),
            PersonState::Pending => {
                (act(bot, id, "approve", text::approve(lang), Tone::Good, &fields))
                (act(bot, id, "block", text::block(lang), Tone::Bad, &fields))
            }
            PersonState::Approved | PersonState::Owner => {
                details {
                    summary { (text::cap(lang)) ", " (text::remove(lang)) ", " (text::block(lang)) "…" }
                    (cap_form(lang, row, back))
                    (act(bot, id, "promote", text::promote(lang), Tone::Plain, &fields))
                    (act(bot, id, "remove", text::remove(lang), Tone::Plain, &fields))
                    (act(bot, id, "block", text::block(lang), Tone::Bad, &fields))
                }
            }
        }
    }
}

fn cap_form(lang: Lang, row: &PersonRow, back: &str) -> Markup {
    let one = &row.person;
    html! {
        form method="post" action={ "/_admin/people/" (one.bot) "/" (one.user_id) "/cap" } {
            input type="hidden" name="back" value=(back);
            label {
                (text::cap_usd(lang)) " "
                input.amount type="text" name="usd" inputmode="decimal" value=(row.cap_nano_usd.map(dollars).unwrap_or_default());
            }
            button type="submit" { (crate::text::admin::save(lang)) }
        }
    }
}

/// An amount as a form takes it: `0.5`.
fn dollars(nano: u64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn amounts_read_back() {
        for (nano, text) in [(0, "0"), (500_000_000, "0.5"), (10_000_000_000, "10"), (1, "0.000000001")] {
            assert_eq!(dollars(nano), text);
            assert_eq!(crate::directory::parse_usd(text), Some(nano));
        }
    }
}
