//! Who is there: the identity that Cloudflare Access vouches for.

use crate::directory::Actor;

/// Somebody Access let in. Only the verifier makes one, so whoever holds it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
}

impl Identity {
    /// The e-mail address, or the service token's client id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the audit knows them.
    pub fn actor(&self) -> Actor {
        Actor::Admin(self.name.clone())
    }

    /// For tests of pages.
    #[cfg(test)]
    pub fn for_tests(name: &str) -> Identity {
        Identity { name: name.to_owned() }
    }
}
