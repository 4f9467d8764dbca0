//! How everything looks: theme roles to styles, glyphs or their ASCII, colour depth. One object answers.
//!
//! A theme file names a few roles. Without colour (`NO_COLOR`) no cell gets one at all: crossterm would otherwise emit a
//! bare reset that wipes bold and reverse. What each state means is then carried by glyph, word and attribute alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::{self, clean, is_clean};

/// What a piece of text means; the theme says how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Done,
    Running,
    Waiting,
    Failed,
    /// Words about something wrong, in running text.
    Problem,
    /// What may be overlooked: borders, examples, what is not needed.
    Muted,
    /// Keys, and the pane or field that has the focus.
    Accent,
    /// The badge that says that nothing here is real.
    Practice,
}

const ROLES: [(&str, Role); 8] = [
    ("done", Role::Done),
    ("running", Role::Running),
    ("waiting", Role::Waiting),
    ("failed", Role::Failed),
    ("problem", Role::Problem),
    ("muted", Role::Muted),
    ("accent", Role::Accent),
    ("practice", Role::Practice),
];

const COLOURS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright black", Color::DarkGray),
    ("bright red", Color::LightRed),
    ("bright green", Color::LightGreen),
    ("bright yellow", Color::LightYellow),
    ("bright blue", Color::LightBlue),
    ("bright magenta", Color::LightMagenta),
    ("bright cyan", Color::LightCyan),
    ("bright white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// The themes inside the binary, by name.
pub const THEMES: [(&str, &str); 4] = [
    ("dark", include_str!("../../themes/dark.yaml")),
    ("light", include_str!("../../themes/light.yaml")),
    ("high-contrast", include_str!("../../themes/high-contrast.yaml")),
    ("colour-blind", include_str!("../../themes/colour-blind.yaml")),
];

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// `NO_COLOR`, or `--color never`.
    Without,
    Sixteen,
    Indexed,
    True,
}

/// A theme that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    #[error("there is no theme \"{name}\"; {hint}")]
    Theme { name: String, hint: String },
    #[error("theme {theme}, line {line}: there is no {what} \"{name}\"; {hint}")]
    Unknown { theme: String, line: usize, what: &'static str, name: String, hint: String },
    #[error("theme {theme}: {message}")]
    Yaml { theme: String, message: String },
}

/// The JSON Schema of a theme file.
pub fn theme_schema() -> serde_json::Value {
    schemars::schema_for!(ThemeFile).to_value()
}

/// A theme: how each role looks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    /// A theme inside onramp that gives what this one does not say: dark, light, high-contrast, colour-blind.
    #[serde(default)]
    inherits: Option<String>,
    /// By role: done, running, waiting, failed, problem, muted, accent, practice.
    #[serde(default)]
    roles: BTreeMap<String, RoleFile>,
}

/// The looks of one role.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RoleFile {
    /// Colour of the text: `#rrggbb`, or one of the sixteen by name, such as `bright red`.
    fg: Option<String>,
    /// Colour behind it.
    bg: Option<String>,
    /// bold, dim, italic, underlined, reversed.
    add: Vec<String>,
    /// What stands in where the terminal has sixteen colours only.
    ansi: Option<Box<RoleFile>>,
}

/// Answers every question about looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    styles: BTreeMap<Role, Style>,
    ascii: bool,
    depth: Depth,
    theme: String,
}

impl Look {
    /// One of the themes in [`THEMES`].
    ///
    /// # Errors
    /// There is no theme of that name; the message names the nearest.
    pub fn named(name: &str, depth: Depth, ascii: bool) -> Result<Self, LookError> {
        let Some((_, yaml)) = THEMES.iter().find(|(known, _)| *known == name) else {
            let known = THEMES.map(|(name, _)| name);
            return Err(LookError::Theme { name: name.to_owned(), hint: hint(name, &known) });
        };
        Look::read(name, yaml, depth, ascii)
    }

