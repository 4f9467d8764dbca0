//! Which names of an expression decide what it comes to, and do not only stand in it.
//!
//! What a step will find out is shown in a plan by its name. In `a if found.family == "redhat" else b` that would not do: the name is
//! equal to nothing, and the plan would show `b`, whatever is found out.

use super::names::{Role, is_asked_for, lexed, words};

/// The names in conditions and comparisons, each with whether an item of it is taken (`found.families[item]`).
pub(super) fn deciding(code: &str) -> Vec<(&str, bool)> {
    let names = words(code);
    let named = |start: usize| {
        let word = names.iter().find(|word| word.start == start && word.role == Role::Name)?;
        let rest = &code[start + word.text.len()..];
        (!is_asked_for(rest)).then(|| (word.text, rest.trim_start().starts_with('[')))
    };
    let mut found = Vec::new();
    let mut groups = vec![Clause::default()];
    let mut before = "";
    for (start, token) in lexed(code) {
        match token {
            "(" | "[" | "{" => groups.push(Clause::default()),
            ")" | "]" | "}" => close(&mut groups, &mut found),
            "if" => next(&mut groups, &mut found, true),
            "else" | "," | ":" => next(&mut groups, &mut found, false),
            "and" | "or" | "not" | "in" | "is" | "<" | ">" => here(&mut groups).decides = true,
            "=" if ["=", "!"].contains(&before) => here(&mut groups).decides = true,
            _ => here(&mut groups).names.extend(named(start)),
        }
        before = token;
    }
    while groups.len() > 1 {
        close(&mut groups, &mut found);
    }
    next(&mut groups, &mut found, false);
    found
}

/// What stands between two commas, or on one side of an `if`, with all that is in its brackets.
#[derive(Default)]
struct Clause<'a> {
    names: Vec<(&'a str, bool)>,
    decides: bool,
}

fn here<'a, 'b>(groups: &'b mut [Clause<'a>]) -> &'b mut Clause<'a> {
    let last = groups.len() - 1;
    &mut groups[last]
}

/// The clause is over, and another one begins in the same brackets.
fn next<'a>(groups: &mut [Clause<'a>], found: &mut Vec<(&'a str, bool)>, decides: bool) {
    let over = std::mem::replace(here(groups), Clause { names: Vec::new(), decides });
    if over.decides {
        found.extend(over.names);
    }
}

/// The brackets are over: what they come to is a part of the clause that they stand in.
fn close<'a>(groups: &mut Vec<Clause<'a>>, found: &mut Vec<(&'a str, bool)>) {
    if groups.len() < 2 {
        return;
    }
    let Some(inner) = groups.pop() else { return };
    if inner.decides {
        found.extend(inner.names.iter().copied());
    }
    here(groups).names.extend(inner.names);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_decides_and_what_is_chosen_does_not() {
        let names = |code: &'static str| deciding(code).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("a.x if f.y == 'z' else b.x"), ["f.y"]);
        assert_eq!(names("a.x == b.x"), ["a.x", "b.x"]);
        assert_eq!(names("(a.x | trim) != 'b'"), ["a.x"]);
        assert_eq!(names("a.x | pick((b | where('k', 'v') or c) | pluck('key'))"), ["b", "c"]);
        assert_eq!(names("{'k': 1 if f else 2}[a.x]"), ["f"]);
        assert_eq!(names("a.x if b.x is defined else c.x"), Vec::<&str>::new());
        assert_eq!(names("a.x if 'if b == c' in d.x else e"), ["d.x"]);
        assert_eq!(names("[a, b if c < d else e, f]"), ["c", "d"]);
        assert_eq!(names("a.x | default('y')"), Vec::<&str>::new());
        assert_eq!(deciding("1 if f.families[item] == 'x' else 2")[0], ("f.families", true));
        assert_eq!(names("))((if"), Vec::<&str>::new());
    }
}
