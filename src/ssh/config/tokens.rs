//! `%h`, `${NAME}` and `~` in values of the set-up (ssh_config(5), TOKENS and ENVIRONMENT VARIABLES).

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

/// What the tokens stand for.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// `%n`: as the person calls it.
    pub(super) alias: String,
    /// `%h`: where it really is.
    pub(super) host: String,
    /// `%d`.
    pub(super) home: PathBuf,
    /// HostKeyAlias, for `%k`.
    pub(super) key_alias: Option<String>,
    /// `%j`.
    pub(super) jump: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    local_user: String,
}

impl Names {
    /// Port and user are those that are asked for explicitly.
    pub(super) fn new(alias: &str, port: Option<u16>, user: Option<&str>, home: &Path, local_user: &str) -> Self {
        Self {
            alias: alias.to_owned(),
            host: alias.to_owned(),
            home: home.to_owned(),
            key_alias: None,
            jump: None,
            port,
            user: user.map(str::to_owned),
            local_user: local_user.to_owned(),
        }
    }

    /// What is set counts where nothing was asked for.
    pub(super) fn settle(&mut self, port: Option<u16>, user: Option<&str>) {
        self.port = self.port.or(port);
        self.user = self.user.take().or_else(|| user.map(str::to_owned));
    }

    /// In HostName only `%h` and `%%` are known, and `%h` is what the person called it.
    pub(super) fn in_host_name(&self, text: &str) -> String {
        text.replace("%%", "\0").replace("%h", &self.alias).replace('\0', "%")
    }

    /// The value with everything filled in.
    ///
    /// # Errors
    /// A token or a variable that is not known.
    #[expect(clippy::disallowed_methods, reason = "which variables the engineer's own file names is only known here")]
    pub(super) fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['%', '$']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            rest = if let Some(named) = from.strip_prefix("${") {
                let (name, after) = named.split_once('}').ok_or("a ${ without its }")?;
                out.push_str(&std::env::var(name).map_err(|_| format!("the variable {name} is not set"))?);
                after
            } else if let Some(token) = from.strip_prefix('%') {
                let name = token.chars().next().ok_or("a % at the end")?;
                out.push_str(&self.token(name)?);
                token.get(name.len_utf8()..).unwrap_or_default()
            } else {
                out.push('$');
                from.get(1..).unwrap_or_default()
            };
        }
        out.push_str(rest);
        Ok(out)
    }

    fn token(&self, name: char) -> Result<String, String> {
        let node = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (port, user) = (self.port.unwrap_or(super::USUAL_PORT), self.user.as_ref().unwrap_or(&self.local_user));
        let jump = || self.jump.clone().unwrap_or_default();
        Ok(match name {
            '%' => "%".to_owned(),
            'd' => self.home.display().to_string(),
            'h' => self.host.clone(),
            'i' => rustix::process::getuid().as_raw().to_string(),
            'j' => jump(),
            'k' => self.key_alias.clone().unwrap_or_else(|| self.alias.clone()),
            'L' => node().split('.').next().unwrap_or_default().to_owned(),
            'l' => node(),
            'n' => self.alias.clone(),
            'p' => port.to_string(),
            'r' => user.clone(),
            'u' => self.local_user.clone(),
            'C' => {
                let text = format!("{}{}{port}{user}{}", node(), self.host, jump());
                Sha1::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                })
            }
            other => return Err(format!("%{other} is no token that onramp knows")),
        })
    }
}

/// A path with `~/` filled in.
pub(super) fn below_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix("~").map_or_else(|_| path.to_owned(), |below| home.join(below))
}
