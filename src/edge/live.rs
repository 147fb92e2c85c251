//! The live log on the platform: hibernating WebSockets of the Directory object (cloudflare.md §1.4).
//!
//! They cost nothing while nothing is said: pings are answered by the platform, and the object may sleep and even be
//! replaced while they stay open. Whoever gets here passed Access and the check of the origin (`admin`). Not here: what
//! is sent (`directory::events`).

use worker::{Request, Response, Result, State, WebSocketPair};

use super::router::refuse;
use super::sql::ObjectSql;
use crate::directory::{Directory, EventQuery, LogLine};

/// Tells these sockets from others the object may have one day.
const TAG: &str = "log";
/// Watchers at a time.
const MOST: usize = 20;
/// Lines that a new watcher gets of what was noted since its page was made.
const MOST_MISSED: i64 = 200;
/// "Try again later" (RFC 6455's registry).
const TRY_LATER: u16 = 1013;

/// Lets the platform answer pings. Once per instance; cheap.
pub fn answer_pings(state: &State) {
    if let Ok(pair) = worker::worker_sys::WebSocketRequestResponsePair::new("ping", "pong") {
        state.set_websocket_auto_response(&pair);
    }
}

/// Takes a watcher in.
pub fn accept(request: &Request, state: &State, directory: &Directory<ObjectSql>) -> Result<Response> {
    if request.headers().get("upgrade")?.is_none_or(|upgrade| !upgrade.eq_ignore_ascii_case("websocket")) {
        return refuse(426, "upgrade_required", "The live log is a WebSocket.");
    }
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    let full = state.get_websockets_with_tag(TAG).len() >= MOST;
    state.accept_websocket_with_tags(&server, &[TAG]);
    answer_pings(state);
    if full {
        // Accepted first: a browser does not tell a page why an upgrade was refused.
        server.close(Some(TRY_LATER), Some("too many watch"))?;
        return Response::from_websocket(client);
    }
    let query = request.url()?;
    let after = query.query_pairs().find(|(name, _)| name == "after").and_then(|(_, after)| after.parse().ok());
    if let Some(after) = after {
        let missed = EventQuery { after: Some(after), limit: Some(MOST_MISSED), ..EventQuery::default() };
        let lines = directory.events(&missed).unwrap_or_default();
        for line in lines.iter().rev() {
            server.send_with_str(serde_json::to_string(line)?)?;
        }
    }
    Response::from_websocket(client)
}

/// Sends what is fresh to whoever watches.
pub fn tell(state: &State, fresh: &[LogLine]) {
    if fresh.is_empty() {
        return;
    }
    for watcher in state.get_websockets_with_tag(TAG) {
        for line in fresh {
            let Ok(json) = serde_json::to_string(line) else { continue };
            if watcher.send_with_str(json).is_err() {
                // Gone; the platform drops it.
                break;
            }
        }
    }
}
