//! The RelayHub object: hibernating WebSockets, alarm and rows around a [`Board`] (cloudflare.md §1.4).
//!
//! It sleeps whenever nothing is said, with all sockets open, and finds itself again in what they carry. The platform's
//! events are taken without the wrapper around them, which makes a future of each message and copies it twice: the bytes
//! of calls go from socket to socket as they are. Not here: any rule of the protocol (`relay::hub`), the check of the
//! token (`door`).

use std::cell::{Cell, RefCell};
use std::panic::{RefUnwindSafe, UnwindSafe};

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::web_sys;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketPair, console_error, durable_object,
};

use super::super::router::{json, refuse};
use super::super::sql::ObjectSql;
use super::super::{clock, trouble};
use super::door;
use super::rows::Rows;
use crate::directory;
use crate::relay::hub::{Act, Acts, Board, ConnId, Level, Mark, Table};
use crate::relay::{Kind, MAX_FRAME, WAIT_EVERY_MS};

/// Bytes of a frame of data that the board looks at: kind, call, offset.
const DATA_HEAD: u32 = 17;

#[durable_object(fetch)]
pub struct RelayHub {
    state: State,
    env: Env,
    rows: Rows<ObjectSql>,
    /// `None` until the first event.
    board: RefCell<Option<Board>>,
    /// Sockets by name, as far as they were needed since the object woke.
    sockets: RefCell<Table<ConnId, WebSocket>>,
    /// Another one after each sleep.
    instance: String,
    /// The alarm is set.
    ticking: Cell<bool>,
}

// See `Chat`: sockets and store are the truth.
impl UnwindSafe for RelayHub {}
impl RefUnwindSafe for RelayHub {}

impl DurableObject for RelayHub {
    fn new(state: State, env: Env) -> Self {
        let rows = Rows::open(ObjectSql::new(&state.storage()));
        let instance = random().map_or_else(String::new, |random| ConnId::new(random).to_string());
        RelayHub {
            state,
            env,
            rows,
            board: RefCell::new(None),
            sockets: RefCell::default(),
            instance,
            ticking: Cell::new(false),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        // An error would reach whoever asks as a page of the platform's.
        self.answer(&request).or_else(|error| {
            console_error!("the hub: {error}");
            refuse(500, "hub_failed", "The hub failed.")
        })
    }
}

#[wasm_bindgen]
impl RelayHub {
    #[wasm_bindgen(js_name = alarm)]
    pub fn on_alarm(&self) {
        self.ticking.set(false);
        self.event(None, None, &mut Board::on_tick);
    }

    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn on_message(&self, socket: web_sys::WebSocket, message: JsValue) {
        let socket = WebSocket::from(socket);
        let Some(conn) = self.name_of(&socket) else { return };
        match message.dyn_ref::<ArrayBuffer>() {
            Some(message) => {
                let bytes = head(message);
                self.event(Some((conn, &socket)), Some(message), &mut |board, now| board.on_frame(conn, &bytes, now));
            }
            None => self.event(Some((conn, &socket)), None, &mut |board, now| board.on_text(conn, now)),
        }
    }

    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn on_close(&self, socket: web_sys::WebSocket, code: u16) {
        let socket = WebSocket::from(socket);
        self.gone(&socket, code);
        // Without an answer the other side waits for ten seconds (seen with local workerd).
        let _ = socket.close(Some(1000), Some(""));
    }

    #[wasm_bindgen(js_name = webSocketError)]
    pub fn on_error(&self, socket: web_sys::WebSocket) {
        self.gone(&socket.into(), 0);
    }
}

/// What of a message the board has to see: all of it, but of data only the head, and never more than makes it too long.
fn head(message: &ArrayBuffer) -> Vec<u8> {
    let whole = Uint8Array::new(message);
    let is_data = whole.length() > DATA_HEAD && whole.length() as usize <= MAX_FRAME;
    let is_data = is_data && whole.get_index(0) == Kind::Data as u8;
    whole.subarray(0, if is_data { DATA_HEAD } else { MAX_FRAME as u32 + 1 }).to_vec()
}

impl RelayHub {
    fn answer(&self, request: &Request) -> Result<Response> {
        let path = request.path();
        match path.as_str() {
            "/relay" | "/call" => self.accept(request, path == "/relay"),
            "/view" => {
                self.event(None, None, &mut |_, _| Acts::new());
                let known = self.rows.all(clock::now());
                let board = self.board.borrow();
                let view = board.as_ref().map(|board| board.view(known, &self.instance));
                json(serde_json::to_string(&view.unwrap_or_default())?)
            }
            _ => refuse(404, "not_found", "No such route."),
        }
    }

