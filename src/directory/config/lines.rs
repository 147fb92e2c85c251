//! Two lists side by side: what is the same, what is gone, what is new (longest common subsequence), for entries of a
//! list and for lines of a text.

use serde::{Deserialize, Serialize};

/// Cells of the table at most; two lists that need more are told as wholly gone and wholly new.
const MAX_CELLS: usize = 1_000_000;

/// Unchanged lines shown around a change.
const AROUND: usize = 2;

/// One step through two lists, with places in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Same(usize, usize),
    Gone(usize),
    New(usize),
}

/// What is about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Same,
    Gone,
    New,
    /// Unchanged lines were left out here.
    Gap,
}

/// A line of a long text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub kind: LineKind,
    pub text: String,
}

impl Line {
    /// With a sign in front, as in a patch.
    pub fn marked(&self) -> String {
        let sign = match self.kind {
            LineKind::Same | LineKind::Gap => ' ',
            LineKind::Gone => '-',
            LineKind::New => '+',
        };
        format!("{sign}{}", self.text)
    }
}

/// The lines of two texts, without most of what is the same.
pub fn compare(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let steps = steps(&old, &new);
    let is_near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        steps.iter().skip(from).take(at - from + AROUND + 1).any(|step| !matches!(step, Step::Same(..)))
    };
    let mut lines: Vec<Line> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let (kind, text) = match step {
            Step::Same(place, _) if is_near(at) => (LineKind::Same, old.get(*place)),
            Step::Same(..) => (LineKind::Gap, Some(&"…")),
            Step::Gone(place) => (LineKind::Gone, old.get(*place)),
            Step::New(place) => (LineKind::New, new.get(*place)),
        };
        if kind == LineKind::Gap && lines.last().is_some_and(|last| last.kind == LineKind::Gap) {
            continue;
        }
        lines.push(Line { kind, text: text.copied().unwrap_or_default().to_owned() });
    }
    lines
}

/// The shortest way from `old` to `new`; what is gone comes before what is new.
pub fn steps<T: PartialEq>(old: &[T], new: &[T]) -> Vec<Step> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (rest_old, rest_new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (a, b) = (rest_old.len() - tail, rest_new.len() - tail);
    let mut steps: Vec<Step> = (0..head).map(|at| Step::Same(at, at)).collect();
    let width = b + 1;
    let mut table: Vec<u32> = Vec::new();
    if (a + 1).saturating_mul(width) <= MAX_CELLS {
        table = vec![0; (a + 1) * width];
    }
    let cell = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    let same = |i: usize, j: usize| rest_old.get(i).is_some_and(|old| rest_new.get(j) == Some(old));
    if !table.is_empty() {
        for i in (0..a).rev() {
            for j in (0..b).rev() {
                let longest = if same(i, j) {
                    cell(&table, i + 1, j + 1) + 1
                } else {
                    cell(&table, i + 1, j).max(cell(&table, i, j + 1))
                };
                if let Some(cell) = table.get_mut(i * width + j) {
                    *cell = longest;
                }
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a || j < b {
        if i < a && j < b && !table.is_empty() && same(i, j) {
            steps.push(Step::Same(head + i, head + j));
            (i, j) = (i + 1, j + 1);
        } else if i < a && (j == b || cell(&table, i + 1, j) >= cell(&table, i, j + 1)) {
            steps.push(Step::Gone(head + i));
            i += 1;
        } else {
            steps.push(Step::New(head + j));
            j += 1;
        }
    }
    steps.extend((0..tail).map(|at| Step::Same(head + a + at, head + b + at)));
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goes the steps: what both lists are by them.
    fn walked(steps: &[Step]) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut old, mut new, mut same) = (Vec::new(), Vec::new(), 0);
        for step in steps {
            match *step {
                Step::Same(a, b) => {
                    old.push(a);
                    new.push(b);
                    same += 1;
                }
                Step::Gone(a) => old.push(a),
                Step::New(b) => new.push(b),
            }
        }
        (old, new, same)
    }

    proptest! {
        #[test]
        fn steps_go_through_both_lists_and_same_is_the_same(old in prop::collection::vec(0u8..4, 0..30), new in prop::collection::vec(0u8..4, 0..30)) {
            let steps = steps(&old, &new);
            let (a, b, same) = walked(&steps);
            prop_assert_eq!(a, (0..old.len()).collect::<Vec<_>>());
            prop_assert_eq!(b, (0..new.len()).collect::<Vec<_>>());
            for step in &steps {
                if let Step::Same(a, b) = step {
                    prop_assert_eq!(old.get(*a), new.get(*b));
                }
            }
            if old == new {
                prop_assert_eq!(same, old.len());
            }
        }
    }

    #[test]
    fn what_is_too_large_to_compare_is_gone_and_new() {
        let old: Vec<usize> = (0..2_000).collect();
        let new: Vec<usize> = (1_000_000..1_002_000).collect();
        assert_eq!(walked(&steps(&old, &new)).2, 0);
    }
}
