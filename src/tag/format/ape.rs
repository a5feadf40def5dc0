//! APEv2: a list of items between a header, which may be missing, and a footer.

use crate::tag::field::Field;

/// Length of the footer, and of the header, in bytes.
pub(super) const FOOTER: usize = 32;

/// What both begin with.
const MAGIC: &[u8] = b"APETAGEX";

/// The flag that there is a header.
const HAS_HEADER: u32 = 1 << 31;
/// The flag of the header itself.
const IS_HEADER: u32 = 1 << 29;

/// Bits of an item's flags that say what kind of value it has. Text is 0.
const VALUE_KIND: u32 = 0b110;

/// An APE tag. Items that are not set stay as they are, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ape {
    version: u32,
    flags: u32,
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    flags: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Ape {
    /// Returns the length in bytes of the tag that ends with `footer`, its header and footer
    /// included; `None` if it is no footer.
    pub(super) fn len(footer: &[u8]) -> Option<u64> {
        let footer = footer.get(..FOOTER).filter(|f| f.starts_with(MAGIC))?;
        let header = match number(footer, 20)? & HAS_HEADER {
            0 => 0,
            _ => FOOTER as u64,
        };
        Some(u64::from(number(footer, 12)?) + header)
    }

    /// Reads a tag of [`Ape::len`] bytes. `None` if its lengths contradict each other.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let footer = bytes.get(bytes.len().checked_sub(FOOTER)?..)?;
        let flags = number(footer, 20)?;
        let count = number(footer, 16)?;
        let mut rest = &bytes[..bytes.len() - FOOTER];
        if flags & HAS_HEADER != 0 {
            rest = rest.get(FOOTER..)?;
        }
        let mut items = Vec::new();
        for _ in 0..count {
            let len = number(rest, 0)? as usize;
            let flags = number(rest, 4)?;
            let key_len = rest.get(8..)?.iter().position(|&b| b == 0)?;
            let value = 8 + key_len + 1;
            items.push(Item {
                flags,
                key: rest[8..8 + key_len].to_vec(),
                value: rest.get(value..value.checked_add(len)?)?.to_vec(),
            });
            rest = &rest[value + len..];
        }
        rest.is_empty().then_some(Self {
            version: number(footer, 8)?,
            flags,
            items,
        })
    }

    /// Returns the values of a field, in their order.
    pub(super) fn get(&self, field: Field) -> Vec<String> {
        let items = self.items.iter().filter(|item| item.is(field));
        let values = items.flat_map(|item| item.value.split(|&b| b == 0));
        values
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// Replaces the values of a field.
    pub(super) fn set(&mut self, field: Field, values: &[String]) {
        let first = self.items.iter().position(|item| item.is(field));
        let at = first.unwrap_or(self.items.len());
        self.items.retain(|item| !item.is(field));
        if !values.is_empty() {
            let key = match field {
                Field::Genre => "Genre",
                Field::Mood => "Mood",
                own => own.key(),
            };
            let item = Item {
                flags: 0,
                key: key.into(),
                value: values.join("\0").into_bytes(),
            };
            self.items.insert(at, item);
        }
    }

    /// Returns the tag as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut items = Vec::new();
        for item in &self.items {
            items.extend((item.value.len() as u32).to_le_bytes());
            items.extend(item.flags.to_le_bytes());
            items.extend(&item.key);
            items.push(0);
            items.extend(&item.value);
        }
        let end = |flags: u32| {
            let mut end = MAGIC.to_vec();
            let len = (items.len() + FOOTER) as u32;
            for number in [self.version, len, self.items.len() as u32, flags] {
                end.extend(number.to_le_bytes());
            }
            end.extend([0; 8]);
            end
        };
        let mut bytes = match self.flags & HAS_HEADER {
            0 => Vec::new(),
            _ => end(self.flags | IS_HEADER),
        };
        bytes.extend(&items);
        bytes.extend(end(self.flags & !IS_HEADER));
        bytes
    }
}

impl Item {
    fn is(&self, field: Field) -> bool {
        self.flags & VALUE_KIND == 0 && self.key.eq_ignore_ascii_case(field.key().as_bytes())
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_items_stay_to_the_byte() {
        let mut ape = Ape {
            version: 2000,
            flags: HAS_HEADER,
            items: vec![Item {
                flags: 2,
                key: b"Cover Art (Front)".to_vec(),
                value: b"\0\xff\0".to_vec(),
            }],
        };
        ape.set(Field::Genre, &["Rock".into(), "Pop".into()]);
        let bytes = ape.to_bytes();
        assert_eq!(
            Ape::len(&bytes[bytes.len() - FOOTER..]),
            Some(bytes.len() as u64)
        );
        let mut again = Ape::parse(&bytes).unwrap();
        assert_eq!(again, ape);
        assert_eq!(again.get(Field::Genre), ["Rock", "Pop"]);
        again.set(Field::Genre, &[]);
        assert_eq!(again.items.len(), 1);
        assert!(Ape::parse(&bytes[1..]).is_none() && Ape::parse(b"").is_none());
    }
}
