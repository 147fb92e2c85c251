//! Charts as inline SVG: presentation attributes and classes only, because the page's policy allows no inline style. Each
//! comes with its numbers as a table.
//!
//! Words and numbers stand outside the drawing, so that they keep their size on a phone.

use maud::{Markup, html};

use crate::admin::look::meter;
use crate::directory::{Spend, Totals};
use crate::text::Lang;
use crate::text::admin::models as text;
use crate::text::amount::{tokens, usd};
use crate::text::calendar::date;
use crate::text::usage;

/// Height of the plot, and width of a day with its gap, in units of the drawing.
const HEIGHT: u64 = 100;
const DAY_WIDTH: usize = 10;
const BAR_WIDTH: usize = 8;

/// Money by day.
pub fn by_day(lang: Lang, spend: &Spend) -> Markup {
    let most = spend.by_day.iter().map(|day| day.totals.nano_usd).max().unwrap_or(0);
    let (first, last) = (spend.by_day.first(), spend.by_day.last());
    let width = spend.by_day.len() * DAY_WIDTH;
    let label = text::chart(lang, spend.days, spend.total.nano_usd, &usd(most));
    html! {
        figure.chart {
            p.chart-top.quiet.number aria-hidden="true" { (usd(most)) }
            svg viewBox=(format!("0 0 {width} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
                @for y in [0, HEIGHT / 2, HEIGHT] { line.rule x1="0" x2=(width) y1=(y) y2=(y) {} }
                @for (index, day) in spend.by_day.iter().enumerate() {
                    @let height = bar(day.totals.nano_usd, most);
                    rect.bar x=(index * DAY_WIDTH + 1) y=(HEIGHT - height) width=(BAR_WIDTH) height=(height) {
                        title { (date(day.at)) ": " (usd(day.totals.nano_usd)) }
                    }
                }
            }
            p.chart-ends.quiet.number aria-hidden="true" {
                span { @if let Some(day) = first { (date(day.at)) } }
                span { @if let Some(day) = last { (date(day.at)) } }
            }
            details {
                summary { (text::numbers(lang)) }
                (table(lang, text::day(lang), spend.by_day.iter().rev().filter(|day| day.totals.calls > 0).map(|day| (date(day.at), day.totals)), None))
            }
        }
    }
}

/// Money by model.
pub fn by_model(lang: Lang, spend: &Spend) -> Markup {
    let rows = spend.by_model.iter().map(|one| (one.model.clone(), one.totals));
    table(lang, text::model(lang), rows, Some(spend.total.nano_usd))
}

/// Money by person.
pub fn by_person(lang: Lang, spend: &Spend) -> Markup {
    let rows = spend.by_person.iter().map(|one| (usage::person(lang, one.user_id, &one.name), one.totals));
    table(lang, text::person(lang), rows, Some(spend.total.nano_usd))
}

/// Height of a bar; what was spent at all is seen.
fn bar(value: u64, most: u64) -> u64 {
    match (value, most) {
        (0, _) | (_, 0) => 0,
        _ => {
            u64::try_from(u128::from(value) * u128::from(HEIGHT) / u128::from(most)).unwrap_or(HEIGHT).clamp(1, HEIGHT)
        }
    }
}

/// Rows of numbers; with the share of `whole` as a bar.
fn table(lang: Lang, head: &str, rows: impl Iterator<Item = (String, Totals)>, whole: Option<u64>) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (head) }
                        th.number scope="col" { (text::cost(lang)) }
                        th.number scope="col" { (text::calls(lang)) }
                        th.number scope="col" { (text::failures(lang)) }
                        th.number scope="col" { (text::input(lang)) }
                        th.number scope="col" { (text::output(lang)) }
                    }
                }
                tbody {
                    @for (name, totals) in rows {
                        tr {
                            th.name scope="row" { (name) }
                            td.number {
                                @if totals.assumed_nano_usd > 0 { "≈" }
                                (usd(totals.nano_usd))
                                @if let Some(whole) = whole.filter(|whole| *whole > 0) { (share(totals.nano_usd, whole)) }
                            }
                            td.number { (totals.calls) }
                            td.number { (totals.failures) }
                            td.number { (tokens(totals.input)) }
                            td.number { (tokens(totals.output)) }
                        }
                    }
                }
            }
        }
    }
}

/// A part of a whole: as a meter, but a large share is no warning.
fn share(part: u64, whole: u64) -> Markup {
    html! { span.share { (meter(part, whole)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_within_the_plot_and_nothing_spent_is_nothing_drawn() {
        assert_eq!((bar(0, 0), bar(0, 5), bar(1, u64::MAX), bar(5, 5), bar(5, 10)), (0, 0, 1, 100, 50));
        assert_eq!(bar(u64::MAX, 1), 100);
    }
}
