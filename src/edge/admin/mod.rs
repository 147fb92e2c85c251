//! The control plane on the platform: a request to a guarded path in, bytes out.
//!
//! Not here: pages and routes (`crate::admin`), verification of tokens (`access`).

mod access;
mod office;
mod ping;
mod probe;

use worker::{Env, Headers, Request, Response, Result};

use super::{debug, objects};
use crate::admin::access::Identity;
use crate::admin::origin::{self, Source};
use crate::admin::request::{Answer, MAX_BODY, Method, Request as Asked, form_fields, json_fields};
use crate::admin::{self, Area, closed, paths};
use crate::chat::desk::Form;
use crate::directory::desk::Refused;
use crate::text::Lang;
use office::Platform;

/// What a page may load and do (no inline script, style or handler; never inside a frame).
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Keeps the language chosen on a page, for a year.
const LANGUAGE_COOKIE: &str = "tideclaw_lang";

/// Answers a request to `/_admin`, `/api`, `/debug` or below. Nothing of it is looked at before it is known who asks, and
/// nothing is done before it is known that they meant to.
pub async fn enter(request: Request, env: &Env) -> Result<Response> {
    let who = match access::identify(&request, env).await {
        Ok(who) => who,
        Err(answer) => return respond(answer, None),
    };
    let headers = request.headers();
    let (site, from) = (headers.get("sec-fetch-site")?, headers.get("origin")?);
    let looks = matches!(request.method(), worker::Method::Get | worker::Method::Head);
    let url = request.url()?;
    let source = Source {
        url: url.as_str(),
        only_looks: looks && headers.get("upgrade")?.is_none(),
        site: site.as_deref(),
        origin: from.as_deref(),
    };
    if !origin::is_meant(&source, &who) {
        return respond(closed::not_meant(), None);
    }
    let mut segments = paths::segments(&request.path()).unwrap_or_default().into_iter();
    match segments.next().as_deref() {
        Some("_admin") => handle(request, env, Area::Pages, segments.collect(), &who).await,
        Some("api") => handle(request, env, Area::Api, segments.collect(), &who).await,
        Some("debug") if debug::is_open(&request, env) => debug::run(request, env, segments.as_slice()).await,
        _ => refuse(404, "not_found", "No such route."),
    }
}

/// Answers a request of somebody Access vouches for. `rest`: the decoded segments after `/_admin` or `/api`.
async fn handle(mut request: Request, env: &Env, area: Area, rest: Vec<String>, who: &Identity) -> Result<Response> {
    let method = match request.method() {
        worker::Method::Get | worker::Method::Head => Method::Get,
        worker::Method::Post => Method::Post,
        _ => return refuse(405, "method_not_allowed", "This route takes GET or POST."),
    };
    let url = request.url()?;
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let chosen = query.iter().find(|(name, _)| name == "lang").map(|(_, value)| Lang::from_code(Some(value)));
    let headers = request.headers().clone();
    let fields = if method == Method::Post {
        let Some(body) = super::webhook::read_body(&mut request, MAX_BODY).await? else {
            return refuse(413, "too_large", "A request has at most 1 MiB.");
        };
        let kind = headers.get("content-type")?.unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            form_fields(&body)
        } else if body.trim().is_empty() {
            Default::default()
        } else {
            match json_fields(&body) {
                Ok(fields) => fields,
                Err(refused) => return respond(Answer::refused(&refused), None),
            }
        }
    } else {
        Default::default()
    };
    let asked = Asked {
        method,
        segments: rest,
        query,
        fields,
        lang: chosen.unwrap_or_else(|| language(&headers)),
        origin: url.origin().ascii_serialization(),
    };
    let platform = Platform::new(env, who);
    match admin::answer(&platform, area, &asked, who).await {
        // That it is our own page that asks was seen to in `enter`, as with all upgrades.
        Answer::LiveLog { after } if headers.get("upgrade")?.is_some() => {
            let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
            objects::directory_socket(env, &format!("/live{after}")).await
        }
        Answer::Export { session, form } => export(env, session, form),
        answer => respond(answer, chosen),
    }
}

/// The language kept in the cookie, else the browser's first.
fn language(headers: &Headers) -> Lang {
    let cookies = headers.get("cookie").ok().flatten().unwrap_or_default();
    let kept =
        cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == LANGUAGE_COOKIE);
    match kept {
        Some((_, code)) => Lang::from_code(Some(code)),
        None => Lang::from_code(headers.get("accept-language").ok().flatten().as_deref()),
    }
}

fn respond(answer: Answer, chosen: Option<Lang>) -> Result<Response> {
    let (status, content_type, body) = match answer {
        Answer::Page { status, html } => (status, "text/html; charset=utf-8", html),
        Answer::Json { status, json } => (status, "application/json", json),
        Answer::File { content_type, body, download } => {
            let response = with_headers(Response::ok(body)?, content_type)?;
            if let Some(name) = download {
                let plain = name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "_");
                response.headers().set("content-disposition", &format!("attachment; filename=\"{plain}\""))?;
            }
            return Ok(response);
        }
        Answer::See(path) => {
            let response = with_headers(Response::empty()?.with_status(303), "text/plain")?;
            response.headers().set("location", &path)?;
            return Ok(response);
        }
        Answer::LiveLog { .. } => return refuse(426, "upgrade_required", "The live log is a WebSocket."),
        Answer::Export { .. } => return refuse(404, "not_found", "No such route."),
    };
    let response = with_headers(Response::ok(body)?.with_status(status), content_type)?;
    if let Some(lang) = chosen {
        let cookie = format!("{LANGUAGE_COOKIE}={}; Path=/_admin; Max-Age=31536000; SameSite=Lax", lang.code());
        response.headers().set("set-cookie", &cookie)?;
    }
    Ok(response)
}

/// A conversation as a download: a piece is asked for when the one before has gone out, so that its length does not matter.
/// A piece that cannot be had breaks the download off, rather than end it as if it were whole.
fn export(env: &Env, session: String, form: Form) -> Result<Response> {
    let (end, content_type) = match form {
        Form::Markdown => ("md", "text/markdown; charset=utf-8"),
        Form::JsonLines => ("jsonl", "application/jsonl; charset=utf-8"),
    };
    let name = format!("{}.{end}", session.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_"));
    let env = env.clone();
    let pieces = futures::stream::try_unfold(Some(0), move |after| {
        let (env, session) = (env.clone(), session.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let piece = office::export_page(&env, &session, form, after).await;
            let piece = piece.map_err(|refused| worker::Error::RustError(refused.message))?;
            Ok::<_, worker::Error>(Some((piece.text.into_bytes(), piece.next)))
        }
    });
    let response = with_headers(Response::from_stream(pieces)?, content_type)?;
    response.headers().set("content-disposition", &format!("attachment; filename=\"{name}\""))?;
    Ok(response)
}

/// An error of this door: with the headers of all that comes from behind it.
fn refuse(status: u16, code: &str, message: &str) -> Result<Response> {
    respond(Answer::refused(&Refused::new(status, code, message)), None)
}

fn with_headers(response: Response, content_type: &str) -> Result<Response> {
    let headers = response.headers();
    headers.set("content-type", content_type)?;
    headers.set("content-security-policy", POLICY)?;
    headers.set("x-content-type-options", "nosniff")?;
    // Not `no-referrer`: with it browsers send forms with `Origin: null`.
    headers.set("referrer-policy", "same-origin")?;
    headers.set("cache-control", "no-store")?;
    Ok(response)
}
