//! One value as words of a POSIX shell script.

use serde_json::Value;

/// A string in single quotes: whatever is in it, the shell reads exactly that.
///
/// The rule is POSIX XCU 2.2.2: between single quotes every character stands for itself, and a single quote cannot be
/// among them; so each is written outside, escaped.
pub fn quoted(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("holds a NUL byte, which no shell can take".to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// A value as it may stand in a script: a string quoted, a number or a truth value as it is, and a list as its quoted
/// items with blanks between them, which only `whole_word` allows.
pub fn words(value: &Value, whole_word: bool) -> Result<String, String> {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Array(_) if !whole_word => {
            Err("is a list, and a list in a script must stand between blanks: glued to something else its words would \
                 fall apart"
                .to_owned())
        }
        Value::Array(items) => {
            let items: Result<Vec<String>, String> = items.iter().map(|item| words(item, false)).collect();
            Ok(items?.join(" "))
        }
        Value::Object(_) => Err("is a map; a script needs one of the values in it".to_owned()),
        Value::Null => Err("is empty (null), and a script needs a value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value() {
        for (value, expected) in [
            (json!(""), "''"),
            (json!("a b"), "'a b'"),
            (json!("it's"), r"'it'\''s'"),
            (json!("-rf"), "'-rf'"),
            (json!("$(id)\n`id`"), "'$(id)\n`id`'"),
            (json!(22022), "22022"),
            (json!(-1.5), "-1.5"),
            (json!(true), "true"),
            (json!(["a b", 1]), "'a b' 1"),
            (json!([]), ""),
        ] {
            assert_eq!(words(&value, true).unwrap(), expected);
        }
        for value in [json!({"a": 1}), json!(null), json!("a\0b"), json!([["a"]]), json!([null])] {
            assert!(words(&value, true).is_err(), "{value}");
        }
        assert!(words(&json!(["a"]), false).unwrap_err().contains("between blanks"));
    }
}
