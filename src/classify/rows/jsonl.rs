//! Tables in JSON Lines.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::cells::{Cells, Role, Value};
use super::source::{Fault, Rows, check};

/// The longest row in bytes. One of fifty tags has two thousand.
const LONGEST: u64 = 16 << 20;

/// Returns the rows.
pub(super) fn open(file: File) -> Rows {
    let mut lines = BufReader::new(file);
    let mut roles: HashMap<String, Role> = HashMap::new();
    let mut first = true;
    let rows = std::iter::from_fn(move || {
        let mut line = Vec::new();
        match lines.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Ok(n) if n as u64 == LONGEST && line.last() != Some(&b'\n') => {
                return Some(Err(Fault::End("it is longer than 16 MiB".into())));
            }
            Ok(_) => {}
            Err(e) => return Some(Err(Fault::Io(e))),
        }
        let object = match serde_json::from_slice(&line) {
            Ok(Object(object)) => object,
            Err(e) => return Some(Err(Fault::Row(e.to_string()))),
        };
        for (name, _) in &object {
            if !roles.contains_key(name) && roles.len() < 100_000 {
                roles.insert(name.clone(), Role::of(name));
            }
        }
        if std::mem::take(&mut first) {
            let all: Vec<Role> = object.iter().map(|(name, _)| Role::of(name)).collect();
            if let Err(fault) = check(&all) {
                return Some(Err(fault));
            }
        }
        let mut cells = Cells::default();
        for (name, value) in object {
            if let Some(role) = roles.get(&name) {
                cells.add(role, cell(value));
            }
        }
        Some(cells.row().map_err(Fault::Row))
    });
    Box::new(rows)
}

fn cell(value: Json) -> Value {
    match value {
        Json::String(text) => Value::Text(text),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::Array(list) => {
            let texts = list.into_iter().filter_map(|value| match value {
                Json::String(text) => Some(text),
                _ => None,
            });
            Value::Texts(texts.collect())
        }
        _ => Value::Null,
    }
}

/// An object whose keys keep their order.
struct Object(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row as an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
