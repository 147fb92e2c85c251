//! Tests of `tideclaw::llm` from outside: bytes as vendors send them, whole requests, tables of errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod gemini_catalogue;
mod gemini_errors;
mod gemini_request;
mod gemini_stream;
mod ollama_catalogue;
mod ollama_errors;
mod ollama_request;
mod ollama_stream;
mod openai_catalogue;
mod openai_errors;
mod openai_request;
mod openai_stream;
mod streams;
mod wire;
