//! Reads what `nft -f` and `nft add …` are given, and changes the ruleset by it, all or nothing.

use super::nft::{Base, Chain, Field, Match, Rule, Ruleset, Set, Table, Value, Verdict};
use super::{Judgement, network, service_port};

/// Why a script was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    pub what: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

impl Ruleset {
    /// The ruleset after `script`; unchanged is what `self` stays.
    pub fn apply(&self, script: &str) -> Result<Self, Problem> {
        let mut parser = Parser { tokens: tokens(script)?, at: 0, rules: self.clone() };
        while parser.skip_ends() {
            parser.statement()?;
        }
        parser.check_jumps()?;
        Ok(parser.rules)
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    rules: Ruleset,
}

type Parsed<T> = Result<T, Problem>;

impl Parser {
    fn statement(&mut self) -> Parsed<()> {
        let word = self.word()?;
        match word.as_str() {
            "flush" => self.flush(),
            "table" => self.table_block(),
            "add" | "create" => self.add(word == "create"),
            "insert" => {
                self.expect("rule")?;
                self.rule_command(true)
            }
            "delete" | "destroy" => self.delete(word == "destroy"),
            _ => Err(self.problem_before("syntax error, unexpected string")),
        }
    }

    fn flush(&mut self) -> Parsed<()> {
        match self.word()?.as_str() {
            "ruleset" => self.rules.tables.clear(),
            "table" => {
                let table = self.existing_table()?;
                table.chains.iter_mut().for_each(|chain| chain.rules.clear());
            }
            "chain" => self.existing_chain()?.rules.clear(),
            "set" => self.existing_set()?.elements.clear(),
            _ => return Err(self.problem_before("syntax error, unexpected string")),
        }
        Ok(())
    }

    fn add(&mut self, create: bool) -> Parsed<()> {
        match self.word()?.as_str() {
            "table" => {
                let (family, name) = self.table_name()?;
                if create && self.rules.table(&family, &name).is_some() {
                    return Err(self.problem_before("Could not process rule: File exists"));
                }
                self.table(&family, &name);
                Ok(())
            }
            "chain" => {
                let (family, table) = self.table_name()?;
                let name = self.word()?;
                self.existing(&family, &table)?;
                self.chain(&family, &table, name)
            }
            "set" => {
                let (family, table) = self.table_name()?;
                let name = self.word()?;
                self.existing(&family, &table)?;
                self.set(&family, &table, name)
            }
            "element" => {
                let set_at = self.at;
                self.existing_set()?;
                let values = self.braced_values(None)?;
                self.at = set_at;
                self.existing_set()?.elements.extend(values);
                self.skip_braces();
                Ok(())
            }
            "rule" => self.rule_command(false),
            _ => Err(self.problem_before("syntax error, unexpected string")),
        }
    }

    fn delete(&mut self, lenient: bool) -> Parsed<()> {
        let what = self.word()?;
        match what.as_str() {
            "table" => {
                let (family, name) = self.table_name()?;
                if !lenient {
                    self.existing(&family, &name)?;
                }
                self.rules.tables.retain(|table| table.family != family || table.name != name);
            }
            "chain" => {
                let (family, table) = self.table_name()?;
                let name = self.word()?;
                self.existing(&family, &table)?.chains.retain(|chain| chain.name != name);
            }
            "rule" => {
                let (family, table) = self.table_name()?;
                let chain = self.word()?;
                self.expect("handle")?;
                let handle: u64 =
                    self.word()?.parse().map_err(|_| self.problem_before("syntax error, expecting number"))?;
                let absent = self.problem_before("Could not process rule: No such file or directory");
                let chain = self.existing(&family, &table)?.chain_mut(&chain).ok_or(absent.clone())?;
                let before = chain.rules.len();
                chain.rules.retain(|rule| rule.handle != handle);
                if chain.rules.len() == before && !lenient {
                    return Err(absent);
                }
            }
            _ => return Err(self.problem_before("syntax error, unexpected string")),
        }
        Ok(())
    }

    fn table_block(&mut self) -> Parsed<()> {
        let (family, name) = self.table_name()?;
        self.table(&family, &name);
        if !self.take("{") {
            return Ok(());
        }
        while self.skip_ends() && !self.take("}") {
            match self.word()?.as_str() {
                "chain" => {
                    let chain = self.word()?;
                    self.chain(&family, &name, chain)?;
                }
                "set" => {
                    let set = self.word()?;
                    self.set(&family, &name, set)?;
                }
                _ => return Err(self.problem_before("syntax error, unexpected string")),
            }
        }
        Ok(())
    }

