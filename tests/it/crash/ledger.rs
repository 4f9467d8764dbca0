//! What was promised, and whether it was kept: everything that must be zero is counted here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::walk::inputs;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    LostStep,
    CallTwice,
    ScriptTwice,
    UnnamedDoubt,
    LostInput,
    Unfinished,
}

pub const COUNTED: [(Broken, &str); 6] = [
    (Broken::LostStep, "finished steps lost"),
    (Broken::CallTwice, "AWS changes made twice"),
    (Broken::ScriptTwice, "scripts started twice"),
    (Broken::UnnamedDoubt, "doubts not named"),
    (Broken::LostInput, "inputs lost"),
    (Broken::Unfinished, "not resumed to the end"),
];

/// What one walk was told and saw.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Events that the program had shown before it ended or died.
    shown: BTreeMap<u64, Json>,
    /// Steps that once were done.
    done: BTreeSet<String>,
    /// Inputs that the program had said it stored.
    pub given: BTreeSet<String>,
    /// Where every step stands, as `status` said last.
    pub words: BTreeMap<String, String>,
    /// Steps that were intended and of which nothing is known, after the last death.
    pub doubts: BTreeSet<String>,
    pub broken: Vec<(Broken, String)>,
}

impl Ledger {
    pub fn broken(&mut self, what: Broken, said: String) {
        self.broken.push((what, said));
    }

    /// Whole lines of events; the last one may have been cut off.
    pub fn heard(&mut self, out: &str, events: bool) {
        if !events {
            return;
        }
        let whole = out.rfind('\n').map_or("", |end| &out[..end]);
        for line in whole.lines() {
            let event: Json = serde_json::from_str(line).expect("every line is an event");
            let seq = event["seq"].as_u64().expect("every event has a number");
            self.shown.insert(seq, event);
        }
    }

    /// Holds what `status` and the journal say against what was heard and seen before.
    pub fn compare(&mut self, words: BTreeMap<String, String>, events: Vec<Json>, undoing: bool) {
        let by_seq: BTreeMap<u64, &Json> =
            events.iter().filter_map(|event| Some((event["seq"].as_u64()?, event))).collect();
        for (seq, shown) in &self.shown {
            if by_seq.get(seq) != Some(&shown) {
                let what = if shown["event"]["event"] == "input_given" { Broken::LostInput } else { Broken::LostStep };
                self.broken.push((what, format!("event {seq} was shown and is not in the journal: {shown}")));
            }
        }
        let given = inputs(&events);
        for lost in self.given.difference(&given) {
            self.broken.push((Broken::LostInput, format!("{lost} was stored and is not there any more")));
        }
        self.doubts = doubts(&events);
        for doubt in &self.doubts {
            let word = words.get(doubt).map_or("nothing", String::as_str);
            if word != "in doubt" {
                self.broken.push((Broken::UnnamedDoubt, format!("{doubt} is in doubt, and status says {word}")));
            }
        }
        if !undoing {
            for done in &self.done {
                let word = words.get(done).map_or("nothing", String::as_str);
                if word != "done" {
                    self.broken.push((Broken::LostStep, format!("{done} was done, and now status says {word}")));
                }
            }
            self.done.extend(words.iter().filter(|(_, word)| *word == "done").map(|(step, _)| step.clone()));
        }
        self.words = words;
    }

    /// Steps that are not done, in a line.
    pub fn stand(&self) -> String {
        let open = self.words.iter().filter(|(_, word)| *word != "done");
        open.map(|(step, word)| format!("{step} {word}")).collect::<Vec<_>>().join(", ")
    }

    pub fn everything_is_done(&self) -> bool {
        self.words.values().all(|word| word == "done" || word == "not needed")
    }
}

/// Steps with an intent and no outcome.
fn doubts(events: &[Json]) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for event in events.iter().map(|recorded| &recorded["event"]) {
        let Some(step) = event["step"].as_str() else { continue };
        match event["event"].as_str().unwrap_or_default() {
            "intended" => drop(open.insert(step.to_owned())),
            "concluded" if event["outcome"]["outcome"] != "in_doubt" => drop(open.remove(step)),
            "settled" | "undone" => drop(open.remove(step)),
            _ => {}
        }
    }
    open
}