    /// A theme from the text of its file. Roles it does not name are those of the theme it inherits.
    ///
    /// # Errors
    /// The YAML is wrong, or a role, colour or attribute in it does not exist.
    pub fn read(name: &str, yaml: &str, depth: Depth, ascii: bool) -> Result<Self, LookError> {
        let reader = Reader { theme: name, yaml };
        let file: ThemeFile = serde_yaml::from_str(yaml)
            .map_err(|error| LookError::Yaml { theme: name.to_owned(), message: error.to_string() })?;
        let mut look = match file.inherits.as_deref() {
            Some(parent) if parent != name => Look::named(parent, depth, ascii)?,
            _ => Look { styles: BTreeMap::new(), ascii, depth, theme: String::new() },
        };
        look.theme = name.to_owned();
        for (role_name, role_file) in &file.roles {
            let role = reader.known("role", role_name, &ROLES)?;
            let style = reader.style(role_file, depth)?;
            look.styles.insert(role, if depth == Depth::Without { plain(role) } else { style });
        }
        for (_, role) in ROLES {
            look.styles.entry(role).or_insert_with(|| plain(role));
        }
        Ok(look)
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// The row or choice that has the focus.
    pub fn focus(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub fn bold(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn ascii(&self) -> bool {
        self.ascii
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    pub fn theme(&self) -> &str {
        &self.theme
    }

    /// One cell, always.
    pub fn glyph(&self, glyph: Glyph) -> &'static str {
        let (unicode, ascii) = glyph.forms();
        if self.ascii { ascii } else { unicode }
    }

    /// Text of our own or of others for this terminal: what a terminal would obey is made visible, and in ASCII mode every
    /// other character becomes one of its own width.
    pub fn text(&self, text: &str) -> String {
        let text = if is_clean(text) { Cow::Borrowed(text) } else { Cow::Owned(clean(text.as_bytes())) };
        if !self.ascii || text.is_ascii() { text.into_owned() } else { text.chars().map(ascii_of).collect() }
    }
}

fn ascii_of(character: char) -> char {
    match character {
        '‹' => '<',
        '›' => '>',
        '–' | '—' | '−' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '…' => '~',
        '→' => '>',
        character if character.is_ascii() => character,
        _ => '?',
    }
}

/// What a role looks like without any colour.
fn plain(role: Role) -> Style {
    Style::new().add_modifier(match role {
        Role::Done => Modifier::empty(),
        Role::Running | Role::Problem | Role::Accent => Modifier::BOLD,
        Role::Waiting => Modifier::UNDERLINED,
        Role::Failed | Role::Practice => Modifier::BOLD | Modifier::REVERSED,
        Role::Muted => Modifier::DIM,
    })
}

fn hint(name: &str, known: &[&str]) -> String {
    match text::nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("there are {}", known.join(", ")),
    }
}

/// Names of a theme file become values, or an error with the line they stand in.
struct Reader<'a> {
    theme: &'a str,
    yaml: &'a str,
}

impl Reader<'_> {
    fn style(&self, file: &RoleFile, depth: Depth) -> Result<Style, LookError> {
        let style = self.own_style(file, depth)?;
        match &file.ansi {
            Some(ansi) => {
                let sixteen = self.own_style(ansi, depth)?;
                Ok(if depth == Depth::Sixteen { sixteen } else { style })
            }
            None => Ok(style),
        }
    }

    fn own_style(&self, file: &RoleFile, depth: Depth) -> Result<Style, LookError> {
        let mut style = Style::new();
        if let Some(name) = &file.fg {
            style = style.fg(fitted(self.colour(name)?, depth));
        }
        if let Some(name) = &file.bg {
            style = style.bg(fitted(self.colour(name)?, depth));
        }
        for name in &file.add {
            style = style.add_modifier(self.known("attribute", name, &MODIFIERS)?);
        }
        Ok(style)
    }

    fn colour(&self, name: &str) -> Result<Color, LookError> {
        match name.strip_prefix('#') {
            Some(digits) if digits.len() == 6 => match u32::from_str_radix(digits, 16) {
                Ok(rgb) => Ok(Color::from_u32(rgb)),
                Err(_) => self.known("colour", name, &COLOURS),
            },
            _ => self.known("colour", name, &COLOURS),
        }
    }

    fn known<T: Copy>(&self, what: &'static str, name: &str, known: &[(&str, T)]) -> Result<T, LookError> {
        if let Some((_, value)) = known.iter().find(|(known, _)| *known == name) {
            return Ok(*value);
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let line = self.yaml.lines().position(|line| line.contains(name)).map_or(1, |index| index + 1);
        let (theme, name, hint) = (self.theme.to_owned(), name.to_owned(), hint(name, &names));
        Err(LookError::Unknown { theme, line, what, name, hint })
    }
}

/// A colour that this terminal has.
fn fitted(colour: Color, depth: Depth) -> Color {
    match (colour, depth) {
        (Color::Rgb(r, g, b), Depth::Indexed) => Color::Indexed(nearest_indexed(r, g, b)),
        (Color::Rgb(r, g, b), Depth::Sixteen) if u16::from(r) + u16::from(g) + u16::from(b) > 382 => Color::White,
        (Color::Rgb(..), Depth::Sixteen) => Color::Black,
        (colour, _) => colour,
    }
}

/// The nearest of the 240 fixed colours of xterm: a cube of six levels, and a ramp of greys.
fn nearest_indexed(r: u8, g: u8, b: u8) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |(cr, cg, cb): (u8, u8, u8)| {
        let square = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
        square(cr, r) + square(cg, g) + square(cb, b)
    };
    let cube = (16..=231u8).map(|index| {
        let cell = usize::from(index - 16);
        (index, (LEVELS[cell / 36], LEVELS[cell / 6 % 6], LEVELS[cell % 6]))
    });
    let greys = (232..=255u8).map(|index| {
        let level = 8 + (index - 232) * 10;
        (index, (level, level, level))
    });
    cube.chain(greys).min_by_key(|(_, colour)| distance(*colour)).map_or(231, |(index, _)| index)
}

