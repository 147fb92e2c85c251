//! The relay on the platform: the hub's Durable Object, and a conversation's call through it.

mod body;
mod call;
pub mod door;
mod hub_object;
mod request;
mod rows;
mod socket;

pub use call::Call;
pub use request::{Reply, ask, is_relay};
