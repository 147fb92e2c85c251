//! The frame of every page, and the parts pages are made of.
//!
//! Server-rendered; the script only adds comfort (local times, the live log) and every page works without it. No inline
//! script, style or handler anywhere: the Content-Security-Policy forbids them. Not here: what a page says.

mod parts;

pub use parts::*;

use maud::{DOCTYPE, Markup, html};

use super::access::Identity;
use super::request::{Answer, Request};
use crate::directory::desk::Refused;
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::refusals::refusal;

/// What the frame of a page shows beside the page itself.
#[derive(Debug, Clone)]
pub struct Frame {
    pub lang: Lang,
    /// Who is signed in.
    who: String,
    /// First segment of the path, for the menu.
    here: String,
    /// The whole path after `/_admin`, for the link that switches the language.
    path: String,
    /// The step before went well (`?done=…`).
    done: Option<String>,
}

impl Frame {
    /// `here`: the entry of the menu the page belongs to, the first segment of its path.
    pub fn new(request: &Request, who: &Identity, here: &str) -> Frame {
        Frame {
            lang: request.lang,
            who: who.name().to_owned(),
            here: here.to_owned(),
            path: request.segments.iter().map(|segment| format!("/{}", encode(segment))).collect(),
            done: request.query("done").map(str::to_owned),
        }
    }
}

type Title = fn(Lang) -> &'static str;

/// The menu: first segment and title.
const MENU: [(&str, Title); 9] = [
    ("", words::overview),
    ("conversations", words::conversations),
    ("people", words::people),
    ("models", words::models),
    ("agents", words::agents),
    ("settings", words::settings),
    ("logs", words::logs),
    ("backups", words::backups),
    ("doctor", words::doctor),
];

/// A whole page, 200.
pub fn page(frame: &Frame, title: &str, body: Markup) -> Answer {
    page_with_status(200, frame, title, body)
}

/// A page that says why something was not done.
pub fn refused(frame: &Frame, refused: &Refused) -> Answer {
    let body = html! {
        section.card role="alert" {
            p { (refusal(frame.lang, &refused.message)) }
            (problems(frame.lang, &refused.problems))
            p { a href="/_admin" { (words::overview(frame.lang)) } }
        }
    };
    page_with_status(refused.status, frame, words::went_wrong(frame.lang), body)
}

/// A whole page with any status: a form that was refused keeps what was typed.
pub fn page_with_status(status: u16, frame: &Frame, title: &str, body: Markup) -> Answer {
    let lang = frame.lang;
    let other = match lang {
        Lang::En => "ru",
        Lang::Ru => "en",
    };
    let html = html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (words::product(lang)) }
                link rel="stylesheet" href="/_admin/style.css";
                link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ctext y='13' font-size='13'%3E🌊%3C/text%3E%3C/svg%3E";
                script src="/_admin/script.js" defer {}
            }
            body {
                a.skip href="#content" { (words::skip_to_content(lang)) }
                header.top {
                    a.brand href="/_admin" { "🌊 " (words::product(lang)) }
                    nav {
                        @for (at, name) in MENU {
                            a href={ "/_admin" @if !at.is_empty() { "/" (at) } } aria-current=[(frame.here == at).then_some("page")] { (name(lang)) }
                        }
                    }
                    p.who {
                        span { (frame.who) } " "
                        a href={ "/_admin" (frame.path) "?lang=" (other) } hreflang=(other) { (words::other_language(lang)) }
                    }
                }
                main #content {
                    h1 { (title) }
                    @if frame.done.is_some() { p.flash role="status" { (words::done(lang)) } }
                    (body)
                }
            }
        }
    };
    Answer::Page { status, html: readable(html.into_string()) }
}

/// HTML has no control characters but white space; what people wrote, and queries, may.
fn readable(html: String) -> String {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if html.contains(odd) { html.replace(odd, "\u{FFFD}") } else { html }
}

/// The stylesheet.
pub fn style() -> Answer {
    Answer::File { content_type: "text/css; charset=utf-8", body: include_str!("style.css").to_owned(), download: None }
}

/// The script.
pub fn script() -> Answer {
    let body = include_str!("script.js").to_owned();
    Answer::File { content_type: "text/javascript; charset=utf-8", body, download: None }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn a_page_has_no_control_characters() {
        assert_eq!(readable("a\0b\u{1}\u{9b}<p>\n\t\r".into()), "a\u{FFFD}b\u{FFFD}\u{FFFD}<p>\n\t\r");
    }
}
