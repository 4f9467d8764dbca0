//! The keywords of sshd_config(5), what their values look like, and what sshd assumes without them (OpenSSH 9.6).

use super::shape::seconds;

/// What a value must look like, and how `sshd -T` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    YesNo,
    Port,
    Number,
    /// A time as sshd_config(5) writes it; printed in seconds.
    Time,
    Choice(&'static [&'static str]),
    MaxStartups,
    /// One word, as it is.
    Text,
    /// Any number of words.
    Words,
}

/// One keyword.
#[derive(Debug, Clone, Copy)]
pub struct Keyword {
    /// In lower case, as `sshd -T` prints it.
    pub name: &'static str,
    pub kind: Kind,
    /// As `sshd -T` prints it. Empty: not printed unless it is set.
    pub default: &'static str,
    /// May it stand under Match?
    pub in_match: bool,
}

const fn plain(name: &'static str, kind: Kind, default: &'static str) -> Keyword {
    Keyword { name, kind, default, in_match: false }
}

const fn matched(name: &'static str, kind: Kind, default: &'static str) -> Keyword {
    Keyword { name, kind, default, in_match: true }
}

const FORWARDING: Kind = Kind::Choice(&["yes", "no", "all", "local", "remote"]);
const ROOT_LOGIN: Kind = Kind::Choice(&["yes", "no", "prohibit-password", "without-password", "forced-commands-only"]);
const LOG_LEVEL: Kind =
    Kind::Choice(&["quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3"]);

const CIPHERS: &str =
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com";
const MACS: &str = "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1";
const KEX: &str = "sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256";
const KEY_ALGORITHMS: &str = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";

/// In the order in which `sshd -T` prints them. Port, ListenAddress and the lists of users are printed apart.
pub const KEYWORDS: &[Keyword] = &[
    plain("port", Kind::Port, ""),
    plain("addressfamily", Kind::Choice(&["any", "inet", "inet6"]), "any"),
    plain("listenaddress", Kind::Words, ""),
    plain("usepam", Kind::YesNo, "no"),
    plain("logingracetime", Kind::Time, "120"),
    plain("x11displayoffset", Kind::Number, "10"),
    matched("maxauthtries", Kind::Number, "6"),
    matched("maxsessions", Kind::Number, "10"),
    matched("clientaliveinterval", Kind::Time, "0"),
    matched("clientalivecountmax", Kind::Number, "3"),
    plain("requiredrsasize", Kind::Number, "1024"),
    matched("streamlocalbindmask", Kind::Text, "0177"),
    matched("permitrootlogin", ROOT_LOGIN, "without-password"),
    matched("ignorerhosts", Kind::Choice(&["yes", "no", "shosts-only"]), "yes"),
    plain("ignoreuserknownhosts", Kind::YesNo, "no"),
    matched("hostbasedauthentication", Kind::YesNo, "no"),
    matched("hostbasedusesnamefrompacketonly", Kind::YesNo, "no"),
    matched("pubkeyauthentication", Kind::YesNo, "yes"),
    matched("kerberosauthentication", Kind::YesNo, "no"),
    plain("kerberosorlocalpasswd", Kind::YesNo, "yes"),
    plain("kerberosticketcleanup", Kind::YesNo, "yes"),
    matched("gssapiauthentication", Kind::YesNo, "no"),
    plain("gssapicleanupcredentials", Kind::YesNo, "yes"),
    plain("gssapistrictacceptorcheck", Kind::YesNo, "yes"),
    matched("passwordauthentication", Kind::YesNo, "yes"),
    matched("kbdinteractiveauthentication", Kind::YesNo, "yes"),
    plain("printmotd", Kind::YesNo, "yes"),
    plain("printlastlog", Kind::YesNo, "yes"),
    matched("x11forwarding", Kind::YesNo, "no"),
    matched("x11uselocalhost", Kind::YesNo, "yes"),
    matched("permittty", Kind::YesNo, "yes"),
    matched("permituserrc", Kind::YesNo, "yes"),
    plain("strictmodes", Kind::YesNo, "yes"),
    plain("tcpkeepalive", Kind::YesNo, "yes"),
    matched("permitemptypasswords", Kind::YesNo, "no"),
    plain("compression", Kind::Choice(&["yes", "no", "delayed"]), "yes"),
    matched("gatewayports", Kind::Choice(&["yes", "no", "clientspecified"]), "no"),
    plain("usedns", Kind::YesNo, "no"),
    matched("allowtcpforwarding", FORWARDING, "yes"),
    matched("allowagentforwarding", Kind::YesNo, "yes"),
    matched("disableforwarding", Kind::YesNo, "no"),
    matched("allowstreamlocalforwarding", FORWARDING, "yes"),
    matched("streamlocalbindunlink", Kind::YesNo, "no"),
    plain("fingerprinthash", Kind::Choice(&["md5", "sha256"]), "SHA256"),
    matched("exposeauthinfo", Kind::YesNo, "no"),
    plain("pidfile", Kind::Text, "/run/sshd.pid"),
    plain("modulifile", Kind::Text, "/etc/ssh/moduli"),
    plain("xauthlocation", Kind::Text, "/usr/bin/xauth"),
    plain("ciphers", Kind::Text, CIPHERS),
    plain("macs", Kind::Text, MACS),
    matched("banner", Kind::Text, "none"),
    matched("forcecommand", Kind::Words, "none"),
    matched("chrootdirectory", Kind::Text, "none"),
    matched("trustedusercakeys", Kind::Text, "none"),
    matched("revokedkeys", Kind::Text, "none"),
    matched("authorizedprincipalsfile", Kind::Text, "none"),
    plain("versionaddendum", Kind::Words, "none"),
    matched("authorizedkeyscommand", Kind::Words, "none"),
    matched("authorizedkeyscommanduser", Kind::Text, "none"),
    matched("authorizedprincipalscommand", Kind::Words, "none"),
    matched("authorizedprincipalscommanduser", Kind::Text, "none"),
    plain("hostkeyagent", Kind::Text, "none"),
    plain("kexalgorithms", Kind::Text, KEX),
    plain("casignaturealgorithms", Kind::Text, KEY_ALGORITHMS),
    matched("hostbasedacceptedalgorithms", Kind::Text, KEY_ALGORITHMS),
    plain("hostkeyalgorithms", Kind::Text, KEY_ALGORITHMS),
    matched("pubkeyacceptedalgorithms", Kind::Text, KEY_ALGORITHMS),
    matched("loglevel", LOG_LEVEL, "INFO"),
    plain("syslogfacility", Kind::Text, "AUTH"),
    matched("authorizedkeysfile", Kind::Words, ".ssh/authorized_keys .ssh/authorized_keys2"),
    plain("hostkey", Kind::Words, ""),
    matched("allowusers", Kind::Words, ""),
    matched("denyusers", Kind::Words, ""),
    matched("allowgroups", Kind::Words, ""),
    matched("denygroups", Kind::Words, ""),
    matched("acceptenv", Kind::Words, ""),
    matched("setenv", Kind::Words, ""),
    plain("subsystem", Kind::Words, ""),
    matched("authenticationmethods", Kind::Words, "any"),
    plain("maxstartups", Kind::MaxStartups, "10:30:100"),
    plain("persourcemaxstartups", Kind::Text, "none"),
    plain("persourcenetblocksize", Kind::Text, "32:128"),
    matched("permittunnel", Kind::Choice(&["yes", "no", "point-to-point", "ethernet"]), "no"),
    matched("ipqos", Kind::Words, "lowdelay throughput"),
    matched("rekeylimit", Kind::Words, "0 0"),
    matched("permitopen", Kind::Words, "any"),
    matched("permitlisten", Kind::Words, "any"),
    plain("permituserenvironment", Kind::Text, "no"),
    matched("pubkeyauthoptions", Kind::Words, "none"),
    matched("channeltimeout", Kind::Words, "none"),
    plain("unusedconnectiontimeout", Kind::Text, "none"),
];

