//! The kinds that ask services: they change nothing, but for the one that sends a message.

use super::super::check::Check;
use super::super::probe::Probing;
use super::super::probe::banner::Banner;
use super::super::probe::dkim::Dkim;
use super::super::probe::dns::{Dns, DnsRecords};
use super::super::probe::http::Http;
use super::super::probe::mail_domains::MailDomains;
use super::super::probe::message::Message;
use super::super::probe::ntp::Ntp;
use super::super::probe::path_mtu::PathMtu;
use super::super::probe::smtp::Smtp;
use super::super::probe::ssh_way::SshWay;
use super::super::probe::tcp::Tcp;
use super::super::probe::tls::Tls;
use super::dns::{HOSTS, RECORDS};
use super::{Argument, Row, may, must, secret};

const FROM: Argument = may("from", "here, or the name of a host that asks; here when not given");
const LIMIT: Argument = may("limit", "how long the answer may take; 30s when not given");
const AUTHORITY: Argument = may("authority", "another authority that is trusted, as certificates in PEM");
const DAYS: Argument = may("min_days", "for how many days the certificate must hold yet; 14 when not given");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "probe/tcp",
        summary: "TCP ports are open, or closed, as seen from here or from a host; refused and silent are told apart",
        arguments: &[
            may("host", "name of a host of the engagement"),
            may("address", "or any address, with `port`"),
            may("port", "the host's own SSH port when not given"),
            may("to", "or list of address:port"),
            may("expect", "open, closed, refused, silent or any, whatever it is; open when not given"),
            may("beside", "a host that must be open from there too, or that others are closed says nothing"),
            FROM,
            LIMIT,
        ],
        results: &[
            ("open", "true where every door is open, else false"),
            ("from", "who tried: here, or the name of the host"),
            ("to", "address:port; of several all, in one text with commas"),
            ("doors", "map from address:port to open, refused, silent or unreachable"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Tcp::new)?))),
    },
    Row {
        name: "probe/ssh-banner",
        summary: "An SSH server answers at a host, through its hops",
        arguments: &[must("host", "name of a host of the engagement")],
        results: &[("banner", "such as SSH-2.0-OpenSSH_9.2p1")],
        sends: &[],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Banner::new(arguments, subject)?))),
    },
    Row {
        name: "probe/ssh-way",
        summary: "How far a login gets on the way to a host, whatever comes of it",
        arguments: &[must("host", "name of a host of the engagement")],
        results: &[
            ("works", "true where it lets us in and runs commands"),
            ("hop", "name of the hop where it stands still"),
            ("at", "its address and port"),
            ("first", "true where that is the hop that we reach ourselves"),
            ("last", "true where that is the host itself"),
            ("stage", "name lookup, connect, banner, key exchange, host key, authentication, channel or command"),
            (
                "why",
                "no-such-name, refused, silent, unreachable, not-ssh, turned-away, no-common-algorithm, new-key, \
                 wrong-key, denied, second-factor, no-key-of-ours, forwarding-refused, no-commands, our-set-up, lost or \
                 other",
            ),
            ("advice", "what to try"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(SshWay::new(arguments, subject)?))),
    },
    Row {
        name: "probe/dns",
        summary: "Name servers answer as expected; each is asked by itself, and all must agree (of SOA each may say its own)",
        arguments: &[
            must("name", "name to ask for; an address with type PTR"),
            may("type", "type of record, such as A, CNAME, MX, NS, PTR, SOA or TXT; A when not given"),
            may(
                "server",
                "name servers, one or a list, each with :port where it is another; those that the asker asks by itself when not given",
            ),
            may("port", "53 when not given"),
            may("expect", "exactly these answers, in any order"),
            may("contains", "or these answers, among others"),
            may("begins", "or how one answer, and one only, begins"),
            may("absent", "or true: the name, or its record of that type, must not be there"),
            may("dnssec", "no, authenticated (the server has validated it) or validated (here); no when not given"),
            may("anchor", "for validated: the key of a zone that the root does not vouch for, as a DNSKEY is written"),
            may("transport", "udp, again by TCP where the answer is too long, or tcp; udp when not given"),
            FROM,
            LIMIT,
        ],
        results: &[
            ("answers", "list of texts, sorted; empty where the name is absent, as it should be"),
            ("ttl", "the shortest time to live, in seconds; null where nothing was answered"),
            ("authenticated", "true where every answer was validated, else false"),
            (
                "servers",
                "map from name server to {answers, code, over, authenticated, authoritative}: its own answers, such as \
                 NOERROR, and udp or tcp",
            ),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Dns::new)?))),
    },
    Row {
        name: "probe/dns-records",
        summary: "Name servers answer each of these records; each server is asked by itself, and all must agree",
        arguments: &[
            RECORDS,
            HOSTS,
            may("domain", "what stands behind the hosts' names"),
            may("zone", "where they are published: a record whose name has it twice is told from none"),
            may(
                "server",
                "name servers, one or a list, each with :port where it is not 53; the asker's own when not given",
            ),
            FROM,
            LIMIT,
        ],
        results: &[
            ("answers", "map from name and type, such as gw.acme.example A, to the list of what was answered"),
            ("servers", "list of who was asked; empty where it was the asker's own"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, DnsRecords::new)?))),
    },
    Row {
        name: "probe/mail-domains",
        summary: "The domains of these addresses take mail, as far as DNS tells: by MX, or else by an address of their own",
        arguments: &[
            must("addresses", "list of e-mail addresses; empty ones are left out"),
            may("server", "the name server to ask; those that this machine asks when not given"),
            may("port", "of the name server; 53 when not given"),
            LIMIT,
        ],
        results: &[("domains", "map from domain to the list of its mail servers, or of its address where it has none")],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, MailDomains::new)?))),
    },
    Row {
        name: "probe/ntp",
        summary: "Time servers tell the time, and it is near enough to the clock of whoever asks",
        arguments: &[
            must("server", "time servers, one or a list"),
            may("port", "123 when not given"),
            may("max_offset_ms", "how far it may be from the asker's clock, in milliseconds; 1000 when not given"),
            may("max_stratum", "how far from a clock of its own; 15 when not given"),
            FROM,
            LIMIT,
        ],
        results: &[
            ("offset_ms", "the largest, as a number without its sign"),
            ("stratum", "the highest; 0 where the host's tool does not tell it"),
            ("servers", "map from time server to {offset_ms, stratum}; above 0 it is ahead of the asker"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Ntp::new)?))),
    },
    Row {
        name: "probe/path-mtu",
        summary: "Packets of a size get from a host to another place whole",
        arguments: &[
            must("from", "name of the host that sends"),
            must("to", "address or name of the other place"),
            may("at_least", "bytes, headers included, that must get through; 1400 when not given"),
            LIMIT,
        ],
        results: &[("mtu", "the largest that got through, headers included"), ("payload", "the same without headers")],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, PathMtu::new)?))),
    },
    Row {
        name: "probe/smtp",
        summary: "A mail server takes our mail: greeting, offers, certificate, login, addresses; no message is sent",
        arguments: &[
            must("host", "address or name of the server"),
            may("port", "587 when not given, 465 with implicit TLS"),
            may("tls", "starttls, implicit or none; starttls when not given"),
            may("name", "the name that its certificate must be for; the host when not given"),
            may("banner", "what its greeting must contain"),
            may("capabilities", "what it must offer, such as [STARTTLS, AUTH, SIZE]"),
            may("auth", "any, plain, login or none; any when not given, and none without `user`"),
            may("user", "who logs in, with `password`"),
            secret("password", "as a secret input; it is sent only over TLS, and shown nowhere"),
            may("mail_from", "an address that it must take mail from"),
            may("mail_to", "an address that it must take mail to"),
            AUTHORITY,
            DAYS,
            FROM,
            LIMIT,
        ],
        results: &[
            ("banner", "the greeting"),
            ("offers", "list of the lines that it offers, such as SIZE 10240000"),
            ("certificate", "{names, issuer, until, days} as in probe/tls; null without TLS"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Smtp::new)?))),
    },
    Row {
        name: "probe/http",
        summary: "A URL answers with the status, the body and the certificate that it should; redirects are not followed",
        arguments: &[
            must("url", "http or https, without a user or a password"),
            may("method", "GET or HEAD; GET when not given"),
            may("status", "one or several that are good; 200 when not given"),
            may("contains", "what the body must contain, in its first MiB"),
            may("proxy", "address:port of a proxy to go through"),
            may("proxy_user", "user on the proxy, by Basic"),
            secret(
                "proxy_password",
                "as a secret input; only the proxy gets it, and unencrypted, as from every program there",
            ),
            AUTHORITY,
            DAYS,
            FROM,
            LIMIT,
        ],
        results: &[
            ("status", "a number, such as 200"),
            ("location", "where a redirect leads; null where there is none"),
            ("line", "the first line of the body, cut after 200 characters"),
            ("certificate", "{names, issuer, until, days} as in probe/tls; null for http"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Http::new)?))),
    },
    Row {
        name: "probe/tls",
        summary: "A server's certificate is for its name, holds, and will hold for a while",
        arguments: &[
            must("address", "address or name of the server"),
            may("port", "443 when not given"),
            may("name", "the name that the certificate must be for; the address when not given"),
            AUTHORITY,
            DAYS,
            FROM,
            LIMIT,
        ],
        results: &[
            ("names", "list of the names and addresses that it is for"),
            ("issuer", "who signed it"),
            ("until", "the day on which it ends, such as 2027-03-31"),
            ("days", "how many days are left, a number"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Tls::new)?))),
    },
    Row {
        name: "probe/dkim",
        summary: "A message that arrived is signed by the domain it is from, and the signature holds; DMARC and SPF, too",
        arguments: &[
            may("file", "the message as it arrived, with all its headers, in a file on this machine"),
            may("message", "or its text"),
            may("domain", "who must have signed it; any domain that fits the sender's when not given"),
            may("ip", "for SPF: the address that it was sent from, with `mail_from`"),
            may("mail_from", "for SPF: the sender of its envelope"),
            may("server", "the name server to ask; those that this machine asks when not given"),
            may("port", "of the name server; 53 when not given"),
            LIMIT,
        ],
        results: &[
            ("domain", "who signed it"),
            ("selector", "with which key"),
            ("from", "the domain that it is from"),
            ("dmarc", "pass or none, with the policy"),
            ("spf", "pass; null where no address was given"),
        ],
        sends: &[],
        mutates: false,
        make: |arguments, _subject| Ok(Box::new(Check(Probing::new(arguments, Dkim::new)?))),
    },
    Row {
        name: "probe/message",
        summary: "A message of this step is handed to a mail server, once; its id and the step stand in its headers",
        arguments: &[
            must("host", "address or name of the server"),
            may("port", "587 when not given, 465 with implicit TLS"),
            may("tls", "starttls, implicit or none; starttls when not given"),
            may("name", "the name that its certificate must be for; the host when not given"),
            may("auth", "any, plain, login or none; any when not given, and none without `user`"),
            may("user", "who logs in, with `password`"),
            secret("password", "as a secret input; it is sent only over TLS, and shown nowhere"),
            must("mail_from", "who it is from"),
            must("mail_to", "who gets it"),
            may("subject", "its subject; names the step when not given"),
            AUTHORITY,
            DAYS,
            FROM,
        ],
        results: &[
            ("id", "its Message-ID, without brackets"),
            (
                "answer",
                "what the server said when it took it, such as 250 2.0.0 Ok: queued as 4F1A; empty where that is not known",
            ),
        ],
        sends: &[],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Message::new(arguments, subject)?)),
    },
];
