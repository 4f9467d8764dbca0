//! Diagnoses: their questions, and the words of their branches.

use super::{LIMIT, Lowering};
use crate::runbook::diagnosis::{Answer, Branch, Diagnosis, Leads, Question};
use crate::runbook::file;
use crate::runbook::model::{Shell, Work};
use crate::runbook::place::Cursor;
use crate::runbook::problem::Problem;

impl Lowering<'_> {
    /// The diagnosis of a file.
    pub fn diagnosis(&mut self, root: &Cursor, id: &str, file: &file::File) -> Diagnosis {
        self.id(&root.key("diagnosis"), id);
        let list = root.key("questions");
        if file.questions.as_ref().is_none_or(Vec::is_empty) {
            let message = format!("the diagnosis `{id}` asks nothing: `questions` is missing");
            self.problems.push(Problem::error(&root.key_place("diagnosis"), "diagnosis", message));
        }
        let questions = file.questions.iter().flatten().enumerate();
        let questions = questions.filter_map(|(index, question)| self.question(&list.item(index), question)).collect();
        let title = file.title.clone().unwrap_or_else(|| id.to_owned());
        Diagnosis { id: id.to_owned(), title, questions, place: root.key_place("diagnosis") }
    }

    fn question(&mut self, cursor: &Cursor, question: &file::Question) -> Option<Question> {
        self.id(&cursor.key("id"), &question.id);
        let look = self.look(cursor, question);
        if question.answers.is_empty() {
            self.error(&cursor.key("answers"), "diagnosis", "a question whose answers lead nowhere");
        }
        let list = cursor.key("answers");
        let answers = question.answers.iter().enumerate();
        let answers = answers.filter_map(|(index, answer)| self.answer(&list.item(index), answer)).collect();
        let when = self.expr(&cursor.key("when"), question.when.as_ref());
        Some(Question {
            id: question.id.clone(),
            ask: question.ask.clone(),
            when,
            look: look?,
            answers,
            place: cursor.place(),
        })
    }

    fn look(&mut self, cursor: &Cursor, question: &file::Question) -> Option<Work> {
        let kinds = [("aws", &question.aws), ("os", &question.os), ("probe", &question.probe)];
        let given: Vec<(&str, &String)> =
            kinds.into_iter().filter_map(|(key, kind)| Some((key, kind.as_ref()?))).collect();
        match (given.as_slice(), &question.check) {
            ([(key, kind)], None) => {
                let stray = [("host", question.host.is_some()), ("sudo", question.sudo.is_some())];
                for (stray, _) in stray.into_iter().filter(|(_, there)| *there) {
                    let message = format!("`{stray}` goes with `check`, which this question has not");
                    self.problems.push(Problem::error(&cursor.key_place(stray), "stray-key", message));
                }
                let saves = std::iter::empty::<&String>();
                Some(self.kind(cursor, (*key, kind.as_str()), question.with.as_ref(), saves))
            }
            ([], Some(check)) => self.check_of(cursor, question, check).map(Work::Shell),
            _ => {
                let message = "a question has one of `aws`, `os`, `probe` and `check`";
                self.error(cursor, "diagnosis", message);
                None
            }
        }
    }

    fn check_of(&mut self, cursor: &Cursor, question: &file::Question, check: &String) -> Option<Shell> {
        let Some(host) = &question.host else {
            let message = "`host` is missing: `check` runs on a host";
            self.problems.push(Problem::error(&cursor.key_place("check"), "missing-key", message));
            return None;
        };
        Some(Shell {
            host: self.template(&cursor.key("host"), host)?,
            library: String::new(),
            sudo: question.sudo.unwrap_or(true),
            check: Some(self.script(&cursor.key("check"), Some(check))?),
            run: None,
            then: None,
            verify: None,
            undo: None,
            stdin: None,
            limit: LIMIT,
        })
    }

    fn answer(&mut self, cursor: &Cursor, answer: &file::Answer) -> Option<Answer> {
        let when = self.expr(&cursor.key("when"), answer.when.as_ref());
        let leads = match (&answer.then, &answer.branch) {
            (Some(then), None) => {
                self.no_words(cursor, answer);
                Leads::To(then.clone())
            }
            (None, Some(id)) => Leads::In(self.branch(cursor, id, answer)?),
            _ => {
                self.error(cursor, "diagnosis", "an answer leads to one of `then` and `branch`");
                return None;
            }
        };
        Some(Answer { when, leads })
    }

    /// A branch that does not say what it is, how one sees it, what to do and who must do it helps nobody.
    fn branch(&mut self, cursor: &Cursor, id: &str, answer: &file::Answer) -> Option<Branch> {
        self.id(&cursor.key("branch"), id);
        for (key, there) in [("who", answer.who.is_some())].into_iter().chain(words(answer)) {
            if !there {
                let message = format!("the branch `{id}` has no words: `{key}` is missing");
                self.problems.push(Problem::error(&cursor.key_place("branch"), "diagnosis", message));
            }
        }
        let [what, seen, todo] = [("what", &answer.what), ("seen", &answer.seen), ("do", &answer.todo)]
            .map(|(key, text)| self.optional_template(&cursor.key(key), text.as_ref()));
        Some(Branch { id: id.to_owned(), what: what?, seen: seen?, todo: todo?, who: answer.who? })
    }

    fn no_words(&mut self, cursor: &Cursor, answer: &file::Answer) {
        for (key, _) in words(answer).into_iter().filter(|(_, there)| *there) {
            let message = format!("`{key}` goes with `branch`, which this answer has not");
            self.problems.push(Problem::error(&cursor.key_place(key), "stray-key", message));
        }
    }
}

/// The words of a branch, and whether there are any.
fn words(answer: &file::Answer) -> [(&'static str, bool); 3] {
    let there = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    [("what", there(&answer.what)), ("seen", there(&answer.seen)), ("do", there(&answer.todo))]
}
