//! Rules of texts: what people read as it stands.

use super::Book;
use crate::runbook::place::Place;
use crate::runbook::problem::Problem;

/// Nobody fills a template in here.
pub(super) fn unfilled(book: &Book) -> Vec<Problem> {
    let of_steps = book.steps().flat_map(|(step, cursor)| {
        let own = [("title", Some(&step.title)), ("why", Some(&step.why))];
        let optional = [("cost", &step.cost), ("breaks", &step.breaks), ("no_undo", &step.no_undo)];
        let all = own.into_iter().chain(optional.map(|(key, text)| (key, text.as_ref())));
        all.filter_map(|(key, text)| Some((key, text?, cursor.key(key).place()))).collect::<Vec<_>>()
    });
    let of_inputs = book.inputs.iter().filter_map(|(id, cursor)| Some((book.runbook.fields.get(id)?, cursor)));
    let of_inputs = of_inputs.flat_map(|(field, cursor)| {
        [("label", &field.label), ("help", &field.help)].map(|(key, text)| (key, text, cursor.key(key).place()))
    });
    let of_trees = book.runbook.diagnoses.iter().flat_map(|tree| {
        let asked = tree.questions.iter().map(|question| ("ask", &question.ask, question.place.clone()));
        asked.chain([("title", &tree.title, tree.place.clone())])
    });
    let all = of_steps.chain(of_inputs).chain(of_trees);
    all.filter(|(_, text, _)| text.contains("{{") || text.contains("{%"))
        .map(|(key, _, at)| warning(key, &at))
        .collect()
}

fn warning(key: &str, place: &Place) -> Problem {
    let message = format!("`{key}` is read as it stands: nobody fills a template in");
    Problem::warning(place, "unfilled", message).hint("say it in words")
}
