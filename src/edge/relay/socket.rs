//! A conversation's end of a WebSocket to the hub: what comes waits in a queue, and whoever waits for it is woken.
//!
//! The platform's object is talked to directly, without the crate's streams around it. The queue is bounded by the credit
//! of the call that uses the socket. Not here: what the messages mean.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Waker};

use js_sys::{ArrayBuffer, Function, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use worker::Response;

use crate::chat::ports::Lost;

#[wasm_bindgen]
extern "C" {
    /// A `WebSocket`.
    #[derive(Clone)]
    type JsSocket;
    #[wasm_bindgen(method, catch)]
    fn accept(this: &JsSocket) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &JsSocket, message: &Uint8Array) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &JsSocket, code: u16) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn listen(this: &JsSocket, event: &str, listener: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn unlisten(this: &JsSocket, event: &str, listener: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &JsSocket, kind: &str);

    /// A `MessageEvent`.
    type JsMessage;
    #[wasm_bindgen(method, getter)]
    fn data(this: &JsMessage) -> JsValue;
}

type Listener = Closure<dyn FnMut(JsValue)>;

/// "Normal" (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;

#[derive(Default)]
struct Inbox {
    /// `None`: the socket is gone.
    messages: VecDeque<Option<Vec<u8>>>,
    waker: Option<Waker>,
}

/// An open socket; closed when dropped.
pub struct Socket {
    socket: JsSocket,
    inbox: Rc<RefCell<Inbox>>,
    listeners: [(&'static str, Listener); 3],
}

impl Socket {
    /// Begins to listen at the socket of the hub's answer; `None` if there is none.
    pub fn of(response: Response) -> Option<Socket> {
        let socket = response.websocket()?.as_ref().unchecked_ref::<JsSocket>().clone();
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let listener = |taken: fn(JsValue) -> Option<Vec<u8>>| {
            let inbox = inbox.clone();
            let heard = move |event| {
                let mut inbox = inbox.borrow_mut();
                inbox.messages.push_back(taken(event));
                if let Some(waker) = inbox.waker.take() {
                    waker.wake();
                }
            };
            Closure::wrap_assert_unwind_safe(Box::new(heard) as Box<dyn FnMut(JsValue)>)
        };
        let listeners = [("message", listener(bytes_of)), ("close", listener(|_| None)), ("error", listener(|_| None))];
        let socket = Socket { socket, inbox, listeners };
        // Its other value hands over a Blob, which is read by another promise.
        socket.socket.set_binary_type("arraybuffer");
        for (event, listener) in &socket.listeners {
            socket.socket.listen(event, listener.as_ref().unchecked_ref()).ok()?;
        }
        socket.socket.accept().ok()?;
        Some(socket)
    }

    /// The next message; `Some(None)`: the socket is gone. `None`: nothing came yet.
    pub fn next(&self, context: &mut Context<'_>) -> Option<Option<Vec<u8>>> {
        let mut inbox = self.inbox.borrow_mut();
        let message = inbox.messages.pop_front();
        if message.is_none() {
            inbox.waker = Some(context.waker().clone());
        }
        message
    }

    pub fn send(&self, message: &[u8]) -> Result<(), Lost> {
        // A copy: the platform sends later.
        self.socket.send(&Uint8Array::from(message)).map_err(|_| Lost)
    }
}

/// A message's bytes; a text, which nobody sends, is one without any, and so no frame.
fn bytes_of(event: JsValue) -> Option<Vec<u8>> {
    let data = event.unchecked_into::<JsMessage>().data();
    Some(data.dyn_ref::<ArrayBuffer>().map(|bytes| Uint8Array::new(bytes).to_vec()).unwrap_or_default())
}

impl Drop for Socket {
    fn drop(&mut self) {
        for (event, listener) in &self.listeners {
            let _ = self.socket.unlisten(event, listener.as_ref().unchecked_ref());
        }
        let _ = self.socket.close(NORMAL);
    }
}
