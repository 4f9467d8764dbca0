//! Names in the DNS and what is made of them: zones, domains that send mail, URLs, endpoints with a port; and paths.

use std::net::IpAddr;

use super::refusal::{Refusal, quoted};
use super::{Setting, Value, name, network, number};

const ZONES: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html";
const SUFFIXES: &str = "publicsuffix.org";
const IDENTITIES: &str = "docs.aws.amazon.com/ses/latest/dg/creating-identities.html";
const RULES: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-rules-managing.html";
const URLS: &str = "RFC 3986 section 3";

/// What a domain name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainUse {
    /// Any full name.
    Name,
    /// A zone that the platform's names stand in.
    Zone,
    /// A domain that mail is sent from, proved by records in its DNS.
    Sender,
    /// A domain that other servers are asked for; a dot alone is every name there is.
    Forward,
}

pub(super) const DOMAIN_USES: [(&str, DomainUse); 4] = [
    ("name", DomainUse::Name),
    ("zone", DomainUse::Zone),
    ("sender", DomainUse::Sender),
    ("forward", DomainUse::Forward),
];

/// Domains where anybody has a mailbox: nobody but their owner can prove them to Amazon SES.
const MAIL_PROVIDERS: [&str; 24] = [
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yandex.ru",
];

/// Those that have one such domain in many countries.
const MAIL_PROVIDERS_ANYWHERE: [&str; 6] = ["gmx", "googlemail", "hotmail", "live", "outlook", "yahoo"];

fn is_of_a_mail_provider(domain: &str) -> bool {
    let in_a_country = domain.split_once('.').filter(|(name, _)| MAIL_PROVIDERS_ANYWHERE.contains(name));
    MAIL_PROVIDERS.contains(&domain) || in_a_country.is_some_and(|(_, rest)| psl::suffix_str(domain) == Some(rest))
}

/// Below which the names of AWS's services are, in any part of AWS, and those that it gives to hosts in a VPC.
const OF_AWS: [&str; 6] =
    ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "compute.internal", "ec2.internal"];

/// Is `name` the zone or below it?
pub(super) fn within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// A full name as RFC 1035 section 2.3.4 and RFC 1123 section 2.1 allow it, and what its use asks of it besides.
pub(super) fn domain(text: &str, used_as: DomainUse) -> Result<Value, Refusal> {
    if used_as == DomainUse::Forward && text == "." {
        return Ok(Value::Text(text.to_owned()));
    }
    // Active Directory has zones such as _msdcs.acme.com; a host's name never begins so.
    let domain = match used_as {
        DomainUse::Forward => name::domain(&text.replace("._", ".").trim_start_matches('_').to_lowercase())
            .map(|_| text.strip_suffix('.').unwrap_or(text).to_lowercase())?,
        _ => name::domain(text)?,
    };
    let refuse = |what: &str, why: &str, source| Err(Refusal::new(format!("{domain} {what}"), why, source));
    if domain == "localhost" {
        return refuse(
            "is every machine itself",
            "a full name has at least two parts with a dot between",
            "RFC 6761 section 6.3",
        );
    }
    match used_as {
        DomainUse::Name => {}
        DomainUse::Zone | DomainUse::Sender if psl::suffix_str(&domain).is_some_and(|suffix| suffix == domain) => {
            return refuse(
                "is a public suffix",
                "names of strangers end in it too; put the customer's own part before it",
                SUFFIXES,
            )
            .map_err(|refusal| refusal.suggest(format!("acme.{domain}")));
        }
        DomainUse::Zone if domain.ends_with(".local") => {
            return refuse(
                "cannot be the zone",
                "hosts look for names in .local by multicast and ask no server",
                "RFC 6762 section 3",
            );
        }
        DomainUse::Zone
            if domain.ends_with(".localhost") || domain.ends_with(".invalid") || domain.ends_with(".onion") =>
        {
            return refuse(
                "cannot be the zone",
                "its last part has a meaning of its own, and no server is asked",
                "RFC 6761 section 6",
            );
        }
        DomainUse::Zone if OF_AWS.iter().any(|aws| within(&domain, aws)) => {
            return refuse("cannot be the zone", "it would hide AWS's own names from the hosts", ZONES);
        }
        DomainUse::Sender if is_of_a_mail_provider(&domain) => {
            return refuse(
                "belongs to a mail provider",
                "records in the DNS of the domain prove who owns it, and nobody else can write them there",
                IDENTITIES,
            );
        }
        DomainUse::Forward if OF_AWS.iter().any(|aws| within(&domain, aws)) => {
            return refuse("stays with AWS", "hosts would no longer find AWS's own names", RULES);
        }
        DomainUse::Forward if OF_AWS.iter().any(|aws| within(aws, &domain)) => {
            return refuse("stays with AWS", "names of AWS end in it, and hosts would no longer find them", RULES);
        }
        _ => {}
    }
    Ok(Value::Text(domain))
}

