//! The RelayHub object. Its class exists from the first release, because adding one later cannot be rolled back
//! (cloudflare.md §6); the relay itself comes with its own release. Until then it answers that nothing is here.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::super::router::refuse;

#[durable_object(fetch)]
pub struct RelayHub;

impl DurableObject for RelayHub {
    fn new(_state: State, _env: Env) -> Self {
        RelayHub
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        refuse(404, "not_found", "No relay is set up.")
    }
}
