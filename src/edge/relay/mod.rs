//! The relay on the platform: the hub's Durable Object, and a conversation's call through it.

mod body;
mod call;
mod hub_object;
mod request;
mod socket;

pub use call::Call;
pub use request::{Reply, ask, is_relay};
