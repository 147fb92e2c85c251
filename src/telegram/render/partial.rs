//! Makes the beginning of a Markdown text readable as a whole: closes open marks, holds back what is undecided.
//!
//! The aim is that a longer beginning shows the same text and more (telegram.md §1.1 "Identity", §4.4 point 7).
//! Markdown forbids to keep that in all cases: a `*` that is never closed looks like emphasis until its paragraph ends.
//! So this reads lines and marks roughly; an error here costs a flicker in a preview, never the final answer.

use super::span::part;

/// Longest text in brackets, in bytes, that is held back because it may become a link.
const MAX_HELD_BRACKET: usize = 300;
/// Longest link target held back.
const MAX_HELD_URL: usize = 2100;
/// Longest HTML tag held back.
const MAX_HELD_TAG: usize = 200;
/// Columns a table may have to be held back whole (as a grid, each new row could move the others).
const MAX_HELD_COLUMNS: usize = super::table::MAX_COLUMNS;

/// A fence that is open: its character and length.
pub(super) type Fence = Option<(u8, usize)>;

/// The state of fences after `line`, given the state before it.
pub(super) fn fence_after(before: Fence, line: &str) -> Fence {
    let mut line = line.trim_start_matches([' ', '>']);
    if before.is_none() {
        line = without_marker(line);
    }
    let Some(mark) = line.bytes().next().filter(|byte| b"`~".contains(byte)) else { return before };
    let length = line.bytes().take_while(|&byte| byte == mark).count();
    let rest = part(line, length, line.len()).trim();
    match before {
        None if length >= 3 && !(mark == b'`' && rest.contains('`')) => Some((mark, length)),
        Some((open, needed)) if open == mark && length >= needed && rest.is_empty() => None,
        _ => before,
    }
}

/// The line without the mark of a list item.
fn without_marker(line: &str) -> &str {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = if digits > 0 { &[". ", ") "][..] } else { &["- ", "* ", "+ "][..] };
    let rest = part(line, digits, line.len());
    mark.iter().find_map(|mark| rest.strip_prefix(mark)).map_or(line, str::trim_start)
}

/// The prefix as a text that renders to what may be shown of it.
pub(super) fn repair(prefix: &str) -> String {
    let mut text = prefix;
    let mut fence = None;
    let mut fence_start = 0;
    // Where the text after the last closed fence begins, and where the last line does.
    let mut after_fence = 0;
    let mut last = 0;
    let mut start = 0;
    for line in prefix.split_inclusive('\n') {
        last = start;
        start += line.len();
        match (fence, fence_after(fence, line)) {
            (None, opened @ Some(_)) => {
                fence_start = last;
                fence = opened;
            }
            (Some(_), None) => {
                after_fence = start;
                fence = None;
            }
            _ => {}
        }
    }
    let whole_lines = prefix.ends_with('\n');
    if fence.is_some() {
        if fence_start == last && !whole_lines {
            text = part(prefix, 0, fence_start);
        } else {
            let line = part(prefix, last, prefix.len()).trim_matches([' ', '>']);
            let undecided = !whole_lines && !line.is_empty() && line.bytes().all(|byte| b"`~".contains(&byte));
            return part(prefix, 0, if undecided { last } else { prefix.len() }).to_owned();
        }
    } else if after_fence == prefix.len() && after_fence > 0 {
        // The fence line has just closed: keep it only once something follows, it shows nothing anyway.
        return prefix.to_owned();
    }
    if !text.ends_with('\n') {
        let line_start = text.rfind('\n').map_or(0, |at| at + 1);
        if is_undecided(part(text, line_start, text.len()), line_start == 0) {
            text = part(text, 0, line_start);
        }
    }
    text = without_table(text, after_fence.min(text.len()));
    close_marks(text, after_fence.min(text.len()))
}

