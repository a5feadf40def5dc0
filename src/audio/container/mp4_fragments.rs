//! The time stamps of a fragmented MP4 file (ISO/IEC 14496-12, 8.8).
//!
//! Each fragment says when it begins. symphonia's reader counts on from the fragment before, so a
//! fragment that is lost would bring all later ones forward.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::bytes::{u32_at, u64_at};
use super::mp4_atoms::{atoms, find, head_of_atom};

/// The largest header of a fragment in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Where the fragments of a track begin, in ticks.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// By the count of ticks before it, and by its own word. Ascending.
    starts: Vec<(i64, i64)>,
}

impl Fragments {
    /// Reads the headers of the fragments that follow byte `at` of `file`, which is `len` bytes
    /// long. `moov` holds the index, whose contents are `body`.
    pub(super) fn read(
        file: &mut File,
        mut at: u64,
        len: u64,
        track: u32,
        (moov, body): (&[u8], Range<usize>),
    ) -> io::Result<Self> {
        let Some(extends) = find(moov, body, &[b"mvex"]) else {
            return Ok(Self::default());
        };
        let default = atoms(moov, extends).into_iter().find_map(|atom| {
            let is_it = &atom.kind == b"trex" && u32_at(moov, atom.body.start + 4) == Some(track);
            u32_at(moov, atom.body.start + 12).filter(|_| is_it)
        });
        let mut starts: Vec<(i64, i64)> = Vec::new();
        let mut counted = 0_i64;
        while let Some((kind, size)) = head_of_atom(file, at, len)? {
            if size < 8 {
                break;
            }
            if &kind == b"moof" && size <= LARGEST {
                let mut bytes = Vec::new();
                file.seek(SeekFrom::Start(at))?;
                (&mut *file).take(size).read_to_end(&mut bytes)?;
                if let Some((start, ticks)) = fragment(&bytes, track, default.unwrap_or(0)) {
                    starts.extend(start.map(|start| (counted, start)));
                    counted = counted.saturating_add(ticks);
                }
            }
            at = at.saturating_add(size);
        }
        // A part of a broadcast begins late.
        if let Some(&(counted, first)) = starts.first() {
            for (_, start) in &mut starts {
                *start = start.saturating_sub(first.saturating_sub(counted));
            }
        }
        Ok(Self { starts })
    }

    /// Returns whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Converts a count of ticks to the time stamp that the fragments state.
    pub(super) fn stamp(&self, ticks: i64) -> i64 {
        let behind = self
            .starts
            .partition_point(|&(counted, _)| counted <= ticks);
        match behind.checked_sub(1).map(|i| self.starts[i]) {
            Some((counted, start)) => ticks.saturating_add(start.saturating_sub(counted)),
            None => ticks,
        }
    }
}

/// Reads a `moof` atom. Returns where it says that `track` begins in it, and the ticks of its
/// samples. `None` if it has nothing of that track.
fn fragment(bytes: &[u8], track: u32, default: u32) -> Option<(Option<i64>, i64)> {
    let moof = find(bytes, 0..bytes.len(), &[b"moof"])?;
    let (mut start, mut ticks, mut any) = (None, 0_i64, false);
    for traf in atoms(bytes, moof) {
        let Some(header) = find(bytes, traf.body.clone(), &[b"tfhd"]) else {
            continue;
        };
        if u32_at(bytes, header.start + 4) != Some(track) {
            continue;
        }
        any = true;
        let default = default_duration(bytes, header.start).unwrap_or(default);
        for atom in atoms(bytes, traf.body) {
            let at = atom.body.start;
            match &atom.kind {
                b"tfdt" if start.is_none() => {
                    start = match bytes.get(at) {
                        Some(1) => u64_at(bytes, at + 4).and_then(|t| i64::try_from(t).ok()),
                        _ => u32_at(bytes, at + 4).map(i64::from),
                    };
                }
                b"trun" => ticks = ticks.saturating_add(run(bytes, atom.body, default)),
                _ => {}
            }
        }
    }
    any.then_some((start, ticks))
}

/// Reads the duration of samples that a `tfhd` atom states for those without their own.
fn default_duration(bytes: &[u8], at: usize) -> Option<u32> {
    let flags = u32_at(bytes, at)?;
    let skipped = 8 * (flags & 1) + 4 * (flags >> 1 & 1);
    match flags & 8 {
        0 => None,
        _ => u32_at(bytes, at + 8 + skipped as usize),
    }
}

/// Returns the ticks of the samples of a `trun` atom.
fn run(bytes: &[u8], body: Range<usize>, default: u32) -> i64 {
    let (Some(flags), Some(count)) = (u32_at(bytes, body.start), u32_at(bytes, body.start + 4))
    else {
        return 0;
    };
    if flags & 0x100 == 0 {
        return i64::from(count).saturating_mul(i64::from(default));
    }
    let header = 8 + 4 * (flags & 1) as usize + 4 * (flags >> 2 & 1) as usize;
    let size = 4 * (flags >> 8 & 15).count_ones() as usize;
    (0..count as usize)
        .map(|i| body.start + header + i * size)
        .take_while(|at| at + size <= body.end)
        .filter_map(|at| u32_at(bytes, at))
        .map(i64::from)
        .sum()
}
