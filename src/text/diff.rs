//! What differs between two texts, line by line, in the form of `diff -u`.

/// Lines of agreement around a change.
const AROUND: usize = 3;
/// Cells of the table that finds what two texts have in common; texts that need more are shown as replaced whole.
const LARGEST_TABLE: usize = 4_000_000;

/// One line of the way from one text to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Goes(&'a str),
    Comes(&'a str),
}

/// The way from `before` to `after`, at most `most` lines of it; empty when they are equal.
///
/// Lines that go begin with `-`, lines that come with `+`, and up to three that stay stand around them. What is left out
/// at the end is counted.
pub fn unified(before: &str, after: &str, most: usize) -> String {
    if before == after {
        return String::new();
    }
    let (before, after) = (ends(before), ends(after));
    let lines = way(&before, &after);
    let mut shown: Vec<String> = Vec::new();
    for (from, to) in hunks(&lines) {
        let at = |one: fn(&Line) -> bool| lines[..from].iter().filter(|line| one(line)).count();
        let long = |one: fn(&Line) -> bool| lines[from..to].iter().filter(|line| one(line)).count();
        shown.push(format!(
            "@@ -{} +{} @@",
            place(at(is_before), long(is_before)),
            place(at(is_after), long(is_after))
        ));
        shown.extend(lines[from..to].iter().map(|line| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Goes(text) => format!("-{text}"),
            Line::Comes(text) => format!("+{text}"),
        }));
    }
    if shown.len() > most {
        let left = shown.len() - most;
        shown.truncate(most);
        shown.push(format!("… and {} more", super::count(left, "line")));
    }
    shown.join("\n")
}

/// The lines of a text. One that does not end in a line break says so, as `diff` does.
fn ends(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    match lines.pop() {
        Some(last) if !last.is_empty() => lines.push(format!("{last} (and no line break)")),
        _ => {}
    }
    lines
}

fn is_before(line: &Line) -> bool {
    !matches!(line, Line::Comes(_))
}

fn is_after(line: &Line) -> bool {
    !matches!(line, Line::Goes(_))
}

/// First line and number of lines, as in the head of a hunk. Of nothing, the line before is named.
fn place(before: usize, long: usize) -> String {
    format!("{},{long}", if long == 0 { before } else { before + 1 })
}

/// Every line of both, in order, by the longest common part.
fn way<'a>(before: &'a [String], after: &'a [String]) -> Vec<Line<'a>> {
    let same_start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (old, new) = (&before[same_start..], &after[same_start..]);
    let same_end = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let (old, new) = (&old[..old.len() - same_end], &new[..new.len() - same_end]);
    let mut lines: Vec<Line> = before[..same_start].iter().map(|line| Line::Same(line)).collect();
    lines.extend(middle(old, new));
    lines.extend(before[before.len() - same_end..].iter().map(|line| Line::Same(line)));
    lines
}

fn middle<'a>(old: &'a [String], new: &'a [String]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > LARGEST_TABLE {
        return old.iter().map(|line| Line::Goes(line)).chain(new.iter().map(|line| Line::Comes(line))).collect();
    }
    // How many lines the rests of both have in common.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for at in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            let (right, below) = (common[at * width + to + 1], common[(at + 1) * width + to]);
            let both = common[(at + 1) * width + to + 1] + 1;
            common[at * width + to] = if old[at] == new[to] { both } else { right.max(below) };
        }
    }
    let mut lines = Vec::new();
    let (mut at, mut to) = (0, 0);
    while at < old.len() || to < new.len() {
        if at < old.len() && to < new.len() && old[at] == new[to] {
            lines.push(Line::Same(&old[at]));
            (at, to) = (at + 1, to + 1);
        } else if at < old.len() && (to == new.len() || common[(at + 1) * width + to] >= common[at * width + to + 1]) {
            lines.push(Line::Goes(&old[at]));
            at += 1;
        } else {
            lines.push(Line::Comes(&new[to]));
            to += 1;
        }
    }
    lines
}

/// The stretches that are shown: changes with what is around them, joined where they meet.
fn hunks(lines: &[Line]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_))) {
        let (from, to) = (at.saturating_sub(AROUND), (at + 1 + AROUND).min(lines.len()));
        match hunks.last_mut() {
            Some((_, end)) if from <= *end => *end = to,
            _ => hunks.push((from, to)),
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    #[test]
    fn what_goes_stands_before_what_comes_and_three_lines_around_them() {
        let before = numbers(1..20).join("\n") + "\n";
        let after = before.replace("\n10\n", "\nten\n");
        assert_eq!(unified(&before, &after, 100), "@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13");
        assert_eq!(unified(&before, &before, 100), "");
        assert_eq!(unified("", "a\n", 100), "@@ -0,0 +1,1 @@\n+a");
        assert_eq!(unified("a\n", "", 100), "@@ -1,1 +0,0 @@\n-a");
        assert_eq!(unified("a", "a\n", 100), "@@ -1,1 +1,1 @@\n-a (and no line break)\n+a");
    }

    #[test]
    fn changes_far_apart_are_two_hunks_and_near_ones_one() {
        let before = numbers(0..40).join("\n") + "\n";
        let far = before.replace("\n5\n", "\n").replace("\n30\n", "\n");
        let near = before.replace("\n5\n", "\n").replace("\n11\n", "\n");
        assert_eq!(unified(&before, &far, 100).matches("@@ -").count(), 2);
        assert_eq!(unified(&before, &near, 100).matches("@@ -").count(), 1);
    }

    #[test]
    fn a_long_way_is_cut_and_counted_and_a_huge_one_needs_no_table() {
        let (before, after) = (numbers(0..5000).join("\n"), numbers(5000..10_000).join("\n"));
        let shown = unified(&before, &after, 10);
        assert_eq!(shown.lines().count(), 11);
        assert!(shown.ends_with("… and 9991 lines more"), "{shown}");
    }

    /// Whatever the texts, the lines that stay and go are the one, and those that stay and come the other.
    #[test]
    fn the_way_holds_both_texts() {
        let mut seed = 7_u32;
        let mut text = |length: usize| -> Vec<String> {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) % 4
            };
            (0..length).map(|_| next().to_string()).collect()
        };
        for length in 0..30 {
            let (before, after) = (text(length), text(29 - length));
            let lines = way(&before, &after);
            let told = |one: fn(&Line) -> bool| -> Vec<String> {
                let kept = lines.iter().filter(|line| one(line));
                kept.map(|(Line::Same(text) | Line::Goes(text) | Line::Comes(text))| (*text).to_owned()).collect()
            };
            assert_eq!((told(is_before), told(is_after)), (before.clone(), after.clone()));
        }
    }
}
