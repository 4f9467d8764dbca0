//! CBOR (RFC 8949), which some services of AWS speak (Smithy RPC v2 CBOR), to and from JSON.

use std::convert::Infallible;

use minicbor::data::{IanaTag, Type};
use minicbor::{Decoder, Encoder, decode, encode};
use serde_json::{Map, Value as Json};

/// No request nests deeper.
const DEEPEST: usize = 32;
/// Members of an answer that are times, in seconds since 1970.
const TIMES: [&str; 1] = ["Timestamps"];

/// The JSON of one document; times are numbers in it.
///
/// # Errors
/// It is none.
pub fn to_json(bytes: &[u8]) -> Result<Json, decode::Error> {
    value(&mut Decoder::new(bytes), DEEPEST)
}

fn value(from: &mut Decoder<'_>, depth: usize) -> Result<Json, decode::Error> {
    let deeper = || depth.checked_sub(1).ok_or_else(|| decode::Error::message("nested too deeply"));
    Ok(match from.datatype()? {
        Type::Bool => from.bool()?.into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            from.i64()?.into()
        }
        Type::F16 | Type::F32 | Type::F64 => from.f64()?.into(),
        Type::String | Type::StringIndef => from.str_iter()?.collect::<Result<String, _>>()?.into(),
        Type::Tag => {
            from.tag()?;
            value(from, deeper()?)?
        }
        Type::Array | Type::ArrayIndef => {
            let (mut left, mut items) = (from.array()?, Vec::new());
            while goes_on(from, &mut left)? {
                items.push(value(from, deeper()?)?);
            }
            items.into()
        }
        Type::Map | Type::MapIndef => {
            let (mut left, mut members) = (from.map()?, Map::new());
            while goes_on(from, &mut left)? {
                let name = from.str_iter()?.collect::<Result<String, _>>()?;
                members.insert(name, value(from, deeper()?)?);
            }
            members.into()
        }
        _ => {
            from.skip()?;
            Json::Null
        }
    })
}

/// Is there another item? The end of those whose number is not known is read.
fn goes_on(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => from.skip().map(|()| false),
        None => Ok(true),
    }
}

/// The document of an answer.
pub fn from_json(json: &Json) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    // A vector takes whatever is written: its error cannot be made.
    write(&mut to, json, false).ok();
    to.into_writer()
}

fn write(to: &mut Encoder<Vec<u8>>, json: &Json, is_time: bool) -> Result<(), encode::Error<Infallible>> {
    match json {
        Json::Null => to.null()?,
        Json::Bool(yes) => to.bool(*yes)?,
        Json::String(text) => to.str(text)?,
        Json::Number(number) if is_time => to.tag(IanaTag::Timestamp)?.f64(number.as_f64().unwrap_or_default())?,
        Json::Number(number) => match number.as_i64() {
            Some(number) => to.i64(number)?,
            None => to.f64(number.as_f64().unwrap_or_default())?,
        },
        Json::Array(items) => {
            to.begin_array()?;
            items.iter().try_for_each(|item| write(to, item, is_time))?;
            to.end()?
        }
        Json::Object(members) => {
            to.begin_map()?;
            for (name, member) in members {
                to.str(name)?;
                write(to, member, TIMES.contains(&name.as_str()))?;
            }
            to.end()?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let document = json!({ "a": [1, -2.5, true, null, "é"], "Timestamps": [1764378000.0], "of": { "none": [] } });
        assert_eq!(to_json(&from_json(&document)).unwrap(), document);
        // RFC 8949, appendix A: of known and of unknown length, and a time.
        assert_eq!(to_json(&[0xa1, 0x61, b'a', 0x82, 0x01, 0x02]).unwrap(), json!({ "a": [1, 2] }));
        assert_eq!(to_json(&[0x9f, 0x01, 0x7f, 0x61, b'b', 0x61, b'c', 0xff, 0xff]).unwrap(), json!([1, "bc"]));
        assert_eq!(to_json(&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]).unwrap(), json!(1_363_896_240));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bytes in [&[][..], &[0x82, 0x01], &[0xa1, 0x01, 0x02], &[0x61], &[0x81; 64]] {
            assert!(to_json(bytes).is_err(), "{bytes:?}");
        }
    }
}
