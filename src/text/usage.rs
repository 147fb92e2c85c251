//! What people read about tokens and money: `/usage`, and what owners hear of budgets and refused keys.
//!
//! Lines are short: they are read on a phone. Money comes in 10⁻⁹ US dollars. Not here: the sums.

use super::Lang;
use super::amount::{tokens, usd};

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Day,
    Month,
}

/// One line of numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    pub calls: u64,
    pub failures: u64,
    /// Tokens, `cached_input` included.
    pub input: u64,
    pub cached_input: u64,
    pub output: u64,
    pub nano_usd: u64,
    /// Some of the money rests on an assumed price.
    pub assumed: bool,
}

/// All of `/usage`.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Everybody's numbers; else those of whoever asks.
    pub everybody: bool,
    pub day: Sums,
    pub month: Sums,
    pub day_cap: Option<u64>,
    pub month_cap: Option<u64>,
    /// Of the month, the dearest first.
    pub models: Vec<(String, Sums)>,
    pub people: Vec<(String, Sums)>,
    /// What rests, and for how many milliseconds still.
    pub resting: Vec<(String, i64)>,
}

/// The answer to `/usage`.
pub fn page(lang: Lang, page: &Page) -> String {
    let title = match page.everybody {
        true => lang.pick("📊 Usage", "📊 Расход"),
        false => lang.pick("📊 Your usage", "📊 Ваш расход"),
    };
    let mut lines = vec![title.to_owned(), String::new()];
    for (name, sums, cap) in [
        (lang.pick("Today", "Сегодня"), &page.day, page.day_cap),
        (lang.pick("This month", "Этот месяц"), &page.month, page.month_cap),
    ] {
        let of = cap.map(|cap| format!(" {} {}", lang.pick("of", "из"), usd(cap))).unwrap_or_default();
        lines.push(format!("{name}: {}{of}", money(sums)));
        lines.push(format!("   {}", volume(lang, sums)));
    }
    for (title, rows) in [
        (lang.pick("Models this month", "Модели за месяц"), &page.models),
        (lang.pick("People this month", "Люди за месяц"), &page.people),
    ] {
        if !rows.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(
                rows.iter()
                    .map(|(name, sums)| format!("· {}: {} · {}", short(name), money(sums), calls(lang, sums.calls))),
            );
        }
    }
    if !page.resting.is_empty() {
        lines.extend([String::new(), lang.pick("Resting after failures", "Отдыхают после сбоев").to_owned()]);
        lines.extend(page.resting.iter().map(|(name, ms)| format!("· {}: {}", short(name), wait(lang, *ms))));
    }
    let assumed = page.day.assumed || page.month.assumed;
    if assumed {
        lines.extend([
            String::new(),
            lang.pick("≈ partly on assumed prices", "≈ отчасти по предполагаемым ценам").to_owned(),
        ]);
    }
    lines.push(lang.pick("Days and months are UTC.", "Дни и месяцы по UTC.").to_owned());
    lines.join("\n")
}

/// To owners: a budget passed `percent`, which is 50, 80 or 100.
pub fn threshold(lang: Lang, span: Span, percent: u64, spent: u64, cap: u64) -> String {
    let (spent, cap) = (usd(spent), usd(cap));
    let (whose, until) = match span {
        Span::Day => (lang.pick("Today's", "На сегодня"), lang.pick("00:00 UTC", "00:00 UTC")),
        Span::Month => {
            (lang.pick("This month's", "На этот месяц"), lang.pick("the first, 00:00 UTC", "первого числа, 00:00 UTC"))
        }
    };
    let (mark, rest) = match (percent >= 100, lang) {
        (true, Lang::En) => ("⛔", format!("\nCalls that would pass it are refused until {until}.")),
        (true, Lang::Ru) => ("⛔", format!("\nВызовы, которые его превысят, отклоняются до {until}.")),
        (false, _) => ("💸", String::new()),
    };
    let first = match (percent >= 100, lang) {
        (true, Lang::En) => format!("{whose} model budget is used up: {spent} of {cap}."),
        (true, Lang::Ru) => format!("{whose} бюджет на модели исчерпан: {spent} из {cap}."),
        (false, Lang::En) => format!("{whose} model budget: {percent} % is spent, {spent} of {cap}."),
        (false, Lang::Ru) => format!("{whose} бюджет на модели израсходован на {percent} %: {spent} из {cap}."),
    };
    format!("{mark} {first}{rest}")
}

/// To owners: a provider does not take its key.
pub fn key_refused(lang: Lang, provider: &str) -> String {
    match lang {
        Lang::En => format!("🔑 “{provider}” refuses the bot's key. Please renew it. I try again in an hour."),
        Lang::Ru => format!("🔑 «{provider}» не принимает ключ бота. Обновите его. Попробую снова через час."),
    }
}

/// A person in the list; the ledger's person 0 is nobody in particular.
pub fn person(lang: Lang, id: i64, name: &str) -> String {
    match (id, name) {
        (0, _) => lang.pick("nobody in particular", "никто конкретно").to_owned(),
        (_, "") => format!("id {id}"),
        (_, name) => name.to_owned(),
    }
}

/// At most 40 characters of a name.
fn short(name: &str) -> String {
    match name.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", name.get(..cut).unwrap_or_default()),
        None => name.to_owned(),
    }
}

fn money(sums: &Sums) -> String {
    format!("{}{}", if sums.assumed { "≈" } else { "" }, usd(sums.nano_usd))
}

