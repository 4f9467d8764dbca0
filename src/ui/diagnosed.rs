//! What is the matter with a step, as far as it is known here.

use crate::engagement::Diagnosed;
use crate::ui::facts::Said;

/// Being asked, or told.
#[derive(Debug, Clone, PartialEq)]
pub enum Diagnosis {
    Asking,
    Told(Box<Diagnosed>),
}

/// One line of news.
pub fn news(diagnosed: &Diagnosed) -> Said {
    match &diagnosed.branch {
        Some(placed) => Said::whole(format!("Found: {}", placed.what)),
        None => Said::bad("No branch of the diagnosis fits what was seen: what was asked stands beside the step"),
    }
}
