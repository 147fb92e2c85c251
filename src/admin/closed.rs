//! What those read who are not let in. Nobody learns why: whoever may know finds the reason in the log.

use maud::{DOCTYPE, html};

use super::access::Unset;
use super::request::Answer;
use crate::directory::desk::Refused;
use crate::text::Lang;
use crate::text::admin::access as words;

/// To whoever has no token, a bad one, or one of somebody else: the same, letter for letter, pages and API alike.
pub fn unauthorized() -> Answer {
    Answer::refused(&Refused::new(401, "unauthorized", "Unauthorized."))
}

/// To a signed-in browser that another site made ask.
pub fn not_meant() -> Answer {
    Answer::refused(&Refused::new(403, "not_same_origin", "This was not sent by a page of this site."))
}

/// While Access is not set up: what to do, with `host` in it, as the request named it. 503.
pub fn unset(unset: &Unset, host: &str, lang: Lang, wants_html: bool) -> Answer {
    if wants_html { steps(unset, host, lang) } else { steps_in_words(unset, host) }
}

/// Paths of the Access application. Without a wildcard each covers itself and all below it; with one, not itself
/// (cloudflare.md §0.8).
const DESTINATIONS: [&str; 3] = ["_admin", "api", "debug"];
const COMMANDS: [&str; 2] = ["npx wrangler secret put CF_ACCESS_TEAM_DOMAIN", "npx wrangler secret put CF_ACCESS_AUD"];

fn steps(unset: &Unset, host: &str, lang: Lang) -> Answer {
    // On its own: style and script of the other pages are behind the same door.
    let html = html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (words::title(lang)) }
            }
            body {
                h1 { (words::title(lang)) }
                p { (words::intro(lang)) }
                ol {
                    li {
                        (words::application(lang))
                        ul { @for path in DESTINATIONS { li { code { (host) "/" (path) } } } }
                    }
                    li { (words::policy(lang)) }
                    li {
                        (words::secrets(lang))
                        ul { @for command in COMMANDS { li { code { (command) } } } }
                    }
                    li { (words::reload(lang)) }
                }
                p { (words::missing(lang, &unset.0.join(", "))) }
                p { (words::more(lang)) }
            }
        }
    };
    Answer::Page { status: 503, html: html.into_string() }
}

fn steps_in_words(unset: &Unset, host: &str) -> Answer {
    let destinations = DESTINATIONS.map(|path| format!("{host}/{path}")).join(", ");
    let message = format!(
        "{} 1. Zero Trust → Access controls → Applications: add a Self-hosted application with the destinations \
         {destinations} (no * at the end). 2. A policy with the action Allow and your e-mail address. 3. {} \
         (https://<team>.cloudflareaccess.com) and {} (the application's AUD tag). See docs/operations.md, \
         \"Access, step by step\".",
        words::missing(Lang::En, &unset.0.join(", ")),
        COMMANDS[0],
        COMMANDS[1],
    );
    Answer::refused(&Refused::new(503, "access_not_configured", &message))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const MISSING: [&str; 2] = ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"];

    fn text(answer: Answer) -> String {
        match answer {
            Answer::Page { status: 503, html } => html,
            Answer::Json { status: 503, json } => json,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_steps_name_the_host_the_paths_and_the_commands() {
        let missing = Unset(MISSING.to_vec());
        for lang in [Lang::En, Lang::Ru] {
            for wants_html in [true, false] {
                let text = text(unset(&missing, "bot.example.workers.dev", lang, wants_html));
                for part in [
                    "bot.example.workers.dev/_admin",
                    "workers.dev/api",
                    "workers.dev/debug",
                    COMMANDS[0],
                    COMMANDS[1],
                    "Allow",
                    "Self-hosted",
                ] {
                    assert!(text.contains(part), "{lang:?}: {part} in {text}");
                }
                assert!(MISSING.iter().all(|name| text.contains(name)));
            }
        }
    }

    #[test]
    fn a_made_up_host_is_only_text() {
        let text = text(unset(&Unset(vec![]), "<script>alert(1)</script>", Lang::En, true));
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script"));
    }

    #[test]
    fn the_short_answer() {
        let json = r#"{"error":{"code":"unauthorized","message":"Unauthorized."}}"#.to_owned();
        assert_eq!(unauthorized(), Answer::Json { status: 401, json });
    }
}
