//! The header of NumPy's `.npy`. The crates that read it bring a parser of Python and a dozen
//! others with it; the header of a matrix is three fields.

/// Length of the magic, the version and the length of the text of version 1, bytes.
pub(super) const PREAMBLE: usize = 10;
/// The magic.
const MAGIC: &[u8] = b"\x93NUMPY";

/// What a header says of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NpyHeader {
    /// The type of the values, as NumPy writes it: `<f4` is f32, little endian.
    pub(crate) descr: String,
    /// Whether columns, and not rows, are stored one after the other.
    pub(crate) fortran_order: bool,
    /// Length of each axis.
    pub(crate) shape: Vec<u64>,
    /// Offset of the values, bytes.
    pub(crate) data: u64,
}

impl NpyHeader {
    /// Returns the header of a matrix of f32 whose values begin at `data`, as bytes; `None` if it
    /// does not fit.
    pub(super) fn bytes(rows: u64, columns: u64, data: usize) -> Option<Vec<u8>> {
        let len = u16::try_from(data.checked_sub(PREAMBLE)?).ok()?;
        let mut bytes = [MAGIC, &[1, 0], &len.to_le_bytes()].concat();
        let shape = format!("({rows}, {columns})");
        bytes.extend(
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}").bytes(),
        );
        (bytes.len() < data).then(|| {
            bytes.resize(data - 1, b' ');
            bytes.push(b'\n');
            bytes
        })
    }

    /// Reads the header from the first bytes of a file; `None` if it is none, or not of an array
    /// of one simple type.
    pub(crate) fn parse(start: &[u8]) -> Option<Self> {
        let rest = start.strip_prefix(MAGIC)?;
        let (version, rest) = rest.split_at_checked(2)?;
        // Versions 2 and 3 have more room for the text.
        let (len, text) = match version[0] {
            1 => rest
                .split_first_chunk()
                .map(|(len, text)| (usize::from(u16::from_le_bytes(*len)), text))?,
            2 | 3 => rest
                .split_first_chunk()
                .map(|(len, text)| (u32::from_le_bytes(*len) as usize, text))?,
            _ => return None,
        };
        let data = start.len() - text.len() + len;
        let text = std::str::from_utf8(text.get(..len)?).ok()?;
        let descr = field(text, "descr")?;
        let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let descr = descr[1..].split_once(quote)?.0;
        let shape = field(text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
        let axes = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty());
        Some(Self {
            descr: descr.to_owned(),
            fortran_order: match field(text, "fortran_order")? {
                text if text.starts_with("False") => false,
                text if text.starts_with("True") => true,
                _ => return None,
            },
            shape: axes.map(|axis| axis.parse().ok()).collect::<Option<_>>()?,
            data: data as u64,
        })
    }
}

/// Returns what follows the name of a field and its colon.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut quoted = ['\'', '"'].iter().filter_map(|quote| {
        let (_, rest) = text.split_once(&format!("{quote}{name}{quote}"))?;
        rest.trim_start().strip_prefix(':')
    });
    quoted.next().map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back() {
        let bytes = NpyHeader::bytes(12, 200, 4096).unwrap();
        assert_eq!((bytes.len(), bytes[4095]), (4096, b'\n'));
        let header = NpyHeader::parse(&bytes).unwrap();
        let wanted = NpyHeader {
            descr: "<f4".into(),
            fortran_order: false,
            shape: vec![12, 200],
            data: 4096,
        };
        assert_eq!(header, wanted);
        assert_eq!(NpyHeader::parse(&bytes[..4095]), None);
        assert_eq!(NpyHeader::bytes(u64::MAX, u64::MAX, 64), None);
    }

    #[test]
    fn headers_of_other_writers_are_read() {
        let text = "{\"shape\": (3,), \"fortran_order\":True, \"descr\": \"<f8\"}\n";
        let len = (text.len() as u32).to_le_bytes();
        let bytes = [b"\x93NUMPY\x02\x00", &len[..], text.as_bytes()].concat();
        let header = NpyHeader::parse(&bytes).unwrap();
        assert!(header.fortran_order && header.descr == "<f8" && header.shape == [3]);
        assert_eq!(header.data, bytes.len() as u64);
        for wrong in [
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
            "{'descr': '<f4', 'shape': (1,), }",
            "{",
        ] {
            let len = (wrong.len() as u16).to_le_bytes();
            let bytes = [b"\x93NUMPY\x01\x00", &len[..], wrong.as_bytes()].concat();
            assert_eq!(NpyHeader::parse(&bytes), None, "{wrong}");
        }
    }
}
