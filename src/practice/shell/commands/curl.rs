//! curl, as far as a host hands a file to S3, or asks there for names.

use futures_util::future::BoxFuture;

use super::super::super::net::Source;
use super::super::program::{Answer, Call};

/// Exit codes of curl(1).
const USAGE: i32 = 2;
const NO_SUCH_HOST: i32 = 6;
const REFUSED: i32 = 22;
const NO_SUCH_FILE: i32 = 26;

/// `curl -fsS [-m SECONDS] [-T FILE] https://S3/BUCKET/NAME`
pub fn curl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (mut file, mut url) = (None, None);
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-m" | "--max-time" => drop(rest.next()),
                "-T" | "--upload-file" => file = rest.next(),
                "-f" | "-s" | "-S" | "-fsS" => {}
                flag if flag.starts_with('-') => {
                    return Answer::fail(USAGE, format!("curl: option {flag}: practice does not know it\n"));
                }
                _ => url = Some(word),
            }
        }
        let Some((server, path)) = url.and_then(|url| url.strip_prefix("https://")).and_then(|url| url.split_once('/'))
        else {
            return Answer::fail(USAGE, "curl: practice knows URLs of S3 only\n");
        };
        if let Some(file) = file
            && let Err(why) = call.read(file).await
        {
            return Answer::fail(NO_SUCH_FILE, format!("curl: (26) Failed to open/read local data: {why}\n"));
        }
        let address = call.session.machine.address();
        let told = match (&call.session.reach, address) {
            (Some(reach), Some(from)) => reach.gate.stored(Source::Host(from), server, path, file.is_some()).await,
            _ => None,
        };
        match told {
            None => Answer::fail(NO_SUCH_HOST, format!("curl: (6) Could not resolve host: {server}\n")),
            Some((status, text)) if status < 400 => Answer::ok(text),
            Some((status, _)) => {
                Answer::fail(REFUSED, format!("curl: (22) The requested URL returned error: {status}\n"))
            }
        }
    })
}
