//! How long things take in the practice cloud.

use std::time::Duration;

/// How long `pending` lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Everything is ready as soon as it is asked about: for tests.
    Instant,
    /// One to three seconds, so that a person sees the waiting and is not bored by it.
    Human,
    /// As `Human`, on a clock that only `Cloud::advance` moves: for tests of waiting.
    Stopped,
}

/// What takes time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wait {
    NatGateway,
    NatGatewayGone,
    InstanceRunning,
    InstanceChecks,
    InstanceGone,
    VpnGatewayAttached,
    VpnGatewayDetached,
    VpnConnection,
    VpnConnectionGone,
    /// From when the connection is there.
    VpnTunnel,
    /// Until somebody in the other account has accepted.
    PeeringAccepted,
    /// From a change of names until every name server knows it.
    NamesInSync,
    /// From when its records can be found until SES has found them.
    MailRecords,
    /// Until the owner of an address has followed SES's link.
    MailLink,
    /// Until somebody at AWS has read what the mail is for.
    MailReview,
    /// Until somebody at AWS has read why more of something is wanted.
    QuotaReview,
    /// As long as Route 53 has a change of a zone's records in hand, it takes no other.
    ZoneBusy,
    ResolverEndpoint,
    /// A rule or a query log at a VPC.
    ResolverTie,
    ResolverGone,
    /// Until the customer's people have done what they were asked about names: records, forwarders, a delegation.
    CustomerNames,
    /// Until somebody who may buy has accepted the terms of an image.
    CustomerBuys,
    /// Until AWS has allotted a port to an order.
    PortReview,
    /// From when the building has the letter, or a partner's offer is accepted, until the line is up.
    CrossConnect,
    LineGateway,
    /// An association, or a virtual interface on a line.
    LineTie,
    LineGone,
    /// From when a virtual interface is there until the customer has configured the router.
    Bgp,
    /// Minutes, for a person who has no minutes.
    FailoverTest,
    TransitGateway,
    TransitTie,
    TransitGone,
    /// A request to Cloud Control.
    Resource,
    Database,
    /// From when a job of AWS Backup is asked for until it runs.
    BackupBegins,
    Backup,
    Restore,
    /// Hours, for a person who has no hours: from the archive until an object can be read.
    Thaw,
    DatabaseGone,
    DatabaseSnapshot,
    /// A snapshot, or backups, in another region.
    DatabaseCopy,
    DatabaseExport,
    DiskSnapshot,
    DiskCopy,
    Image,
}

impl Pace {
    /// How long it takes, in milliseconds.
    pub(super) fn millis(self, wait: Wait) -> i64 {
        match wait {
            // One that ended before it began would show nothing.
            Wait::FailoverTest => 3000,
            // The same: nothing would be there to be stopped.
            Wait::Backup if self == Pace::Instant => 1000,
            Wait::DatabaseExport => 30_000,
            _ if self == Pace::Instant => 0,
            Wait::NatGateway => 3000,
            Wait::NatGatewayGone => 2000,
            Wait::InstanceRunning => 1500,
            Wait::InstanceChecks => 3000,
            Wait::InstanceGone => 1500,
            Wait::VpnGatewayAttached | Wait::VpnGatewayDetached | Wait::VpnConnectionGone => 1500,
            Wait::VpnConnection | Wait::VpnTunnel | Wait::PeeringAccepted | Wait::NamesInSync => 3000,
            Wait::MailRecords | Wait::MailLink | Wait::MailReview | Wait::QuotaReview => 3000,
            Wait::ZoneBusy => 300,
            Wait::ResolverEndpoint | Wait::CustomerNames | Wait::CustomerBuys | Wait::Database => 3000,
            Wait::ResolverTie | Wait::ResolverGone | Wait::Resource => 1500,
            Wait::PortReview | Wait::CrossConnect | Wait::Bgp => 3000,
            Wait::LineGateway | Wait::LineTie | Wait::LineGone => 1500,
            Wait::TransitGateway => 3000,
            Wait::BackupBegins => 500,
            Wait::Backup | Wait::Restore | Wait::Thaw => 3000,
            Wait::TransitTie | Wait::TransitGone | Wait::DatabaseGone => 1500,
            Wait::DatabaseSnapshot | Wait::DiskSnapshot => 1500,
            Wait::DatabaseCopy | Wait::DiskCopy | Wait::Image => 3000,
        }
    }

    /// How long anything takes at most that somebody outside was asked for.
    pub fn patience(self) -> Duration {
        let longest = [Wait::CustomerNames, Wait::MailRecords].map(|wait| self.millis(wait)).iter().sum::<i64>();
        Duration::from_millis(500 + u64::try_from(longest).unwrap_or(0))
    }

    /// How long the fault `invisible` hides what was just made, in milliseconds.
    pub(in crate::practice) fn invisible(self) -> i64 {
        if self == Pace::Instant { 300 } else { 3000 }
    }
}
