//! Everything the terminal UI may ask for. Only `app` carries these out.

use crate::engine::Request;

/// One wish of the UI towards the world.
#[derive(Debug)]
pub enum Effect {
    /// To the engine of the engagement that is open.
    Send(Request),
    OpenEngagement(String),
    CreateEngagement(String),
    /// Read the list of engagements again.
    RefreshCards,
    /// Put this on the clipboard.
    Copy(String),
    /// Draw everything anew, for a terminal that somebody else wrote over.
    Redraw,
    /// Stop like any program at Ctrl-Z, and come back at `fg`.
    Suspend,
    /// End the program once the engine has let go.
    Quit,
    /// End the program now.
    QuitAtOnce,
}

/// Effects in order, from several sources.
pub trait ConcatEffects {
    /// All of them, one list after the other.
    fn concat_effects(self) -> Vec<Effect>;
}

impl<const N: usize> ConcatEffects for [Vec<Effect>; N] {
    fn concat_effects(self) -> Vec<Effect> {
        self.into_iter().flatten().collect()
    }
}
