//! The kinds of SES: mail.

use super::super::aws_mail::{TheAddress, TheDomain};
use super::super::aws_mail_account::{ProductionAccess, TheMailAccount, TheSuppression};
use super::super::aws_mail_events::{TheConfigurationSet, TheEvents};
use super::super::aws_mail_from::{MailFrom, TheVerification};
use super::super::aws_mail_test::TestMessage;
use super::super::aws_secret::TheSecret;
use super::super::check::Check;
use super::super::elsewhere::Elsewhere;
use super::super::object::Object;
use super::rds::REGION;
use super::{KEY, NAME, Row, may, must, must_secret};
use crate::aws::Operation::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/mail-domain",
        summary: "A domain that may send mail through SES, signed with DKIM keys that AWS makes; done when its records are \
                  known, not when they are found (aws/mail-verified)",
        arguments: &[
            must("domain", "the sender's domain, such as mc.acme.example; the customer controls its DNS"),
            may("dkim_bits", "RSA_2048_BIT or RSA_1024_BIT; RSA_2048_BIT when not given"),
            may("configuration_set", "under which messages are sent that name none; none when not given"),
            REGION,
            KEY,
            NAME,
        ],
        results: &[
            ("domain", "the domain"),
            ("tokens", "list of AWS's three tokens"),
            ("hosted_zone", "AWS's zone that the tokens are in, such as dkim.amazonses.com"),
            (
                "records",
                "the three CNAME records to publish: list of {name, type, values}, as aws/dns-records takes them",
            ),
            ("status", "of the search for them: PENDING, SUCCESS, FAILED or TEMPORARY_FAILURE"),
            ("verified", "true when it may send"),
        ],
        sends: &[
            GetEmailIdentity,
            CreateEmailIdentity,
            PutEmailIdentityDkimAttributes,
            PutEmailIdentityDkimSigningAttributes,
            PutEmailIdentityConfigurationSetAttributes,
            DeleteEmailIdentity,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheDomain::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/mail-address",
        summary: "A single address that may send and, in the sandbox, receive; AWS writes to it, and its owner follows a link",
        arguments: &[
            must("address", "such as ops@acme.example"),
            may("configuration_set", "under which messages are sent that name none; none when not given"),
            REGION,
            KEY,
            NAME,
        ],
        results: &[("address", "the address"), ("verified", "true when its owner has followed the link")],
        sends: &[
            GetEmailIdentity,
            CreateEmailIdentity,
            PutEmailIdentityConfigurationSetAttributes,
            DeleteEmailIdentity,
        ],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheAddress::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-from",
        summary: "Bounces of a mail domain go to a subdomain of it; its undo puts back what was set before",
        arguments: &[
            must("identity", "the mail domain"),
            must("domain", "a subdomain that receives no other mail, such as bounce.mc.acme.example"),
            may(
                "on_mx_failure",
                "USE_DEFAULT_VALUE (sent from Amazon's domain) or REJECT_MESSAGE, while its MX record is not found; \
                 USE_DEFAULT_VALUE when not given",
            ),
            REGION,
        ],
        results: &[
            ("domain", "the subdomain"),
            ("mx", "value of the only MX record that it may have, such as 10 feedback-smtp.eu-west-1.amazonses.com"),
            ("txt", "value of its TXT record, for SPF"),
            ("records", "both records to publish: list of {name, type, values}, as aws/dns-records takes them"),
            ("status", "of the search for the MX record: PENDING, SUCCESS, FAILED or TEMPORARY_FAILURE"),
        ],
        sends: &[GetEmailIdentity, PutEmailIdentityMailFromAttributes],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, MailFrom::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/mail-verified",
        summary: "AWS has found the records of a mail domain, or the owner of an address has followed the link; up to 72 hours",
        arguments: &[
            must("identity", "the mail domain or address"),
            may("mail_from", "its MAIL FROM domain, whose MX record must be found too"),
            REGION,
        ],
        results: &[("dkim", "SUCCESS; nothing for an address"), ("mail_from", "SUCCESS, where `mail_from` is given")],
        sends: &[GetEmailIdentity],
        mutates: false,
        make: |arguments, subject| {
            Ok(Box::new(Check(Elsewhere::of(arguments, TheVerification::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-configuration-set",
        summary: "A configuration set: how its messages travel, whether they are counted, and who gets no more of them",
        arguments: &[
            must("name", "unique in the account and region; letters, digits, - and _"),
            may("tls", "required or optional, on the way to the recipient's server; required when not given"),
            may("reputation", "true when bounces and complaints are counted in CloudWatch; true when not given"),
            may("suppress", "BOUNCE, COMPLAINT, a list of both, or none; both when not given"),
            REGION,
            KEY,
        ],
        results: &[("name", "its name")],
        sends: &[
            GetConfigurationSet,
            CreateConfigurationSet,
            PutConfigurationSetDeliveryOptions,
            PutConfigurationSetReputationOptions,
            PutConfigurationSetSuppressionOptions,
            DeleteConfigurationSet,
        ],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheConfigurationSet::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-events",
        summary: "What becomes of a configuration set's messages is told to an SNS topic, or counted in CloudWatch",
        arguments: &[
            must("set", "name of the configuration set"),
            must("name", "name of the destination; unique in the set"),
            may("topic", "ARN of an SNS topic of the same region that SES may publish to"),
            may("dimension", "or the message tag that CloudWatch counts by"),
            may("default", "what it counts a message without that tag under; the set's name when not given"),
            may(
                "events",
                "list of SEND, DELIVERY, BOUNCE, COMPLAINT, REJECT, DELIVERY_DELAY, RENDERING_FAILURE, OPEN, CLICK; \
                 BOUNCE, COMPLAINT and REJECT when not given",
            ),
            REGION,
        ],
        results: &[("name", "its name")],
        sends: &[
            GetConfigurationSet,
            GetConfigurationSetEventDestinations,
            CreateConfigurationSetEventDestination,
            UpdateConfigurationSetEventDestination,
            DeleteConfigurationSetEventDestination,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheEvents::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/mail-account",
        summary: "The account may send: in the sandbox or to everybody, and as much as is needed",
        arguments: &[
            may("production", "true when it must be out of the sandbox; false when not given"),
            may("per_day", "messages in 24 hours that it must be allowed; the sandbox has 200"),
            may("per_second", "messages a second that it must be allowed; the sandbox has 1"),
            REGION,
        ],
        results: &[
            ("production", "true when it may write to everybody"),
            ("per_day", "messages in 24 hours; -1 for no limit"),
            ("per_second", "messages a second; -1 for no limit"),
            ("sent", "messages of the last 24 hours"),
            ("review", "of the request for production: none, PENDING, GRANTED, DENIED or FAILED"),
            ("suppressed", "after what a recipient gets no more mail: list of BOUNCE, COMPLAINT"),
        ],
        sends: &[GetAccount],
        mutates: false,
        make: |arguments, subject| {
            Ok(Box::new(Check(Elsewhere::of(arguments, TheMailAccount::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-production",
        summary: "AWS lets the account write to everybody in this region; asked for once, and read by a person at AWS, which \
                  takes a day or more",
        arguments: &[
            must("website", "the customer's web site, with https://"),
            must(
                "use_case",
                "80 to 5000 characters: who gets the mail, how bounces and complaints are handled, how one leaves the \
                 list, how much mail",
            ),
            may("mail_type", "TRANSACTIONAL or MARKETING; TRANSACTIONAL when not given"),
            may("contacts", "up to four addresses that AWS writes to as well"),
            may("language", "EN or JA; EN when not given"),
            REGION,
        ],
        results: &[("review", "none, PENDING, GRANTED, DENIED or FAILED"), ("case", "number of AWS's support case")],
        sends: &[GetAccount, PutAccountDetails],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, ProductionAccess::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-suppression",
        summary: "Who bounced or complained gets no more mail from this account and region; its undo puts back what was set",
        arguments: &[may("reasons", "BOUNCE, COMPLAINT, a list of both, or none; both when not given"), REGION],
        results: &[("reasons", "list of BOUNCE, COMPLAINT")],
        sends: &[GetAccount, PutAccountSuppressionAttributes],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheSuppression::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/mail-test",
        summary: "One test message, which is never sent a second time by itself; whether it arrived, its reader says",
        arguments: &[
            must("from", "address of a verified domain, or a verified address"),
            must(
                "to",
                "recipient, or list of them; success@, bounce@ and complaint@simulator.amazonses.com always work",
            ),
            may("configuration_set", "whose events tell what became of it"),
            may("subject", "its subject"),
            may("text", "its text"),
            REGION,
        ],
        results: &[("message_id", "AWS's id of it"), ("from", "its sender"), ("to", "list of its recipients")],
        sends: &[SendEmail],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(TestMessage::new(arguments, subject)?)),
    },
    Row {
        name: "aws/mail-smtp-credentials",
        summary: "The password of an IAM user for SES's SMTP server in one region, worked out from its secret key and kept in \
                  Secrets Manager; nobody sees it",
        arguments: &[
            must("access_key", "id of the user's access key, AKIA…; it is the user name of SMTP"),
            must_secret("secret_key", "its secret key, as a secret input; a temporary one does not work"),
            must("region", "whose server it is for; another region has another password"),
            may("name", "in Secrets Manager; engagement and key when not given"),
            KEY,
        ],
        results: &[
            ("reference", "where the password lives; a script's `stdin` reads it by this"),
            ("user", "user name of SMTP"),
            ("host", "the server, such as email-smtp.eu-west-1.amazonaws.com; ports 587 (STARTTLS) and 465 (TLS)"),
        ],
        sends: &[DescribeSecret, GetSecretValue, CreateSecret, PutSecretValue, RestoreSecret, DeleteSecret],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(TheSecret::of_smtp(arguments, subject)?)),
    },
];
