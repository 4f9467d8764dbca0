//! nftables: tables, chains, sets and rules, judged in the input hook (nft(8)).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Judgement, Packet};

/// Everything that `nft list ruleset` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruleset {
    pub tables: Vec<Table>,
    pub next_handle: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub family: String,
    pub name: String,
    pub chains: Vec<Chain>,
    pub sets: Vec<Set>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub name: String,
    pub base: Option<Base>,
    pub rules: Vec<Rule>,
}

/// What makes a chain see packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub kind: String,
    pub hook: String,
    pub priority: i32,
    pub policy: Judgement,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub name: String,
    /// The lines before `elements`, as given.
    pub properties: Vec<String>,
    pub elements: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub handle: u64,
    pub matches: Vec<Match>,
    pub verdict: Option<Verdict>,
    /// As `nft list` prints it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    pub what: Field,
    pub negated: bool,
    pub values: Vec<Value>,
}

/// What of a packet a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    Source,
    Destination,
    Port,
    State,
    Interface,
    Protocol,
    /// Fields of protocols that are not TCP.
    OtherProtocol,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    Net(IpNet),
    Between(IpAddr, IpAddr),
    Ports(u16, u16),
    Word(String),
    /// `@name`
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Final(Judgement),
    Return,
    Jump(String),
    Goto(String),
}

/// Deeper jumps are refused by the kernel (NFT_JUMP_STACK_SIZE).
const MAX_JUMPS: usize = 16;

impl Ruleset {
    /// Every base chain of the input hook in order of priority; the first drop or reject ends it.
    pub fn judge(&self, packet: Packet) -> Judgement {
        let mut chains: Vec<(&Table, &Chain, &Base)> = Vec::new();
        for table in self.tables.iter().filter(|table| table.sees(packet)) {
            let bases = table.chains.iter().filter_map(|chain| Some((table, chain, chain.base.as_ref()?)));
            chains.extend(bases.filter(|(_, _, base)| base.hook == "input" && base.kind == "filter"));
        }
        chains.sort_by_key(|(_, _, base)| base.priority);
        for (table, chain, base) in chains {
            let judgement = table.walk(chain, packet, 0).unwrap_or(base.policy);
            if judgement != Judgement::Accept {
                return judgement;
            }
        }
        Judgement::Accept
    }

    pub fn table(&self, family: &str, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.family == family && table.name == name)
    }

    pub fn table_mut(&mut self, family: &str, name: &str) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.family == family && table.name == name)
    }

    /// The whole ruleset as `nft list ruleset` prints it.
    pub fn list(&self, handles: bool) -> String {
        self.tables.iter().map(|table| table.list(handles)).collect()
    }
}

impl Table {
    fn sees(&self, packet: Packet) -> bool {
        match self.family.as_str() {
            "inet" => true,
            "ip" => packet.from.is_ipv4(),
            "ip6" => packet.from.is_ipv6(),
            _ => false,
        }
    }

    /// The verdict of the chain, or nothing if it comes to its end.
    fn walk(&self, chain: &Chain, packet: Packet, depth: usize) -> Option<Judgement> {
        for rule in chain.rules.iter().filter(|rule| rule.matches.iter().all(|one| self.holds(one, packet))) {
            match rule.verdict.as_ref() {
                Some(Verdict::Final(judgement)) => return Some(*judgement),
                Some(Verdict::Return) => return None,
                Some(Verdict::Jump(name)) => {
                    let next = self.chains.iter().find(|chain| &chain.name == name && depth < MAX_JUMPS);
                    if let Some(judgement) = next.and_then(|chain| self.walk(chain, packet, depth + 1)) {
                        return Some(judgement);
                    }
                }
                Some(Verdict::Goto(name)) => {
                    let next = self.chains.iter().find(|chain| &chain.name == name && depth < MAX_JUMPS);
                    return next.and_then(|chain| self.walk(chain, packet, depth + 1));
                }
                None => {}
            }
        }
        None
    }

    fn holds(&self, wanted: &Match, packet: Packet) -> bool {
        let found = wanted.values.iter().any(|value| match value {
            Value::Named(name) => {
                let set = self.sets.iter().find(|set| &set.name == name);
                set.is_some_and(|set| set.elements.iter().any(|element| element.fits(wanted.what, packet)))
            }
            value => value.fits(wanted.what, packet),
        });
        found != wanted.negated && wanted.what != Field::OtherProtocol
    }

    pub fn chain_mut(&mut self, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.name == name)
    }

    pub fn list(&self, handles: bool) -> String {
        let sets = self.sets.iter().map(Set::list);
        let chains = self.chains.iter().map(|chain| chain.list(handles));
        let parts: Vec<String> = sets.chain(chains).collect();
        format!("table {} {} {{\n{}}}\n", self.family, self.name, parts.join("\n"))
    }
}

impl Chain {
    pub fn list(&self, handles: bool) -> String {
        let mut text = format!("\tchain {} {{\n", self.name);
        if let Some(base) = &self.base {
            let priority = if base.priority == 0 { "filter".to_string() } else { base.priority.to_string() };
            let policy = if base.policy == Judgement::Drop { "drop" } else { "accept" };
            let Base { kind, hook, .. } = base;
            text += &format!("\t\ttype {kind} hook {hook} priority {priority}; policy {policy};\n");
        }
        for rule in &self.rules {
            let handle = if handles { format!(" # handle {}", rule.handle) } else { String::new() };
            text += &format!("\t\t{}{handle}\n", rule.text);
        }
        text + "\t}\n"
    }
}

impl Set {
    pub fn list(&self) -> String {
        let mut text = format!("\tset {} {{\n", self.name);
        self.properties.iter().for_each(|property| text += &format!("\t\t{property}\n"));
        if !self.elements.is_empty() {
            let elements: Vec<String> = self.elements.iter().map(Value::to_string).collect();
            text += &format!("\t\telements = {{ {} }}\n", elements.join(", "));
        }
        text + "\t}\n"
    }
}

impl Value {
    fn fits(&self, field: Field, packet: Packet) -> bool {
        let address = if field == Field::Destination { packet.to } else { packet.from };
        match (field, self) {
            (Field::Source | Field::Destination, Self::Net(net)) => net.contains(&address),
            (Field::Source | Field::Destination, Self::Between(low, high)) => (*low..=*high).contains(&address),
            (Field::Port, Self::Ports(low, high)) => (*low..=*high).contains(&packet.port),
            (Field::State, Self::Word(state)) => state == "new" || state == "untracked",
            (Field::Interface, Self::Word(name)) => name == "eth0" || name == "ens5",
            (Field::Protocol, Self::Word(name)) => name == "tcp",
            _ => false,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => write!(out, "{}", net.addr()),
            Self::Net(net) => write!(out, "{net}"),
            Self::Between(low, high) => write!(out, "{low}-{high}"),
            Self::Ports(low, high) if low == high => write!(out, "{low}"),
            Self::Ports(low, high) => write!(out, "{low}-{high}"),
            Self::Word(word) => write!(out, "{word}"),
            Self::Named(name) => write!(out, "@{name}"),
        }
    }
}

#[cfg(test)]
#[path = "../../tests/nft.rs"]
mod tests;
