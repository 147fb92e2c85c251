//! Budgets as operators write them: dollars, as a plain decimal number.
//!
//! Not here: reading the environment. Integers only, so that `0.1` is a tenth of a dollar exactly.

use super::exchange::Caps;

/// A day's cap where none is set: one dollar (DESIGN §4).
pub const DAY_DEFAULT: u64 = NANO;
/// A month's cap where none is set: ten dollars (DESIGN §4).
pub const MONTH_DEFAULT: u64 = 10 * NANO;
/// Most money any number here stands for, a million dollars: sums of many stay within the store's 53 bits.
pub const MOST: u64 = 1_000_000 * NANO;

const NANO: u64 = 1_000_000_000;

impl Caps {
    /// From `DAILY_BUDGET_USD`, `MONTHLY_BUDGET_USD` and `PERSON_DAILY_BUDGET_USD`; `None` is unset. Text that is no
    /// amount counts as unset, and its variable's name is returned for the log: a typing error must not lift a cap
    /// that has a default.
    pub fn read(day: Option<&str>, month: Option<&str>, person: Option<&str>) -> (Caps, Vec<&'static str>) {
        let mut wrong = Vec::new();
        let mut amount = |name, text: Option<&str>| {
            let amount = text.map(parse_usd)?;
            if amount.is_none() {
                wrong.push(name);
            }
            amount
        };
        let caps = Caps {
            day_nano_usd: amount("DAILY_BUDGET_USD", day).unwrap_or(DAY_DEFAULT),
            month_nano_usd: amount("MONTHLY_BUDGET_USD", month).unwrap_or(MONTH_DEFAULT),
            person_day_nano_usd: amount("PERSON_DAILY_BUDGET_USD", person),
        };
        (caps, wrong)
    }
}

/// `1`, `0.5`, `.25`, `10.00`: digits and at most one point. Negative amounts are 0, digits beyond the ninth decimal
/// are cut, more than [`MOST`] is [`MOST`]. Anything else is `None`.
pub fn parse_usd(text: &str) -> Option<u64> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    if negative {
        return Some(0);
    }
    let dollars: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
    let nano: u64 = format!("{:0<9.9}", fraction).parse().unwrap_or(0);
    Some(dollars.saturating_mul(NANO).saturating_add(nano).min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, nano) in [
            ("1", Some(NANO)),
            (" 0.5 ", Some(NANO / 2)),
            (".25", Some(NANO / 4)),
            ("10.00", Some(10 * NANO)),
            ("2.", Some(2 * NANO)),
            ("0", Some(0)),
            ("0.0000000019", Some(1)),
            ("-3", Some(0)),
            ("-0.5", Some(0)),
            ("99999999999999999999999", Some(MOST)),
            ("", None),
            (".", None),
            ("-", None),
            ("$1", None),
            ("1,5", None),
            ("1e3", None),
            ("+1", None),
            ("one", None),
            ("1.2.3", None),
            ("--1", None),
            ("NaN", None),
        ] {
            assert_eq!(parse_usd(text), nano, "{text:?}");
        }
    }

    #[test]
    fn a_typing_error_keeps_the_default_and_is_named() {
        let unset = Caps { day_nano_usd: NANO, month_nano_usd: 10 * NANO, person_day_nano_usd: None };
        assert_eq!(Caps::read(None, None, None), (unset, vec![]));
        let (caps, wrong) = Caps::read(Some("lots"), Some("-1"), Some("5 dollars"));
        assert_eq!(caps, Caps { month_nano_usd: 0, ..unset });
        assert_eq!(wrong, ["DAILY_BUDGET_USD", "PERSON_DAILY_BUDGET_USD"]);
        let (caps, wrong) = Caps::read(Some("0"), Some("3.5"), Some("0.2"));
        assert!(wrong.is_empty());
        assert_eq!((caps.day_nano_usd, caps.month_nano_usd), (0, 3_500_000_000));
        assert_eq!(caps.person_day_nano_usd, Some(200_000_000));
    }
}
