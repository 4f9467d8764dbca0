//! Real servers, started for one test and ended with it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where a tool is; says so loudly where it is not.
pub(super) fn installed(tool: &str) -> Option<String> {
    let places = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/lib/postfix/sbin"];
    let found = places.iter().map(|place| format!("{place}/{tool}")).find(|path| Path::new(path).exists());
    if found.is_none() {
        eprintln!("SKIPPED: no {tool} (install it to run this test)");
    }
    found
}

/// A server with its folder.
pub(super) struct Server {
    child: Option<Child>,
    command: Vec<String>,
    pub(super) folder: TempDir,
    pub(super) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    /// A folder that the server's own user may use.
    pub(super) fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        open_up(folder.path());
        folder
    }

    /// Starts a program.
    pub(super) fn start(folder: TempDir, port: u16, command: &[&str]) -> Server {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let mut server = Server { child: None, command, folder, port };
        server.again();
        server
    }

    pub(super) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(super) fn again(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn open_up(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(super) fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// bind9 with these statements in its configuration, `@` in them being its folder; what it serves is written by `files`.
pub(super) fn named(statements: &str, files: &[(&str, &str)]) -> Option<Server> {
    let program = installed("named")?;
    let (folder, port) = (Server::folder(), free_port());
    for (name, text) in files {
        write(&folder, name, text);
    }
    let at = folder.path().display().to_string();
    let statements = statements.replace('@', &at);
    let options = if statements.contains("options {") { String::new() } else { "options {\n};\n".to_owned() };
    let common = format!(
        "options {{\n  directory \"{at}\"; pid-file none; session-keyfile \"{at}/session.key\";\n  \
         listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n"
    );
    let text = format!("{options}{statements}").replacen("options {\n", &common, 1);
    let file = write(&folder, "named.conf", &format!("controls {{ }};\n{text}"));
    Some(Server::start(folder, port, &[&program, "-g", "-c", &file, "-n", "1"]))
}

/// chrony's daemon, which keeps its hands off the clock of this machine.
pub(super) fn chronyd(lines: &str) -> Option<Server> {
    let program = installed("chronyd")?;
    let (folder, port) = (Server::folder(), free_port());
    let at = folder.path().display().to_string();
    let text = format!("port {port}\ncmdport 0\nbindaddress 127.0.0.1\nallow 127.0.0.1\npidfile {at}/pid\n{lines}\n");
    let file = write(&folder, "chrony.conf", &text);
    Some(Server::start(folder, port, &[&program, "-d", "-x", "-u", "root", "-f", &file]))
}

/// A tool's end; its words where it failed.
pub(super) fn run(program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// An authority of one's own, and a certificate by it for these names.
pub(super) struct Certificate {
    pub(super) folder: TempDir,
    /// The authority's, in PEM.
    pub(super) authority: String,
    pub(super) file: String,
    pub(super) key: String,
}

/// `names` as openssl writes them: `DNS:localhost,IP:127.0.0.1`.
pub(super) fn certificate(names: &str, days: &str) -> Option<Certificate> {
    let openssl = installed("openssl")?;
    let folder = Server::folder();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let [ca, ca_key, key, request, file] = ["ca.pem", "ca.key", "key.pem", "request.pem", "cert.pem"].map(at);
    let extensions = write(&folder, "extensions", &format!("subjectAltName={names}\n"));
    let authority = ["-keyout", &ca_key, "-out", &ca, "-days", "30", "-subj", "/CN=Acme test authority"];
    run(&openssl, &[&["req", "-x509"][..], &curve, &authority].concat());
    run(&openssl, &[&["req"][..], &curve, &["-keyout", &key, "-out", &request, "-subj", "/CN=test"]].concat());
    let signs = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", days, "-extfile", &extensions];
    run(&openssl, &[&["x509", "-req", "-in", &request, "-out", &file][..], &signs].concat());
    let authority = std::fs::read_to_string(&ca).unwrap();
    Some(Certificate { folder, authority, file, key })
}

/// postfix as a relay that wants a login, on `port` with STARTTLS and on `tls` with TLS from the start.
pub(super) struct Postfix {
    server: Server,
    pub(super) port: u16,
    pub(super) tls: u16,
    stop: Vec<String>,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new(&self.stop[0]).args(&self.stop[1..]).output();
    }
}

impl Postfix {
    pub(super) fn log(&self) -> String {
        self.server.log()
    }
}

pub(super) fn postfix(certificate: &Certificate, password: &str) -> Option<Postfix> {
    let (program, passwords) = (installed("postfix")?, installed("saslpasswd2")?);
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: postfix starts for root only");
        return None;
    }
    let folder = Server::folder();
    let at = folder.path().display().to_string();
    // Debian's postfix looks beside its configuration, others' where they are told to.
    for name in ["conf", "queue", "data", "conf/sasl"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let (port, tls) = (free_port(), free_port());
    let Certificate { file, key, .. } = certificate;
    write(
        &folder,
        "conf/main.cf",
        &format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\nmaillog_file = /dev/stdout\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = mail.acme.example\nmydestination =\nmynetworks =\nalias_maps =\nlocal_recipient_maps =\n\
             default_transport = discard:\nsmtpd_tls_cert_file = {file}\nsmtpd_tls_key_file = {key}\n\
             smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\nsmtpd_sasl_auth_enable = yes\n\
             smtpd_sasl_path = smtpd\ncyrus_sasl_config_path = {at}/conf/sasl\nsmtpd_sasl_local_domain = acme.example\n\
             smtpd_sender_restrictions = reject_non_fqdn_sender\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n"
        ),
    );
    let others = "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\n\
                  bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
                  discard unix - - n - - discard\nerror unix - - n - - error\nretry unix - - n - - error\n\
                  anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\nflush unix n - n 1000? 0 flush\n\
                  pickup unix n - n 60 1 pickup\n";
    write(
        &folder,
        "conf/master.cf",
        &format!(
            "127.0.0.1:{port} inet n - n - - smtpd\n127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
             {others}rewrite unix - - n - - trivial-rewrite\npostlog unix-dgram n - n - 1 postlogd\n"
        ),
    );
    let base = format!("{at}/sasldb2");
    write(
        &folder,
        "conf/sasl/smtpd.conf",
        &format!("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {base}\n"),
    );
    let mut child = Command::new(passwords)
        .args(["-p", "-c", "-f", &base, "-u", "acme.example", "relay"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    run("/bin/chown", &["-R", "postfix", &format!("{at}/data"), &base]);
    let conf = format!("{at}/conf");
    let server = Server::start(folder, port, &[&program, "-c", &conf, "start-fg"]);
    let stop = [program, "-c".to_owned(), conf, "stop".to_owned()].to_vec();
    Some(Postfix { server, port, tls, stop })
}

/// OpenSSH's server, with one key that may log in as whoever runs the test.
pub(super) struct Sshd {
    pub(super) server: Server,
    pub(super) user: String,
    pub(super) key: std::sync::Arc<crate::ssh::PrivateKey>,
    /// Of its host key.
    pub(super) fingerprint: String,
}

pub(super) fn sshd() -> Option<Sshd> {
    use russh::keys::ssh_key::LineEnding;
    use russh::keys::{Algorithm, HashAlg, key::safe_rng};
    use std::os::unix::fs::PermissionsExt;

    let program = installed("sshd")?;
    if !Path::new("/run/sshd").exists() && std::fs::create_dir_all("/run/sshd").is_err() {
        eprintln!("SKIPPED: sshd wants /run/sshd, which only root can make");
        return None;
    }
    let (folder, port) = (Server::folder(), free_port());
    let new = || crate::ssh::PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let (host, key) = (new(), new());
    let host_key = write(&folder, "host_key", &host.to_openssh(LineEnding::LF).unwrap());
    std::fs::set_permissions(&host_key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let keys = write(&folder, "keys", &key.public_key().to_openssh().unwrap());
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nAuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPidFile none\n"
    );
    let file = write(&folder, "sshd_config", &text);
    let server = Server::start(folder, port, &[&program, "-D", "-e", "-f", &file]);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    Some(Sshd {
        server,
        user: String::from_utf8(user).unwrap().trim().to_owned(),
        key: std::sync::Arc::new(key),
        fingerprint: host.public_key().fingerprint(HashAlg::Sha256).to_string(),
    })
}
