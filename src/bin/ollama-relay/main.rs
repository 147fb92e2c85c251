//! `ollama-relay`: lets the bot use an Ollama on this machine, with no port open to the outside.

fn main() {}