/// Signs of one cell, each with an ASCII form of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Todo,
    Running,
    Waiting,
    /// A person in front of this screen must move.
    Yours,
    Done,
    Failed,
    Skipped,
    Blocked,
    /// Must be looked at again.
    Recheck,
    Open,
    Folded,
    Cursor,
    BarFull,
    BarEmpty,
    Rule,
}

impl Glyph {
    pub const ALL: [Glyph; 15] = [
        Glyph::Todo,
        Glyph::Running,
        Glyph::Waiting,
        Glyph::Yours,
        Glyph::Done,
        Glyph::Failed,
        Glyph::Skipped,
        Glyph::Blocked,
        Glyph::Recheck,
        Glyph::Open,
        Glyph::Folded,
        Glyph::Cursor,
        Glyph::BarFull,
        Glyph::BarEmpty,
        Glyph::Rule,
    ];

    /// All of them are one cell wide in every font: none is "ambiguous" in Unicode's table of widths but the box parts.
    pub fn forms(self) -> (&'static str, &'static str) {
        match self {
            Glyph::Todo => ("∙", "."),
            Glyph::Running => ("◓", "o"),
            Glyph::Waiting => ("⋯", "?"),
            Glyph::Yours => ("»", "*"),
            Glyph::Done => ("✓", "+"),
            Glyph::Failed => ("✗", "!"),
            Glyph::Skipped => ("−", "-"),
            Glyph::Blocked => ("⊘", "#"),
            Glyph::Recheck => ("↻", "~"),
            Glyph::Open => ("▾", "v"),
            Glyph::Folded => ("▸", ">"),
            Glyph::Cursor => (">", ">"),
            Glyph::BarFull => ("█", "#"),
            Glyph::BarEmpty => ("░", "."),
            Glyph::Rule => ("─", "-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_reads_at_every_depth() {
        for (name, _) in THEMES {
            for depth in [Depth::Without, Depth::Sixteen, Depth::Indexed, Depth::True] {
                Look::named(name, depth, false).unwrap();
            }
        }
    }

    #[test]
    fn without_colour_there_is_none_but_the_attributes_stay() {
        for (name, _) in THEMES {
            let look = Look::named(name, Depth::Without, false).unwrap();
            for (_, role) in ROLES {
                let style = look.style(role);
                assert_eq!((style.fg, style.bg), (None, None), "{name}");
            }
            assert_eq!(look.style(Role::Failed).add_modifier, Modifier::BOLD | Modifier::REVERSED);
        }
    }

    #[test]
    fn sixteen_colours_are_those_the_theme_names() {
        let look = Look::named("dark", Depth::Sixteen, false).unwrap();
        assert_eq!(look.style(Role::Done).fg, Some(Color::LightCyan));
        assert_eq!(look.style(Role::Failed).bg, None);
        let indexed = Look::named("dark", Depth::Indexed, false).unwrap();
        assert_eq!(indexed.style(Role::Done).fg, Some(Color::Indexed(159)));
    }

    #[test]
    fn a_theme_inherits_what_it_does_not_say() {
        let own = Look::read("mine", "inherits: light\nroles:\n  done: {fg: red}\n", Depth::True, false).unwrap();
        assert_eq!(own.style(Role::Done).fg, Some(Color::Red));
        let light = Look::named("light", Depth::True, false).unwrap();
        assert_eq!(own.style(Role::Failed), light.style(Role::Failed));
    }

    #[test]
    fn what_a_theme_gets_wrong_is_named_with_its_line_and_the_nearest() {
        let wrong = |yaml: &str| Look::read("mine", yaml, Depth::True, false).unwrap_err().to_string();
        let role = wrong("roles:\n  runing: {fg: red}\n");
        assert!(role.contains("line 2") && role.contains("did you mean \"running\"?"), "{role}");
        let colour = wrong("roles:\n  done: {fg: bleu}\n");
        assert!(colour.contains("did you mean \"blue\"?"), "{colour}");
        let attribute = wrong("roles:\n  done: {add: [bolt]}\n");
        assert!(attribute.contains("did you mean \"bold\"?"), "{attribute}");
        let key = wrong("roles:\n  done: {fgg: red}\n");
        assert!(key.contains("fgg"), "{key}");
        let theme = Look::named("drak", Depth::True, false).unwrap_err().to_string();
        assert!(theme.contains("did you mean \"dark\"?"), "{theme}");
    }

    #[test]
    fn the_schema_says_what_a_theme_file_may_say() {
        let schema = theme_schema();
        let keys: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["inherits", "roles"]);
        assert_eq!(schema["additionalProperties"], false);
    }

    #[test]
    fn glyphs_are_one_cell_and_have_an_ascii_form() {
        for glyph in Glyph::ALL {
            let (unicode, ascii) = glyph.forms();
            assert_eq!(ratatui::text::Span::raw(unicode).width(), 1, "{glyph:?}");
            assert!(ascii.len() == 1 && ascii.is_ascii(), "{glyph:?}");
        }
    }
}
