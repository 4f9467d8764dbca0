//! What is the matter? A tree of questions: each is a look that changes nothing, and what it brings leads to the next
//! question, or to a branch that says in words what it is.

use super::expr::Expr;
use super::model::{Party, Work};
use super::place::Place;
use super::template::Template;

/// What the words and conditions of a diagnosis read beside what every template does: the answer to the question, and the
/// host of the step.
pub(super) const IN_A_DIAGNOSIS: [&str; 2] = ["answer", "step"];

/// One tree, which steps name.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    pub id: String,
    /// What it finds out.
    pub title: String,
    /// The first one is asked first.
    pub questions: Vec<Question>,
    pub place: Place,
}

/// One look, and what each answer leads to.
#[derive(Debug, Clone)]
pub struct Question {
    pub id: String,
    /// What is asked, in words.
    pub ask: String,
    /// A kind of action, of which the probe is asked and nothing else; or a script that has a check and nothing else.
    pub look: Work,
    /// The first that fits counts.
    pub answers: Vec<Answer>,
    pub place: Place,
}

/// What an answer leads to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Absent means always.
    pub when: Option<Expr>,
    pub leads: Leads,
}

/// Where an answer leads.
#[expect(clippy::large_enum_variant, reason = "a tree has a few dozen of them, each made once")]
#[derive(Debug, Clone)]
pub enum Leads {
    /// To the question of that id.
    To(String),
    /// This is what it is.
    In(Branch),
}

/// What is the matter, in words.
#[derive(Debug, Clone)]
pub struct Branch {
    pub id: String,
    pub what: Template,
    /// How one sees it.
    pub seen: Template,
    /// What is to be done.
    pub todo: Template,
    /// Who must move.
    pub who: Party,
}

impl Diagnosis {
    /// The question of that id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }
}

impl Question {
    /// The questions that its answers lead to.
    pub(super) fn next(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().filter_map(|answer| match &answer.leads {
            Leads::To(id) => Some(id.as_str()),
            Leads::In(_) => None,
        })
    }
}

impl Branch {
    /// Its words, under their keys.
    pub(super) fn words(&self) -> [(&'static str, &Template); 3] {
        [("what", &self.what), ("seen", &self.seen), ("do", &self.todo)]
    }
}
