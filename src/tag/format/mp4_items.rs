//! The items of MP4's list: a name, and values.

use lofty::id3::v1::GENRES;

use super::mp4_atom::{Inside, atoms, boxed, child};
use crate::tag::error::TagError;
use crate::tag::field::Field;

/// The genre as text, and as the number that iTunes counts from 1.
const GENRE: &[u8; 4] = b"\xa9gen";
const GENRE_NUMBER: &[u8; 4] = b"gnre";
/// An item with a name of any length, under the name of its maker.
const FREE: &[u8; 4] = b"----";
/// The maker that all programs write.
const MAKER: &[u8] = b"com.apple.iTunes";

/// The kinds of values that are text.
const UTF_8: u32 = 1;
const UTF_16: u32 = 2;

/// A list. Items that are not set stay as they are, to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Items {
    items: Vec<Item>,
    /// What follows the last item.
    rest: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    /// The item with its header.
    bytes: Vec<u8>,
    /// What it is of the fields that are written, and its values.
    field: Option<(Field, Vec<String>)>,
}

impl Items {
    /// Reads the body of a list.
    pub(super) fn parse(list: &[u8]) -> Result<Self, TagError> {
        let mut items = Vec::new();
        let mut end = 0;
        for (name, atom) in atoms(list, 0..list.len())? {
            items.push(Item {
                bytes: list[atom.start..atom.end].to_vec(),
                field: field(list, name, atom)?,
            });
            end = atom.end;
        }
        Ok(Self {
            items,
            rest: list[end..].to_vec(),
        })
    }

    /// Returns the values of a field, in their order.
    pub(super) fn get(&self, field: Field) -> Vec<String> {
        let items = self.items.iter().filter_map(|item| item.field.as_ref());
        let values = items.filter(|(f, _)| *f == field).flat_map(|(_, v)| v);
        values.cloned().collect()
    }

    /// Replaces the values of a field.
    pub(super) fn set(&mut self, field: Field, values: &[String]) {
        let is = |item: &Item| item.field.as_ref().is_some_and(|(f, _)| *f == field);
        let first = self.items.iter().position(is);
        let at = first.unwrap_or(self.items.len());
        self.items.retain(|item| !is(item));
        if !values.is_empty() {
            let item = Item {
                bytes: item(field, values),
                field: Some((field, values.to_vec())),
            };
            self.items.insert(at, item);
        }
    }

    /// Returns the list as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let items = self.items.iter().flat_map(|item| &item.bytes);
        items.chain(&self.rest).copied().collect()
    }
}

/// Returns which field an item is, with its values.
fn field(
    list: &[u8],
    name: [u8; 4],
    atom: Inside,
) -> Result<Option<(Field, Vec<String>)>, TagError> {
    let values = |skip: usize| -> Result<Vec<(u32, &[u8])>, TagError> {
        let all = atoms(list, atom.body..atom.end)?;
        let data = all.into_iter().filter(|(name, _)| name == b"data");
        // Version and kind, then the language.
        let value = |data: Inside| list.get(data.body + skip..data.end);
        Ok(data
            .filter_map(|(_, data)| {
                let kind = list.get(data.body..data.body + 4)?;
                let kind = u32::from_be_bytes([0, kind[1], kind[2], kind[3]]);
                Some((kind, value(data)?))
            })
            .collect())
    };
    Ok(match &name {
        GENRE => Some((Field::Genre, values(8)?.iter().map(text).collect())),
        GENRE_NUMBER => {
            let numbers = values(8)?;
            let genre = |(_, bytes): &(u32, &[u8])| {
                let n = bytes.iter().fold(0, |n: usize, &b| n << 8 | usize::from(b));
                Some((*GENRES.get(n.checked_sub(1)?)?).to_owned())
            };
            Some((Field::Genre, numbers.iter().filter_map(genre).collect()))
        }
        FREE => {
            let part = |name: &[u8; 4]| -> Result<Option<&[u8]>, TagError> {
                let part = child(list, atom.body..atom.end, name)?;
                Ok(part.and_then(|part| list.get(part.body + 4..part.end)))
            };
            let (maker, name) = (part(b"mean")?, part(b"name")?);
            let is = |field: &Field| {
                let key = field.key().as_bytes();
                maker == Some(MAKER) && name.is_some_and(|n| n.eq_ignore_ascii_case(key))
            };
            let field = [Field::Mood, Field::Tags, Field::Scores]
                .into_iter()
                .find(is);
            match field {
                Some(field) => Some((field, values(8)?.iter().map(text).collect())),
                None => None,
            }
        }
        _ => None,
    })
}

fn text((kind, value): &(u32, &[u8])) -> String {
    match *kind {
        UTF_16 => encoding_rs::UTF_16BE.decode(value).0.into_owned(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

/// Returns the item of a field.
fn item(field: Field, values: &[String]) -> Vec<u8> {
    // Texts of a few KiB are far from what a size can say.
    let atom = |name: &[u8; 4], body: &[u8]| boxed(name, body).unwrap_or_default();
    let mut body = Vec::new();
    if field != Field::Genre {
        body.extend(atom(b"mean", &[&[0; 4], MAKER].concat()));
        body.extend(atom(b"name", &[&[0; 4], field.key().as_bytes()].concat()));
    }
    for value in values {
        let data = [&UTF_8.to_be_bytes()[..], &[0; 4], value.as_bytes()].concat();
        body.extend(atom(b"data", &data));
    }
    match field {
        Field::Genre => atom(GENRE, &body),
        _ => atom(FREE, &body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_items_stay_to_the_byte() {
        let other = boxed(
            b"covr",
            &boxed(b"data", b"\0\0\0\x0d\0\0\0\x07picture").unwrap(),
        )
        .unwrap();
        let number = boxed(
            GENRE_NUMBER,
            &boxed(b"data", b"\0\0\0\0\0\0\0\0\0\x12").unwrap(),
        )
        .unwrap();
        let list = [other.clone(), number, vec![0; 4]].concat();
        let mut items = Items::parse(&list).unwrap();
        assert_eq!(items.to_bytes(), list);
        assert_eq!(items.get(Field::Genre), ["Rock"]);
        let values = ["Pop".to_owned(), "R\u{e9}tro".to_owned()];
        for field in Field::ALL {
            items.set(field, &values);
        }
        let again = Items::parse(&items.to_bytes()).unwrap();
        assert_eq!(again, items);
        assert_eq!(again.items[0].bytes, other);
        for field in Field::ALL {
            assert_eq!(again.get(field), values, "{field:?}");
        }
        assert!(Items::parse(&list[1..]).is_err());
    }
}