    fn accept(&self, request: &Request, is_relay: bool) -> Result<Response> {
        if !door::is_upgrade(request)? {
            return refuse(426, "upgrade_required", "This is a WebSocket.");
        }
        let token = request.headers().get(door::TOKEN)?.unwrap_or_default();
        let Some(random) = random() else {
            return refuse(503, "no_randomness", "The platform gave no random bytes.");
        };
        let conn = ConnId::new(random);
        // Before the new socket is there, which carries nothing yet.
        self.event(None, None, &mut |_, _| Acts::new());
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&server, &[&conn.to_string()]);
        self.sockets.borrow_mut().insert(conn, server);
        self.event(None, None, &mut |board, now| match is_relay {
            true => board.on_relay(conn, &token, now),
            false => board.on_caller(conn, now),
        });
        Response::from_websocket(client)
    }

    fn gone(&self, socket: &WebSocket, code: u16) {
        let Some(conn) = self.name_of(socket) else { return };
        self.event(Some((conn, socket)), None, &mut |board, now| board.on_close(conn, code, now));
        self.sockets.borrow_mut().remove(conn);
    }

    /// Lets the board hear of something and does what it says. `from`: the socket it comes from, `message`: what came.
    fn event(
        &self,
        from: Option<(ConnId, &WebSocket)>,
        message: Option<&ArrayBuffer>,
        hear: &mut dyn FnMut(&mut Board, i64) -> Acts,
    ) {
        let now = clock::now();
        let mut slot = self.board.borrow_mut();
        let board = match slot.take() {
            Some(board) => slot.insert(board),
            None => {
                let (board, acts) = self.wake(from, now);
                self.perform(acts, None);
                slot.insert(board)
            }
        };
        let acts = hear(board, now);
        let waits = board.has_waiting();
        self.perform(acts, message);
        if waits && !self.ticking.replace(true) {
            // Called without awaiting, as in `Chat`.
            let at = js_sys::Date::new(&((now + WAIT_EVERY_MS) as f64).into());
            if self.state.storage().as_raw().set_alarm(at, js_sys::Object::new()).is_err() {
                console_error!("the hub's alarm could not be set");
            }
        }
    }

    /// The board from what the sockets carry. `from` is among them even if it just closed.
    fn wake(&self, from: Option<(ConnId, &WebSocket)>, now: i64) -> (Board, Acts) {
        let mut sockets: Table<ConnId, WebSocket> = Table::default();
        for socket in self.state.get_websockets() {
            if let Some(conn) = self.name_of(&socket) {
                sockets.insert(conn, socket);
            }
        }
        if let Some((conn, socket)) = from {
            sockets.insert(conn, socket.clone());
        }
        let marks = sockets.iter().map(|(conn, socket)| {
            let text = socket.deserialize_attachment::<String>().ok().flatten();
            (conn, text.and_then(|text| serde_json::from_slice::<Mark>(text.as_bytes()).ok()))
        });
        let marks = marks.collect();
        self.sockets.replace(sockets);
        Board::restore(marks, self.rows.all(now), door::token_hash(&self.env).as_deref(), now)
    }

    fn perform(&self, acts: Acts, message: Option<&ArrayBuffer>) {
        let mut sockets = self.sockets.borrow_mut();
        for act in acts {
            match act {
                // A socket that fails is gone; the platform says so in its own event.
                Act::Send { to, frame } => {
                    if let Some(socket) = sockets.get(to) {
                        let _ = socket.send_with_bytes(frame);
                    }
                }
                Act::Forward { to } => {
                    if let (Some(socket), Some(message)) = (sockets.get(to), message) {
                        let _ = AsRef::<web_sys::WebSocket>::as_ref(socket).send_with_array_buffer(message);
                    }
                }
                Act::Close { to, code, reason } => {
                    if let Some(socket) = sockets.remove(to) {
                        let _ = socket.close(Some(code), Some(reason));
                    }
                }
                Act::Keep { of, mark } => {
                    if let (Some(socket), Ok(text)) = (sockets.get(of), serde_json::to_string(&mark))
                        && socket.serialize_attachment(text).is_err()
                    {
                        console_error!("the hub could not write onto a socket");
                    }
                }
                Act::Note(note) => self.rows.note(&note),
                Act::Log { level, line } => self.tell(level, line),
            }
        }
    }

    /// A line for the operator. Nobody waits for it.
    fn tell(&self, level: Level, line: String) {
        let level = match level {
            Level::Info => directory::Level::Info,
            Level::Warning => directory::Level::Warning,
        };
        let env = self.env.clone();
        self.state.wait_until(async move { trouble::note(&env, level, "relay", &line).await });
    }

    fn name_of(&self, socket: &WebSocket) -> Option<ConnId> {
        self.state.get_tags(socket).first().and_then(|tag| ConnId::parse(tag))
    }
}

fn random() -> Option<u64> {
    clock::random().map(u64::from_be_bytes)
}
