use worker::*;
#[event(fetch)]
async fn fetch(req: Request, env: Env, _ctx: Context) -> Result<Response> {
    if req.path() == "/healthz" {
        return Response::ok("ok");
    }
    let ns = env.durable_object("CHAT")?;
    ns.get_by_name("x")?.fetch_with_request(req).await
}
#[durable_object]
pub struct Chat {
    state: State,
    n: std::cell::RefCell<u32>,
}
impl std::panic::UnwindSafe for Chat {}
impl std::panic::RefUnwindSafe for Chat {}
impl DurableObject for Chat {
    fn new(state: State, _env: Env) -> Self {
        Chat { state, n: Default::default() }
    }
    async fn fetch(&self, _req: Request) -> Result<Response> {
        *self.n.borrow_mut() += 1;
        let _ = &self.state;
        Response::ok(format!("{}", self.n.borrow()))
    }
}
