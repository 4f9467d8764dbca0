//! The rows: keys, words and conditions of every command.

use super::{Command, command};
use crate::ui::effect::Effect;
use crate::ui::screen::prompt::adopt;
use crate::ui::screen::{Move, board, diagnosis, edition, form, home, output, prompt, waiting};
use crate::ui::state::Where;
use crate::ui::{acts, runs};

use Where::{Board, Edition, Form, Home, Output, Palette, Plan, Prompt, Undo};

const SCREENS: &[Where] = &[Home, Board, Output, Form, Plan, Undo, Edition];
const LISTS: &[Where] = &[Home, Board, Output, Plan, Undo, Edition];
const OPEN: &[Where] = &[Board, Output, Form, Plan, Undo, Edition];
const OPEN_LISTS: &[Where] = &[Board, Output, Plan, Undo];
const ALL: &[Where] = &[Home, Board, Output, Form, Plan, Undo, Edition, Palette, Prompt];

/// Every command there is. In the footer they stand in this order.
pub const TABLE: &[Command] = &[
    // ── engagements
    command("home.open", &["Enter"], &[Home], "open", "Open the engagement, where it was left", home::open)
        .when(home::can_open),
    command("home.new", &["n"], &[Home], "new..", "Begin a new engagement", acts::new_engagement),
    command(
        "home.who",
        &["w"],
        &[Home],
        "who moves",
        "Show only those where one party must move: us, the customer, AWS; the next press shows the next, then all",
        home::next_party,
    )
    .when(home::can_choose_party)
    .says(home::party_hint),
    command("home.refresh", &["r"], &[Home], "refresh", "Read the list of engagements again", acts::refresh),
    // ── the runbook
    command(
        "board.enter",
        &["Enter"],
        &[Board],
        "open",
        "Do the next sensible thing with the chosen step: fill in, run, approve, try again, answer",
        acts::enter,
    )
    .when(|state| board::can_enter(&state.board, &state.facts))
    .says(|state| board::enter_hint(&state.board, &state.facts)),
    command(
        "board.diagnose",
        &["d"],
        &[Board],
        "what is wrong",
        "Find out what is the matter with a step that failed or waits: looks that change nothing, one after the other",
        diagnosis::ask,
    )
    .when(diagnosis::can)
    .changes(),
    command(
        "edition.show",
        &["B"],
        &[Board],
        "other edition",
        "Show what is different in another edition of this runbook, where onramp has one; nothing is taken by that",
        edition::show,
    )
    .when(edition::can_show),
    command(
        "board.next",
        &["n"],
        &[Board],
        "next",
        "Go to the most urgent thing to do, and from there to the one after it",
        acts::next,
    ),
    command(
        "board.run",
        &["R"],
        &[Board],
        "run all",
        "Run everything that is ready, and try again what failed; changes wait for your approval",
        runs::run_all,
    )
    .when(runs::can_run_all)
    .changes(),
    command(
        "board.adopt",
        &["A"],
        &[Board],
        "adopt..",
        "Give a step that failed what is there already, by its id and with a reason",
        adopt::open,
    )
    .when(adopt::can)
    .changes(),
    command("board.plan", &["p"], &[Board], "plan", "Show what would change, call by call; nothing runs", acts::plan)
        .changes(),
    command(
        "board.stop",
        &["x"],
        &[Board, Output],
        "stop",
        "Let running steps come to a safe end, and start no more",
        runs::stop,
    )
    .when(runs::can_stop)
    .changes(),
    command(
        "board.wait",
        &["w"],
        &[Board],
        "waiting..",
        "Say on whom the chosen step waits, until when and why; or that the wait is over",
        acts::wait,
    )
    .when(waiting::can_open)
    .changes()
    .quiet(),
    command(
        "board.look",
        &["W"],
        &[Board],
        "look now",
        "Look now at everything that waits, whenever it would be looked at next",
        runs::look,
    )
    .when(runs::can_look)
    .changes()
    .quiet(),
    command(
        "board.copy",
        &["y"],
        &[Board],
        "copy asked",
        "Copy the text that was asked and since when, to send it once more",
        acts::copy_reminder,
    )
    .when(|state| waiting::reminder(state).map(|_| ()))
    .quiet(),
    command("board.skip", &["s"], &[Board], "skip..", "Skip the chosen step; asks for a reason", acts::skip)
        .when(acts::can_skip)
        .changes()
        .quiet(),
    command("board.undo", &["u"], &[Board], "undo..", "Undo the change of a step or phase, after review", acts::undo)
        .when(acts::can_undo)
        .changes()
        .quiet(),
    command(
        "board.undo-all",
        &["U"],
        &[Board],
        "undo all..",
        "Undo every change of this engagement, after review",
        acts::undo_all,
    )
    .when(acts::can_undo_all)
    .changes()
    .quiet(),
    command(
        "board.redo",
        &["Ctrl-R"],
        &[Board],
        "redo",
        "Make everything again that was undone; changes wait for your approval",
        runs::redo,
    )
    .when(runs::can_redo)
    .changes()
    .quiet(),
    command(
        "board.verify",
        &["V"],
        &[Board],
        "check again",
        "Check every finished step again, and say what drifted; changes nothing",
        runs::verify,
    )
    .when(runs::can_verify)
    .changes()
    .quiet(),
    command(
        "board.cancel",
        &["X"],
        &[Board],
        "cut off",
        "Cut the chosen step off at once; a script ends with everything it started",
        runs::cancel,
    )
    .when(runs::can_cancel)
    .changes()
    .quiet(),
    command(
        "board.output",
        &["L"],
        &[Board],
        "output",
        "Show the output of the chosen step over the whole screen",
        acts::full_output,
    )
    .when(output::can_show),
    command(
        "board.sign-in",
        &["C"],
        OPEN_LISTS,
        "sign in",
        "Look at once for new credentials, after you have signed in to AWS anew; where a code is needed, it is asked for",
        acts::sign_in,
    )
    .changes()
    .quiet(),
    command("board.fold", &["Space"], &[Board], "fold", "Open or close a phase, or a repeated step", acts::fold)
        .quiet(),
    command(
        "board.phase",
        &["1", "2", "3", "4", "5", "6", "7", "8", "9"],
        &[Board],
        "phase",
        "Go to the phase of that number",
        acts::nothing,
    )
    .quiet()
    .by_screen(),
    // ── the output
    command("output.find", &["/"], &[Output], "find..", "Find text in the output", acts::find).when(output::can_find),
    command("output.next", &["n"], &[Output], "next", "Go to the next place found", |state| {
        acts::find_again(state, true)
    })
    .when(output::can_find_again),
    command("output.previous", &["N"], &[Output], "previous", "Go to the place found before", |state| {
        acts::find_again(state, false)
    })
    .when(output::can_find_again)
    .quiet(),
    command(
        "output.follow",
        &["F"],
        &[Board, Output],
        "follow",
        "Let new lines move the output, or hold it still",
        output::follow,
    )
    .quiet(),
    // ── forms
    command(
        "form.enter",
        &["Enter"],
        &[Form],
        "take it",
        "Take the answer, or the one offered, and go to the next field; in a field of many lines, a new line",
        form::enter,
    )
    .says(|state| state.form.enter_hint()),
    command("form.choose", &["Space"], &[Form], "mark", "Mark a choice where several can be taken", |state| {
        state.form.mark(&state.facts)
    })
    .when(|state| state.form.can_mark()),
    command(
        "form.next",
        &["Tab"],
        &[Form],
        "next",
        "Go to the next field; what was typed is checked and saved. From the last one of a complete form back",
        form::next,
    )
    .when(|state| state.form.can_go_on())
    .says(|state| state.form.next_hint()),
    command("form.previous", &["Shift-Tab"], &[Form], "back", "Go to the field before", |state| {
        state.go(Move::Previous)
    })
    .when(|state| state.form.can_go_back()),
    command(
        "form.edit",
        &["Right"],
        &[Form],
        "edit offer",
        "In an empty field: put the answer that is offered into it, to change it",
        acts::nothing,
    )
    .when(|state| state.form.can_edit_offer())
    .by_screen(),
    command(
        "form.text",
        &["Ctrl-A", "Ctrl-E", "Ctrl-U", "Ctrl-K", "Ctrl-W", "Ctrl-J"],
        &[Form, Prompt],
        "edit",
        "To the start, to the end, delete to the start, to the end, a word; new line where a field has several",
        acts::nothing,
    )
    .quiet()
    .by_screen(),
    command(
        "form.undo",
        &["Ctrl-/", "Ctrl-7", "Ctrl-_"],
        &[Form],
        "undo typing",
        "Take back the last typing in this field",
        |state| state.form.undo(),
    )
    .quiet(),
    command(
        "form.make-way",
        &["Ctrl-X"],
        &[Form],
        "undo what is in the way",
        "Where an answer cannot change because of what was made with it: undo all that has to go first, after review",
        acts::make_way,
    )
    .when(acts::can_make_way)
    .changes(),
    // ── the plan
    command(
        "plan.approve",
        &["a"],
        &[Plan],
        "approve..",
        "Approve exactly this plan and run it; asks you to type a word",
        acts::approve,
    )
    .when(acts::can_approve),
    command(
        "plan.open",
        &["Enter"],
        &[Plan],
        "open",
        "Open or close the step: every call and script with its arguments",
        |state| {
            state.plan.toggle(&state.facts);
            Vec::new()
        },
    ),
    command("plan.open-all", &["o"], &[Plan], "open all", "Open or close all steps", |state| {
        state.plan.toggle_all(&state.facts);
        Vec::new()
    }),
    command(
        "plan.run",
        &["r"],
        &[Plan],
        "run",
        "Run what is left to run, where nothing needs an approval",
        acts::run_planned,
    )
    .when(acts::can_run_planned),
    command(
        "plan.everything",
        &["e"],
        &[Plan],
        "every step",
        "Show the steps too that would change nothing",
        |state| {
            state.plan.toggle_everything(&state.facts);
            Vec::new()
        },
    ),
    command("plan.group", &["b"], &[Plan], "by phase", "Group by what steps cost and break, or by phase", |state| {
        state.plan.toggle_grouping(&state.facts);
        Vec::new()
    })
    .quiet(),
    command("plan.again", &["d"], &[Plan], "plan again", "Make the plan anew", acts::plan_again),
    command(
        "plan.rights",
        &["P"],
        &[Plan],
        "rights",
        "Ask AWS, by rehearsal, which permissions the credentials lack for this plan",
        acts::rehearse,
    ),
    command("plan.copy", &["y"], &[Plan], "copy", "Copy the plan as JSON to the clipboard", acts::copy_plan)
        .when(acts::has_plan)
        .quiet(),
    // ── taking back
    command(
        "undo.approve",
        &["a"],
        &[Undo],
        "approve..",
        "Take back exactly these changes; asks you to type a word",
        acts::approve_undo,
    )
    .when(acts::can_approve_undo),
    command(
        "undo.open",
        &["Enter"],
        &[Undo],
        "open",
        "Open or close the step: every call and script that takes it back",
        |state| {
            state.undo.toggle(&state.facts);
            Vec::new()
        },
    ),
    command(
        "undo.users",
        &["w"],
        &[Undo],
        "with its users..",
        "Where something stays because others use it: show what it is to take them back, too",
        acts::undo_users,
    )
    .when(acts::can_undo_users),
    command("undo.again", &["d"], &[Undo], "look again", "Look again what is there to be taken back", acts::undo_again),
    // ── another edition of the runbook
    command(
        "edition.take",
        &["a"],
        &[Edition],
        "take it..",
        "Walk this edition from now on; asks you to type a word",
        acts::take_edition,
    )
    .when(edition::can_take),
    // ── popups
    command("palette.run", &["Enter"], &[Palette], "do it", "Do what is marked", acts::palette_run),
    command("prompt.accept", &["Enter"], &[Prompt], "go on", "Give the answer", prompt::accept)
        .says(prompt::accept_hint),
    command("popup.up", &["Up"], &[Palette, Prompt], "up", "Move up in a list", |state| state.go(Move::Up)).movement(),
    command("popup.down", &["Down"], &[Palette, Prompt], "down", "Move down in a list", |state| state.go(Move::Down))
        .movement(),
    command("popup.page-up", &["PgUp"], &[Palette, Prompt], "page up", "Move up a page", |state| state.go(Move::PageUp))
        .movement(),
    command("popup.page-down", &["PgDn"], &[Palette, Prompt], "page down", "Move down a page", |state| {
        state.go(Move::PageDown)
    })
    .movement(),
    // ── moving
    command("move.up", &["Up", "k"], SCREENS, "up", "Up", |state| state.go(Move::Up)).movement(),
    command("move.down", &["Down", "j"], SCREENS, "down", "Down", |state| state.go(Move::Down)).movement(),
    command("move.left", &["Left", "h"], LISTS, "close", "Close, or to the left", |state| state.go(Move::Left))
        .movement(),
    command("move.right", &["Right", "l"], LISTS, "open", "Open, or to the right", |state| state.go(Move::Right))
        .movement(),
    command("form.page-up", &["PgUp"], &[Form], "page up", "A page up in a long text, or in what is offered", |state| {
        state.go(Move::PageUp)
    })
    .movement(),
    command(
        "form.page-down",
        &["PgDn"],
        &[Form],
        "page down",
        "A page down in a long text, or in what is offered",
        |state| state.go(Move::PageDown),
    )
    .movement(),
    command("move.page-up", &["PgUp", "Ctrl-U"], LISTS, "page up", "A page up", |state| state.go(Move::PageUp))
        .movement(),
    command("move.page-down", &["PgDn", "Ctrl-D"], LISTS, "page down", "A page down", |state| state.go(Move::PageDown))
        .movement(),
    command("move.first", &["g", "Home"], LISTS, "first", "To the first", |state| state.go(Move::First)).movement(),
    command("move.last", &["G", "End"], LISTS, "last", "To the last", |state| state.go(Move::Last)).movement(),
    command("move.pane", &["Tab"], &[Board], "pane", "Next pane: steps, detail, output", |state| state.go(Move::Next)),
    command("move.pane-back", &["Shift-Tab"], &[Board], "pane back", "Pane before", |state| state.go(Move::Previous))
        .movement(),
    // ── everywhere
    command(
        "app.back",
        &["Esc"],
        ALL,
        "back",
        "Close, or go back; never ends the program, never loses anything",
        acts::back,
    )
    .when(acts::can_go_back)
    .says(acts::back_hint),
    command("app.palette", &[":"], SCREENS, "commands", "Find any command or step by typing", acts::palette),
    command("app.help", &["?", "F1"], SCREENS, "help", "What can be done here, and what the signs mean", acts::help),
    command("app.home", &["H"], OPEN, "engagements", "Go to the list of engagements; what runs goes on", acts::home)
        .quiet(),
    command("app.quit", &["q"], SCREENS, "quit", "Leave; asks when steps are running", acts::quit),
    command("app.stop", &["Ctrl-C"], ALL, "stop", "Stop what runs, safely; pressed twice it leaves", acts::interrupt)
        .quiet(),
    command("app.suspend", &["Ctrl-Z"], ALL, "suspend", "Back to the shell for a moment; fg returns", |_| {
        vec![Effect::Suspend]
    })
    .quiet(),
    command("app.redraw", &["Ctrl-L"], ALL, "redraw", "Draw everything anew", |_| vec![Effect::Redraw]).quiet(),
];
