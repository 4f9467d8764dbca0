//! What can go wrong with the practice cloud, on purpose: by name, and the same again for the same seed.

use serde::{Deserialize, Serialize};

/// One kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Throttle,
    LostReply,
    Slow,
    ServerErrorBefore,
    ServerErrorAfter,
    Invisible,
    Denied,
    ExpiredCredentials,
}

const ROWS: [(Fault, &str, &str); 8] = [
    (Fault::Throttle, "throttle", "now and then AWS says RequestLimitExceeded"),
    (Fault::LostReply, "lost-reply", "now and then a change is made and its answer never arrives"),
    (Fault::Slow, "slow", "every answer takes its time"),
    (Fault::ServerErrorBefore, "server-error-before", "now and then AWS says InternalError and has done nothing"),
    (Fault::ServerErrorAfter, "server-error-after", "now and then AWS says InternalError and has done it all the same"),
    (Fault::Invisible, "invisible", "what was just made cannot be seen for a while"),
    (Fault::Denied, "denied", "one action is not allowed"),
    (
        Fault::ExpiredCredentials,
        "expired-credentials",
        "in the middle the credentials expire, until they are fetched anew",
    ),
];

/// A name that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{asked}`; did you mean `{nearest}`?")]
pub struct UnknownFault {
    pub asked: String,
    pub nearest: &'static str,
}

impl Fault {
    /// Every fault, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Fault> {
        ROWS.iter().map(|(fault, _, _)| *fault)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// One line on what it does.
    pub fn says(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Fault, &'static str, &'static str) {
        &ROWS[self as usize]
    }

    /// The fault of this name, or the nearest name.
    pub fn parse(name: &str) -> Result<Fault, UnknownFault> {
        let found = Fault::all().find(|fault| fault.name() == name);
        let nearest = || Fault::all().map(Fault::name).min_by_key(|known| distance(name, known)).unwrap_or_default();
        found.ok_or_else(|| UnknownFault { asked: name.into(), nearest: nearest() })
    }
}

/// The number of letters to change, add or leave out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (n, a) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], n + 1);
        for (m, b) in other.chars().enumerate() {
            let best = (corner + usize::from(a != b)).min(row[m] + 1).min(row[m + 1] + 1);
            corner = std::mem::replace(&mut row[m + 1], best);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The actions of which the fault `denied` picks one by the seed.
const DENIABLE: [&str; 5] =
    ["CreateNatGateway", "RunInstances", "AuthorizeSecurityGroupIngress", "AllocateAddress", "ImportKeyPair"];

/// The faults that are on.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    seed: u64,
    kinds: Vec<Fault>,
    denied: Option<String>,
    aims: Vec<Aim>,
}

/// Trouble for one call and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    pub fault: Fault,
    /// Such as `CreateVpc`.
    pub operation: String,
    /// The first call of that operation is 1.
    pub nth: u64,
}

impl Faults {
    /// A cloud without trouble.
    pub fn none() -> Self {
        Self::default()
    }

    /// These faults; the same seed and the same calls give the same trouble.
    pub fn new(seed: u64, kinds: impl IntoIterator<Item = Fault>) -> Self {
        Self { seed, kinds: kinds.into_iter().collect(), ..Self::default() }
    }

    /// The same, with this action denied, such as `RunInstances`.
    pub fn deny(mut self, action: &str) -> Self {
        self.kinds.push(Fault::Denied);
        self.denied = Some(action.into());
        self
    }

    /// The same, and this fault for certain at the `nth` call of this operation, the first being 1. Of the faults, those
    /// that concern one call can be aimed: `throttle`, `lost-reply`, `server-error-before`, `server-error-after` and
    /// `invisible`.
    pub fn aim(mut self, fault: Fault, operation: &str, nth: u64) -> Self {
        self.aims.push(Aim { fault, operation: operation.into(), nth });
        self
    }

    /// Is this the call that the fault is aimed at?
    pub(super) fn hits(&self, fault: Fault, operation: &str, nth: u64) -> Option<&Aim> {
        self.aims.iter().find(|aim| aim.fault == fault && aim.operation == operation && aim.nth == nth)
    }

    /// True when the fault is on.
    pub fn has(&self, fault: Fault) -> bool {
        self.kinds.contains(&fault)
    }

    /// The action that `denied` refuses.
    pub fn denied_action(&self) -> Option<&str> {
        let chosen = || DENIABLE[(self.seed % DENIABLE.len() as u64) as usize];
        self.has(Fault::Denied).then(|| self.denied.as_deref().unwrap_or_else(chosen))
    }

    /// After how many calls the credentials expire.
    pub(super) fn expires_after(&self) -> u64 {
        8 + self.seed % 40
    }

    /// Milliseconds by which `slow` holds back the answer to call number `n`.
    pub(super) fn delay(&self, n: u64, instant: bool) -> u64 {
        if instant { 5 + dice(self.seed, n) % 45 } else { 300 + dice(self.seed, n) % 2000 }
    }

    /// Throws the dice for one occasion. It strikes once among the first `one_in` occasions for certain, and never twice
    /// in a row, so that a second try at once goes through.
    pub(super) fn strikes(&self, fault: Fault, odds: &mut Odds, one_in: u64) -> bool {
        if !self.has(fault) {
            return false;
        }
        let [occasions, struck] = &mut odds.0[fault as usize];
        let n = *occasions;
        *occasions += 1;
        let now = n == self.seed % one_in || (*struck == 0 && dice(self.seed ^ fault as u64, n).is_multiple_of(one_in));
        *struck = u64::from(now);
        now
    }
}

/// How often each fault had an occasion, and whether the last one was taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Odds([[u64; 2]; ROWS.len()]);

/// SplitMix64 (Steele, Lea and Flood 2014).
fn dice(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add((n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_a_typo_finds_the_nearest() {
        for (n, fault) in Fault::all().enumerate() {
            assert_eq!(Fault::parse(fault.name()), Ok(fault));
            assert_eq!(fault as usize, n);
        }
        assert_eq!(Fault::parse("lost-repy").unwrap_err().nearest, "lost-reply");
        assert_eq!(
            Fault::parse("expired").unwrap_err().to_string(),
            "there is no fault `expired`; did you mean `denied`?"
        );
    }

    #[test]
    fn it_strikes_soon_never_twice_in_a_row_and_the_same_for_the_same_seed() {
        for seed in 0..50 {
            let faults = Faults::new(seed, [Fault::LostReply]);
            let run = || {
                let mut odds = Odds::default();
                (0..60).map(|_| faults.strikes(Fault::LostReply, &mut odds, 3)).collect::<Vec<_>>()
            };
            let struck = run();
            assert_eq!(struck, run());
            assert!(struck[..3].contains(&true), "seed {seed}");
            assert!(!Faults::none().strikes(Fault::LostReply, &mut Odds::default(), 1));
            assert!(struck[3..].windows(2).all(|pair| pair != [true, true]), "seed {seed}");
        }
    }
}
