//! The terminal, taken and always given back: on return, on error, on panic, on a signal, on Ctrl-Z.
//!
//! `ratatui::restore` leaves raw mode and the alternate screen and nothing else, so this is ours.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};

/// True while the terminal is ours: whoever gives it back first clears it, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What other threads said when they panicked, kept until the screen can take it.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Holds the terminal; dropping it gives it back.
pub struct Guard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Guard {
    /// Takes the terminal. `coloured` is false when no colour may be emitted.
    ///
    /// # Errors
    /// Standard output is not a terminal, or does not take the modes.
    pub fn take(coloured: bool) -> io::Result<Self> {
        install_panic_hook();
        force_color_output(coloured);
        enter()?;
        match blank() {
            Ok(terminal) => Ok(Guard { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws one frame in one piece: the terminal shows it whole or not at all.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut ratatui::Frame)) -> io::Result<()> {
        queue!(stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        execute!(stdout(), EndSynchronizedUpdate)
    }

    /// Draws everything anew at the next frame.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn clear(&mut self) -> io::Result<()> {
        self.terminal = blank()?;
        Ok(())
    }

    /// Gives the terminal back, stops this process as Ctrl-Z does, and takes the terminal again when it goes on.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        stop_this_job()?;
        enter()?;
        self.clear()
    }

    /// Asks the terminal to put `text` on the clipboard (OSC 52). Terminals that do not know it ignore it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let mut out = stdout();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        out.flush()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// An empty screen, and a terminal that knows nothing of what stands on it. `Terminal::clear` would ask the terminal for
/// its cursor, and the answer would go to the thread that reads keys.
fn blank() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    execute!(stdout(), Clear(ClearType::All))?;
    Terminal::new(CrosstermBackend::new(stdout()))
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide);
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Puts the terminal back as it was. May be called at any moment, from any thread, and more than once.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nothing can be done about a terminal that is gone: each part is tried on its own.
    let _ = execute!(stdout(), EndSynchronizedUpdate);
    let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// What background threads said when they panicked, since the last call.
pub fn panics() -> Vec<String> {
    PANICS.lock().map(|mut panics| std::mem::take(&mut *panics)).unwrap_or_default()
}

/// A panic of this thread ends the program: the terminal comes back first, so that the message can be read. A panic of
/// another thread must not write over the screen: it is kept, and shown as what it is.
fn install_panic_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return;
    }
    let ours = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours || !TAKEN.load(Ordering::SeqCst) {
            give_back();
            before(info);
        } else if let Ok(mut panics) = PANICS.lock() {
            panics.push(info.to_string());
        }
    }));
}

#[cfg(unix)]
fn stop_this_job() -> io::Result<()> {
    use rustix::process::{Signal, kill_current_process_group};
    kill_current_process_group(Signal::TSTP)?;
    // Another thread may be the one that takes the signal: do not touch the terminal before everything stands still.
    thread::sleep(Duration::from_millis(50));
    Ok(())
}

#[cfg(not(unix))]
fn stop_this_job() -> io::Result<()> {
    Ok(())
}
