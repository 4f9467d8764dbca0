//! What is said of a fault of onramp's own: with the secrets of the engagements that were opened hidden. Rust's own words
//! for some faults repeat the text that was worked on.

use std::panic;
use std::sync::{Mutex, Once, PoisonError};

use crate::text::Masks;

static MASKS: Mutex<Vec<Masks>> = Mutex::new(Vec::new());

/// From now on, what these masks know is hidden in what a fault says.
pub fn hide(masks: &Masks) {
    MASKS.lock().unwrap_or_else(PoisonError::into_inner).push(masks.clone());
    install(super::print::say);
}

/// `say` is given what would have been printed.
fn install(say: impl Fn(&str) + Send + Sync + 'static) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        panic::set_hook(Box::new(move |info| {
            let masks = MASKS.lock().unwrap_or_else(PoisonError::into_inner);
            let said = masks.iter().fold(info.to_string(), |said, masks| masks.now().mask(&said));
            say(&format!("onramp has a fault, please report it: {said}"));
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_fault_repeats_no_secret() {
        let masks = Masks::default();
        masks.learn("Kx7.canary_Qf93é");
        let heard = Arc::new(Mutex::new(String::new()));
        let ear = heard.clone();
        MASKS.lock().unwrap().push(masks);
        install(move |said| ear.lock().unwrap().push_str(said));
        // Rust tells the whole text when it is cut in the middle of a character.
        let text = "Kx7.canary_Qf93é".to_owned();
        assert!(std::thread::spawn(move || text[..text.len() - 1].len()).join().is_err());
        let heard = heard.lock().unwrap();
        assert!(heard.contains("********") && heard.contains("panics.rs") && !heard.contains("canary"), "{heard}");
    }
}