/// Whether a line could still become something else: a rule, a heading, a list item, a fence, an underline.
fn is_undecided(line: &str, is_first: bool) -> bool {
    let line = line.trim_start_matches([' ', '>']);
    if line.bytes().all(|byte| b"-*_+#>=~`|: ".contains(&byte)) {
        return true;
    }
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if !is_first && digits.len() < line.len() && matches!(digits.trim_end(), "" | "." | ")") {
        return true;
    }
    // A task mark.
    let item = without_marker(line);
    item.len() < line.len() && matches!(item.trim_end(), "[" | "[ " | "[x" | "[X" | "[]" | "[ ]" | "[x]" | "[X]" | "")
}

/// Holds back a table that is being written: whole if it may become a grid, else its last row.
fn without_table(text: &str, from: usize) -> &str {
    let tail = part(text, from, text.len());
    let block = from + tail.rfind("\n\n").map_or(0, |at| at + 2);
    // Where the head begins, how many columns it has, where the first row begins.
    let mut head: Option<(usize, usize, usize)> = None;
    let mut previous: Option<(usize, &str)> = None;
    let mut start = block;
    for line in part(text, block, text.len()).split_inclusive('\n') {
        let shape = line.trim_matches([' ', '>', '\n']);
        let next = start + line.len();
        if head.is_none() && is_delimiter_row(shape) && line.ends_with('\n') {
            let above = previous.filter(|(_, line)| line.contains('|'));
            head = above.map(|(start, line)| (start, columns(line), next));
        }
        previous = Some((start, shape));
        start = next;
    }
    let Some((last, shape)) = previous else { return text };
    let whole_rows = if text.ends_with('\n') { text.len() } else { last };
    match head {
        Some((start, columns, rows)) if columns <= MAX_HELD_COLUMNS || whole_rows <= rows => part(text, 0, start),
        Some(_) => part(text, 0, whole_rows),
        // A first line in bars may be the head of a table; what decides is the line after it.
        None if shape.starts_with('|') => part(text, 0, last),
        None => text,
    }
}

fn is_delimiter_row(line: &str) -> bool {
    line.contains('-') && line.bytes().all(|byte| b"|:- ".contains(&byte)) && (line.contains('|') || line.contains(':'))
}

fn columns(row: &str) -> usize {
    row.trim_matches('|').split('|').count()
}

/// What a look at the last block's marks finds.
#[derive(Debug, Default)]
struct Marks {
    /// From here on nothing may be shown yet.
    hold: Option<usize>,
    /// What closes the open marks, innermost first.
    closers: String,
}

/// Appends what closes the marks open in the last block, after cutting what must be held back.
fn close_marks(text: &str, from: usize) -> String {
    let mut shown = text.trim_end();
    let start = block_start(shown, from.min(shown.len()));
    if is_html_block(part(shown, start, shown.len())) {
        return shown.to_owned();
    }
    let start = start.min(open_formula(shown, from).unwrap_or(start));
    for _ in 0..8 {
        let marks = scan(part(shown, start.min(shown.len()), shown.len()));
        let Some(hold) = marks.hold else {
            // A mark closes only right behind a text.
            return format!("{shown}{}", marks.closers);
        };
        let held = part(shown, 0, start + hold);
        shown = held.trim_end_matches([' ', '\n', '*', '_', '~', '!']);
        if shown.len() <= start {
            shown = part(held, 0, start);
            break;
        }
        // A lone list mark or the like may be left.
        let line = shown.rfind('\n').map_or(0, |at| at + 1);
        if is_undecided(part(shown, line, shown.len()), false) {
            shown = part(shown, 0, line).trim_end();
        }
        if shown.len() <= start {
            break;
        }
    }
    shown.to_owned()
}

/// Whether the block is raw HTML, in which marks mean nothing: roughly CommonMark's kinds 2, 6 and 7.
fn is_html_block(block: &str) -> bool {
    let line = block.lines().next().unwrap_or("").trim_start_matches([' ', '>']).trim_end();
    let names = ["<!--", "<details", "<summary", "<div", "<p>", "<table", "<ul", "<ol", "<center"];
    let alone = line.starts_with('<') && line.find(['>', ':']).is_none_or(|at| at + 1 == line.len());
    (alone && line.len() > 1) || names.iter().any(|name| line.starts_with(name))
}