    /// A chain with what stands in its braces, if it has any.
    fn chain(&mut self, family: &str, table: &str, name: String) -> Parsed<()> {
        let exists = self.existing(family, table)?.chain_mut(&name).is_some();
        if !exists {
            let new = Chain { name: name.clone(), ..Chain::default() };
            self.existing(family, table)?.chains.push(new);
        }
        if !self.take("{") {
            return Ok(());
        }
        while self.skip_ends() && !self.take("}") {
            if self.peek() == Some("type") {
                let base = self.base()?;
                self.in_chain(family, table, &name)?.base = Some(base);
            } else if self.take("policy") {
                let policy = self.policy()?;
                let base = self.in_chain(family, table, &name)?.base.as_mut();
                base.into_iter().for_each(|base| base.policy = policy);
            } else {
                let rule = self.rule()?;
                self.in_chain(family, table, &name)?.rules.push(rule);
            }
        }
        Ok(())
    }

    fn base(&mut self) -> Parsed<Base> {
        self.expect("type")?;
        let kind = self.word()?;
        self.expect("hook")?;
        let hook = self.word()?;
        self.expect("priority")?;
        let mut priority = 0;
        let mut sign = 1;
        while let Some(word) = self.peek().filter(|word| *word != ";" && *word != "\n" && *word != "}") {
            match word {
                "-" => sign = -1,
                "+" | "filter" => {}
                "raw" => priority = -300,
                "mangle" => priority = -150,
                "security" => priority = 50,
                number => {
                    let number: i32 = number.parse().map_err(|_| self.problem("syntax error, unexpected string"))?;
                    priority += sign * number;
                }
            }
            self.at += 1;
        }
        Ok(Base { kind, hook, priority, policy: Judgement::Accept })
    }

    fn policy(&mut self) -> Parsed<Judgement> {
        match self.word()?.as_str() {
            "accept" => Ok(Judgement::Accept),
            "drop" => Ok(Judgement::Drop),
            _ => Err(self.problem_before("syntax error, unexpected string, expecting accept or drop")),
        }
    }

    fn set(&mut self, family: &str, table: &str, name: String) -> Parsed<()> {
        let mut set = Set { name, properties: Vec::new(), elements: Vec::new() };
        self.expect("{")?;
        while self.skip_ends() && !self.take("}") {
            if self.take("elements") {
                self.expect("=")?;
                set.elements = self.braced_values(None)?;
            } else {
                let mut property = Vec::new();
                while self.peek().is_some_and(|word| !["\n", ";", "}"].contains(&word)) {
                    property.push(self.word()?);
                }
                set.properties.push(property.join(" ").replace(" , ", ", "));
            }
        }
        let sets = &mut self.existing(family, table)?.sets;
        sets.retain(|old| old.name != set.name);
        sets.push(set);
        Ok(())
    }

    fn rule_command(&mut self, first: bool) -> Parsed<()> {
        let (family, table) = self.table_name()?;
        let chain = self.word()?;
        self.in_chain(&family, &table, &chain)?;
        let rule = self.rule()?;
        let rules = &mut self.in_chain(&family, &table, &chain)?.rules;
        rules.insert(if first { 0 } else { rules.len() }, rule);
        Ok(())
    }

    /// One rule, up to the end of its line.
    fn rule(&mut self) -> Parsed<Rule> {
        let start = self.at;
        let mut matches = Vec::new();
        let mut verdict = None;
        while self.peek().is_some_and(|word| !["\n", ";", "}"].contains(&word)) {
            if verdict.is_some() && self.peek() != Some("comment") {
                return Err(self.problem("Error: Statement after terminal statement has no effect"));
            }
            self.expression(&mut matches, &mut verdict)?;
        }
        self.rules.next_handle += 1;
        let text = spell(&self.tokens[start..self.at]);
        Ok(Rule { handle: self.rules.next_handle, matches, verdict, text })
    }

    fn expression(&mut self, matches: &mut Vec<Match>, verdict: &mut Option<Verdict>) -> Parsed<()> {
        let word = self.word()?;
        match word.as_str() {
            "accept" => *verdict = Some(Verdict::Final(Judgement::Accept)),
            "drop" => *verdict = Some(Verdict::Final(Judgement::Drop)),
            "reject" => {
                *verdict = Some(Verdict::Final(Judgement::Reject));
                if self.take("with") {
                    self.words_while(&["tcp", "reset", "icmp", "icmpx", "icmpv6", "type"]);
                    self.words_while(&["admin-prohibited", "port-unreachable", "host-unreachable", "host-prohibited"]);
                }
            }
            "return" => *verdict = Some(Verdict::Return),
            "jump" => *verdict = Some(Verdict::Jump(self.word()?)),
            "goto" => *verdict = Some(Verdict::Goto(self.word()?)),
            "counter" => self.skip_pairs(&["packets", "bytes"]),
            "log" => self.skip_pairs(&["prefix", "level", "flags", "group"]),
            "comment" => drop(self.word()?),
            "limit" => {
                self.expect("rate")?;
                self.take("over");
                self.word()?;
                self.take("/");
                self.words_while(&["second", "minute", "hour", "day", "burst", "packets"]);
            }
            field => matches.push(self.field(field)?),
        }
        Ok(())
    }

