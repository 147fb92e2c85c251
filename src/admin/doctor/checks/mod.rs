//! The checks: from facts to findings. Each has one id and finds exactly one thing for each subject it has.

mod access;
mod models;
mod people;
mod relays;
mod storage;
mod system;
mod telegram;

use super::facts::Facts;
use super::{Finding, Group, Severity};
use crate::text::Lang;
use crate::text::admin::doctor::{self as words, Said};

/// Judges everything.
pub fn all(facts: &Facts, lang: Lang) -> Vec<Finding> {
    let mut desk = Desk { lang, group: Group::Telegram, subject: None, findings: Vec::new() };
    telegram::check(facts, &mut desk);
    access::check(facts, desk.of(Group::Access));
    models::check(facts, desk.of(Group::Models));
    relays::check(facts, desk.of(Group::Relays));
    people::check(facts, desk.of(Group::People));
    storage::check(facts, desk.of(Group::Storage));
    system::check(facts, desk.of(Group::System));
    desk.findings
}

/// Where findings are written down.
struct Desk {
    lang: Lang,
    group: Group,
    subject: Option<String>,
    findings: Vec<Finding>,
}

impl Desk {
    fn of(&mut self, group: Group) -> &mut Desk {
        (self.group, self.subject) = (group, None);
        self
    }

    /// What follows is about this bot, provider or path.
    fn about(&mut self, subject: &str) {
        self.subject = Some(subject.to_owned());
    }

    fn ok(&mut self, id: &'static str, reason: String) {
        self.note(id, Severity::Ok, reason, None);
    }

    fn info(&mut self, id: &'static str, said: Said) {
        self.note(id, Severity::Info, said.0, Some(said.1));
    }

    fn warning(&mut self, id: &'static str, said: Said) {
        self.note(id, Severity::Warning, said.0, Some(said.1));
    }

    fn error(&mut self, id: &'static str, said: Said) {
        self.note(id, Severity::Error, said.0, Some(said.1));
    }

    /// It could not be found out, because `what` did not answer. That itself is found by another check.
    fn unknown(&mut self, id: &'static str, what: &str) {
        self.note(id, Severity::Info, words::not_known(self.lang, id, what), None);
    }

    fn note(&mut self, id: &'static str, severity: Severity, reason: String, action: Option<String>) {
        let subject = self.subject.clone();
        self.findings.push(Finding { id, group: self.group, severity, subject, reason, action });
    }
}
