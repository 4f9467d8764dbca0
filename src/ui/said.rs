//! The last thing that happened, in words.

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    /// Why a key does nothing here: gone as soon as other news, and read whole as long as it is there.
    Refused,
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

    pub fn refused(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Refused }
    }

    /// What somebody waits to read: plain, and never cut where the line ends.
    pub fn whole(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Refused }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Said { text: text.into(), tone: Tone::Bad }
    }
}
