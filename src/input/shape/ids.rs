//! Ids and codes that AWS gives.

use super::{Wrong, long, lower, only, wrong};

/// The prefix, a hyphen, and 8 or 17 hexadecimal digits (EC2 user guide, "Resource IDs").
fn aws_id(text: &str, prefix: &str) -> Result<String, Wrong> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    match digits {
        Some(digits) if (digits.len() == 8 || digits.len() == 17) && hexadecimal(digits) => Ok(text.to_owned()),
        Some(digits) => wrong(format!(
            "behind {prefix}- stand 8 or 17 hexadecimal digits in lower case, here are {} characters",
            digits.chars().count()
        )),
        None => wrong(format!("it must begin with {prefix}-")),
    }
}

pub(super) fn vpc_id(text: &str) -> Result<String, Wrong> {
    aws_id(text, "vpc")
}

pub(super) fn image_id(text: &str) -> Result<String, Wrong> {
    aws_id(text, "ami")
}

pub(super) fn connection_id(text: &str) -> Result<String, Wrong> {
    line_id(text, "dxcon", "the partner or the console shows it")
}

pub(super) fn interface_id(text: &str) -> Result<String, Wrong> {
    line_id(text, "dxvif", "the owner of the line or describe-virtual-interfaces shows it")
}

fn line_id(text: &str, prefix: &str, shown: &str) -> Result<String, Wrong> {
    match text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) {
        Some(rest) if (8..=64).contains(&rest.len()) && rest.chars().all(lower) => Ok(text.to_owned()),
        _ => wrong(format!("it is {prefix}- and eight or more lower-case letters and digits, as {shown}")),
    }
}

/// Direct Connect gateways have ids without a prefix, in the form of a UUID (RFC 9562).
pub(super) fn line_gateway_id(text: &str) -> Result<String, Wrong> {
    let id = text.to_ascii_lowercase();
    let parts: Vec<&str> = id.split('-').collect();
    let hexadecimal = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) {
        return Ok(id);
    }
    wrong("it is 32 hexadecimal digits with four hyphens, 8-4-4-4-12, as describe-direct-connect-gateways shows it")
}

/// AWS takes names of keys that are as long as the keys are.
pub(super) fn key_name(text: &str) -> Result<String, Wrong> {
    let name = text.to_ascii_lowercase();
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return wrong("it has the digits 0 to 9 and a to f only, as openssl rand -hex 32 prints them");
    }
    if name.len() != 64 {
        return wrong(format!(
            "it has 64 hexadecimal digits, as openssl rand -hex 32 prints them; this has {}",
            name.len()
        ));
    }
    Ok(name)
}

pub(super) fn dx_location(text: &str) -> Result<String, Wrong> {
    long(text, 2, 20)?;
    only(
        text,
        |c| c.is_ascii_alphanumeric() || c == '-',
        "a code has letters, digits and hyphens; the list of AWS shows it beside the name",
    )?;
    Ok(text.to_owned())
}