/// Calls and tokens on one line.
fn volume(lang: Lang, sums: &Sums) -> String {
    let mut line = format!("{} · {} → {}", calls(lang, sums.calls), tokens(sums.input), tokens(sums.output));
    if sums.cached_input > 0 {
        line.push_str(&format!(" · {} {}", lang.pick("cached", "из кэша"), tokens(sums.cached_input)));
    }
    if sums.failures > 0 {
        line.push_str(&format!(" · {} {}", lang.pick("failed", "сбоев"), sums.failures));
    }
    line
}

fn calls(lang: Lang, count: u64) -> String {
    let word = match lang {
        Lang::En if count == 1 => "call",
        Lang::En => "calls",
        Lang::Ru => match (count % 10, count % 100) {
            (_, 11..=14) => "вызовов",
            (1, _) => "вызов",
            (2..=4, _) => "вызова",
            _ => "вызовов",
        },
    };
    format!("{count} {word}")
}

/// How long still, rounded up to minutes or hours.
fn wait(lang: Lang, ms: i64) -> String {
    let minutes = (ms.max(1) + 59_999) / 60_000;
    match minutes {
        0..=90 => format!("{minutes} {}", lang.pick("min", "мин")),
        _ => format!("{} {}", (minutes + 59) / 60, lang.pick("h", "ч")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Page {
        let sums = Sums {
            calls: 21,
            failures: 2,
            input: 120_000,
            cached_input: 50_000,
            output: 8_400,
            nano_usd: 91_000_000,
            assumed: true,
        };
        Page {
            everybody: true,
            day: Sums { calls: 1, failures: 0, cached_input: 0, assumed: false, nano_usd: 4_200_000, ..sums },
            month: sums,
            day_cap: Some(1_000_000_000),
            month_cap: Some(10_000_000_000),
            models: vec![("ollama/gpt-oss:120b".into(), sums)],
            people: vec![("Ann".into(), sums)],
            resting: vec![("gemini".into(), 3 * 3_600_000)],
        }
    }

    #[test]
    fn the_page_reads_well() {
        let en = "📊 Usage\n\n\
                  Today: $0.0042 of $1.00\n   1 call · 120k → 8.4k\n\
                  This month: ≈$0.091 of $10.00\n   21 calls · 120k → 8.4k · cached 50.0k · failed 2\n\n\
                  Models this month\n· ollama/gpt-oss:120b: ≈$0.091 · 21 calls\n\n\
                  People this month\n· Ann: ≈$0.091 · 21 calls\n\n\
                  Resting after failures\n· gemini: 3 h\n\n\
                  ≈ partly on assumed prices\nDays and months are UTC.";
        assert_eq!(page(Lang::En, &full()), en);
        let ru = "📊 Расход\n\n\
                  Сегодня: $0.0042 из $1.00\n   1 вызов · 120k → 8.4k\n\
                  Этот месяц: ≈$0.091 из $10.00\n   21 вызов · 120k → 8.4k · из кэша 50.0k · сбоев 2\n\n\
                  Модели за месяц\n· ollama/gpt-oss:120b: ≈$0.091 · 21 вызов\n\n\
                  Люди за месяц\n· Ann: ≈$0.091 · 21 вызов\n\n\
                  Отдыхают после сбоев\n· gemini: 3 ч\n\n\
                  ≈ отчасти по предполагаемым ценам\nДни и месяцы по UTC.";
        assert_eq!(page(Lang::Ru, &full()), ru);
        let empty = "📊 Your usage\n\nToday: $0\n   0 calls · 0 → 0\nThis month: $0\n   0 calls · 0 → 0\n\
                     Days and months are UTC.";
        assert_eq!(page(Lang::En, &Page::default()), empty);
    }

    #[test]
    fn a_long_page_fits_one_message() {
        // The longest names there are, and more than fits a line on a phone.
        let row = || ("m".repeat(128), full().month);
        let rows: Vec<_> = std::iter::repeat_with(row).take(10).collect();
        let resting = std::iter::repeat_n(("m".repeat(128), 1), 10).collect();
        let long = Page { models: rows.clone(), people: rows, resting, ..full() };
        let text = page(Lang::Ru, &long);
        assert!(text.chars().count() < 4_096);
        assert!(text.lines().all(|line| line.chars().count() <= 70), "{text}");
    }

    #[test]
    fn owners_hear_it_in_their_language() {
        let half = threshold(Lang::En, Span::Day, 50, 510_000_000, 1_000_000_000);
        assert_eq!(half, "💸 Today's model budget: 50 % is spent, $0.51 of $1.00.");
        let all = threshold(Lang::En, Span::Month, 100, 9_970_000_000, 10_000_000_000);
        let expected = "⛔ This month's model budget is used up: $9.97 of $10.00.\n\
                        Calls that would pass it are refused until the first, 00:00 UTC.";
        assert_eq!(all, expected);
        let all = threshold(Lang::Ru, Span::Day, 100, 997_000_000, 1_000_000_000);
        let expected = "⛔ На сегодня бюджет на модели исчерпан: $1.00 из $1.00.\n\
                        Вызовы, которые его превысят, отклоняются до 00:00 UTC.";
        assert_eq!(all, expected);
        assert!(threshold(Lang::Ru, Span::Month, 80, 1, 2).contains("80 %"));
        assert!(key_refused(Lang::En, "ollama").contains("ollama") && key_refused(Lang::Ru, "gemini").contains("ключ"));
    }

    #[test]
    fn russian_counts() {
        for (count, text) in [(1, "1 вызов"), (3, "3 вызова"), (5, "5 вызовов"), (12, "12 вызовов"), (101, "101 вызов")]
        {
            assert_eq!(calls(Lang::Ru, count), text);
        }
    }
}
