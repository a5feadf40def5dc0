//! The places in an MP4 file that say at which byte something lies.
//!
//! | atom | |
//! |---|---|
//! | `stco`, `co64` in `moov` | the chunks of sound |
//! | `tfhd` in `moof` | what a fragment counts from, if it says so |
//! | `tfra` in `mfra` | the fragments, for seeking |

use std::fs::File;
use std::ops::Range;

use super::mp4_atom::{Atom, atoms, full_size, whole};
use crate::tag::error::TagError;
use crate::tag::splice::Splice;

/// Atoms that hold others on the way to one of the tables.
const PARENTS: [&[u8; 4]; 7] = [
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf",
];

/// Returns the splices that add `growth` to every place behind byte `from` of the file. `moov` lies
/// at byte `at`.
pub(super) fn moved(
    file: &mut File,
    top: &[Atom],
    moov: &[u8],
    at: u64,
    from: u64,
    growth: i64,
) -> Result<Vec<Splice>, TagError> {
    let mut moved = Moved {
        from,
        growth,
        splices: Vec::new(),
    };
    moved.tables(moov, full_size(moov).0..moov.len(), at, 0)?;
    for atom in top {
        if matches!(&atom.name, b"moof" | b"mfra") {
            let bytes = whole(file, atom)?;
            let body = full_size(&bytes).0;
            moved.tables(&bytes, body..bytes.len(), atom.range.start, 0)?;
        }
    }
    Ok(moved.splices)
}

struct Moved {
    from: u64,
    growth: i64,
    splices: Vec<Splice>,
}

impl Moved {
    /// Looks at the atoms in `range` of `bytes`, whose first is byte `at` of the file.
    fn tables(
        &mut self,
        bytes: &[u8],
        range: Range<usize>,
        at: u64,
        depth: usize,
    ) -> Result<(), TagError> {
        for (name, atom) in atoms(bytes, range)? {
            let table = &bytes[atom.body..atom.end];
            let here = at + atom.body as u64;
            match &name {
                b"stco" => self.numbers::<4>(table, here)?,
                b"co64" => self.numbers::<8>(table, here)?,
                b"tfhd" if table.get(3).is_some_and(|flags| flags & 1 != 0) => {
                    self.number::<8>(table, here, 8)?;
                }
                b"tfra" => self.fragments(table, here)?,
                name if depth < 8 && PARENTS.contains(&name) => {
                    self.tables(bytes, atom.body..atom.end, at, depth + 1)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves every number of a table, behind its version and its count.
    fn numbers<const N: usize>(&mut self, table: &[u8], at: u64) -> Result<(), TagError> {
        const FIRST: usize = 8;
        let mut new = Vec::new();
        let mut place = FIRST;
        while place + N <= table.len() {
            new.extend(self.moved::<N>(table, place)?);
            place += N;
        }
        // One splice for the table: a day of sound has a million numbers.
        self.splices.push(Splice::over(at + FIRST as u64, new));
        Ok(())
    }

    fn number<const N: usize>(
        &mut self,
        table: &[u8],
        at: u64,
        place: usize,
    ) -> Result<(), TagError> {
        if table.len() >= place + N {
            let new = self.moved::<N>(table, place)?;
            self.splices.push(Splice::over(at + place as u64, new));
        }
        Ok(())
    }

    fn moved<const N: usize>(&self, table: &[u8], place: usize) -> Result<Vec<u8>, TagError> {
        let old = &table[place..place + N];
        let n = old.iter().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        if n < self.from {
            return Ok(old.to_vec());
        }
        let new = n.checked_add_signed(self.growth);
        let fits = new.filter(|n| N == 8 || u32::try_from(*n).is_ok());
        let new = fits.ok_or_else(|| TagError::unsupported("its sound would lie beyond 4 GiB"))?;
        Ok(new.to_be_bytes()[8 - N..].to_vec())
    }

    /// Moves the fragments of a `tfra` table: time and place, then three numbers of one to four
    /// bytes.
    fn fragments(&mut self, table: &[u8], at: u64) -> Result<(), TagError> {
        let Some(&[version, _, _, _, _, _, _, _, _, _, _, sizes, ..]) = table.first_chunk::<12>()
        else {
            return Ok(());
        };
        let tail: usize = [4, 2, 0]
            .map(|bit| usize::from(sizes >> bit & 3) + 1)
            .iter()
            .sum();
        let wide = if version == 1 { 8 } else { 4 };
        let step = 2 * wide + tail;
        let mut place = 16 + wide;
        while place + wide + tail <= table.len() {
            match version {
                1 => self.number::<8>(table, at, place)?,
                _ => self.number::<4>(table, at, place)?,
            }
            place += step;
        }
        Ok(())
    }
}
