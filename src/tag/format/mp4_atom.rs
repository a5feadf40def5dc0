//! Atoms of MP4: a size, a name of four letters, and a body.

use std::fs::File;
use std::ops::Range;

use super::reading;
use crate::tag::error::TagError;
use crate::tag::splice::{peek_at, read_at};

/// The most atoms at the top of a file: a fragment a second, for two days.
const MOST: usize = 400_000;

/// An atom at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub name: [u8; 4],
    pub range: Range<u64>,
}

/// An atom within bytes: its first byte, the first of its body, and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    pub start: usize,
    pub body: usize,
    pub end: usize,
}

/// Lists the atoms of a file of `len` bytes. What follows the last and is no atom is left out.
pub(super) fn top_level(file: &mut File, len: u64) -> Result<Vec<Atom>, TagError> {
    let mut all = Vec::new();
    let mut at = 0;
    while at + 8 <= len && all.len() < MOST {
        let head = peek_at(file, at, 16).map_err(reading)?;
        let size = match full_size(&head) {
            (_, 0) => len - at,
            (_, size) => size,
        };
        if size < 8
            || !head[4..8]
                .iter()
                .all(|b| (b' '..=b'~').contains(b) || *b >= 0xa0)
        {
            break;
        }
        let end = at.saturating_add(size).min(len);
        all.push(Atom {
            name: [4, 5, 6, 7].map(|i| head[i]),
            range: at..end,
        });
        at = end;
    }
    Ok(all)
}

/// Reads an atom of a file as bytes, with its header.
pub(super) fn whole(file: &mut File, atom: &Atom) -> Result<Vec<u8>, TagError> {
    let Range { start, end } = atom.range;
    read_at(file, start, end - start).map_err(reading)
}

/// Returns the length of the header of the atom that `bytes` begin with, and its size: 0 up to the
/// end of the file.
pub(super) fn full_size(bytes: &[u8]) -> (usize, u64) {
    let small = bytes.first_chunk().map_or(0, |b| u32::from_be_bytes(*b));
    let large = bytes.get(8..).and_then(|b| b.first_chunk());
    match (small, large) {
        (1, Some(large)) => (16, u64::from_be_bytes(*large)),
        (small, _) => (8, small.into()),
    }
}

/// Lists the atoms in `range` of `bytes`. Up to seven bytes, or four zeros and more, may follow.
///
/// # Errors
/// [`TagError::Damaged`] if one is longer than the range.
pub(super) fn atoms(bytes: &[u8], range: Range<usize>) -> Result<Vec<([u8; 4], Inside)>, TagError> {
    let mut all = Vec::new();
    let mut at = range.start;
    while range.end.saturating_sub(at) >= 8 {
        let rest = &bytes[at..range.end];
        if rest.starts_with(&[0; 4]) {
            break;
        }
        let (header, size) = full_size(rest);
        let end = usize::try_from(size).ok().and_then(|n| at.checked_add(n));
        let end = end.filter(|end| *end <= range.end && *end >= at + header);
        let name = [4, 5, 6, 7].map(|i| rest[i]);
        let end = end.ok_or_else(|| {
            let name = name.escape_ascii();
            TagError::damaged(format!("the size of its atom `{name}` is wrong"))
        })?;
        all.push((
            name,
            Inside {
                start: at,
                body: at + header,
                end,
            },
        ));
        at = end;
    }
    Ok(all)
}

/// Returns the first atom of a name in `range` of `bytes`.
pub(super) fn child(
    bytes: &[u8],
    range: Range<usize>,
    name: &[u8; 4],
) -> Result<Option<Inside>, TagError> {
    let found = atoms(bytes, range)?.into_iter().find(|(n, _)| n == name);
    Ok(found.map(|(_, atom)| atom))
}

/// Returns an atom.
pub(super) fn boxed(name: &[u8; 4], body: &[u8]) -> Result<Vec<u8>, TagError> {
    let size = u32::try_from(8 + body.len())
        .map_err(|_| TagError::unsupported("its tags would be too long"))?;
    Ok([&size.to_be_bytes(), &name[..], body].concat())
}
