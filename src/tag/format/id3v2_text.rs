//! The strings of ID3v2's text frames.

use std::char::decode_utf16;

/// Returns the strings of a text frame: its encoding, and strings with zeros between them.
pub(super) fn decode(content: &[u8]) -> Vec<String> {
    let Some((&encoding, text)) = content.split_first() else {
        return Vec::new();
    };
    let mut strings: Vec<String> = match encoding {
        1 | 2 => {
            let units: Vec<[u8; 2]> = text.as_chunks().0.to_vec();
            let mut little = encoding == 1;
            let strings = units.split(|unit| *unit == [0, 0]);
            strings.map(|units| utf_16(units, &mut little)).collect()
        }
        3 => (text.split(|&b| b == 0))
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect(),
        _ => (text.split(|&b| b == 0))
            .map(|text| text.iter().map(|&b| char::from(b)).collect())
            .collect(),
    };
    // A zero may end the last string, too.
    if strings.len() > 1 && strings.last().is_some_and(String::is_empty) {
        strings.pop();
    }
    strings
}

/// Decodes UTF-16 in the order of bytes that its mark names, or else the one before it.
fn utf_16(units: &[[u8; 2]], little: &mut bool) -> String {
    let units = match units {
        [[0xff, 0xfe], rest @ ..] => {
            *little = true;
            rest
        }
        [[0xfe, 0xff], rest @ ..] => {
            *little = false;
            rest
        }
        units => units,
    };
    let units = units.iter().map(|&unit| match little {
        true => u16::from_le_bytes(unit),
        false => u16::from_be_bytes(unit),
    });
    let letters = decode_utf16(units);
    letters
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Returns the content of a text frame in the simplest encoding of the version that has all
/// letters: Latin-1, or else UTF-8 in version 2.4 and UTF-16 before it.
pub(super) fn encode(strings: &[String], version: u8) -> Vec<u8> {
    let all = || strings.iter().flat_map(|s| s.chars());
    if version == 4 && !all().all(|c| c.is_ascii()) {
        return [&[3][..], strings.join("\0").as_bytes()].concat();
    }
    if all().all(|c| u32::from(c) < 0x100) {
        let mut content = vec![0];
        content.extend(strings.join("\0").chars().map(|c| c as u8));
        return content;
    }
    let mut content = vec![1];
    for (i, text) in strings.iter().enumerate() {
        if i > 0 {
            content.extend([0, 0]);
        }
        content.extend([0xff, 0xfe]);
        content.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back() {
        let lists: [&[&str]; 4] = [
            &["Rock"],
            &["R\u{e9}tro", "Pop"],
            &["\u{30ed}\u{30c3}\u{30af}", "Rock \u{1f3b8}"],
            &["SONOPRINT_TAGS", "a", "b"],
        ];
        for list in lists {
            let list: Vec<String> = list.iter().map(|s| (*s).to_owned()).collect();
            for version in 2..=4 {
                assert_eq!(decode(&encode(&list, version)), list, "{version}");
            }
        }
        assert_eq!(decode(b"\x01\xfe\xff\0R\0o\0\0\0P"), ["Ro", "P"]);
        assert_eq!(decode(b"\0Rock\0"), ["Rock"]);
        assert_eq!(decode(b"\0"), [""]);
        assert!(decode(b"").is_empty());
    }
}