/// Which URLs are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlUse {
    /// `https` only.
    Https,
    /// A web site.
    Web,
    /// A Subversion repository.
    Repository,
    /// An archive: in S3, on a web server, or a file.
    Archive,
}

pub(super) const URL_USES: [(&str, UrlUse); 4] =
    [("https", UrlUse::Https), ("web", UrlUse::Web), ("repository", UrlUse::Repository), ("archive", UrlUse::Archive)];

impl UrlUse {
    fn schemes(self) -> &'static [&'static str] {
        match self {
            UrlUse::Https => &["https"],
            UrlUse::Web => &["https", "http"],
            UrlUse::Repository => &["https", "svn+ssh"],
            UrlUse::Archive => &["s3", "https"],
        }
    }
}

/// `scheme://host[:port][/path]` (RFC 3986 section 3), without a password in it, of up to 1000 characters (SES,
/// PutAccountDetails, `WebsiteURL`).
pub(super) fn url(text: &str, used_as: UrlUse, setting: &Setting) -> Result<Value, Refusal> {
    if used_as == UrlUse::Archive && (text.starts_with('/') || text.starts_with("~/")) {
        return path(text, PathUse::Absolute);
    }
    let refuse = |why: &str| Err(Refusal::new(format!("{} is not the URL that is wanted", quoted(text)), why, URLS));
    let schemes = used_as.schemes();
    let Some((scheme, rest)) = text.split_once("://") else {
        return refuse(&format!("it must begin with {}://", schemes[0]))
            .map_err(|refusal| refusal.suggest(format!("{}://{text}", schemes[0])));
    };
    let scheme = scheme.to_lowercase();
    if !schemes.contains(&scheme.as_str()) {
        return refuse(&format!(
            "it must begin with {}",
            crate::text::either(&schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>())
        ));
    }
    if text.len() > 1000 {
        return refuse("it has up to 1000 characters");
    }
    if rest.chars().any(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(c)) {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return refuse(match host.is_ascii() {
            true => "it has printable ASCII characters without blanks; others are written as % and two digits",
            false => "an international name stands in its xn-- form (RFC 5890)",
        });
    }
    let (authority, after) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) if used_as == UrlUse::Repository && scheme == "svn+ssh" && !user.contains(':') => host,
        Some(_) => return refuse("a user or a password has no place in it: URLs stand in logs"),
        None => authority,
    };
    if scheme == "s3" {
        return match (super::shape::Shape::named(Some("bucket")).map(|shape| shape.check(authority)), after.len() > 1) {
            (Ok(Ok(_)), true) => Ok(Value::Text(format!("s3://{authority}{after}"))),
            (Ok(Ok(_)), false) => refuse("behind the bucket stands the key of the archive"),
            (Ok(Err(refusal)), _) => Err(refusal),
            (Err(why), _) => refuse(&why),
        };
    }
    let host = endpoint_text(authority, EndpointUse::Any, setting)?;
    let user =
        rest.split_once('@').filter(|_| scheme == "svn+ssh").map(|(user, _)| format!("{user}@")).unwrap_or_default();
    Ok(Value::Text(format!("{scheme}://{user}{host}{after}")))
}

/// What an endpoint's host may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointUse {
    /// A name or an address.
    Any,
    /// An IPv4 address: a resolver cannot be found by name.
    Address,
    /// A door: a name or an IPv4 address, and always a port.
    Door,
}

pub(super) const ENDPOINT_USES: [(&str, EndpointUse); 3] =
    [("any", EndpointUse::Any), ("address", EndpointUse::Address), ("door", EndpointUse::Door)];

/// A host, and perhaps a port behind a colon; IPv6 with a port stands in brackets (RFC 3986 section 3.2).
pub(super) fn endpoint(text: &str, used_as: EndpointUse, setting: &Setting) -> Result<Value, Refusal> {
    endpoint_text(text, used_as, setting).map(Value::Text)
}

