//! The last thing that happened, in words.

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    /// What somebody waits to read, such as why a key does nothing here: never cut where the line ends.
    Whole,
    Bad,
}

/// The last thing that happened, in words, for the line above the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    pub text: String,
    pub tone: Tone,
}

impl Said {
    pub fn plain(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Plain }
    }

    pub fn good(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Good }
    }

    pub fn whole(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Whole }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Bad }
    }
}
