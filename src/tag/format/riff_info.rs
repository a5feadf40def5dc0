//! The INFO list of WAV: items of four letters. `IGNR` is the genre.

/// The name of the genre.
const GENRE: &[u8; 4] = b"IGNR";

/// A list. Items that are not set stay as they are, to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// Names, and values with the zeros at their ends.
    items: Vec<([u8; 4], Vec<u8>)>,
    /// What follows the last item and is too short for one.
    rest: Vec<u8>,
}

impl Info {
    /// Reads the items. `None` if one is longer than the list.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut items = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
            let [a, b, c, d, size @ ..] = *head;
            let size = u32::from_le_bytes(size) as usize;
            items.push(([a, b, c, d], rest.get(..size)?.to_vec()));
            // The padding of the last item may be missing.
            bytes = rest.get(size + size % 2..).unwrap_or_default();
        }
        Some(Self {
            items,
            rest: bytes.to_vec(),
        })
    }

    /// Returns the genre, if there is one.
    pub(super) fn genre(&self) -> Vec<String> {
        let genres = self.items.iter().filter(|(name, _)| name == GENRE);
        genres.map(|(_, value)| text(value)).collect()
    }

    /// Replaces the genre.
    pub(super) fn set_genre(&mut self, values: &[String]) {
        let first = self.items.iter().position(|(name, _)| name == GENRE);
        let at = first.unwrap_or(self.items.len());
        self.items.retain(|(name, _)| name != GENRE);
        let new = values.iter().map(|value| {
            let mut value = value.clone().into_bytes();
            value.push(0);
            (*GENRE, value)
        });
        self.items.splice(at..at, new);
    }

    /// Returns the items as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in &self.items {
            bytes.extend(name);
            bytes.extend((value.len() as u32).to_le_bytes());
            bytes.extend(value);
            if value.len() % 2 == 1 {
                bytes.push(0);
            }
        }
        bytes.extend(&self.rest);
        bytes
    }
}

/// Programs of Windows write its letters, and others UTF-8.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
    match std::str::from_utf8(&value[..end]) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252
            .decode(&value[..end])
            .0
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_items_stay_to_the_byte() {
        let bytes = b"INAM\x03\0\0\0a\xff\0\0IGNR\x05\0\0\0Jazz\0\0ISFT\x02\0\0\0x\0";
        let mut info = Info::parse(bytes).unwrap();
        assert_eq!(info.to_bytes(), bytes);
        assert_eq!(info.genre(), ["Jazz"]);
        info.set_genre(&["Rock".into()]);
        assert_eq!(
            info.to_bytes(),
            b"INAM\x03\0\0\0a\xff\0\0IGNR\x05\0\0\0Rock\0\0ISFT\x02\0\0\0x\0"
        );
        info.set_genre(&[]);
        assert_eq!(info.items.len(), 2);
        assert!(Info::parse(b"IGNR\x09\0\0\0x").is_none());
    }
}
