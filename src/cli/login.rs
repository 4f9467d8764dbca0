//! Answers what comes up while logging in to hosts, where there is no screen: on the terminal, or not at all.

use async_trait::async_trait;
use secrecy::SecretString;

use super::print;
use super::unseen::Unseen;
use crate::aws::Codes;
use crate::engagement::LoginQuestion;
use crate::engine::{Handle, Request};
use crate::ssh;

/// Whoever sits at the terminal, where no engine is.
#[derive(Debug)]
pub struct Terminal;

#[async_trait]
impl Codes for Terminal {
    async fn code(&self, device: &str, remark: Option<&str>) -> Option<SecretString> {
        let asks = format!("AWS gives the role with a code of the device {device}");
        let said: Vec<String> = remark.map(str::to_owned).into_iter().collect();
        let code = [("Code".to_owned(), true)];
        tokio::task::spawn_blocking(move || on_terminal(&asks, &said, &code)).await.ok()??.pop()
    }
}

#[async_trait]
impl ssh::Person for Terminal {
    async fn ask(&self, prompt: ssh::Prompt) -> Option<Vec<SecretString>> {
        let lines: Vec<(String, bool)> = prompt.lines.into_iter().map(|line| (line.label, line.shown)).collect();
        let asks = format!("{} ({}) asks {}", prompt.hop, prompt.at, prompt.user);
        tokio::task::spawn_blocking(move || on_terminal(&asks, &prompt.said, &lines)).await.ok()?
    }
}

/// Asks on the terminal and hands the answers over; without a terminal, says that nobody answers.
pub fn answer(handle: &Handle, question: &LoginQuestion) {
    let lines: Vec<(String, bool)> = question.lines.iter().map(|line| (line.label.clone(), line.shown)).collect();
    let answers = on_terminal(&question.asks, &question.said, &lines);
    handle.send(Request::LoginAnswers { number: question.number, answers });
}

fn on_terminal(asks: &str, said: &[String], lines: &[(String, bool)]) -> Option<Vec<SecretString>> {
    print::say(asks);
    let Ok(Some(unseen)) = Unseen::begin() else {
        print::say("  nobody is here to answer: run it on a terminal, or open the engagement");
        return None;
    };
    said.iter().for_each(|line| print::say(&format!("  {line}")));
    let typed = |(label, shown): &(String, bool)| {
        let label = format!("  {label}: ");
        if *shown { unseen.seen_line(&label) } else { unseen.line(&label) }
    };
    lines.iter().map(typed).collect::<Result<_, _>>().ok()
}
