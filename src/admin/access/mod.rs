//! Who is at the door of the admin pages: tokens of Cloudflare Access, verified here.
//!
//! Access stands in front of the routes and signs a token for each request it lets through. It is not trusted to stand
//! there: every request is verified again, on whatever host it came in, and there is no switch that leaves this out.
//! Not here: fetching keys and the arithmetic of RSA ([`Outside`], done by `edge`), which paths are guarded
//! ([`paths`](super::paths)), forged requests of a signed-in browser ([`origin`](super::origin)).
//!
//! Rules: developers.cloudflare.com, "Validate JWTs" and "Application token"; RFC 7515, 7518, 7519.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | which team, which application, which service tokens; what is missing |
//! | `base64url`, `token` | a token's three parts |
//! | `claims` | what a token must say, and who it says that is |
//! | `keys` | Access's public keys: for how long they are good, when they are fetched anew |
//! | `verify` | all of it in order; the only place that makes an [`Identity`] |

mod base64url;
mod claims;
mod identity;
mod keys;
mod settings;
mod token;
mod verify;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

pub use identity::Identity;
pub use keys::{Jwk, Keys};
pub use settings::{Settings, Unset};
pub use verify::{Outside, Refusal, Unreachable, verify};
