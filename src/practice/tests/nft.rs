//! nft scripts, and what becomes of a connection under them.

use super::super::{Judgement, Packet};
use super::*;

fn judge(script: &str, from: &str, port: u16) -> Judgement {
    let rules = Ruleset::default().apply(script).unwrap();
    rules.judge(Packet { from: from.parse().unwrap(), to: "10.0.0.9".parse().unwrap(), port })
}

const ONLY_BASTION: &str = "#!/usr/sbin/nft -f
table inet onramp
delete table inet onramp
table inet onramp {
    chain ssh {
        type filter hook input priority -10; policy accept;
        iif \"lo\" accept
        ct state established,related accept
        tcp dport 22 ip saddr != 10.0.0.5 counter drop comment \"only from the bastion\"
    }
}
";

#[test]
fn a_drop_rule_stops_everybody_but_the_bastion() {
    assert_eq!(judge(ONLY_BASTION, "10.0.0.5", 22), Judgement::Accept);
    assert_eq!(judge(ONLY_BASTION, "10.0.0.6", 22), Judgement::Drop);
    assert_eq!(judge(ONLY_BASTION, "10.0.0.6", 443), Judgement::Accept);
}

#[test]
fn sets_definitions_and_policies_count() {
    let script = "define SSH = 22
table ip f {
  set admins { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 192.0.2.7 } }
  chain in { type filter hook input priority filter; policy drop;
    ip saddr @admins tcp dport { $SSH, 8000-8100 } accept
    tcp dport https reject with tcp reset
  }
}";
    assert_eq!(judge(script, "10.0.0.77", 22), Judgement::Accept);
    assert_eq!(judge(script, "192.0.2.7", 8050), Judgement::Accept);
    assert_eq!(judge(script, "192.0.2.8", 22), Judgement::Drop);
    assert_eq!(judge(script, "192.0.2.8", 443), Judgement::Reject);
}

#[test]
fn a_jump_comes_back_and_a_goto_does_not() {
    let with = |verb: &str| {
        format!(
            "table inet t {{ chain other {{ tcp dport 80 accept\n }}\n chain in {{ type filter hook input priority 0; policy drop; {verb} other\n tcp dport 22 accept\n }} }}"
        )
    };
    assert_eq!(judge(&with("jump"), "10.0.0.1", 22), Judgement::Accept);
    assert_eq!(judge(&with("goto"), "10.0.0.1", 22), Judgement::Drop);
    assert_eq!(judge(&with("jump"), "10.0.0.1", 80), Judgement::Accept);
}

#[test]
fn a_later_chain_can_still_drop_what_an_earlier_one_accepted() {
    let script = "table inet a { chain in { type filter hook input priority -10; tcp dport 22 accept; }; }
table inet b { chain in { type filter hook input priority 10; policy drop; }; }";
    assert_eq!(judge(script, "10.0.0.1", 22), Judgement::Drop);
}

#[test]
fn a_wrong_script_changes_nothing_and_says_where() {
    let rules = Ruleset::default().apply(ONLY_BASTION).unwrap();
    for (script, line) in [
        ("flush ruleset\ntable inet x { chain c { tcp dprot 22 drop } }", 2),
        ("add rule inet nowhere c accept", 1),
        ("table inet x { chain c { ip saddr bastion accept } }", 1),
        ("table inet x { chain c { jump missing\n } }", 2),
        ("table inet x { chain c { tcp dport $PORT accept } }", 1),
    ] {
        let problem = rules.apply(script).unwrap_err();
        assert_eq!(problem.line, line, "{script}: {problem:?}");
    }
    assert_eq!(rules.tables.len(), 1);
}

#[test]
fn the_listing_can_be_read_back() {
    let rules = Ruleset::default().apply(ONLY_BASTION).unwrap();
    let listed = rules.list(false);
    assert!(listed.contains("tcp dport 22 ip saddr != 10.0.0.5 counter drop"), "{listed}");
    let again = Ruleset::default().apply(&listed).unwrap();
    assert_eq!(again.list(false), listed);
}

#[test]
fn rules_are_added_inserted_and_deleted_by_handle() {
    let script = "add table inet t\nadd chain inet t in { type filter hook input priority 0 ; policy drop ; }\n\
        add rule inet t in tcp dport 80 accept\ninsert rule inet t in tcp dport 22 accept";
    let rules = Ruleset::default().apply(script).unwrap();
    let first = &rules.table("inet", "t").unwrap().chains[0].rules[0];
    assert_eq!(first.text, "tcp dport 22 accept");
    let after = rules.apply(&format!("delete rule inet t in handle {}", first.handle)).unwrap();
    assert_eq!(after.table("inet", "t").unwrap().chains[0].rules.len(), 1);
    assert!(rules.apply("delete rule inet t in handle 999").is_err());
}
