//! The real binary in a real terminal: a PTY, keys, and what stands on the screen.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::stage::Stage;

/// A program on a terminal of its own.
pub struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    /// Every byte that the program wrote.
    written: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// How the terminal was set before the program began.
    modes_before: String,
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

/// Long enough for a loaded machine; only a screen that never comes waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

impl Terminal {
    pub fn start(stage: &Stage, arguments: &[&str], rows: u16, cols: u16) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let modes_before = modes(&*pair.master);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_onramp"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in stage.variables() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(stage.home());
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (parser, kept) = (screen.clone(), written.clone());
        thread::spawn(move || {
            let mut bytes = [0_u8; 8192];
            while let Ok(count) = output.read(&mut bytes) {
                if count == 0 {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                parser.lock().unwrap().process(&bytes[..count]);
            }
        });
        Terminal { screen, written, keys: pair.master.take_writer().unwrap(), child, master: pair.master, modes_before }
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the words are on the screen.
    #[track_caller]
    pub fn wait(&self, words: &str) {
        self.wait_any(&[words]);
    }

    #[track_caller]
    pub fn wait_any(&self, words: &[&str]) {
        let began = Instant::now();
        while !words.iter().any(|words| self.text().contains(words)) {
            assert!(began.elapsed() < PATIENCE, "{words:?} never came:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn wait_gone(&self, words: &str) {
        let began = Instant::now();
        while self.text().contains(words) {
            assert!(began.elapsed() < PATIENCE, "{words:?} stays:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the program has asked for the colour of the background.
    #[track_caller]
    fn wait_asked(&self) {
        let began = Instant::now();
        while !String::from_utf8_lossy(&self.written.lock().unwrap()).contains("\x1b]11;?") {
            assert!(began.elapsed() < PATIENCE, "it never asked");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The colours of the first cell of these words.
    fn colours_of(&self, words: &str) -> (vt100::Color, vt100::Color) {
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        let (row, line) = screen.rows(0, screen.size().1).enumerate().find(|(_, line)| line.contains(words)).unwrap();
        let column = line[..line.find(words).unwrap()].chars().count();
        let cell = screen.cell(u16::try_from(row).unwrap(), u16::try_from(column).unwrap()).unwrap();
        (cell.fgcolor(), cell.bgcolor())
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Help opens, and closes again.
    fn looks_at_the_help(&mut self) {
        self.press("?");
        self.wait("Help:");
        self.press("\x1b");
        // An escape and a letter right behind it would be read as one key.
        self.wait_gone("Help:");
    }

    fn resize(&self, rows: u16, cols: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(rows, cols);
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Everything that the program and the terminal have written.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    #[track_caller]
    fn assert_given_back(&self) {
        assert_eq!(modes(&*self.master), self.modes_before, "the terminal is as it was");
    }

    /// Waits for the end and gives the exit code.
    pub fn ended(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(began.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn practice_opens_says_that_it_is_practice_gives_help_and_leaves() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["practice"], 24, 80);
    terminal.wait("PRACTICE");
    terminal.wait("Preflight");
    terminal.looks_at_the_help();
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    // The terminal is given back, and the shell shows how to go on.
    terminal.wait("onramp practice");
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_recovers() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["practice"], 10, 40);
    terminal.wait("60");
    terminal.resize(24, 80);
    terminal.wait("Preflight");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

/// A size and a key in one breath: what reads the terminal must hand on both, and not keep the key until the next one comes.
#[test]
fn a_key_right_behind_a_new_size_is_taken_at_once() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["practice"], 24, 80);
    terminal.wait("Preflight");
    for round in 0..40 {
        terminal.resize(25 - round % 2, 80);
        // Both must be there when the reader looks: how long that takes differs, so that several lengths are tried.
        let resized = Instant::now();
        while resized.elapsed() < Duration::from_micros(u64::from(round) * 3) {
            std::hint::spin_loop();
        }
        terminal.looks_at_the_help();
    }
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn an_engagement_that_somebody_else_holds_is_read_along_live() {
    use onramp::journal::{Holder, Writer};
    let stage = Stage::new();
    let runbook = stage.file(
        "small.yaml",
        "runbook: small\ntitle: Small\nphase: one\nsteps:\n  - {id: first, title: The first step, manual: Do it.}\n",
    );
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    let holder = Holder { user: "joe".to_owned(), host: "sofa".to_owned(), process: 7, since: "today".to_owned() };
    let mut writer = Writer::open(&stage.data().join("engagements/acme"), &holder).unwrap();
    let mut terminal = Terminal::start(&stage, &["open", "acme"], 24, 100);
    terminal.wait("READING ALONG");
    terminal.wait("joe@sofa");
    terminal.press("s");
    terminal.wait("skip: you are reading along");
    let skipped = onramp::engagement::Event::Skipped { step: "one/first".parse().unwrap(), reason: "no".to_owned() };
    writer.append(onramp::engagement::At(1), &"joe@sofa".to_owned(), vec![skipped]).unwrap();
    terminal.wait("All 1 step are done");
    drop(writer);
    terminal.wait("nobody holds it now");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

/// The colours of the practice badge, with a theme by name or with what a terminal answers when it is asked.
fn badge(arguments: &[&str], answer: Option<&str>) -> (vt100::Color, vt100::Color) {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, arguments, 24, 80);
    if let Some(answer) = answer {
        terminal.wait_asked();
        terminal.press(answer);
    }
    terminal.wait("Preflight");
    let colours = terminal.colours_of("PRACTICE");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    colours
}

#[test]
fn the_terminal_says_whether_its_background_is_light() {
    let (dark, light) = (badge(&["practice", "--theme", "dark"], None), badge(&["practice", "--theme", "light"], None));
    assert_ne!(dark, light, "or this shows nothing");
    assert_eq!(badge(&["practice"], Some("\x1b]11;rgb:fdf6/e3e3/d5d5\x1b\\\x1b[?62;22c")), light);
    assert_eq!(badge(&["practice"], Some("\x1b]11;rgb:1e1e/1e1e/1e1e\x07\x1b[?6c")), dark);
    assert_eq!(badge(&["practice"], Some("\x1b[?6c")), dark, "a terminal that does not tell");
}

#[test]
fn an_answer_that_comes_too_late_is_not_typed_into_a_form() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["practice"], 24, 80);
    terminal.wait("Preflight");
    terminal.press("\r");
    terminal.wait("legal name");
    terminal.press("\x1b]11;rgb:fdf6/e3e3/d5d5\x1b\\\x1b[?62;22c");
    terminal.press("Northwind");
    terminal.wait("Northwind");
    assert!(!terminal.text().contains("rgb") && !terminal.text().contains("fdf6"), "{}", terminal.text());
    terminal.press("\x1b");
    terminal.wait("Preflight");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

const SECRET: &str = "Kx7.canary_Qf93";
const SET: &[&str] = &["secret", "acme", "set", "smtp.password"];

/// An engagement that wants a password.
fn mail() -> Stage {
    let stage = Stage::new().with_credentials();
    let runbook = stage.file(
        "mail.yaml",
        "runbook: mail\ntitle: Mail\nphase: mail\ninputs:\n  - {id: smtp.password, label: Password, kind: secret, use: \
         password}\nsteps:\n  - {id: ask, title: Ask, form: [smtp.password]}\n",
    );
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    stage
}

#[test]
fn a_secret_is_typed_unseen_its_passphrase_until_it_is_said_twice_alike_and_the_terminal_is_given_back() {
    let stage = mail();
    let mut terminal = Terminal::start(&stage, SET, 24, 80);
    terminal.wait("it is not shown");
    // All at once, and more than is asked for: what is typed ahead is not shown either.
    terminal.press(&format!("{SECRET}\ropen sesame\ropen simsim\ropen sesame\ropen sesame\rtyped ahead"));
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    terminal.wait("smtp.password in the file secrets.age");
    terminal.assert_given_back();
    let all = terminal.all();
    assert!(all.contains("the two are not the same"), "{all}");
    for typed in [SECRET, "sesame", "simsim", "typed ahead"] {
        assert!(!all.contains(typed), "{typed}: {all}");
    }
    assert!(stage.data().join("engagements/acme/secrets.age").exists());
    assert!(stage.run(&["secret", "acme", "list"]).expect(0).out.contains("age:secrets.age#smtp.password"));
}

/// So a terminal hands over what was typed while nobody read it.
#[test]
fn a_line_feed_ends_a_secret_as_enter_does() {
    let stage = mail();
    let mut terminal = Terminal::start(&stage, SET, 24, 80);
    terminal.wait("it is not shown");
    terminal.press(&format!("{SECRET}\nopen sesame\nopen sesame\n"));
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    terminal.wait("smtp.password in the file secrets.age");
    terminal.assert_given_back();
}

#[test]
fn whoever_breaks_off_while_a_secret_is_typed_leaves_all_as_it_was() {
    let stage = mail();
    for (typed, asked) in [(SECRET.to_owned(), "it is not shown"), (format!("{SECRET}\ropen"), "choose a passphrase")] {
        let mut terminal = Terminal::start(&stage, SET, 24, 80);
        terminal.wait("it is not shown");
        terminal.press(&typed);
        terminal.wait(asked);
        terminal.press("\x03");
        assert_eq!(terminal.ended(), 130, "{}", terminal.text());
        terminal.wait("nothing was changed");
        terminal.assert_given_back();
        assert!(!terminal.all().contains(SECRET) && !terminal.all().contains("open"), "{}", terminal.all());
        assert!(!stage.data().join("engagements/acme/secrets.age").exists());
        assert!(stage.run(&["secret", "acme", "list"]).expect(0).out.contains("not given"));
    }
}

#[test]
fn a_signal_while_a_secret_is_typed_gives_the_terminal_back() {
    let stage = mail();
    for (signal, code) in [("-TERM", 143), ("-HUP", 129)] {
        let mut terminal = Terminal::start(&stage, SET, 24, 80);
        terminal.wait("it is not shown");
        terminal.press("half of");
        let process = terminal.child.process_id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args([signal, &process]).status().unwrap().success());
        assert_eq!(terminal.ended(), code, "{}", terminal.text());
        terminal.assert_given_back();
    }
    assert!(stage.run(&["secret", "acme", "list"]).expect(0).out.contains("not given"));
}

#[test]
fn a_passphrase_that_a_run_asks_for_anew_is_said_twice() {
    let stage = Stage::new().with_credentials().with("AWS_REGION", "eu-west-1");
    let runbook = stage.file(
        "psk.yaml",
        "runbook: psk\ntitle: Key\nphase: vpn\nsteps:\n  - {id: psk, title: Key, aws: secret, with: {key: psk/one, store: \
         age}}\n",
    );
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    let run = ["run", "acme", "--yes", "--endpoint-url", "http://127.0.0.1:9"];
    stage.run(&run).expect(3).says("choose a passphrase");
    let mut terminal = Terminal::start(&stage, &run, 24, 80);
    terminal.wait("the passphrase of secrets.age:");
    terminal.press("open sesame\ropen simsim\ropen sesame\ropen sesame\r");
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    terminal.assert_given_back();
    assert!(terminal.all().contains("the two are not the same"), "{}", terminal.all());
    // It is taken back unopened.
    stage.run(&["undo", "acme", "--all", "--yes"]).expect(0).says("when that is opened next");
}
