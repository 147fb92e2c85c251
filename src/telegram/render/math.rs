//! Formulas: TeX between `$$ … $$`, `\[ … \]` or `\( … \)` is shown as code (telegram.md §4.3 "formula").
//!
//! The source is rewritten before it is parsed: delimiters become the two backticks of a code span and line breaks
//! within become spaces, byte for byte, so that no line of a formula is taken for a list or a heading.
//!
//! Not here: single `$`, which is far more often money; making TeX readable.

use std::borrow::Cow;

use super::span::part;

/// Longest formula, in bytes; farther apart two delimiters do not belong together.
const MAX_FORMULA: usize = 4000;

/// The source with its formulas as code spans. Of the same length as before.
pub(super) fn formulas_as_code(source: &str) -> Cow<'_, str> {
    if !["$$", "\\[", "\\("].iter().any(|open| source.contains(open)) {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut fence = None;
    let mut skip_to = 0;
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        let end = start + line.len();
        fence = super::partial::fence_after(fence, line);
        if fence.is_some() || line.starts_with("    ") {
            out.push_str(part(source, start.max(skip_to), end));
        } else {
            let mut from = start.max(skip_to);
            while let Some(formula) = first_formula(source, from, end) {
                out.push_str(part(source, from, formula.open));
                out.push_str("``");
                out.extend(
                    part(source, formula.open + 2, formula.close).chars().map(|c| if c == '\n' { ' ' } else { c }),
                );
                out.push_str("``");
                from = formula.close + 2;
            }
            out.push_str(part(source, from, end));
            skip_to = skip_to.max(from);
        }
        start = end;
    }
    Cow::Owned(out)
}

struct Formula {
    open: usize,
    close: usize,
}

/// The first formula that opens in `from..line_end`.
fn first_formula(source: &str, from: usize, line_end: usize) -> Option<Formula> {
    let line = source.get(from..line_end)?;
    let mut in_code = false;
    let mut escaped = false;
    for (index, byte) in line.bytes().enumerate() {
        let two = line.get(index..index + 2).unwrap_or("");
        let closer = match two {
            "$$" => "$$",
            "\\[" => "\\]",
            "\\(" => "\\)",
            _ => "",
        };
        if byte == b'`' && !escaped {
            in_code = !in_code;
        } else if !closer.is_empty() && !in_code && !escaped {
            let open = from + index;
            let mut limit = source.len().min(open + MAX_FORMULA);
            if closer == "\\)" {
                limit = limit.min(line_end);
            }
            while !source.is_char_boundary(limit) {
                limit -= 1;
            }
            let inner = source.get(open + 2..limit)?;
            if let Some(length) = inner.find(closer) {
                let inner = inner.get(..length)?;
                let sound = !inner.trim().is_empty() && !inner.contains('`') && !inner.contains("\n\n");
                if sound && !inner.starts_with('$') {
                    return Some(Formula { open, close: open + 2 + length });
                }
            }
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}
