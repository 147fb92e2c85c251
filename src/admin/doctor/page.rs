//! The doctor's page: groups of findings, the worst first in each.

use maud::{Markup, html};

use super::super::look::{self, Frame, Tone};
use super::super::request::Answer;
use super::{Finding, Group, Report, Severity};
use crate::text::Lang;
use crate::text::admin::doctor as words;

pub fn render(frame: &Frame, report: &Report) -> Answer {
    let lang = frame.lang;
    let body = html! {
        section.card {
            p {
                (look::badge(tone(report.worst), name(report.worst, lang))) " "
                @if report.worst <= Severity::Info { (words::all_well(lang)) " " }
                span.quiet { (words::looked_at(lang)) ": " (look::time(report.at)) }
            }
            p.quiet { (words::also_from_outside(lang)) }
            p { a href="/_admin/doctor" { (words::again(lang)) } }
        }
        @for group in [Group::Telegram, Group::Access, Group::Models, Group::Relays, Group::People, Group::Storage, Group::System] {
            (look::card(title(group, lang), html! {
                (list(report.findings.iter().filter(|finding| finding.group == group), lang))
            }))
        }
    };
    look::page(frame, words::title(lang), body)
}

/// Findings, each with what mends it.
pub fn list<'a>(findings: impl IntoIterator<Item = &'a Finding>, lang: Lang) -> Markup {
    html! {
        ul.findings {
            @for finding in findings {
                li id=[finding.subject.is_none().then_some(finding.id)] {
                    (look::badge(tone(finding.severity), name(finding.severity, lang))) " "
                    @if let Some(subject) = &finding.subject { code { (subject) } " " }
                    (finding.reason)
                    @if let Some(action) = &finding.action { p.quiet { "→ " (action) } }
                }
            }
        }
    }
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Ok => Tone::Good,
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Warning,
        Severity::Error => Tone::Bad,
    }
}

fn name(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Ok => words::ok(lang),
        Severity::Info => words::info(lang),
        Severity::Warning => words::warning(lang),
        Severity::Error => words::error(lang),
    }
}

fn title(group: Group, lang: Lang) -> &'static str {
    match group {
        Group::Telegram => words::group_telegram(lang),
        Group::Access => words::group_access(lang),
        Group::Models => words::group_models(lang),
        Group::Relays => words::group_relays(lang),
        Group::People => words::group_people(lang),
        Group::Storage => words::group_storage(lang),
        Group::System => words::group_system(lang),
    }
}
