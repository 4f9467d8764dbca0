//! How the engagement at hand is reached from a shell: its name here, the options it was reached with, and practice.
//! Every hint that names a command for it goes through here.

use std::path::{Path, PathBuf};

/// The options of this call that another call needs, too, to reach the same engagement and the same cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(Vec<(&'static str, String)>);

impl Options {
    /// Pairs of an option and what it was given.
    pub fn new(given: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Self {
        Options(given.into_iter().filter_map(|(option, value)| Some((option, value?))).collect())
    }

    /// The folder of practice is below the one that practice is given.
    fn above(mut self, practice: &Path) -> Self {
        for (_, value) in self.0.iter_mut().filter(|(option, _)| *option == DATA) {
            *value = practice.parent().unwrap_or(practice).display().to_string();
        }
        self
    }

    fn command(&self) -> String {
        let said = self.0.iter().map(|(option, value)| format!(" {option} {}", quoted(value)));
        std::iter::once("onramp".to_owned()).chain(said).collect()
    }
}

/// The way to one engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    name: String,
    options: Options,
    /// The data folder of practice, for an engagement that is practice.
    practice: Option<PathBuf>,
}

impl Reach {
    pub fn new(name: &str, options: Options, practice: Option<PathBuf>) -> Self {
        let options = match &practice {
            Some(folder) => options.above(folder),
            None => options,
        };
        Reach { name: name.to_owned(), options, practice }
    }

    /// The engagement itself knows what that option was given.
    #[must_use]
    pub fn without(mut self, option: &str) -> Self {
        self.options.0.retain(|(given, _)| *given != option);
        self
    }

    /// What the engagement is called on this machine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A text names commands as `onramp VERB NAME …`; each is replaced by one that reaches this engagement.
    pub fn put(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(ONRAMP) {
            let (before, command) = rest.split_at(at);
            out.push_str(before);
            rest = match named(command) {
                Some((verb, arguments)) => {
                    let (said, arguments) = self.command(verb, arguments);
                    out.push_str(&said);
                    arguments
                }
                // The list of all engagements: it has no name, and the same folder.
                None if command.starts_with(LIST) => {
                    out.push_str(&format!("{} ", self.options.command()));
                    &command[ONRAMP.len()..]
                }
                None => {
                    out.push_str(ONRAMP);
                    &command[ONRAMP.len()..]
                }
            };
        }
        out + rest
    }

    /// The command, and what of the text stays behind it.
    fn command<'t>(&self, verb: &str, arguments: &'t str) -> (String, &'t str) {
        let onramp = self.options.command();
        let Some(data) = &self.practice else { return (format!("{onramp} {verb} {}", self.name), arguments) };
        let practice = match verb {
            // It walks all of it, or nothing: one step is run on the screen.
            "run" if arguments.trim_start().starts_with("--") => {
                return (format!("{onramp} practice"), without_options(arguments));
            }
            "run" => "practice --headless",
            "status" if !arguments.starts_with(" --value") => "practice --status",
            "verify" => "practice --verify",
            // Its cloud is inside the program; the screen does all of these.
            "open" | "plan" | "undo" | "settle" | "secret" | "update" => {
                return (format!("{onramp} practice"), without_arguments(arguments));
            }
            // These need no cloud, only the state file.
            _ => {
                let data = quoted(&data.display().to_string());
                return (format!("onramp {DATA} {data} {verb} {}", self.name), arguments);
            }
        };
        (format!("{onramp} {practice}"), arguments)
    }
}

/// The option that names the folder of engagements.
pub const DATA: &str = "--data-dir";
const ONRAMP: &str = "onramp ";
const LIST: &str = "onramp status ";
const NAME: &str = "NAME";

/// The verb, and what stands behind the placeholder of the name.
fn named(command: &str) -> Option<(&str, &str)> {
    let (verb, rest) = command.strip_prefix(ONRAMP)?.split_once(' ')?;
    Some((verb, rest.strip_prefix(NAME)?))
}

/// The text behind words such as `ADDRESS`, `--only ADDRESS` and `set ID`.
fn without_arguments(text: &str) -> &str {
    let mut rest = text;
    while let Some(behind) = rest.strip_prefix(' ') {
        let word = behind.split([' ', '.', ',', ';', ':', ')', '`', '\n']).next().unwrap_or_default();
        let placeholder = !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase());
        if !(placeholder || word.starts_with("--") || ["set", "list"].contains(&word)) {
            break;
        }
        rest = &behind[word.len()..];
    }
    rest
}

/// The text behind options, and behind what `--only` is given.
fn without_options(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with(" --") {
        let words = if rest.starts_with(" --only ") { 2 } else { 1 };
        rest = (0..words).fold(rest, |rest, _| {
            let word = rest.strip_prefix(' ').unwrap_or(rest);
            word.find(' ').map_or("", |end| &word[end..])
        });
    }
    rest
}

/// As a POSIX shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=,~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_name_and_the_options_of_this_call() {
        let data = Options::new([(DATA, Some("/tmp/a b".to_owned())), ("--profile", None)]);
        let reach = Reach::new("acme-2", data, None);
        assert_eq!(
            reach.put("go on with: onramp open NAME, or onramp export NAME FILE --salvage"),
            "go on with: onramp --data-dir '/tmp/a b' open acme-2, or onramp --data-dir '/tmp/a b' export acme-2 FILE \
             --salvage"
        );
        assert_eq!(reach.put("onramp import FILE --name NAME"), "onramp import FILE --name NAME");
        assert_eq!(reach.put("what onramp made"), "what onramp made");
        assert_eq!(reach.put("onramp status lists them"), "onramp --data-dir '/tmp/a b' status lists them");
    }

    #[test]
    fn what_the_engagement_knows_is_not_repeated() {
        let options = Options::new([("--region", Some("eu-west-1".to_owned())), ("--profile", Some("x".to_owned()))]);
        let reach = Reach::new("acme", options, None).without("--region");
        assert_eq!(reach.put("onramp open NAME"), "onramp --profile x open acme");
    }

    #[test]
    fn practice_is_reached_by_its_own_command_or_in_its_own_folder() {
        let options = Options::new([(DATA, Some("/d".to_owned()))]);
        let reach = Reach::new("practice", options, Some(PathBuf::from("/d/practice")));
        assert_eq!(reach.put("onramp status NAME lists them"), "onramp --data-dir /d practice --status lists them");
        assert_eq!(reach.put("keep it: onramp secret NAME set ID."), "keep it: onramp --data-dir /d practice.");
        assert_eq!(reach.put("onramp run NAME --only a/b"), "onramp --data-dir /d practice");
        assert_eq!(reach.put("onramp run NAME --only a/b looks"), "onramp --data-dir /d practice looks");
        assert_eq!(reach.put("onramp run NAME --redo makes it"), "onramp --data-dir /d practice makes it");
        let kept = "onramp --data-dir /d/practice status practice --value connection.sheet";
        assert_eq!(reach.put("onramp status NAME --value connection.sheet"), kept);
        assert_eq!(reach.put("onramp run NAME looks"), "onramp --data-dir /d practice --headless looks");
        assert_eq!(reach.put("onramp watch NAME, or wait"), "onramp --data-dir /d/practice watch practice, or wait");
    }
}
