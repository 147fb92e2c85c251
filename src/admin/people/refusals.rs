//! The page about those who were turned away lately.

use maud::html;

use super::{bot_name, head, pager, person};
use crate::admin::look::{self, Frame, Tone, badge, time};
use crate::admin::port::Office;
use crate::admin::request::Answer;
use crate::directory::Reason;
use crate::directory::desk::people::{Find, RefusalsView};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::people as text;

pub fn page<O: Office>(frame: &Frame, office: &O, find: &Find, view: &RefusalsView) -> Answer {
    let lang = frame.lang;
    let body = html! {
        (head(lang, office, "refusals", find, true))
        section.card {
            p.quiet { (text::nothing_kept(lang)) }
            @if view.refusals.is_empty() { (look::nothing(lang)) } @else {
                div.scroll {
                    table {
                        thead { tr { th { (text::when(lang)) } th { (text::who(lang)) } th { (text::why(lang)) } } }
                        tbody {
                            @for one in &view.refusals {
                                tr {
                                    td { (time(one.at)) }
                                    td {
                                        @if let Some(id) = one.user_id { (person(one.name.as_deref().unwrap_or_default(), None, id)) }
                                        @if let Some(title) = &one.chat_title {
                                            br; (title) " " span.quiet.number { (one.chat_id) }
                                        }
                                        @if let Some(bot) = bot_name(office, &view.bots, &one.bot) { " " (badge(Tone::Plain, &bot)) }
                                    }
                                    td { (why(lang, one.reason)) }
                                }
                            }
                        }
                    }
                }
            }
            (pager(lang, "refusals", find, view.page, view.more))
        }
    };
    look::page(frame, text::title_refusals(lang), body)
}

fn why(lang: Lang, reason: Reason) -> &'static str {
    match reason {
        Reason::Bot => text::why_bot(lang),
        Reason::Channel => text::why_channel(lang),
        Reason::NoSender => text::why_no_sender(lang),
        Reason::Blocked => text::why_blocked(lang),
        Reason::DmDisabled => text::why_dm_disabled(lang),
        Reason::NotAllowed => text::why_not_allowed(lang),
        Reason::PairingStarted => text::why_pairing_started(lang),
        Reason::PairingWaiting => text::why_pairing_waiting(lang),
        Reason::PairingFull => text::why_pairing_full(lang),
        Reason::NoOwner => text::why_no_owner(lang),
        Reason::WrongClaim => text::why_wrong_claim(lang),
        Reason::ClaimLocked => text::why_claim_locked(lang),
        Reason::GroupUnknown => text::why_group_unknown(lang),
        Reason::GroupPending => text::why_group_pending(lang),
        Reason::GroupBlocked => text::why_group_blocked(lang),
        // The first two were let in, and are not in this list.
        Reason::Claimed | Reason::Invited | Reason::Unknown => words::unknown(lang),
    }
}
