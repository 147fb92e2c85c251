//! The API described for programs: `GET /api/openapi.json` (OpenAPI 3.1). Written by hand and held to what the handlers do:
//! its routes by the tests here, its answers by `tests/e2e/openapi.test.mjs`.

use super::request::Answer;

/// The document; a line a route or schema, so that it can be read, without white space that would only be sent.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /api/openapi.json`.
pub fn api() -> Answer {
    Answer::json(DOCUMENT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
