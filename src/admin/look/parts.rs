//! Parts that pages are made of: cards, badges, times, money, forms of one button.

use maud::{Markup, html};

use crate::directory::desk::Problem;
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::refusals::refusal;
use crate::text::amount;
use crate::text::calendar::date_time;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Good => "badge good",
            Tone::Plain => "badge",
            Tone::Warning => "badge warning",
            Tone::Bad => "badge bad",
        }
    }
}

/// A box whose title was written by somebody else, or has more to it than words.
pub fn card_of(title: Markup, body: Markup) -> Markup {
    html! { section.card { h2 { (title) } (body) } }
}

/// A titled box.
pub fn card(title: &str, body: Markup) -> Markup {
    html! { section.card { h2 { (title) } (body) } }
}

/// A word about how something stands.
pub fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class=(tone.class()) { (text) } }
}

/// A moment, Unix milliseconds; the script turns it into local time.
pub fn time(at: i64) -> Markup {
    html! { time datetime=(format!("{}Z", date_time(at).replace(' ', "T"))) data-ms=(at) { (date_time(at)) " UTC" } }
}

/// A moment that may not have come.
pub fn time_or_never(lang: Lang, at: Option<i64>) -> Markup {
    match at {
        Some(at) => time(at),
        None => html! { (words::never(lang)) },
    }
}

/// An amount in 10⁻⁹ US dollars.
pub fn money(nano_usd: u64) -> Markup {
    html! { span.number { (amount::usd(nano_usd)) } }
}

/// A button that posts `fields` to `action`.
pub fn button(action: &str, fields: &[(&str, &str)], label: &str, tone: Tone) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.bad[tone == Tone::Bad].good[tone == Tone::Good] type="submit" { (label) }
        }
    }
}

/// A list of problems with a document.
pub fn problems(lang: Lang, problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            ul.problems {
                @for problem in problems {
                    li { code { (problem.path) } " — " (refusal(lang, &problem.message))
                        @if !problem.allowed.is_empty() { " (" (problem.allowed.join(", ")) ")" }
                    }
                }
            }
        }
    }
}

/// What stands where a list is empty.
pub fn nothing(lang: Lang) -> Markup {
    html! { p.quiet { (words::nothing_here(lang)) } }
}

/// One segment of a path, or one value of a query, percent-encoded.
pub fn encode(text: &str) -> String {
    // The form's own encoding writes a space as `+`, which is not one in a path.
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// How much of `most` is used, as a bar.
pub fn meter(used: u64, most: u64) -> Markup {
    let percent = if most == 0 { 100 } else { (u128::from(used) * 100 / u128::from(most)).min(100) };
    let class = match percent {
        0..80 => "meter",
        80..100 => "meter warning",
        _ => "meter bad",
    };
    html! {
        svg class=(class) viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=(format!("{percent} %")) {
            rect.track width="100" height="4" {}
            rect.used width=(percent) height="4" {}
        }
    }
}
