//! What the shared configuration (`~/.aws/config`) says of the profile in use: how a person signs in, and which role it
//! takes. The SDK would take that without its device and its duration (it reads neither `mfa_serial` nor
//! `duration_seconds`), and from no other endpoint than AWS's.

use std::borrow::Cow;

use aws_types::os_shim_internal::{Env, Fs};

use super::access::Role;
use crate::text;

/// Profiles that lead to one another, at most.
const LONGEST_CHAIN: usize = 5;
/// With one of these a profile says where its credentials come from.
const SOURCES: [&str; 8] = [
    "aws_access_key_id",
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "source_profile",
    "sso_session",
    "sso_start_url",
];
/// What a role is taken for where nothing is said (API reference of STS, AssumeRole).
pub(super) const USUAL_SECONDS: i32 = 3_600;

/// Where the caller's own credentials come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Profile {
    /// Whose sign-in it is.
    name: String,
    source: Source,
    /// The roles that the profile takes, each with the credentials of the one before.
    pub takes: Vec<Role>,
    /// The profile that the credentials come from and nothing else, where a person chose one: no key of the environment, and
    /// no role of the machine, stands in for it (as with `--profile` of the AWS command line).
    pub only: Option<String>,
    /// A profile that is named and not there.
    missing: Option<Missing>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    name: String,
    /// The profile that names it as its `source_profile`.
    named_by: Option<String>,
    /// Those that are there.
    others: Vec<String>,
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
        let keys_around = env.get("AWS_ACCESS_KEY_ID").is_ok_and(|key| !key.is_empty());
        if named.is_none() && keys_around {
            return Profile { source: Source::Environment, ..Profile::default() };
        }
        let chosen = named.map(|name| Cow::Owned(name.to_owned()));
        let Ok(all) = aws_config::profile::load(fs, env, &Default::default(), chosen).await else {
            return Profile::default();
        };
        let mut name = all.selected_profile().to_owned();
        let is_chosen = named.is_some() || env.get("AWS_PROFILE").is_ok_and(|chosen| !chosen.is_empty());
        let tells = |profile: &aws_config::profile::Profile| SOURCES.iter().any(|key| profile.get(key).is_some());
        let alone = is_chosen && (keys_around || all.get_profile(&name).is_none_or(tells));
        let mut found = Profile { only: alone.then(|| name.clone()), ..Profile::default() };
        for _ in 0..LONGEST_CHAIN {
            let Some(profile) = all.get_profile(&name) else {
                if is_chosen || name != "default" {
                    let mut others: Vec<String> = all.profiles().map(str::to_owned).collect();
                    others.sort();
                    let named_by = Some(found.name.clone()).filter(|by| !by.is_empty());
                    found.missing = Some(Missing { name, named_by, others });
                }
                break;
            };
            let says = |key: &str| profile.get(key).filter(|value| !value.is_empty());
            let next = says("source_profile").map(str::to_owned);
            // One that is its own source has keys beside its role, which the SDK alone tells apart.
            let other = next.as_ref().filter(|next| **next != name);
            if let (Some(arn), Some(from)) = (says("role_arn"), other) {
                let role = Role {
                    arn: arn.to_owned(),
                    external_id: says("external_id").map(str::to_owned),
                    seconds: says("duration_seconds").and_then(|text| text.parse().ok()).unwrap_or(USUAL_SECONDS),
                    mfa_serial: says("mfa_serial").map(str::to_owned),
                    session: says("role_session_name").unwrap_or("onramp").to_owned(),
                };
                found.takes.insert(0, role);
                found.only = Some(from.clone());
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
        if let Some(Missing { name, named_by, others }) = &self.missing {
            let there = match others.is_empty() {
                true => "there is none".to_owned(),
                false => format!("there are {}", text::list(others)),
            };
            return match named_by {
                Some(by) => format!(
                    "Profile {by} names {name} as its source_profile, and ~/.aws/config has none of that name: {there}. Correct \
                     it there."
                ),
                None => {
                    format!("~/.aws/config has no profile {name}: {there}. Name one with --profile or AWS_PROFILE.")
                }
            };
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
            Source::Unknown if self.only.is_some() => format!(
                "Profile {name} says nothing of where credentials come from: give it keys, sso_session, credential_process, or \
                 role_arn with source_profile (~/.aws/config); or name another."
            ),
            Source::Unknown => "Choose a profile with --profile or AWS_PROFILE, or sign in (with single sign-on: aws \
                                sso login). Keys of this machine's own role are made anew by themselves shortly \
                                before they end."
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
[profile second]
role_arn = arn:aws:iam::444455556666:role/Second
source_profile = customer
[profile bare]
region = eu-west-1
[profile astray]
role_arn = arn:aws:iam::444455556666:role/Astray
source_profile = gone
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
    async fn the_role_of_a_profile_is_taken_as_it_says() {
        let found = profile(Some("customer"), &[]).await;
        let [role] = &found.takes[..] else { panic!("{found:?}") };
        assert_eq!(
            (role.arn.as_str(), found.only.as_deref()),
            ("arn:aws:iam::444455556666:role/OnboardingOperator", Some("ops"))
        );
        assert_eq!((role.seconds, &role.mfa_serial), (3_600, &None));
        let found = profile(Some("second"), &[]).await;
        let arns: Vec<&str> = found.takes.iter().map(|role| role.arn.as_str()).collect();
        let of = |name: &str| format!("arn:aws:iam::444455556666:role/{name}");
        assert_eq!((arns, found.only.as_deref()), (vec![&*of("OnboardingOperator"), &*of("Second")], Some("ops")));
        let found = profile(Some("coded"), &[]).await;
        let ([role], Some(from)) = (&found.takes[..], &found.only) else { panic!("{found:?}") };
        assert_eq!((role.arn.as_str(), from.as_str()), ("arn:aws:iam::444455556666:role/Coded", "keys"));
        assert_eq!((role.seconds, role.external_id.as_deref()), (7_200, Some("7f1c9f0a")));
        assert_eq!(role.mfa_serial.as_deref(), Some("arn:aws:iam::111122223333:mfa/jane"));
    }

    #[tokio::test]
    async fn nothing_stands_in_for_a_profile_that_a_person_chose() {
        let keys = ("AWS_ACCESS_KEY_ID", "AKIA");
        let only = async |named: Option<&str>, env: &[(&str, &str)]| profile(named, env).await.only;
        assert_eq!(only(Some("keys"), &[keys]).await.as_deref(), Some("keys"), "not the keys of the environment");
        assert_eq!(only(Some("nobody"), &[]).await.as_deref(), Some("nobody"), "not the role of the machine");
        assert_eq!(only(None, &[("AWS_PROFILE", "nobody")]).await.as_deref(), Some("nobody"));
        assert_eq!(only(Some("customer"), &[]).await.as_deref(), Some("ops"), "what its role is taken from");
        assert_eq!(
            only(None, &[keys, ("AWS_PROFILE", "keys")]).await,
            None,
            "keys come before AWS_PROFILE, as in AWS's tools"
        );
        assert_eq!(only(None, &[]).await, None);
        assert_eq!(only(Some("bare"), &[]).await, None, "it says only a region: the machine's role may serve");
        assert_eq!(only(Some("bare"), &[keys]).await.as_deref(), Some("bare"));
    }

    #[tokio::test]
    async fn a_profile_that_leads_to_none_says_which_names_it() {
        let how = profile(Some("bare"), &[("AWS_ACCESS_KEY_ID", "AKIA")]).await.how_to_sign_in();
        assert!(how.contains("Profile bare says nothing of where"), "{how}");
        let how = profile(Some("astray"), &[]).await.how_to_sign_in();
        assert!(how.contains("Profile astray names gone as its source_profile") && how.contains("bare, "), "{how}");
    }
}
