//! What goes wrong at the customer's end, on purpose: to see it in the runbook, to ask the diagnosis, and to put it right again.

/// One thing at the customer's end that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    Tunnel,
    Tunnels,
    Keys,
    Proposal,
    Selectors,
    Firewall,
    Fibre,
}

impl Mishap {
    pub const ALL: [Mishap; 7] = [
        Mishap::Tunnel,
        Mishap::Tunnels,
        Mishap::Keys,
        Mishap::Proposal,
        Mishap::Selectors,
        Mishap::Firewall,
        Mishap::Fibre,
    ];

    /// As it is chosen by.
    pub fn name(self) -> &'static str {
        match self {
            Mishap::Tunnel => "tunnel",
            Mishap::Tunnels => "tunnels",
            Mishap::Keys => "keys",
            Mishap::Proposal => "proposal",
            Mishap::Selectors => "selectors",
            Mishap::Firewall => "firewall",
            Mishap::Fibre => "fibre",
        }
    }

    /// What is so then, as a sentence without its end.
    pub fn says(self) -> &'static str {
        match self {
            Mishap::Tunnel => "The first tunnel of each connection is down at the router",
            Mishap::Tunnels => "All tunnels are down at the router",
            Mishap::Keys => "The router has other pre-shared keys, and no tunnel comes up",
            Mishap::Proposal => "The router offers encryption that AWS does not take, and no tunnel comes up",
            Mishap::Selectors => "The router asks for more than one pair of ranges, and no tunnel comes up",
            Mishap::Firewall => "The firewall in the data centre lets nothing through that comes over the connection",
            Mishap::Fibre => "The cross connects of Direct Connect are pulled out, and no light reaches Amazon's ports",
        }
    }

    /// Is it about lines, and not about tunnels?
    pub(super) fn is_of_lines(self) -> bool {
        matches!(self, Mishap::Firewall | Mishap::Fibre)
    }

    /// Is this tunnel of a connection down by it, the first being 0?
    pub(super) fn takes_down(self, tunnel: usize) -> bool {
        match self {
            Mishap::Tunnel => tunnel == 0,
            Mishap::Tunnels | Mishap::Keys | Mishap::Proposal | Mishap::Selectors => true,
            Mishap::Firewall | Mishap::Fibre => false,
        }
    }

    /// What AWS writes into the log of each tunnel then, at each attempt of the router at this address. Of a router that is silent
    /// it writes nothing.
    pub(super) fn writes(self, router: &str) -> Vec<String> {
        let unfinished = format!("AWS tunnel Timeout: deleting un-established Phase 1 IKE_SA with cgw: {router}");
        match self {
            Mishap::Keys => vec![
                format!("AWS tunnel detected a pre-shared key mismatch with cgw: {router}"),
                "AWS tunnel is sending AUTHENTICATION_FAILED as the response".to_owned(),
                unfinished,
            ],
            Mishap::Proposal => vec![
                "No Proposal Match Found by AWS".to_owned(),
                "No Proposal Match Found. Notifying with \"No proposal chosen\"".to_owned(),
                unfinished,
            ],
            Mishap::Selectors => vec![
                "AWS: Traffic Selector: TS_UNACCEPTABLE: received from responder".to_owned(),
                "AWS tunnel Phase 2 was unable to establish while keeping Phase 1".to_owned(),
            ],
            Mishap::Tunnel | Mishap::Tunnels | Mishap::Firewall | Mishap::Fibre => Vec::new(),
        }
    }
}