    fn field(&mut self, first: &str) -> Parsed<Match> {
        let what = match first {
            "ip" | "ip6" => match self.word()?.as_str() {
                "saddr" => Field::Source,
                "daddr" => Field::Destination,
                "protocol" | "nexthdr" => Field::Protocol,
                _ => return Err(self.problem_before("syntax error, unexpected string")),
            },
            "tcp" | "th" => match self.word()?.as_str() {
                "dport" => Field::Port,
                "sport" | "flags" => Field::OtherProtocol,
                _ => return Err(self.problem_before("syntax error, unexpected string")),
            },
            "udp" | "icmp" | "icmpv6" | "sctp" => {
                self.word()?;
                Field::OtherProtocol
            }
            "ct" => {
                self.expect("state")?;
                Field::State
            }
            "iif" | "iifname" => Field::Interface,
            "meta" => match self.word()?.as_str() {
                "l4proto" => Field::Protocol,
                "iif" | "iifname" => Field::Interface,
                _ => return Err(self.problem_before("syntax error, unexpected string")),
            },
            _ => return Err(self.problem_before("syntax error, unexpected string")),
        };
        let negated = self.take("!=");
        self.take("==");
        let values = if self.peek() == Some("{") { self.braced_values(Some(what))? } else { self.values(what)? };
        Ok(Match { what, negated, values })
    }

    /// `a` or `a,b,c`
    fn values(&mut self, what: Field) -> Parsed<Vec<Value>> {
        let mut values = vec![self.value(Some(what))?];
        while self.take(",") {
            values.push(self.value(Some(what))?);
        }
        Ok(values)
    }

    fn braced_values(&mut self, what: Option<Field>) -> Parsed<Vec<Value>> {
        self.expect("{")?;
        let mut values = Vec::new();
        loop {
            while self.take("\n") || self.take(",") {}
            if self.take("}") {
                return Ok(values);
            }
            values.push(self.value(what)?);
        }
    }

    fn value(&mut self, what: Option<Field>) -> Parsed<Value> {
        let word = self.word()?;
        if let Some(name) = word.strip_prefix('@') {
            return Ok(Value::Named(name.to_string()));
        }
        if let Some(net) = network(&word) {
            return Ok(Value::Net(net));
        }
        if let Some((low, high)) = word.split_once('-') {
            if let (Ok(low), Ok(high)) = (low.parse(), high.parse()) {
                return Ok(Value::Between(low, high));
            }
            if let (Ok(low), Ok(high)) = (low.parse(), high.parse()) {
                return Ok(Value::Ports(low, high));
            }
        }
        match (what, service_port(&word)) {
            (Some(Field::Port) | None, Some(port)) => Ok(Value::Ports(port, port)),
            (Some(Field::Port), None) => Err(self.problem_before("Could not resolve service: Servname not found")),
            (Some(Field::Source | Field::Destination), _) => {
                Err(self.problem_before("Could not resolve hostname: Name or service not known"))
            }
            _ => Ok(Value::Word(word)),
        }
    }

    fn table(&mut self, family: &str, name: &str) {
        if self.rules.table(family, name).is_none() {
            let (family, name) = (family.to_string(), name.to_string());
            self.rules.tables.push(Table { family, name, chains: Vec::new(), sets: Vec::new() });
        }
    }

    /// `[family] name`; the family is ip if none is given.
    fn table_name(&mut self) -> Parsed<(String, String)> {
        let first = self.word()?;
        if ["ip", "ip6", "inet", "arp", "bridge", "netdev"].contains(&first.as_str()) {
            return Ok((first, self.word()?));
        }
        Ok(("ip".to_string(), first))
    }

    fn existing(&mut self, family: &str, name: &str) -> Parsed<&mut Table> {
        let absent = self.problem_before("Could not process rule: No such file or directory");
        self.rules.table_mut(family, name).ok_or(absent)
    }

