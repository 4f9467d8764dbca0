//! What templates can do beside what minijinja brings: tables of rows, and addresses in a range.

use core::net::Ipv4Addr;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};

use crate::input::{processors, suggest_subnets};

/// Every filter that a runbook may use, minijinja's and ours.
pub(super) const FILTERS: [&str; 54] = [
    "abs",
    "addresses",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "cidr_host",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lookup",
    "lower",
    "map",
    "max",
    "min",
    "pluck",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "unless",
    "upper",
    "where",
    "zip",
    "attr",
    "pick",
    "public_records",
    "subnet_plan",
    "processors",
    "vpn_devices",
];

/// Every test that a runbook may use.
pub(super) const TESTS: [&str; 31] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// Adds every filter of ours. Each is a filter: `{{ net.subnets | where("tier", "public") | pluck("cidr") }}`.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("join", join);
    environment.add_filter("where", rows_where);
    environment.add_filter("pluck", pluck);
    environment.add_filter("lookup", lookup);
    environment.add_filter("pick", pick);
    environment.add_filter("unless", unless);
    environment.add_filter("cidr_host", cidr_host);
    environment.add_filter("addresses", addresses);
    environment.add_filter("public_records", public_records);
    environment.add_filter("subnet_plan", subnet_plan);
    environment.add_filter("processors", processors_of_all);
    environment.add_filter("vpn_devices", vpn_devices);
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// `join` of a list. What is not known yet is no empty list, or a text for people would have a hole. What a plan shows by
/// name is a text in place of the list, and stays whole.
fn join(value: &Value, between: Option<String>) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let parts: Vec<String> = value.try_iter()?.map(|part| part.to_string()).collect();
    Ok(parts.join(&between.unwrap_or_default()))
}

