//! What the shared configuration (`~/.aws/config`) says of the profile in use: how a person signs in, and whether it
//! takes a role with a code, which the SDK leaves out (it knows no `mfa_serial`).

use std::borrow::Cow;

use aws_types::os_shim_internal::{Env, Fs};

use super::access::Role;
use crate::text;

/// Profiles that lead to one another, at most.
const LONGEST_CHAIN: usize = 5;
/// What a role is taken for where nothing is said (API reference of STS, AssumeRole).
pub(super) const USUAL_SECONDS: i32 = 3_600;

/// Where the caller's own credentials come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Profile {
    /// Whose sign-in it is.
    name: String,
    source: Source,
    /// The role that the profile takes with a code, and the profile that it is taken from.
    pub with_code: Option<(Role, String)>,
    /// A profile that is named and not there, and those that are.
    missing: Option<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Source {
    Environment,
    SingleSignOn,
    Process,
    Keys,
    #[default]
    Unknown,
}

impl Profile {
    /// Reads the configuration as it is now. What cannot be read is for the SDK to complain of.
    pub async fn read(named: Option<&str>) -> Profile {
        Profile::of(&Fs::real(), &Env::real(), named).await
    }

    async fn of(fs: &Fs, env: &Env, named: Option<&str>) -> Profile {
        if named.is_none() && env.get("AWS_ACCESS_KEY_ID").is_ok_and(|key| !key.is_empty()) {
            return Profile { source: Source::Environment, ..Profile::default() };
        }
        let chosen = named.map(|name| Cow::Owned(name.to_owned()));
        let Ok(all) = aws_config::profile::load(fs, env, &Default::default(), chosen).await else {
            return Profile::default();
        };
        let mut name = all.selected_profile().to_owned();
        let mut found = Profile::default();
        for _ in 0..LONGEST_CHAIN {
            let Some(profile) = all.get_profile(&name) else {
                if named.is_some() || name != "default" {
                    found.missing = Some((name, all.profiles().map(str::to_owned).collect()));
                }
                break;
            };
            let says = |key: &str| profile.get(key).filter(|value| !value.is_empty());
            let next = says("source_profile").map(str::to_owned);
            if let (Some(arn), Some(serial), Some(from), None) =
                (says("role_arn"), says("mfa_serial"), &next, &found.with_code)
            {
                let role = Role {
                    arn: arn.to_owned(),
                    external_id: says("external_id").map(str::to_owned),
                    seconds: says("duration_seconds").and_then(|text| text.parse().ok()).unwrap_or(USUAL_SECONDS),
                    mfa_serial: Some(serial.to_owned()),
                    session: says("role_session_name").unwrap_or("onramp").to_owned(),
                };
                found.with_code = Some((role, from.clone()));
            }
            found.source = match () {
                () if says("sso_session").is_some() || says("sso_start_url").is_some() => Source::SingleSignOn,
                () if says("credential_process").is_some() => Source::Process,
                () if says("aws_access_key_id").is_some() => Source::Keys,
                () => Source::Unknown,
            };
            found.name.clone_from(&name);
            match next.filter(|next| *next != name) {
                Some(next) => name = next,
                None => break,
            }
        }
        found
    }

    /// What a person does when the credentials have ended, or there are none.
    pub fn how_to_sign_in(&self) -> String {
        if let Some((missing, there)) = &self.missing {
            let there =
                if there.is_empty() { "there is none".to_owned() } else { format!("there are {}", text::list(there)) };
            return format!("~/.aws/config has no profile {missing}: {there}. Name one with --profile or AWS_PROFILE.");
        }
        let name = &self.name;
        match self.source {
            Source::SingleSignOn => format!("In another window: aws sso login --profile {name}"),
            Source::Environment => "The keys stand in the environment (AWS_ACCESS_KEY_ID), which a running program \
                                    cannot read anew: leave, set new ones, and open the engagement again. Nothing is \
                                    lost."
                .to_owned(),
            Source::Process => {
                format!(
                    "The program that profile {name} names as credential_process gives none, or keys that end too soon: run it by \
                     hand and see, also when they expire."
                )
            }
            Source::Keys => format!("Put keys that are valid into profile {name}: aws configure --profile {name}"),
            Source::Unknown => "Choose a profile with --profile or AWS_PROFILE, or sign in (with single sign-on: aws \
                                sso login)."
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
[profile ops]
sso_session = northwind
sso_account_id = 111122223333
[sso-session northwind]
sso_start_url = https://northwind.awsapps.com/start
sso_region = eu-west-1
[profile customer]
role_arn = arn:aws:iam::444455556666:role/OnboardingOperator
source_profile = ops
[profile coded]
role_arn = arn:aws:iam::444455556666:role/Coded
source_profile = keys
mfa_serial = arn:aws:iam::111122223333:mfa/jane
external_id = 7f1c9f0a
duration_seconds = 7200
[profile program]
credential_process = /usr/local/bin/keys
[profile keys]
aws_access_key_id = AKIA
aws_secret_access_key = secret
";

    async fn profile(named: Option<&str>, env: &[(&str, &str)]) -> Profile {
        let env: Vec<_> = env.iter().copied().chain([("HOME", "/home/jane")]).collect();
        Profile::of(&Fs::from_slice(&[("/home/jane/.aws/config", CONFIG)]), &Env::from_slice(&env), named).await
    }

    #[tokio::test]
    async fn the_instruction_names_the_profile_that_has_to_sign_in() {
        for (named, said) in [
            ("ops", "aws sso login --profile ops"),
            ("customer", "aws sso login --profile ops"),
            ("program", "profile program names as credential_process"),
            ("coded", "aws configure --profile keys"),
            ("nobody", "--profile or AWS_PROFILE"),
        ] {
            let how = profile(Some(named), &[]).await.how_to_sign_in();
            assert!(how.contains(said), "{named}: {how}");
        }
        let how = profile(None, &[("AWS_PROFILE", "customer")]).await.how_to_sign_in();
        assert!(how.contains("--profile ops"), "{how}");
        let how = profile(None, &[("AWS_ACCESS_KEY_ID", "ASIA")]).await.how_to_sign_in();
        assert!(how.contains("environment"), "{how}");
    }

    #[tokio::test]
    async fn a_role_with_a_device_is_taken_by_us_and_one_without_by_the_sdk() {
        assert_eq!(profile(Some("customer"), &[]).await.with_code, None);
        let (role, from) = profile(Some("coded"), &[]).await.with_code.unwrap();
        assert_eq!((role.arn.as_str(), from.as_str()), ("arn:aws:iam::444455556666:role/Coded", "keys"));
        assert_eq!((role.seconds, role.external_id.as_deref()), (7_200, Some("7f1c9f0a")));
        assert_eq!(role.mfa_serial.as_deref(), Some("arn:aws:iam::111122223333:mfa/jane"));
    }
}
