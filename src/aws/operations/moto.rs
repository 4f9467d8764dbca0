//! Why an operation is not tried at moto's server, version 5.2.5.

pub(super) const LACKS: &str = "moto does not know the call";
pub(super) const OTHERWISE: &str = "moto does not know the path by which the SDK asks";
pub(super) const UNREADABLE: &str = "moto answers with a SendingOptions that no SDK reads";
pub(super) const NO_POINTS: &str = "moto has no recovery points, of which it could tell the tags";
pub(super) const NO_CONTROL: &str = "moto has no Cloud Control";
pub(super) const NO_LOGS: &str = "moto does not take a query log away again";
pub(super) const NOTHING_ON_IT: &str =
    "moto knows connections and nothing that can be on one, so it cannot say whether one may go";
pub(super) const UNTAGGED: &str = "moto forgets the tags of a DHCP option set, by which ours is found";
pub(super) const IMAGES: &str =
    "moto tags neither the snapshots of an image nor the copy of one, by which ours are found";
pub(super) const NO_COPIES: &str = "moto copies no automated backups to another region";
pub(super) const AT_ONCE: &str = "in moto every export is complete at once, so that none can be cancelled";
