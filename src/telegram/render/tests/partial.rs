//! What shows while the answer is being written.

use super::super::{render, render_partial};
use super::show;

#[track_caller]
fn shows(prefix: &str, expected: &str) {
    assert_eq!(show(&render_partial(prefix)), expected, "for {prefix:?}");
}

#[test]
fn open_marks_are_closed() {
    shows("**bold te", "[b]bold te[/b]");
    shows("**bold ", "[b]bold[/b]");
    shows("**bold*", "[b]bold[/b]");
    shows("**bold *both", "[b]bold [i]both[/i][/b]");
    shows("`co de", "[code]co de[/code]");
    shows("``co`", "[code]co[/code]");
    shows("```rust\nlet x", "[pre=rust]let x[/pre]");
    shows("~~gone", "[s]gone[/s]");
    shows("a <b>bo", "a [b]bo[/b]");
    shows("$$E = mc", "[code]E = mc[/code]");
    shows("- a\n- **b", "• a\n• [b]b[/b]");
    shows("2 * 3 *", "2 * 3");
    shows("\\[\na\n- b", "[code]a - b[/code]");
    shows("<think>\nlet **me", "<think>\nlet **me");
}

#[test]
fn the_undecided_is_held_back() {
    shows("text [li", "text");
    shows("text [link](https://a.b", "text");
    shows("**see [link](htt", "[b]see[/b]");
    shows("**[link](htt", "");
    shows("text ![im", "text");
    shows("text\n```ru", "text");
    shows("```\nx\n``", "[pre]x[/pre]");
    shows("text\n--", "text");
    shows("text\n#", "text");
    shows("- a\n- [", "• a");
    shows("1. a\n2", "1. a");
    shows("a &am", "a");
    shows("a <thi", "a");
    shows("text\n\n| a | b |\n|---|", "text");
    shows("text\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "text");
    shows("|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|\n|5|6", "[b]1[/b]\nb: 2\nc: 3\nd: 4");
    shows("|a|b|\n|-|-|\n|1|2|\n\nafter", "[pre]a | b\n--+--\n1 | 2[/pre]\n\nafter");
    shows("", "");
    shows("*", "");
}

const ANSWER: &str = "\
# Title of it

A paragraph with **bold**, *italic*, `code` and a [link](https://example.com/a_b?c=d).
The second line, see https://example.com/_x_ & more.

## List

1. First **item**
   - nested `a`
   - nested b
2. Second item, [linked](https://example.com)
10. Tenth

- [ ] open task
- [x] done task

```python
def f(x):
    return x * 2  # `a` **b**
```

> A quote with *style*
> on two lines.

| Name | Age |
|------|----:|
| Bob  | 5   |
| Eve  | 42  |

| A | B | C | D |
|---|---|---|---|
| a | 1 | 2 | 3 |
| b | 4 | 5 | 6 |

The formula \\[ a_1 + b_2 \\] and $$E = mc^2$$ end.

---

See [docs](https://docs.example.com/a(b)c).

\\[
\\begin{aligned}
a &= b \\\\
- c
\\end{aligned}
\\]

<think>
Let me **think**.
</think>

Done: 2 < 3, AT&T, 5 * 3 = 15. Привет 👋
";

#[test]
fn an_ordinary_answer_only_grows() {
    let mut shown = String::new();
    for (end, _) in ANSWER.char_indices().chain([(ANSWER.len(), ' ')]) {
        let now = render_partial(&ANSWER[..end]).text;
        assert!(now.starts_with(&shown), "after …{:?}:\n{shown}\n---\n{now}", &ANSWER[end.saturating_sub(60)..end]);
        shown = now;
    }
    assert_eq!(shown, render(ANSWER).text);
}
