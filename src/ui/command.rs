//! THE table of commands: keys, words and conditions. Footer, help, palette and the manual are all read from it.

mod table;

use ratatui::crossterm::event::KeyEvent;

use crate::ui::effect::Effect;
use crate::ui::facts::{Opened, Said};
use crate::ui::keys;
use crate::ui::state::{State, Where};
use crate::ui::widget::prose::cells;

pub use table::TABLE;

/// Why a command is switched off, in words.
pub type Why = String;

/// One thing that keys can do.
pub struct Command {
    /// Stable, for the palette and the manual: `board.plan`.
    pub id: &'static str,
    /// The first is the one that is shown.
    pub keys: &'static [&'static str],
    /// One to three words for the footer.
    pub label: &'static str,
    /// A sentence for help and manual.
    pub help: &'static str,
    pub at: &'static [Where],
    /// Belongs in the footer.
    pub in_footer: bool,
    /// Makes sense when chosen from a list, away from its key.
    pub in_palette: bool,
    pub enabled: fn(&State) -> Result<(), Why>,
    pub perform: fn(&mut State) -> Vec<Effect>,
    /// Asks something of the engine: it cannot be done by one who reads along, nor where nothing can be recorded.
    changes: bool,
    /// The screen itself reads these keys; the table only tells of them.
    by_screen: bool,
    /// The label, where it depends on what is chosen.
    hint: Option<fn(&State) -> String>,
}

use Where::{Board, Edition, Form, Home, Output, Plan, Undo};

const fn command(
    id: &'static str,
    keys: &'static [&'static str],
    at: &'static [Where],
    label: &'static str,
    help: &'static str,
    perform: fn(&mut State) -> Vec<Effect>,
) -> Command {
    Command {
        id,
        keys,
        label,
        help,
        at,
        in_footer: true,
        in_palette: true,
        enabled: always,
        perform,
        changes: false,
        by_screen: false,
        hint: None,
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Command {
    const fn when(self, enabled: fn(&State) -> Result<(), Why>) -> Self {
        Command { enabled, ..self }
    }

    /// Not where nothing can be changed.
    const fn changes(self) -> Self {
        Command { changes: true, ..self }
    }

    const fn says(self, hint: fn(&State) -> String) -> Self {
        Command { hint: Some(hint), ..self }
    }

    /// Not in the footer, where room is dear.
    const fn quiet(self) -> Self {
        Command { in_footer: false, ..self }
    }

    /// A movement: it makes no sense in a list of commands.
    const fn movement(self) -> Self {
        Command { in_footer: false, in_palette: false, ..self }
    }

    /// The keys go to the screen, because which one it was matters, or because they edit text.
    const fn by_screen(self) -> Self {
        Command { by_screen: true, in_palette: false, ..self }
    }

    pub fn is_at(&self, place: Where) -> bool {
        self.at.contains(&place)
    }

    /// Belongs to one screen alone.
    pub fn is_only_at(&self, place: Where) -> bool {
        self.at == [place]
    }

    /// `Enter`, or `Up k`.
    pub fn keys_text(&self) -> String {
        self.keys.join(" ")
    }

    /// May it be done now? If not, why.
    pub fn may(&self, state: &State) -> Result<(), Why> {
        match state.facts.open.as_ref().filter(|_| self.changes).and_then(Opened::barred) {
            Some(why) => Err(why),
            None => (self.enabled)(state),
        }
    }

    fn hint_text(&self, state: &State) -> String {
        self.hint.map_or_else(|| self.label.to_owned(), |hint| hint(state))
    }
}

fn always(_: &State) -> Result<(), Why> {
    Ok(())
}

/// The command that a key means here. While somebody writes, letters are text.
pub fn for_key(state: &State, key: &KeyEvent) -> Option<&'static Command> {
    let here = state.here();
    let text = state.takes_text() && keys::types_text(key).is_some();
    if text {
        return None;
    }
    TABLE.iter().find(|command| {
        !command.by_screen && command.is_at(here) && command.keys.iter().any(|name| keys::is(key, name))
    })
}

/// Does a command, or says why not.
pub fn perform(state: &mut State, command: &'static Command) -> Vec<Effect> {
    match command.may(state) {
        Ok(()) => (command.perform)(state),
        Err(why) => {
            state.say(Said::whole(format!("{}: {why}", command.label.trim_end_matches('.'))));
            Vec::new()
        }
    }
}

/// Keys and labels for the footer, as many as fit into `width` cells. Help is kept whatever happens.
pub fn hints(state: &State, width: usize) -> Vec<(String, String)> {
    let here = state.here();
    let writing = state.takes_text();
    let works = |command: &&Command| {
        let key = command.keys.iter().find(|name| !writing || name.chars().count() > 1);
        command.in_footer && command.is_at(here) && key.is_some() && command.may(state).is_ok()
    };
    let hint = |command: &Command| {
        let key = command.keys.iter().find(|name| !writing || name.chars().count() > 1).copied().unwrap_or_default();
        (key.to_owned(), command.hint_text(state))
    };
    let mut shown: Vec<(&Command, (String, String))> =
        TABLE.iter().filter(works).map(|command| (command, hint(command))).collect();
    let size = |shown: &[(&Command, (String, String))]| -> usize {
        shown.iter().map(|(_, (key, label))| cells(key) + cells(label) + 3).sum()
    };
    while size(&shown) > width {
        let dear = |command: &Command| matches!(command.id, "app.help" | "app.back");
        let Some(last) = (1..shown.len()).rev().find(|index| !dear(shown[*index].0)) else { break };
        shown.remove(last);
    }
    shown.into_iter().map(|(_, hint)| hint).collect()
}

/// The manual's page of keys, in Markdown.
pub fn keys_markdown() -> String {
    let mut page = String::from(
        "# Keys\n\nMade from the command table; `?` shows the same in the program, with what works where you are.\n",
    );
    type Belongs = fn(&Command) -> bool;
    let groups: [(&str, Belongs); 8] = [
        ("Everywhere", |command| command.at.len() > 3),
        ("Engagements", |command| command.is_only_at(Home)),
        ("Runbook", |command| command.at.len() <= 3 && command.is_at(Board)),
        ("Output", |command| command.at.len() <= 3 && command.is_at(Output)),
        ("Form", |command| command.at.len() <= 3 && command.is_at(Form)),
        ("Plan", |command| command.is_only_at(Plan)),
        ("Undo", |command| command.is_only_at(Undo)),
        ("Another edition of the runbook", |command| command.is_only_at(Edition)),
    ];
    for (title, belongs) in groups {
        page.push_str(&format!("\n## {title}\n\n| key | command | does |\n| --- | --- | --- |\n"));
        for command in TABLE.iter().filter(|command| belongs(command)) {
            let keys: Vec<String> = command.keys.iter().map(|key| format!("`{key}`")).collect();
            page.push_str(&format!("| {} | {} | {} |\n", keys.join(" "), command.id, command.help));
        }
    }
    page
}