fn endpoint_text(text: &str, used_as: EndpointUse, setting: &Setting) -> Result<String, Refusal> {
    let (bare, port) = match text.rsplit_once(':') {
        Some((bare, port)) if !bare.contains(':') || (bare.starts_with('[') && bare.ends_with(']')) => {
            (bare, Some(port))
        }
        _ => (text, None),
    };
    let host = match used_as {
        EndpointUse::Any | EndpointUse::Door => network::host(bare, setting)?,
        EndpointUse::Address => {
            let inner = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
            network::address(inner, setting)?.to_string()
        }
    };
    if used_as != EndpointUse::Any {
        network::not_ipv6(&host)?;
    }
    Ok(match port {
        None if used_as == EndpointUse::Door => {
            let why = "a door is an address or a name, a colon and the port";
            let refusal = Refusal::new(format!("{} has no port", quoted(text)), why, "RFC 3986 section 3.2");
            return Err(refusal.suggest(format!("{host}:443")));
        }
        None => host,
        Some(port) => {
            let port = number::port(port)?;
            let six = host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
            if six { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        }
    })
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathUse {
    /// At the root of a host.
    Absolute,
    /// Inside of a repository.
    Relative,
}

pub(super) const PATH_USES: [(&str, PathUse); 2] = [("absolute", PathUse::Absolute), ("relative", PathUse::Relative)];

/// A path of plain characters, so that it is one word in every script, file and log (POSIX, portable file names).
pub(super) fn path(text: &str, used_as: PathUse) -> Result<Value, Refusal> {
    let refuse = |why: &str| {
        Err(Refusal::new(format!("{} is not the path that is wanted", quoted(text)), why, "POSIX.1-2024 section 3.265"))
    };
    let absolute = text.starts_with('/') || text.starts_with("~/");
    match used_as {
        PathUse::Absolute if !absolute => return refuse("it must begin with /"),
        PathUse::Relative if absolute => return refuse("it must begin with the name of a folder, not with /"),
        _ => {}
    }
    if !(1..=200).contains(&text.len()) {
        return refuse("it has up to 200 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-~".contains(&byte)) {
        return refuse("it has letters, digits and . _ - only, without blanks");
    }
    if text.split('/').any(|part| part == "..") {
        return refuse("it does not lead back through ..");
    }
    Ok(Value::Text(text.to_owned()))
}

/// A DMARC policy and where reports go: `none; rua=mailto:dmarc@acme.example` (RFC 7489 section 6.3).
pub(super) fn dmarc(text: &str) -> Result<Value, Refusal> {
    let refuse =
        |why: &str| Err(Refusal::new(format!("{} is no DMARC policy", quoted(text)), why, "RFC 7489 section 6.3"));
    let mut parts =
        text.split(';').map(str::trim).filter(|part| !part.is_empty() && !part.eq_ignore_ascii_case("v=DMARC1"));
    let first = parts.next().unwrap_or_default().to_lowercase();
    let policy = first.strip_prefix("p=").unwrap_or(&first).to_owned();
    if !["none", "quarantine", "reject"].contains(&policy.as_str()) {
        return refuse("it must begin with none, quarantine or reject");
    }
    let Some(report) = parts.next() else { return Ok(Value::Text(policy)) };
    if parts.next().is_some() {
        return refuse("behind the policy stands where reports go, rua=mailto:, and nothing more");
    }
    let Some(mailboxes) = report.strip_prefix("rua=") else {
        return refuse("behind the policy stands rua=mailto: and the mailbox that reports go to");
    };
    let mut all = Vec::new();
    for mailbox in mailboxes.split(',').map(str::trim) {
        let Some(mailbox) = mailbox.strip_prefix("mailto:") else {
            return refuse("reports go to mailto: and a mailbox, or to several with commas between");
        };
        // The longest report that is taken there: 10m.
        let (mailbox, size) = mailbox.split_once('!').map_or((mailbox, ""), |(mailbox, size)| (mailbox, size));
        if !size.trim_end_matches(['k', 'm', 'g', 't']).bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse("behind the ! stands how long a report may be, such as 10m");
        }
        let Value::Text(mailbox) = name::email(mailbox)? else { return refuse("reports go to a mailbox") };
        all.push(if size.is_empty() { format!("mailto:{mailbox}") } else { format!("mailto:{mailbox}!{size}") });
    }
    Ok(Value::Text(format!("{policy}; rua={}", all.join(","))))
}
