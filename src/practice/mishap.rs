//! What goes wrong at the customer's end, on purpose: to see it in the runbook, to ask the diagnosis, and to put it right again.

/// One thing at the customer's end that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The first tunnel of each connection is down at the router.
    Tunnel,
    /// So is each of them.
    Tunnels,
    /// The firewall in the data centre lets nothing through that comes over the connection.
    Firewall,
}
