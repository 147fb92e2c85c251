//! Who was let in.

use crate::directory::Actor;

/// Somebody Access vouches for, verified here. There is no other way to get one than [`verify`](super::verify()): a handler
/// that takes `&Identity` cannot be called for anybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(Who);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    User { email: String },
    Service { name: String },
}

impl Identity {
    pub(super) fn new(who: Who) -> Self {
        Self(who)
    }

    /// Somebody signed in, for tests of pages beside the code.
    #[cfg(test)]
    pub fn for_tests(email: &str) -> Self {
        Self(Who::User { email: email.to_owned() })
    }

    /// A program with a service token, for the same.
    #[cfg(test)]
    pub fn service_for_tests(name: &str) -> Self {
        Self(Who::Service { name: name.to_owned() })
    }

    /// The e-mail address of a person, the client id of a service token.
    pub fn name(&self) -> &str {
        match &self.0 {
            Who::User { email } => email,
            Who::Service { name } => name,
        }
    }

    /// Whether this is a program with a service token. It has no cookies, so nobody can make it send what it does not mean.
    pub fn is_service(&self) -> bool {
        matches!(self.0, Who::Service { .. })
    }

    /// As the audit records it: the address, or `service:` and the client id.
    pub fn actor(&self) -> Actor {
        match &self.0 {
            Who::User { email } => Actor::Admin(email.clone()),
            Who::Service { name } => Actor::Admin(format!("service:{name}")),
        }
    }
}
