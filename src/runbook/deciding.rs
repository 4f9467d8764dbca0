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
    let (mut here, mut around) = (Brackets::default(), Vec::new());
    let mut before = "";
    for (start, token) in lexed(code) {
        match token {
            "(" | "[" | "{" => around.push(std::mem::take(&mut here)),
            ")" | "]" | "}" => {
                if let Some(outer) = around.pop() {
                    here = here.within(outer);
                }
            }
            "if" => here.next(true),
            "else" | "," | ":" => here.next(false),
            "and" | "or" | "not" | "in" | "is" | "<" | ">" => here.decides = true,
            "=" if ["=", "!"].contains(&before) => here.decides = true,
            _ => here.names.extend(named(start)),
        }
        before = token;
    }
    while let Some(outer) = around.pop() {
        here = here.within(outer);
    }
    here.next(false);
    here.found
}

/// What stands in one pair of brackets, or around all of them: clauses between commas, and on the sides of an `if`.
#[derive(Default)]
struct Brackets<'a> {
    names: Vec<(&'a str, bool)>,
    /// How many of the names are those of clauses that are over.
    over: usize,
    /// Does the clause compare, or is it a condition?
    decides: bool,
    found: Vec<(&'a str, bool)>,
}

impl<'a> Brackets<'a> {
    /// The clause is over, and another one begins.
    fn next(&mut self, decides: bool) {
        let clause = self.names.iter().skip(self.over).copied();
        self.found.extend(clause.filter(|_| self.decides));
        (self.over, self.decides) = (self.names.len(), decides);
    }

    /// The brackets are closed: what they come to is a part of the clause that they stand in, by all their names.
    fn within(mut self, mut outer: Brackets<'a>) -> Brackets<'a> {
        self.next(false);
        outer.names.append(&mut self.names);
        outer.found.append(&mut self.found);
        outer
    }
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
        assert_eq!(names("[a.x, 2] == b"), ["a.x", "b"]);
        assert_eq!(names("[a, b if c < d else e, f]"), ["c", "d"]);
        assert_eq!(names("a.x | default('y')"), Vec::<&str>::new());
        assert_eq!(deciding("1 if f.families[item] == 'x' else 2")[0], ("f.families", true));
        assert_eq!(names("))((if"), Vec::<&str>::new());
    }
}
