//! From where a host of practice fetches packages, and what apt and dnf say when they do not get there.

use std::io::ErrorKind;
use std::time::Duration;

use reqwest::Url;

use super::super::image::Image;
use super::super::program::Call;
use crate::practice::datacentre;

/// How long it is waited for an answer; the programs themselves wait longer.
const PATIENCE: Duration = Duration::from_secs(2);
const APT_PROXY: &str = "/etc/apt/apt.conf.d/95onramp-proxy";
const APT_MIRROR: &str = "/etc/apt/apt.conf.d/95onramp-mirror";
const DNF: &str = "/etc/dnf/dnf.conf";
const MIRROR_LIST: &str = "/etc/onramp/packages/mirror.list";
const MIRROR_REPO: &str = "/etc/onramp/packages/mirror.repo";

/// Why the lists do not come.
enum Miss {
    NoName,
    Refused,
    Silent,
}

/// The URL that packages come from, without what is below it.
fn base(text: &str) -> Option<&str> {
    let start = text.find("https://").or_else(|| text.find("http://"))?;
    let url = &text[start..];
    Some(&url[..url.find(|c: char| c.is_whitespace() || "\"]".contains(c)).unwrap_or(url.len())])
}

/// Host and port of a URL, without a login.
fn door(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// What the distribution of the host has its packages at.
fn own(image: Image) -> (&'static str, &'static str) {
    match image {
        Image::Ubuntu2204 => ("http://archive.ubuntu.com/ubuntu", "jammy"),
        Image::Ubuntu2404 => ("http://archive.ubuntu.com/ubuntu", "noble"),
        Image::Debian12 => ("http://deb.debian.org/debian", "bookworm"),
        _ => ("https://rhui.aws.ce.redhat.com/pulp/mirror", "baseos"),
    }
}

/// Where the host's package manager looks, and through whom.
async fn sources(call: &Call) -> (String, Option<String>) {
    let (disk, image) = (&call.session.machine.disk, call.session.machine.image);
    let text = async |path: &str| disk.text(path).await.unwrap_or_default();
    let (mirror, proxy) = if image.is_rhel() {
        let conf = text(DNF).await;
        let told = conf.lines().any(|line| line == "reposdir=/etc/onramp/packages");
        let proxy = conf.lines().find_map(|line| line.strip_prefix("proxy=")).map(str::to_owned);
        (if told { text(MIRROR_REPO).await } else { String::new() }, proxy)
    } else {
        let told = disk.text(APT_MIRROR).await.is_some();
        let proxy = base(&text(APT_PROXY).await).map(str::to_owned);
        (if told { text(MIRROR_LIST).await } else { String::new() }, proxy)
    };
    (base(&mirror).unwrap_or(own(image).0).to_owned(), proxy)
}

/// Connects as the package manager would.
async fn missed(call: &Call, url: &str) -> Option<Miss> {
    let (machine, reach) = (&call.session.machine, call.session.reach.as_ref()?);
    // What of the customer's own network a host of the data centre reaches is not practised.
    if machine.address().is_none_or(datacentre::holds) {
        return None;
    }
    let Some((host, port)) = door(url) else { return Some(Miss::NoName) };
    match tokio::time::timeout(PATIENCE, reach.dial(machine, &host, port)).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Some(Miss::NoName),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Some(Miss::Refused),
        _ => Some(Miss::Silent),
    }
}

/// What apt or dnf says where the lists do not come; nothing where they do.
pub async fn trouble(call: &Call) -> Option<String> {
    let (url, proxy) = sources(call).await;
    let asked = proxy.as_deref().unwrap_or(&url);
    let why = missed(call, asked).await?;
    let (host, port) = door(asked).unwrap_or((asked.to_owned(), 80));
    let image = call.session.machine.image;
    Some(if image.is_rhel() {
        let why = match why {
            Miss::NoName => format!("(6): Couldn't resolve host name for {url} [Could not resolve host: {host}]"),
            Miss::Refused => {
                format!("(7): Couldn't connect to server for {url} [Failed to connect to {host} port {port}]")
            }
            Miss::Silent => format!(
                "(28): Timeout was reached for {url} [Failed to connect to {host} port {port} after 10000 ms: Timeout was reached]"
            ),
        };
        format!(
            "Errors during downloading metadata for repository 'baseos':\n  - Curl error {why}\n\
             Error: Failed to download metadata for repo 'baseos': Cannot download repomd.xml: All mirrors were tried\n"
        )
    } else {
        let why = match why {
            Miss::NoName => format!("Temporary failure resolving '{host}'"),
            Miss::Refused => format!("Could not connect to {host}:{port}. - connect (111: Connection refused)"),
            Miss::Silent => format!("Could not connect to {host}:{port}, connection timed out"),
        };
        format!("E: Failed to fetch {url}/dists/{}/InRelease  {why}\n", own(image).1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_door_it_leads_to() {
        assert_eq!(
            base("deb [signed-by=/k.gpg] https://m.example/ubuntu jammy main"),
            Some("https://m.example/ubuntu")
        );
        assert_eq!(base("Acquire::http::Proxy \"http://10.0.0.1:3128\";"), Some("http://10.0.0.1:3128"));
        assert_eq!(door("http://u:p%40@10.0.0.1:3128"), Some(("10.0.0.1".to_owned(), 3128)));
        assert_eq!(door("https://m.example/ubuntu"), Some(("m.example".to_owned(), 443)));
        assert_eq!(base("nothing"), None);
    }
}
