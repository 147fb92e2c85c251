//! How many cells of a fixed-width font a text takes, for table grids.
//!
//! Not here: a full East Asian Width table. `unicode-width` would be exact, but a grid that is off by one for a rare
//! symbol costs less than its tables; these ranges are the wide blocks of UAX #11 and the emoji that show as two cells.

use unicode_segmentation::UnicodeSegmentation;

/// First and last characters of the ranges that take two cells, ascending.
const WIDE: [(u32, u32); 44] = [
    (0x1100, 0x115F),
    (0x231A, 0x231B),
    (0x2329, 0x232A),
    (0x23E9, 0x23EC),
    (0x23F0, 0x23F0),
    (0x23F3, 0x23F3),
    (0x25FD, 0x25FE),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x267F, 0x267F),
    (0x2693, 0x2693),
    (0x26A1, 0x26A1),
    (0x26AA, 0x26AB),
    (0x26BD, 0x26BE),
    (0x26C4, 0x26C5),
    (0x26CE, 0x26CE),
    (0x26D4, 0x26D4),
    (0x26EA, 0x26EA),
    (0x26F2, 0x26FD),
    (0x2705, 0x2705),
    (0x270A, 0x270B),
    (0x2728, 0x2728),
    (0x274C, 0x274E),
    (0x2753, 0x2757),
    (0x2795, 0x2797),
    (0x27B0, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B50),
    (0x2B55, 0x2B55),
    (0x2E80, 0x303E),
    (0x3041, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE10, 0xFE19),
    (0xFE30, 0xFE6F),
    (0xFF01, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x16FE0, 0x1B2FF),
    (0x1F18E, 0x1F19A),
    (0x1F1E6, 0x1F64F),
    (0x1F680, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

/// Cells taken by `text` on one line.
pub(super) fn cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(cluster).sum()
}

fn cluster(grapheme: &str) -> usize {
    let Some(first) = grapheme.chars().next() else { return 0 };
    if is_wide(first) || grapheme.contains('\u{FE0F}') {
        2
    } else {
        usize::from(!super::is_blank(first) || first.is_whitespace())
    }
}

fn is_wide(c: char) -> bool {
    let code = u32::from(c);
    let after = WIDE.partition_point(|&(first, _)| first <= code);
    after.checked_sub(1).and_then(|index| WIDE.get(index)).is_some_and(|&(_, last)| code <= last)
}
