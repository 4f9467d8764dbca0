//! Text that is typed on the terminal and not shown: neither while it is asked for, nor when somebody types ahead.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::failure::{Failure, Kind};
use super::print;

/// As long as this lives, the terminal shows nothing that is typed, and Ctrl-C waits for the next question. Afterwards
/// the terminal is as it was, also where a signal ends the program.
pub struct Unseen {
    before: Termios,
}

/// How the terminal was before somebody was asked; nothing while nobody is.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

impl Unseen {
    /// None where no terminal is there to be asked on.
    ///
    /// # Errors
    /// The terminal does not let itself be quieted.
    pub fn begin() -> Result<Option<Unseen>, Failure> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin()).map_err(|error| trouble(error.into()))?;
        #[cfg(unix)]
        mind_signals();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before.clone());
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet).map_err(|error| trouble(error.into()))?;
        Ok(Some(Unseen { before }))
    }

    /// One line.
    ///
    /// # Errors
    /// The person broke off (Ctrl-C, Ctrl-D, Esc).
    pub fn line(&self, prompt: &str) -> Result<SecretString, Failure> {
        self.typed(prompt, false)
    }

    /// One line that may be seen.
    ///
    /// # Errors
    /// As `line`.
    pub fn seen_line(&self, prompt: &str) -> Result<SecretString, Failure> {
        self.typed(prompt, true)
    }

    fn typed(&self, prompt: &str, shown: bool) -> Result<SecretString, Failure> {
        terminal::enable_raw_mode().map_err(trouble)?;
        print::ask(prompt);
        let mut text = Zeroizing::new(String::new());
        let read = keys_into(&mut text, shown);
        terminal::disable_raw_mode().map_err(trouble)?;
        print::say("");
        match read.map_err(trouble)? {
            true => Ok(SecretString::from(text.as_str())),
            false => Err(Failure::new(Kind::Interrupted, "interrupted; nothing was changed")),
        }
    }

    /// A line that is chosen now: typed twice, and asked for again until both are the same. An empty one is not.
    ///
    /// # Errors
    /// As `line`.
    pub fn twice(&self, prompt: &str) -> Result<SecretString, Failure> {
        loop {
            let first = self.line(prompt)?;
            if first.expose_secret().is_empty() {
                return Ok(first);
            }
            let second = self.line("once more, so that it is the same: ")?;
            if first.expose_secret() == second.expose_secret() {
                return Ok(first);
            }
            print::say("the two are not the same; nothing was kept. Again:");
        }
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// From the first question on, SIGTERM and SIGHUP end the program as they would anyway, but for the terminal: it shows again
/// what is typed. Once for the whole program, since a signal that is listened for does nothing else any more.
#[cfg(unix)]
fn mind_signals() {
    use tokio::signal::unix::{SignalKind, signal};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let listening = {
            let _entered = runtime.enter();
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        };
        let (Ok(mut term), Ok(mut hangup)) = listening else { return };
        thread::spawn(move || {
            let number = runtime.block_on(async {
                tokio::select! {
                    _ = term.recv() => SignalKind::terminate(),
                    _ = hangup.recv() => SignalKind::hangup(),
                }
            });
            if let Some(before) = &*BEFORE.lock().unwrap_or_else(PoisonError::into_inner) {
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
            }
            #[expect(
                clippy::disallowed_methods,
                clippy::exit,
                reason = "what a signal ends returns no code from main"
            )]
            std::process::exit(128 + number.as_raw_value());
        });
    });
}

fn trouble(error: io::Error) -> Failure {
    Failure::usage(format!("the terminal cannot be asked unseen: {error}"))
}

/// False when the person broke off.
fn keys_into(text: &mut String, shown: bool) -> io::Result<bool> {
    let show = |piece: &str| shown.then(|| print::ask(piece));
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(true),
            // Enter, too: what was typed between two questions came while the terminal still made a line feed of it.
            KeyCode::Char('j') if control => return Ok(true),
            KeyCode::Char('c' | 'd') if control => return Ok(false),
            KeyCode::Esc => return Ok(false),
            KeyCode::Char('u') if control => {
                show(&"\u{8} \u{8}".repeat(text.chars().count()));
                text.clear();
            }
            KeyCode::Backspace if text.pop().is_some() => {
                show("\u{8} \u{8}");
            }
            KeyCode::Char(character) if !control => {
                text.push(character);
                show(&character.to_string());
            }
            _ => {}
        }
    }
}
