//! The page about groups.

use maud::{Markup, html};

use super::{bot_name, head, pager, query};
use crate::admin::look::{self, Frame, Tone, badge, button, time};
use crate::admin::port::Office;
use crate::admin::request::Answer;
use crate::directory::GroupState;
use crate::directory::desk::people::{Find, GroupRow, GroupsView};
use crate::text::Lang;
use crate::text::admin::people as text;

pub fn page<O: Office>(frame: &Frame, office: &O, find: &Find, view: &GroupsView) -> Answer {
    let lang = frame.lang;
    let back = query(find, view.page);
    let body = html! {
        (head(lang, office, "groups", find, true))
        section.card {
            @if view.groups.is_empty() { (look::nothing(lang)) }
            ul.rows { @for one in &view.groups { li { (row(lang, office, view, one, &back)) } } }
            (pager(lang, "groups", find, view.page, view.more))
        }
    };
    look::page(frame, text::title_groups(lang), body)
}

fn row<O: Office>(lang: Lang, office: &O, view: &GroupsView, row: &GroupRow, back: &str) -> Markup {
    let group = &row.group;
    let act = |act: &str, label: &str, tone: Tone| {
        button(&format!("/_admin/groups/{}/{}/{act}", group.bot, group.chat_id), &[("back", back)], label, tone)
    };
    let (tone, state) = match group.state {
        GroupState::Pending => (Tone::Warning, text::group_pending(lang)),
        GroupState::Admitted => (Tone::Good, text::group_admitted(lang)),
        GroupState::Blocked => (Tone::Bad, text::group_blocked(lang)),
    };
    html! {
        p {
            strong { @if group.title.is_empty() { (text::group(lang)) } @else { (group.title) } } " "
            span.quiet.number { (group.chat_id) } " "
            (badge(tone, state))
            @if !group.present { " " (badge(Tone::Plain, text::not_there(lang))) }
            @if let Some(bot) = bot_name(office, &view.bots, &group.bot) { " " (badge(Tone::Plain, &bot)) }
            br;
            span.quiet {
                (time(group.since))
                @if let Some(by) = &group.admitted_by { ", " (text::decided_by(lang, by)) }
                @if let Some(by) = group.added_by {
                    ", " (text::added_by(lang)) " "
                    @if !row.added_by_name.is_empty() { (row.added_by_name) " " }
                    "id " (by)
                }
            }
        }
        @if group.state == GroupState::Admitted { (mention(lang, row, back)) }
        @match group.state {
            GroupState::Pending => {
                (act("admit", text::admit(lang), Tone::Good))
                @if group.present { (act("leave", text::leave(lang), Tone::Plain)) }
                (act("block", text::leave_and_block(lang), Tone::Bad))
            }
            GroupState::Admitted => {
                @if group.present { (act("leave", text::leave(lang), Tone::Plain)) }
                (act("block", text::leave_and_block(lang), Tone::Bad))
            }
            GroupState::Blocked => {
                (act("admit", text::admit(lang), Tone::Plain))
                (act("forget", text::forget(lang), Tone::Plain))
            }
        }
    }
}

fn mention(lang: Lang, row: &GroupRow, back: &str) -> Markup {
    let group = &row.group;
    let (now, label, on) = match group.require_mention {
        true => (text::when_addressed(lang), text::mention_off(lang), "0"),
        false => (text::to_everything(lang), text::mention_on(lang), "1"),
    };
    html! {
        p { (text::answers_when(lang)) " " (now) "." }
        (button(
            &format!("/_admin/groups/{}/{}/mention", group.bot, group.chat_id),
            &[("on", on), ("back", back)],
            label,
            Tone::Plain,
        ))
    }
}
