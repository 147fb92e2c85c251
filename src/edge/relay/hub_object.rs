//! The RelayHub object: hibernating WebSockets, alarm and rows around a [`Board`] (cloudflare.md §1.4).
//!
//! It sleeps whenever nothing is said, with all sockets open, and finds itself again in what they carry. Not here: any
//! rule of the protocol (`relay::hub`), the check of the token (`door`).

use std::cell::{Cell, RefCell};
use std::panic::{RefUnwindSafe, UnwindSafe};

use worker::{
    DurableObject, Env, Error, Request, Response, Result, Socket, State, WebSocket, WebSocketIncomingMessage,
    WebSocketPair, console_error, durable_object,
};

use super::super::router::{json, refuse};
use super::super::sql::ObjectSql;
use super::super::{clock, trouble};
use super::door;
use super::rows::Rows;
use crate::directory;
use crate::relay::WAIT_EVERY_MS;
use crate::relay::hub::{Act, Acts, Board, ConnId, Level, Mark, Table};

#[durable_object]
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
        let path = request.path();
        match path.as_str() {
            "/relay" | "/call" => self.accept(&request, path == "/relay"),
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

    async fn alarm(&self) -> Result<Response> {
        self.ticking.set(false);
        self.event(None, None, &mut Board::on_tick);
        Response::empty()
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> Result<()> {
        let Some(conn) = self.name_of(&socket) else { return Ok(()) };
        match message {
            WebSocketIncomingMessage::Binary(bytes) => {
                self.event(Some((conn, &socket)), Some(&bytes), &mut |board, now| board.on_frame(conn, &bytes, now));
            }
            WebSocketIncomingMessage::String(_) => {
                self.event(Some((conn, &socket)), None, &mut |board, now| board.on_text(conn, now));
            }
        }
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, code: usize, _reason: String, _clean: bool) -> Result<()> {
        self.gone(&socket, u16::try_from(code).unwrap_or_default());
        // Without an answer the other side waits for ten seconds (seen with local workerd).
        let _ = socket.close(Some(1000), Some(""));
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: Error) -> Result<()> {
        self.gone(&socket, 0);
        Ok(())
    }

    async fn connect(&self, _socket: Socket) -> Result<()> {
        Err(Error::RustError("nothing listens here".into()))
    }
}

impl RelayHub {
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

    /// Lets the board hear of something and does what it says. `from`: the socket it comes from, `bytes`: what came.
    fn event(
        &self,
        from: Option<(ConnId, &WebSocket)>,
        bytes: Option<&[u8]>,
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
        self.perform(acts, bytes);
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

    fn perform(&self, acts: Acts, bytes: Option<&[u8]>) {
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
                    if let (Some(socket), Some(bytes)) = (sockets.get(to), bytes) {
                        let _ = socket.send_with_bytes(bytes);
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
