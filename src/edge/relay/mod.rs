//! The relay on the platform: the hub's Durable Object, and a conversation's call through it.

pub mod door;
mod hub_object;
mod rows;