/// Where a formula begins that is not closed yet, in the last paragraph.
fn open_formula(text: &str, from: usize) -> Option<usize> {
    let tail = part(text, from, text.len());
    let paragraph = from + tail.rfind("\n\n").map_or(0, |at| at + 2);
    let tail = part(text, paragraph, text.len());
    let bracket = tail.rfind("\\[").filter(|&at| !part(tail, at, tail.len()).contains("\\]"));
    let dollars = tail.matches("$$").count() % 2 == 1;
    bracket.or_else(|| tail.rfind("$$").filter(|_| dollars)).map(|at| paragraph + at)
}

/// Where the block begins that the last line belongs to: behind a blank line, or at a line with a mark of its own.
fn block_start(text: &str, from: usize) -> usize {
    let mut start = text.len();
    while start > from {
        let before = part(text, from, start - 1);
        let line_start = from + before.rfind('\n').map_or(0, |at| at + 1);
        let line = part(text, line_start, start).trim_matches([' ', '>', '\n']);
        if line.is_empty() && start < text.len() {
            return start;
        }
        start = line_start;
        if line.starts_with(['#', '|']) || without_marker(line).len() < line.len() {
            break;
        }
    }
    start
}

/// One open run of `*`, `_` or `~`.
#[derive(Debug)]
struct Opener {
    mark: u8,
    count: usize,
}

/// Reads the marks of one block.
fn scan(block: &str) -> Marks {
    let bytes = block.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut openers: Vec<Opener> = Vec::new();
    let mut brackets: Vec<usize> = Vec::new();
    let mut at = 0;
    let mut last_closer = String::new();
    let last_paren = block.rfind(')').unwrap_or(0);
    while at < bytes.len() {
        let rest = part(block, at, block.len());
        match byte(at) {
            b'\\' if rest.len() == 1 => return held(at),
            b'\\' if matches!(byte(at + 1), b'[' | b'(') => {
                let close = if byte(at + 1) == b'[' { "\\]" } else { "\\)" };
                let Some(length) = part(rest, 2, rest.len()).find(close) else {
                    return unclosed_formula(at, rest, openers, close);
                };
                at += length + 4;
            }
            b'\\' => at += 1 + char_len(block, at + 1),
            b'`' => {
                let run = run(rest, b'`');
                match closing_run(part(rest, run, rest.len()), run) {
                    Some(length) => at += 2 * run + length,
                    None if rest.len() == run || rest.ends_with('`') => {
                        // Half a closing run: without it the rest is code that goes on.
                        let code = rest.trim_end_matches('`');
                        return held(if code.is_empty() { at } else { at + code.len() });
                    }
                    None => {
                        last_closer = "`".repeat(run);
                        break;
                    }
                }
            }
            b'$' if rest == "$" => return held(at),
            b'$' if byte(at + 1) == b'$' => match part(rest, 2, rest.len()).find("$$") {
                Some(length) => at += length + 4,
                None => return unclosed_formula(at, rest, openers, "$$"),
            },
            b'<' if rest.len() == 1 => return held(at),
            b'<' if byte(at + 1).is_ascii_alphabetic() || b"/!".contains(&byte(at + 1)) => {
                match near(rest, MAX_HELD_TAG).find('>') {
                    Some(length) => at += length + 1,
                    None if rest.len() <= MAX_HELD_TAG => return held(at),
                    None => at += 1,
                }
            }
            b'&' if rest.len() <= 10 && rest.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() || b == b'#') => {
                return held(at);
            }
            b'[' => {
                brackets.push(at);
                at += 1;
            }
            b']' => {
                at += 1;
                let Some(start) = brackets.pop() else { continue };
                let after = part(block, at, block.len());
                if after.is_empty() && at - start <= MAX_HELD_BRACKET {
                    return held(brackets.first().copied().unwrap_or(start));
                }
                if after.starts_with('(') {
                    match closing_paren(if at < last_paren { near(after, MAX_HELD_URL) } else { "" }) {
                        Some(length) => at += length + 1,
                        None if after.len() <= MAX_HELD_URL => {
                            return held(brackets.first().copied().unwrap_or(start));
                        }
                        None => at += 1,
                    }
                }
            }
            mark @ (b'*' | b'_' | b'~') => {
                let count = run(rest, mark);
                if rest.len() == count {
                    // The run may grow; as a closing mark it is replaced by the virtual one.
                    return held(at);
                }
                if mark != b'~' || count == 2 {
                    let before = part(block, 0, at).chars().next_back();
                    let after = part(block, at + count, block.len()).chars().next();
                    delimiter(&mut openers, mark, count, before, after);
                }
                at += count;
            }
            _ => at += char_len(block, at),
        }
    }
    if let Some(&start) = brackets.first()
        && block.len() - start <= MAX_HELD_BRACKET
    {
        return held(start);
    }
    open(openers, &last_closer)
}

