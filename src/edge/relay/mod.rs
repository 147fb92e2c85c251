//! The relay on the platform: the hub's Durable Object, and a conversation's call through it.

mod hub_object;
