//! What is the matter? A tree of questions: each is a look that changes nothing, and what it brings leads to the next
//! question, or to a branch that says in words what it is.

use super::expr::Expr;
use super::model::{Party, Work};
use super::place::Place;
use super::scope::Scope;
use super::template::Template;

/// What the words and conditions of a diagnosis read beside what every template does: the answer to the question, those to
/// the questions before it, and the id and the host of the step.
pub(super) const IN_A_DIAGNOSIS: [&str; 3] = ["answer", "asked", "step"];

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
    /// Where it does not hold, the question after this one is asked in its place.
    pub when: Option<Expr>,
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

    /// The question that is asked first.
    pub fn first(&self, scope: &Scope) -> Option<&Question> {
        self.questions.iter().find(|question| question.applies(scope))
    }

    /// The question of that id, or the one after it that is asked in its place.
    pub fn from(&self, id: &str, scope: &Scope) -> Option<&Question> {
        let from = self.questions.iter().skip_while(|question| question.id != id);
        from.into_iter().find(|question| question.applies(scope))
    }

    /// The questions that may come after this one: those that its answers lead to, and the one that is asked in its place.
    pub(super) fn after<'d>(&'d self, question: &'d Question) -> impl Iterator<Item = &'d Question> {
        let following = self.questions.iter().skip_while(|one| one.id != question.id).nth(1);
        let instead = following.filter(|_| question.when.is_some());
        question.next().filter_map(|id| self.question(id)).chain(instead)
    }
}

impl Question {
    /// A condition that cannot be worked out does not hold.
    fn applies(&self, scope: &Scope) -> bool {
        self.when.as_ref().is_none_or(|when| when.truth(scope) == Ok(true))
    }

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
