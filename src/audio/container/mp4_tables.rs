//! The tables of samples of an MP4 track: where its chunks lie, and how long its packets are.

use super::bytes::{u32_at, u64_at};
use super::mp4_atoms::{Track, find};

/// One chunk of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// First byte in the file.
    pub start: u64,
    /// Samples in it.
    pub samples: u64,
}

/// The lengths of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spacing {
    /// Ticks of every packet but the last.
    pub ticks: u64,
    /// Number of packets.
    pub packets: u64,
    /// Ticks of all packets.
    pub total: u64,
}

impl Track {
    /// Returns the lengths of the track's packets. `None` if they differ.
    pub(super) fn spacing(&self, bytes: &[u8]) -> Option<Spacing> {
        let times = find(bytes, self.table.clone(), &[b"stts"])?;
        let count = u32_at(bytes, times.start + 4)? as usize;
        let mut runs = Vec::new();
        for i in 0..count.min((times.len().saturating_sub(8)) / 8) {
            let at = times.start + 8 + 8 * i;
            runs.push((
                u64::from(u32_at(bytes, at)?),
                u64::from(u32_at(bytes, at + 4)?),
            ));
        }
        runs.retain(|&(packets, _)| packets > 0);
        let ticks = runs.first()?.1;
        let is_even = match runs.as_slice() {
            [.., (1, last)] if runs.len() > 1 => {
                *last <= ticks && runs[..runs.len() - 1].iter().all(|run| run.1 == ticks)
            }
            runs => runs.iter().all(|run| run.1 == ticks),
        };
        (is_even && ticks > 0).then(|| Spacing {
            ticks,
            packets: runs.iter().map(|run| run.0).sum(),
            total: runs.iter().map(|run| run.0 * run.1).sum(),
        })
    }

    /// Returns the chunks of the track in the order of time. `block` is the number of bytes per
    /// block, and `frames` that of frames in it.
    pub(super) fn chunks(&self, bytes: &[u8], block: u64, frames: u64) -> Vec<Chunk> {
        let table = |kind| find(bytes, self.table.clone(), &[kind]);
        let (offsets, width) = match (table(b"stco"), table(b"co64")) {
            (Some(offsets), _) => (offsets, 4),
            (None, Some(offsets)) => (offsets, 8),
            (None, None) => return Vec::new(),
        };
        let Some(runs) = table(b"stsc") else {
            return Vec::new();
        };
        let mut chunks = Vec::new();
        let mut run = runs.start + 8;
        let mut samples = u32_at(bytes, run + 4).unwrap_or(0);
        for i in 0..(offsets.len().saturating_sub(8) / width) {
            let next = run + 12;
            if next + 12 <= runs.end && u32_at(bytes, next) == Some(i as u32 + 1) {
                run = next;
                samples = u32_at(bytes, run + 4).unwrap_or(0);
            }
            let at = offsets.start + 8 + i * width;
            let start = match width {
                4 => u32_at(bytes, at).map(u64::from),
                _ => u64_at(bytes, at),
            };
            chunks.extend(start.map(|start| Chunk {
                start,
                samples: u64::from(samples),
            }));
        }
        // Apple counts frames of compressed blocks, others the blocks.
        if let Some(sizes) = table(b"stsz")
            && u32_at(bytes, sizes.start + 4).is_some_and(|size| u64::from(size) == block)
        {
            chunks.iter_mut().for_each(|chunk| chunk.samples *= frames);
        }
        chunks
    }
}
