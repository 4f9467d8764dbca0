//! `update-ca-certificates` and `update-ca-trust`: what is put beside the authorities of the distribution counts with them.

use futures_util::future::BoxFuture;

use super::super::disk::Owner;
use super::super::program::{Answer, Call};

/// Debian's, which takes files that end in `.crt` and no others (update-ca-certificates(8)).
pub fn update_ca_certificates(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(gather(call, "/usr/local/share/ca-certificates", ".crt", "/etc/ssl/certs/ca-certificates.crt"))
}

/// Red Hat's, which takes whatever lies there (update-ca-trust(8)).
pub fn update_ca_trust(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(gather(call, "/etc/pki/ca-trust/source/anchors", "", "/etc/pki/tls/certs/ca-bundle.crt"))
}

/// Authorities that come with the distribution are none in practice: nobody there asks for them.
async fn gather(call: Call, from: &'static str, ending: &'static str, to: &'static str) -> Answer {
    if !call.is_root() {
        return Answer::fail(1, format!("{to}: Permission denied\n"));
    }
    let disk = &call.session.machine.disk;
    let mut names = disk.names(from).await;
    names.retain(|name| name.ends_with(ending));
    names.sort();
    let mut bundle = String::new();
    for name in &names {
        bundle += &disk.text(format!("{from}/{name}")).await.unwrap_or_default();
    }
    disk.put(to, &bundle, 0o644, Owner::root());
    Answer::ok(format!("{} added\n", names.len()))
}
