//! Money and tokens as people read them, the same in every language: short, because lines on a phone are.

/// Dollars with as many digits as matter: `$1.37`, `$0.042`, `$0.0042`; the smallest amount is not shown as nothing.
pub fn usd(nano: u64) -> String {
    // Rounded to the last digit shown; what rounds up to the next range is shown as that range would show it.
    let rounded = |unit: u64| nano.saturating_add(unit / 2) / unit;
    let (cents, tenths, hundredths) = (rounded(10_000_000), rounded(1_000_000), rounded(100_000));
    if nano == 0 {
        "$0".to_owned()
    } else if hundredths == 0 {
        "<$0.0001".to_owned()
    } else if hundredths < 100 {
        format!("$0.{hundredths:04}")
    } else if tenths < 100 {
        format!("$0.{tenths:03}")
    } else {
        format!("${}.{:02}", cents / 100, cents % 100)
    }
}

/// Tokens: `950`, `12.3k`, `1.2M`.
pub fn tokens(count: u64) -> String {
    let tenths = |unit: u64| count.saturating_add(unit / 20) / (unit / 10);
    let short = |tenths: u64, sign: char| match tenths {
        0..1_000 => format!("{}.{}{sign}", tenths / 10, tenths % 10),
        _ => format!("{}{sign}", tenths / 10),
    };
    if count < 1_000 {
        count.to_string()
    } else if tenths(1_000) < 10_000 {
        short(tenths(1_000), 'k')
    } else {
        short(tenths(1_000_000), 'M')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars() {
        for (nano, text) in [
            (0, "$0"),
            (1, "<$0.0001"),
            (49_999, "<$0.0001"),
            (50_000, "$0.0001"),
            (4_200_000, "$0.0042"),
            (9_949_999, "$0.0099"),
            (9_960_000, "$0.010"),
            (42_000_000, "$0.042"),
            (99_600_000, "$0.10"),
            (137_000_000, "$0.14"),
            (1_370_000_000, "$1.37"),
            (1_999_999_999, "$2.00"),
            (123_456_000_000_000, "$123456.00"),
        ] {
            assert_eq!(usd(nano), text, "{nano}");
        }
        assert!(usd(u64::MAX).starts_with('$'));
    }

    #[test]
    fn token_counts() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (12_345, "12.3k"),
            (99_960, "100k"),
            (123_456, "123k"),
            (999_940, "999k"),
            (999_990, "1.0M"),
            (1_234_567, "1.2M"),
            (2_000_000_000, "2000M"),
        ] {
            assert_eq!(tokens(count), text, "{count}");
        }
    }
}