    fn existing_table(&mut self) -> Parsed<&mut Table> {
        let (family, name) = self.table_name()?;
        self.existing(&family, &name)
    }

    fn existing_chain(&mut self) -> Parsed<&mut Chain> {
        let (family, table) = self.table_name()?;
        let chain = self.word()?;
        self.in_chain(&family, &table, &chain)
    }

    fn existing_set(&mut self) -> Parsed<&mut Set> {
        let (family, table) = self.table_name()?;
        let name = self.word()?;
        let absent = self.problem_before("Could not process rule: No such file or directory");
        self.existing(&family, &table)?.sets.iter_mut().find(|set| set.name == name).ok_or(absent)
    }

    fn in_chain(&mut self, family: &str, table: &str, chain: &str) -> Parsed<&mut Chain> {
        let absent = self.problem_before("Could not process rule: No such file or directory");
        self.existing(family, table)?.chain_mut(chain).ok_or(absent)
    }

    fn check_jumps(&self) -> Parsed<()> {
        for table in &self.rules.tables {
            for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
                if let Some(Verdict::Jump(name) | Verdict::Goto(name)) = &rule.verdict
                    && !table.chains.iter().any(|chain| &chain.name == name)
                {
                    return Err(self.problem_before("Could not process rule: No such file or directory"));
                }
            }
        }
        Ok(())
    }

    fn skip_ends(&mut self) -> bool {
        while self.take("\n") || self.take(";") {}
        self.at < self.tokens.len()
    }

    fn skip_braces(&mut self) {
        while self.at < self.tokens.len() && !self.take("}") {
            self.at += 1;
        }
    }

    fn skip_pairs(&mut self, names: &[&str]) {
        while self.peek().is_some_and(|word| names.contains(&word)) {
            self.at += 2;
        }
    }

    fn words_while(&mut self, known: &[&str]) {
        while self.peek().is_some_and(|word| known.contains(&word) || word.parse::<u32>().is_ok()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(|token| token.text.as_str())
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.peek() == Some(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) { Ok(()) } else { Err(self.problem(&format!("syntax error, expecting {text}"))) }
    }

    fn word(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(word) if !["\n", ";", "{", "}"].contains(&word) => {
                let word = word.trim_matches('"').to_string();
                self.at += 1;
                Ok(word)
            }
            Some(_) => Err(self.problem("syntax error, unexpected end of statement")),
            None => Err(self.problem("syntax error, unexpected end of file")),
        }
    }

    fn problem(&self, what: &str) -> Problem {
        let line = self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |token| token.line);
        Problem { line, what: what.to_string() }
    }

    fn problem_before(&self, what: &str) -> Problem {
        let line = self.tokens.get(self.at.saturating_sub(1)).map_or(1, |token| token.line);
        Problem { line, what: what.to_string() }
    }
}

fn spell(tokens: &[Token]) -> String {
    let text: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).filter(|text| *text != "\n").collect();
    text.join(" ").replace(" ,", ",").replace(" / ", "/")
}

/// Words, braces, separators and line ends; `$name` is what `define` said.
fn tokens(script: &str) -> Parsed<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut defined: Vec<(String, String)> = Vec::new();
    for (number, line) in script.lines().enumerate() {
        let line_number = number + 1;
        let mut line = line.to_string();
        for (name, value) in &defined {
            line = line.replace(&format!("${name}"), value);
        }
        if let Some((name, value)) = line.trim().strip_prefix("define ").and_then(|rest| rest.split_once('=')) {
            defined.push((name.trim().to_string(), value.trim().to_string()));
            continue;
        }
        if let Some(at) = line.find('$') {
            return Err(Problem { line: line_number, what: format!("unknown identifier '{}'", &line[at + 1..]) });
        }
        split(&line, line_number, &mut tokens)?;
        tokens.push(Token { text: "\n".to_string(), line: line_number });
    }
    Ok(tokens)
}

fn split(line: &str, number: usize, tokens: &mut Vec<Token>) -> Parsed<()> {
    let mut push = |text: String| tokens.push(Token { text, line: number });
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '#' => return Ok(()),
            '"' => match rest[1..].find('"') {
                Some(close) => close + 2,
                None => return Err(Problem { line: number, what: "unterminated string".to_string() }),
            },
            '{' | '}' | ';' | ',' | '/' => 1,
            '!' | '=' if rest[1..].starts_with('=') => 2,
            '=' => 1,
            _ => rest.find(|c: char| c.is_whitespace() || "{};,\"=!".contains(c)).unwrap_or(rest.len()).max(1),
        };
        push(rest[..end].to_string());
        rest = rest[end..].trim_start();
    }
    Ok(())
}
