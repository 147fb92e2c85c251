//! One test per construct, as Markdown and what shows.

use super::super::{plain, render, split};
use super::{assert_sound, show};

#[track_caller]
fn shows(markdown: &str, expected: &str) {
    let rendered = render(markdown);
    assert_eq!(show(&rendered), expected, "for {markdown:?}");
    assert_sound(&rendered);
}

#[test]
fn prose_stays_as_it_is() {
    for text in [
        "42",
        "2024.",
        "3.14",
        "Price: $5.50, or $6 (10% off)",
        "snake_case_name and 2 * 3 * 4 and 5 > 3 < 7",
        "First line\nsecond line\n\nNew paragraph",
        "Привет, мир! Ёлка & ёж",
        "3~5天，7~9天",
        "https://example.com/_a_/b*c*d?x=1_2_",
        "AT&T; a < b > c",
        "1986. A great year",
        "007) Bond",
        "C:\\Users\\name",
        "שלום עולם",
        "👨‍👩‍👧‍👦🇩🇪",
        "if a <b and c> d",
        "#hashtag @user_name /command",
        "a [bracket] and (paren) and [half",
        "2*3*4 = 24, 2**3**4",
        "def __init__(self) in __init__.py",
        "*unclosed and `half",
    ] {
        shows(text, text);
    }
}

#[test]
fn cleaning() {
    shows("a\tb\r\nc\u{0}d\u{202E}e\u{2028}f", "a    b\nc def");
    shows("a\u{30A}", "å");
    shows("x&#8238;y&#0;&#9;z&#x30A;", "xy\u{FFFD}    z");
    assert_eq!(plain(" \t*a*\r\n ").text, "*a*");
    assert_eq!(plain(" \n\u{200B}").text, "");
}

#[test]
fn inline_styles() {
    shows("**b** *i* ~~s~~ `c` ***bi***", "[b]b[/b] [i]i[/i] [s]s[/s] [code]c[/code] [b][i]bi[/i][/b]");
    shows("**bold *both* bold**", "[b]bold [i]both[/i] bold[/b]");
    shows("**bold `code` bold**", "[b]bold[/b] [code]code[/code] [b]bold[/b]");
    shows("😀 **жирный**", "😀 [b]жирный[/b]");
}

#[test]
fn headings() {
    shows(
        "# One\ntext\n## Two\n\ntext\n\n\n### Three `c`",
        "[b][u]One[/u][/b]\ntext\n\n[b]Two[/b]\ntext\n\n[b]Three[/b] [code]c[/code]",
    );
    shows("## A **b** c", "[b]A b c[/b]");
}

#[test]
fn lists() {
    shows("Some:\n- a\n- b\n  - c\n    - d\n- e", "Some:\n• a\n• b\n  ◦ c\n    ▪ d\n• e");
    shows("1. a\n1. b\n1. c", "1. a\n2. b\n3. c");
    shows("1. a\n\n3. b\n7) c", "1. a\n\n3. b\n7) c");
    shows("1. a\n   more\n\n   para\n2. b", "1. a\n   more\n\n   para\n2. b");
    shows("- [ ] open\n- [x] done\n1. [x] one", "☐ open\n☑ done\n1. ☑ one");
    shows("-\n- b", "•\n• b");
    shows("- a\n\n  ```rust\n  let x;\n  ```\n- b", "• a\n\n[pre=rust]let x;[/pre]\n• b");
    shows("- ```\n  x\n  ```", "•\n[pre]x[/pre]");
}

#[test]
fn rules_and_fallback() {
    shows("a\n\n---\n\nb", "a\n\n———\n\nb");
    shows("***", "———");
    shows("<br>", "<br>");
    shows("```\n```", "```\n```");
    shows("[a]: https://a.bc/", "[a]: https://a.bc/");
    shows("\n \n", "");
}

#[test]
fn code_blocks() {
    shows("```rust,ignore\nfn main() {\n\tx\n}\n```", "[pre=rust]fn main() {\n    x\n}[/pre]");
    shows("```C++\na\n```\n~~~\n**b**\n~~~", "[pre=c++]a[/pre]\n[pre]**b**[/pre]");
    shows("text\n```\nunclosed *x*", "text\n[pre]unclosed *x*[/pre]");
    shows("a\n\n    indented\n\nb", "a\n\n[pre]indented[/pre]\n\nb");
}

#[test]
fn quotes() {
    shows("> a\n> b\n\nc", "[q]a\nb[/q]\n\nc");
    shows("> a\n>\n> > b\n> > c\n>\n> d", "[q]a\n\n> b\n> c\n\nd[/q]");
    shows("> **b** `c`\n> ```\n> x\n> ```", "[q][b]b[/b] [code]c[/code]\n[pre]x[/pre][/q]");
    shows("- a\n  > q", "• a\n[q]q[/q]");
}