/// `rows | where(field, value)`: the rows whose field has that value.
fn rows_where(rows: &Value, field: &str, value: &Value) -> Result<Vec<Value>, Error> {
    let mut kept = Vec::new();
    for row in rows.try_iter()? {
        if &column(&row, field)? == value {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// `rows | pluck(field)`: that field of every row.
fn pluck(rows: &Value, field: &str) -> Result<Vec<Value>, Error> {
    rows.try_iter()?.map(|row| column(&row, field)).collect()
}

/// `rows | lookup(field, value, wanted)`: the column `wanted` of the one row whose field has that value.
fn lookup(rows: &Value, field: &str, value: &Value, wanted: &str) -> Result<Value, Error> {
    match rows_where(rows, field, value)?.as_slice() {
        [row] => column(row, wanted),
        [] => Err(wrong(format!("no row has {value} as its {field}"))),
        several => Err(wrong(format!("{} rows have {value} as their {field}", several.len()))),
    }
}

fn column(row: &Value, field: &str) -> Result<Value, Error> {
    let value = row.get_attr(field)?;
    if value.is_undefined() { Err(wrong(format!("a row has no {field}"))) } else { Ok(value) }
}

/// `value | unless(usual)`: the value, or an empty text where it is the usual one.
fn unless(value: Value, usual: &Value) -> Value {
    if value == *usual { Value::from("") } else { value }
}

/// `map | pick(keys)`: the values of these keys, in the order of the keys.
fn pick(map: &Value, keys: &Value) -> Result<Vec<Value>, Error> {
    let mut picked = Vec::new();
    for key in keys.try_iter()? {
        let value = map.get_item(&key)?;
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        picked.push(value);
    }
    Ok(picked)
}

/// `names | addresses`: those that are IPv4 addresses. DHCP tells hosts of servers by address only.
fn addresses(names: &Value) -> Result<Vec<Value>, Error> {
    let is_address = |name: &Value| name.as_str().is_some_and(|name| name.parse::<Ipv4Addr>().is_ok());
    Ok(names.try_iter()?.filter(is_address).collect())
}

/// `records | public_records(visibility)`: those for a public zone. Names of addresses stand in another zone; and where each
/// side sees its own (`split`), private addresses are for the private zone.
fn public_records(rows: &Value, visibility: &str) -> Result<Vec<Value>, Error> {
    let is_private = |value: &str| value.parse::<Ipv4Addr>().is_ok_and(|address| address.is_private());
    let mut kept = Vec::new();
    for row in rows.try_iter()? {
        let (kind, value) = (column(&row, "type")?, column(&row, "value")?);
        let hidden = visibility == "split" && value.as_str().is_some_and(is_private);
        if kind.as_str() != Some("PTR") && !hidden {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// `types | processors`: how many virtual processors instances of these types have, as EC2's quota of standard instances
/// counts them.
fn processors_of_all(types: &Value) -> Result<u64, Error> {
    let mut sum = 0;
    for name in types.try_iter()? {
        sum += name.as_str().and_then(processors).unwrap_or_default();
    }
    Ok(sum)
}

/// What GetVpnConnectionDeviceTypes listed when somebody published it (domain specification, 7.3): for forms before AWS was
/// asked.
const VPN_DEVICES: &str = include_str!("vpn_devices.txt");

/// `list | vpn_devices`: the devices of AWS's list, each with `vendor`, `platform` and `software`; of one kept here where the
/// list is empty.
fn vpn_devices(list: &str) -> Vec<Value> {
    let list = if list.is_empty() { VPN_DEVICES } else { list };
    let rows = list.lines().filter_map(|line| {
        let mut cells = line.splitn(3, "; ");
        Some((cells.next()?, cells.next()?, cells.next()?))
    });
    rows.map(|(vendor, platform, software)| minijinja::context! { vendor, platform, software }).collect()
}

/// `range | subnet_plan(tiers, zones)`: a subnet for each tier and zone of a VPC, one a line, as the input is written.
fn subnet_plan(range: &str, tiers: Vec<String>, zones: Vec<String>) -> Result<String, Error> {
    let vpc = range.parse().map_err(|_| wrong(format!("{range} is no IPv4 range")))?;
    let tiers: Vec<&str> = tiers.iter().map(String::as_str).collect();
    let plan = suggest_subnets(vpc, &tiers, &zones).map_err(|refusal| wrong(refusal.to_string()))?;
    Ok(plan.shown())
}

/// `"10.40.0.0/24" | cidr_host(10)` is `10.40.0.10`: the address so far into an IPv4 range; from its end when negative.
fn cidr_host(range: &str, number: i64) -> Result<String, Error> {
    let unreadable = || wrong(format!("{range} is no IPv4 range"));
    let (address, prefix) = range.split_once('/').ok_or_else(unreadable)?;
    let address: Ipv4Addr = address.parse().map_err(|_| unreadable())?;
    let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or_else(unreadable)?;
    let size = 1_i64 << (32 - prefix);
    let first = i64::from(u32::from(address)) / size * size;
    let at = if number < 0 { size + number } else { number };
    if !(0..size).contains(&at) {
        return Err(wrong(format!("{range} has no address number {number}")));
    }
    let host = u32::try_from(first + at).map_err(|_| unreadable())?;
    Ok(Ipv4Addr::from(host).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::runbook::scope::Scope;
    use crate::runbook::template::Template;

    fn value(code: &str) -> Result<serde_json::Value, String> {
        let mut scope = Scope::new();
        let rows = json!([
            {"tier": "public", "cidr": "10.40.0.0/24", "zone": "a"},
            {"tier": "app", "cidr": "10.40.10.0/24", "zone": "a"},
            {"tier": "app", "cidr": "10.40.11.0/24", "zone": "b"},
        ]);
        scope.insert_dotted("net.subnets", rows);
        scope.insert_dotted("net.rows", json!({"a": 1}));
        let template = Template::parse(&format!("{{{{ {code} }}}}")).map_err(|bad| bad.to_string())?;
        template.value(&scope).map_err(|unrendered| unrendered.to_string())
    }

    #[test]
    fn what_a_plan_shows_by_name_is_joined_whole() {
        assert_eq!(value("['10.0.0.1', '10.0.0.2'] | join(' and ')"), Ok(json!("10.0.0.1 and 10.0.0.2")));
        assert_eq!(value("'‹dns.inbound_addresses›' | join(' and ')"), Ok(json!("‹dns.inbound_addresses›")));
        assert_eq!(value("[1, 2] | join"), Ok(json!("12")));
        assert_eq!(value("net.readers | join(', ')"), Err("net.readers is not known yet".into()));
    }

    #[test]
    fn all_that_may_be_used_exists() {
        for filter in super::FILTERS {
            assert!(crate::runbook::render::exists(&format!("{filter:?} is filter")), "filter {filter}");
        }
        for test in super::TESTS {
            assert!(crate::runbook::render::exists(&format!("{test:?} is test")), "test {test}");
        }
    }

    #[test]
    fn rows_can_be_chosen() {
        assert_eq!(value("net.subnets | where('tier', 'app') | pluck('zone')"), Ok(json!(["a", "b"])));
        assert_eq!(value("net.subnets | pluck('zone') | unique"), Ok(json!(["a", "b"])));
        assert_eq!(value("net.subnets | lookup('tier', 'public', 'cidr')"), Ok(json!("10.40.0.0/24")));
        assert_eq!(value("net.subnets | lookup('tier', 'data', 'cidr')"), Err("no row has data as its tier".into()));
        assert_eq!(value("net.subnets | lookup('tier', 'app', 'cidr')"), Err("2 rows have app as their tier".into()));
        assert_eq!(value("net.subnets | pluck('colour')"), Err("a row has no colour".into()));
    }

    #[test]
    fn values_are_picked_in_order() {
        assert_eq!(value("{'a': 1, 'b': 2, 'c': 3} | pick(['c', 'a'])"), Ok(json!([3, 1])));
        assert_eq!(value("ids | pick(['a'])"), Err("ids is not known yet".into()));
        assert_eq!(value("'us-east-1' | unless('eu-west-1')"), Ok(json!("us-east-1")));
        assert_eq!(value("'eu-west-1' | unless('eu-west-1')"), Ok(json!("")));
        assert_eq!(value("net.rows | pick(['a', 'z'])"), Err("net.rows.z is not known yet".into()));
    }

    #[test]
    fn a_public_zone_has_no_names_of_addresses_and_of_two_zones_no_private_ones() {
        let rows = "[{'type': 'A', 'value': '10.0.0.1'}, {'type': 'A', 'value': '203.0.113.1'}, {'type': 'PTR', 'value': 'a.b'}]";
        let kept = |visibility: &str| value(&format!("{rows} | public_records('{visibility}') | pluck('value')"));
        assert_eq!(kept("public"), Ok(json!(["10.0.0.1", "203.0.113.1"])));
        assert_eq!(kept("split"), Ok(json!(["203.0.113.1"])));
    }

    #[test]
    fn devices_are_those_that_aws_told_or_those_kept_here() {
        let vendors = value("'' | vpn_devices | pluck('vendor') | unique").unwrap();
        let vendors = vendors.as_array().unwrap().clone();
        assert!(vendors.len() > 20 && vendors.contains(&json!("Generic")), "{vendors:?}");
        let of = "'' | vpn_devices | where('vendor', 'Fortinet') | pluck('platform') | unique";
        assert_eq!(value(of), Ok(json!(["Fortigate 40+ Series"])));
        assert_eq!(
            value("'A; B; C; D' | vpn_devices"),
            Ok(json!([{"vendor": "A", "platform": "B", "software": "C; D"}]))
        );
    }

    #[test]
    fn a_plan_reads_as_an_answer() {
        let plan = value("'10.40.0.0/16' | subnet_plan(['public', 'app'], ['eu-west-1a', 'eu-west-1b'])").unwrap();
        let lines: Vec<&str> = plan.as_str().unwrap().lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "10.40.0.0/24 public eu-west-1a");
        assert!(value("'10.40.0.0/28' | subnet_plan(['public', 'app'], ['eu-west-1a'])").is_err());
        assert!(value("'x' | subnet_plan(['public'], ['eu-west-1a'])").is_err());
    }

    #[test]
    fn addresses_are_counted_from_both_ends() {
        assert_eq!(value("'10.40.0.0/24' | cidr_host(10)"), Ok(json!("10.40.0.10")));
        assert_eq!(value("'10.40.0.77/24' | cidr_host(0)"), Ok(json!("10.40.0.0")));
        assert_eq!(value("'10.40.0.0/24' | cidr_host(-2)"), Ok(json!("10.40.0.254")));
        assert_eq!(value("'0.0.0.0/0' | cidr_host(-1)"), Ok(json!("255.255.255.255")));
        for bad in ["'10.40.0.0/24' | cidr_host(256)", "'10.40.0.0' | cidr_host(1)", "'10.40.0.0/33' | cidr_host(1)"] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }
}
