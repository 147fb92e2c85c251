//! Looks at what came of it: the chat as the person sees it, the calls, the rows.

use super::model::Request;
use super::sim::Sim;
use super::telegram::Made;

impl Sim {
    pub fn log_tail(&self) -> Vec<String> {
        self.world.log.borrow().iter().rev().take(5).cloned().collect()
    }

    /// Texts of the bot's messages as they stand in the chat.
    pub fn screen(&self) -> Vec<String> {
        self.world.telegram.chat.borrow().iter().map(|shown| shown.text.clone()).collect()
    }

    pub fn calls(&self, method: &str) -> Vec<Made> {
        self.world.telegram.calls.borrow().iter().filter(|made| made.method == method).cloned().collect()
    }

    /// Names of all calls in order, repetitions shortened to one.
    pub fn methods(&self) -> Vec<String> {
        let mut names: Vec<String> = self.world.telegram.calls.borrow().iter().map(|m| m.method.clone()).collect();
        names.dedup();
        names
    }

    pub fn requests(&self) -> Vec<Request> {
        self.world.model.requests.borrow().clone()
    }

    /// Requests for answers to people.
    pub fn answer_requests(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| !request.is_summary()).collect()
    }

    /// Requests for summaries.
    pub fn summary_requests(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_summary).collect()
    }

    /// `kind outcome` of every row of the inbox.
    pub fn inbox(&self) -> Vec<String> {
        self.store.rows("SELECT kind, outcome FROM inbox ORDER BY seq")
    }

    pub fn turns(&self) -> Vec<String> {
        self.store.rows("SELECT state FROM turn ORDER BY created_at, id")
    }

    /// `slot state` of every delivery.
    pub fn outbox(&self) -> Vec<String> {
        self.store.rows("SELECT slot, state FROM outbox ORDER BY id")
    }

    pub fn assert_logged_something(&self) {
        assert!(!self.world.log.borrow().is_empty(), "the operator can see it");
    }

    pub fn logged(&self, start: &str) -> usize {
        self.world.log.borrow().iter().filter(|line| line.starts_with(start)).count()
    }
}