/// A formula that goes on to the end: `rest`, which begins at `at`. Half its closing mark may be there already.
fn unclosed_formula(at: usize, rest: &str, openers: Vec<Opener>, close: &str) -> Marks {
    if rest.trim().len() <= 2 {
        held(at)
    } else if rest.ends_with(['\\', '$']) {
        held(at + rest.len() - 1)
    } else {
        open(openers, close)
    }
}

fn held(at: usize) -> Marks {
    Marks { hold: Some(at), closers: String::new() }
}

fn open(openers: Vec<Opener>, last: &str) -> Marks {
    let mut closers = last.to_owned();
    for opener in openers.iter().rev().filter(|opener| opener.count <= 3) {
        closers.extend(std::iter::repeat_n(char::from(opener.mark), opener.count));
    }
    Marks { hold: None, closers }
}

/// The first `most` bytes or a little less: how far a look ahead goes.
fn near(text: &str, most: usize) -> &str {
    (0..4).find_map(|less| text.get(..most.saturating_sub(less))).unwrap_or(text)
}

fn run(text: &str, mark: u8) -> usize {
    text.bytes().take_while(|&byte| byte == mark).count()
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// Where the parenthesis that opens `text` closes.
fn closing_paren(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        depth = match byte {
            b'(' => depth + 1,
            b')' => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 0
    })
}

/// The length of the code before the next run of exactly `length` backticks.
fn closing_run(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        at += part(text, at, text.len()).find('`')?;
        let found = run(part(text, at, text.len()), b'`');
        if found == length {
            return Some(at);
        }
        at += found;
    }
}

/// CommonMark's rules for delimiter runs, without the rule of three.
fn delimiter(openers: &mut Vec<Opener>, mark: u8, mut count: usize, before: Option<char>, after: Option<char>) {
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_punctuation = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let left = !is_space(after) && (!is_punctuation(after) || is_space(before) || is_punctuation(before));
    let right = !is_space(before) && (!is_punctuation(before) || is_space(after) || is_punctuation(after));
    let can_open = left && (mark != b'_' || !right || is_punctuation(before));
    let can_close = right && (mark != b'_' || !left || is_punctuation(after));
    while can_close && count > 0 {
        let Some(index) = openers.iter().rposition(|opener| opener.mark == mark) else { break };
        openers.truncate(index + 1);
        let Some(opener) = openers.last_mut() else { break };
        let used = if count >= 2 && opener.count >= 2 { 2 } else { 1 };
        count -= used;
        opener.count -= used;
        if opener.count == 0 {
            openers.pop();
        }
    }
    if can_open && count > 0 {
        openers.push(Opener { mark, count });
    }
}
