//! Vorbis comments: a list of `KEY=value`, each a text with its length in front.

use crate::tag::field::Field;

/// Who encoded the file, where nobody says so.
const VENDOR: &[u8] = b"sonoprint";

/// A list of comments. Those that are not set stay as they are, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comments {
    vendor: Vec<u8>,
    items: Vec<Vec<u8>>,
    /// What follows the list.
    rest: Vec<u8>,
}

impl Comments {
    /// An empty list.
    pub(super) fn new() -> Self {
        Self {
            vendor: VENDOR.to_vec(),
            items: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Reads a list. `None` if its lengths lead beyond `bytes`.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let vendor = text(&mut bytes)?;
        let count = number(&mut bytes)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(text(&mut bytes)?);
        }
        Some(Self {
            vendor,
            items,
            rest: bytes.to_vec(),
        })
    }

    /// Returns the values of a field, in their order.
    pub(super) fn get(&self, field: Field) -> Vec<String> {
        let values = self.items.iter().filter_map(|item| value(item, field));
        values.map(decode).collect()
    }

    /// Replaces the values of a field. They stand where the first one stood, or at the end.
    pub(super) fn set(&mut self, field: Field, values: &[String]) {
        let first = self.items.iter().position(|i| value(i, field).is_some());
        let at = first.unwrap_or(self.items.len());
        self.items.retain(|item| value(item, field).is_none());
        let new = values.iter().map(|v| format!("{}={v}", field.key()));
        self.items.splice(at..at, new.map(String::into_bytes));
    }

    /// Returns the list as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &self.vendor);
        bytes.extend((self.items.len() as u32).to_le_bytes());
        for item in &self.items {
            put(&mut bytes, item);
        }
        bytes.extend(&self.rest);
        bytes
    }
}

/// Returns the value of a comment if its key is that of `field`, in any case.
fn value(item: &[u8], field: Field) -> Option<&[u8]> {
    let at = item.iter().position(|&b| b == b'=')?;
    let (key, value) = item.split_at(at);
    key.eq_ignore_ascii_case(field.key().as_bytes())
        .then_some(&value[1..])
}

/// Old programs wrote the letters of Windows, and not UTF-8.
fn decode(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(value).0.into_owned(),
    }
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*head))
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text);
}

fn text(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let len = number(bytes)? as usize;
    let text = bytes.get(..len)?.to_vec();
    *bytes = &bytes[len..];
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_comments_stay_to_the_byte() {
        let list: [&[u8]; 5] = [
            b"TITLE=a",
            b"genre=Old",
            b"no separator",
            b"X=\xff\xfe",
            b"Genre=",
        ];
        let mut bytes = Vec::new();
        put(&mut bytes, b"encoder");
        bytes.extend(5_u32.to_le_bytes());
        list.iter().for_each(|item| put(&mut bytes, item));
        bytes.extend(b"\x01rest");
        let mut comments = Comments::parse(&bytes).unwrap();
        assert_eq!(comments.to_bytes(), bytes);
        assert_eq!(comments.get(Field::Genre), ["Old", ""]);
        comments.set(Field::Genre, &["Rock".into(), "Pop".into()]);
        let want: [&[u8]; 5] = [
            b"TITLE=a",
            b"GENRE=Rock",
            b"GENRE=Pop",
            b"no separator",
            b"X=\xff\xfe",
        ];
        assert_eq!(comments.items, want);
        assert_eq!(comments.rest, b"\x01rest");
        for cut in 0..bytes.len() - 5 {
            assert!(Comments::parse(&bytes[..cut]).is_none(), "{cut}");
        }
    }
}
