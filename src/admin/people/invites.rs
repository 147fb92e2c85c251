//! The page about invite links, and the one that shows a new link, once.

use maud::{Markup, html};

use super::{bot_name, head, person, query};
use crate::admin::look::{self, Frame, Tone, badge, button, card, time};
use crate::admin::port::Office;
use crate::admin::request::Answer;
use crate::directory::desk::people::{Find, InvitesView, MadeInvite};
use crate::directory::invites::{MAX_DAYS, MAX_NOTE, MAX_USES, USUAL_DAYS};
use crate::directory::{Invite, InviteState};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::people as text;

pub fn page<O: Office>(frame: &Frame, office: &O, find: &Find, view: &InvitesView) -> Answer {
    let lang = frame.lang;
    let back = query(find, 1);
    let body = html! {
        (head(lang, office, "invites", find, false))
        (card(text::new_invite(lang), html! {
            p { (text::invites_how(lang)) }
            @if !view.work { p role="alert" { (badge(Tone::Warning, "!")) " " (text::invites_do_not_work(lang)) } }
            (form(lang, office, find))
        }))
        section.card {
            @if view.invites.is_empty() { (look::nothing(lang)) }
            ul.rows { @for one in &view.invites { li { (row(lang, office, view, one, &back)) } } }
        }
    };
    look::page(frame, text::title_invites(lang), body)
}

/// The page with the link just made.
pub fn made(frame: &Frame, made: &MadeInvite) -> Answer {
    let lang = frame.lang;
    let body = card(
        text::made(lang),
        html! {
            p { (text::shown_once(lang)) }
            p { code.code { (made.link) } }
            p.quiet { (text::until(lang)) " " (time(made.expires_at)) }
            p { a href="/_admin/invites" { (words::back(lang)) } }
        },
    );
    look::page(frame, text::title_invites(lang), body)
}

fn form<O: Office>(lang: Lang, office: &O, find: &Find) -> Markup {
    let bots = office.bots();
    html! {
        form method="post" action="/_admin/invites" {
            @if let [bot] = bots.as_slice() {
                input type="hidden" name="bot" value=(bot);
            } @else {
                label {
                    (text::bot(lang)) " "
                    select name="bot" { @for bot in &bots { option value=(bot) selected[find.bot.as_ref() == Some(bot)] { (bot) } } }
                }
            }
            label { (text::note(lang)) br; input type="text" name="note" maxlength=(MAX_NOTE); }
            label { (text::uses(lang)) " " input.amount type="number" name="uses" min="1" max=(MAX_USES) value="1"; }
            label { (text::days(lang)) " " input.amount type="number" name="days" min="1" max=(MAX_DAYS) value=(USUAL_DAYS); }
            button.good type="submit" { (text::make(lang)) }
        }
    }
}

fn row<O: Office>(lang: Lang, office: &O, view: &InvitesView, invite: &Invite, back: &str) -> Markup {
    let (tone, state) = match invite.state {
        InviteState::Open => (Tone::Good, text::invite_open(lang)),
        InviteState::UsedUp => (Tone::Plain, text::invite_used_up(lang)),
        InviteState::Expired => (Tone::Plain, text::invite_expired(lang)),
        InviteState::Revoked => (Tone::Bad, text::invite_revoked(lang)),
    };
    html! {
        p {
            strong { (invite.id) @if !invite.note.is_empty() { " · " (invite.note) } } " "
            (badge(tone, state))
            @if let Some(bot) = bot_name(office, &view.bots, &invite.bot) { " " (badge(Tone::Plain, &bot)) }
            br;
            span.quiet {
                (text::used(lang)) " " (invite.used) " " (text::of(lang)) " " (invite.uses)
                " · " (text::until(lang)) " " (time(invite.expires_at))
                " · " (time(invite.created_at)) ", " (text::decided_by(lang, &invite.created_by))
            }
        }
        @if !invite.people.is_empty() {
            p { (text::came_in(lang)) ":" }
            ul {
                @for one in &invite.people {
                    li { (person(&one.name, None, one.user_id)) span.quiet { " " (time(one.at)) } }
                }
            }
        }
        @if invite.state == InviteState::Open {
            (button(&format!("/_admin/invites/{}/revoke", invite.id), &[("back", back)], text::revoke(lang), Tone::Bad))
        }
    }
}