#[test]
fn links() {
    shows("[t](https://a.bc/d)", "[a=https://a.bc/d]t[/a]");
    shows("[**t** `c`](https://a.bc)", "[a=https://a.bc][b]t[/b] c[/a]");
    shows("<https://a.bc/d>, [https://a.bc](https://a.bc)", "https://a.bc/d, https://a.bc");
    shows(
        "[t](localhost:80) [u](http://localhost/x)",
        "t ([code]localhost:80[/code]) u ([code]http://localhost/x[/code])",
    );
    shows("[m](mailto:a@b.cd) <a@b.cd> [call](tel:+1234)", "m (a@b.cd) a@b.cd call (+1234)");
    shows("[a](javascript:alert) [b](#top) [c]()", "a ([code]javascript:alert[/code]) b ([code]#top[/code]) c");
    shows(
        "[a](https://a.bc/%zz) [b](https://a..bc)",
        "a ([code]https://a.bc/%zz[/code]) b ([code]https://a..bc[/code])",
    );
    shows(
        "[w](www.a.bc) [п](https://пример.рф/путь)",
        "[a=https://www.a.bc]w[/a] [a=https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C]п[/a]",
    );
    shows(
        "[п](HTTP://www.Bücher-Ё.DE:81?q=ё) [x](https://xn--e1afmkfd.xn--p1ai/)",
        "[a=http://www.xn--bcher--3ya349d.de:81/?q=%D1%91]п[/a] [a=https://xn--e1afmkfd.xn--p1ai/]x[/a]",
    );
    shows(
        "[a](https://user@пример.рф/) [b](https://a。b) [c](tg://пример) [d](https://п%20.рф)",
        "a ([code]https://user@пример.рф/[/code]) b ([code]https://a。b[/code]) c ([code]tg://пример[/code]) \
         d ([code]https://п%20.рф[/code])",
    );
    shows("![alt](https://a.bc/i.png) ![](https://a.bc/i.png)", "[a=https://a.bc/i.png]alt[/a] https://a.bc/i.png");
    shows("[![alt](https://a.bc/i.png)](https://c.de/)", "[a=https://c.de/]alt[/a]");
    shows("[x](tg://resolve?domain=a) [y](tg://user?id=1)", "[a=tg://resolve?domain=a]x[/a] y");
    shows("See [1].\n\n[1]: https://a.bc/x", "See [a=https://a.bc/x][1][/a].");
    shows("Text.\n\n[1]: https://a.bc/x\n[2]: https://a.bc/y", "Text.\n\n[1]: https://a.bc/x\n[2]: https://a.bc/y");
}

#[test]
fn tables() {
    shows(
        "| Name | Age |\n|---|--:|\n| Bob | 5 |\n| 李雷 | 42 |",
        "[pre]Name | Age\n-----+----\nBob  |   5\n李雷 |  42[/pre]",
    );
    shows(
        "| A | B | C | D |\n|-|-|-|-|\n| x | 1 | | 3 |\n| `y` | **2** | 3 | 4 |\n\nend",
        "[b]x[/b]\nB: 1\nD: 3\n\n[code]y[/code]\nB: [b]2[/b]\nC: 3\nD: 4\n\nend",
    );
    shows("|A|B|\n|-|-|\n|x|[l](https://a.bc/)|", "[b]x[/b]\nB: [a=https://a.bc/]l[/a]");
    shows("|A|B|C|D|\n|-|-|-|-|", "[b]A | B | C | D[/b]");
}

#[test]
fn html() {
    shows(
        "<b>b</b> <i>i</i> <u>u</u> <s>s</s> <code>*c*</code> a<br>b",
        "[b]b[/b] [i]i[/i] [u]u[/u] [s]s[/s] [code]c[/code] a\nb",
    );
    shows("<a href=\"https://a.bc/\">t</a>", "[a=https://a.bc/]t[/a]");
    shows("the <b> tag", "the <b> tag");
    shows("<b>*x</b> y*", "[i][b]x[/b] y[/i]");
    shows("*x <b>y* z</b>", "[i]x [b]y[/b][/i] [b]z[/b]");
    shows("<think>\nhm\n</think>\n\nyes", "<think>\nhm\n</think>\n\nyes");
    shows("<think>hm</think> yes <unknown>", "<think>hm</think> yes <unknown>");
    shows("<pre>\na  b\n</pre>", "[pre]a  b[/pre]");
    shows("<details>\n<summary>**S**</summary>\n</details>", "<details>\n<summary>**S**</summary>\n</details>");
}

#[test]
fn formulas() {
    shows(
        "So $$E = mc^2$$ and \\[a_1\n+ b_2\\] and \\(x_1\\).",
        "So [code]E = mc^2[/code] and [code]a_1 + b_2[/code] and [code]x_1[/code].",
    );
    shows("costs $5 and $6, $$ each", "costs $5 and $6, $$ each");
    shows("```\n$$x$$\n```", "[pre]$$x$$[/pre]");
}

#[test]
fn footnotes() {
    shows("A[^1].\n\n[^1]: note", "A[1].\n\n[1] note");
}

#[test]
fn pieces_are_cut_where_a_reader_would() {
    let paragraph = "Some words in a row. ".repeat(90);
    let heading = format!("{}\n\n{}\n\n## Head\n{}", paragraph.trim(), paragraph.trim(), paragraph.trim());
    let pieces = assert_sound(&render(&heading));
    assert_eq!(pieces.len(), 2);
    assert!(pieces[1].text.starts_with("Head\n"), "{:?}", &pieces[1].text[..40]);

    let code = format!("```rust\n{}```", "let x = 1;\n".repeat(1000));
    for piece in assert_sound(&render(&code)) {
        assert_eq!(piece.entities.len(), 1);
        assert_eq!(piece.entities[0].language.as_deref(), Some("rust"));
        assert!(piece.text.starts_with("let") && piece.text.ends_with(';'));
    }

    let flags = "🇩🇪".repeat(3000);
    for piece in assert_sound(&render(&flags)) {
        assert_eq!(piece.text.len() % 8, 0, "a flag was cut");
    }
    assert!(split(&render("")).is_empty());
}