/// Old names that sshd still reads.
const ALIASES: &[(&str, &str)] = &[
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
];

/// Looks a keyword up by its name in lower case.
pub fn keyword(name: &str) -> Option<&'static Keyword> {
    let name = ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

impl Kind {
    /// What is wrong with the arguments, in sshd's words.
    pub fn check(self, arguments: &[String]) -> Result<(), String> {
        let first = arguments.first().map(String::as_str).unwrap_or_default();
        match self {
            Self::YesNo => one_of(&["yes", "no"], first),
            Self::Choice(choices) => one_of(choices, first),
            Self::Port => match first.parse::<u16>() {
                Ok(port) if port > 0 => Ok(()),
                _ => Err("Badly formatted port number.".to_string()),
            },
            Self::Number => {
                first.parse::<u32>().map(|_| ()).map_err(|_| format!("integer value expected, got {first}"))
            }
            Self::Time => seconds(first).map(|_| ()).ok_or_else(|| "invalid time value.".to_string()),
            Self::MaxStartups => {
                let numbers: Option<Vec<u32>> = first.split(':').map(|part| part.parse().ok()).collect();
                match numbers.as_deref() {
                    Some([_] | [_, 1..=100, _]) => Ok(()),
                    _ => Err("Illegal MaxStartups spec.".to_string()),
                }
            }
            Self::Text | Self::Words => Ok(()),
        }
    }

    /// As `sshd -T` prints the arguments.
    pub fn print(self, arguments: &[String]) -> String {
        let first = arguments.first().map(String::as_str).unwrap_or_default();
        match self {
            Self::Time => seconds(first).map_or_else(|| first.to_string(), |seconds| seconds.to_string()),
            Self::Choice(choices) if choices == FORWARDING_WORDS && first.eq_ignore_ascii_case("all") => "yes".into(),
            Self::Choice(_) if first.eq_ignore_ascii_case("prohibit-password") => "without-password".into(),
            Self::Choice(choices) if choices.contains(&"debug3") => first.to_ascii_uppercase(),
            Self::YesNo | Self::Choice(_) => first.to_ascii_lowercase(),
            Self::Words => arguments.join(" "),
            Self::Port | Self::Number | Self::MaxStartups | Self::Text => first.to_string(),
        }
    }
}

const FORWARDING_WORDS: &[&str] = &["yes", "no", "all", "local", "remote"];

fn one_of(choices: &[&str], given: &str) -> Result<(), String> {
    if choices.iter().any(|choice| choice.eq_ignore_ascii_case(given)) {
        Ok(())
    } else {
        Err(format!("unsupported option \"{given}\"."))
    }
}
