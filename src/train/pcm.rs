//! The dataset's PCM, decoded once and kept in memory: 2.6 MB for 30 s, so GTZAN takes 2.6 GB.

use rayon::prelude::*;

use crate::audio::{self, ClipSpan, Loaded};
use crate::dataset::check::SILENT_PEAK;
use crate::dataset::{Dataset, Side, Split, gtzan};

use super::TrainError;

/// One decoded file.
pub struct File {
    /// Index into the dataset's entries.
    pub entry: usize,
    /// Index into the dataset's classes.
    pub class: usize,
    /// Mono, at the front end's rate.
    pub samples: Vec<f32>,
}

/// The decoded files of one side of a split.
pub struct PcmSet {
    /// Files that could be read.
    pub files: Vec<File>,
    /// Files that are left out (unreadable, silent, GTZAN's known damaged one) and files that are used as far as they
    /// go, by name and with the reason.
    pub notes: Vec<String>,
}

impl PcmSet {
    /// Decodes the files of `side` on all cores, calling `tick` after each.
    ///
    /// # Errors
    /// [`TrainError::NothingReadable`] if the side has files and none can be read.
    pub fn load(
        data: &Dataset,
        split: &Split,
        side: Side,
        sample_rate: u32,
        tick: &(dyn Fn() + Sync),
    ) -> Result<Self, TrainError> {
        let decoded: Vec<_> = split
            .side(side)
            .par_iter()
            .map(|&entry| {
                let e = &data.entries[entry];
                let loaded = audio::load(&data.path(e), sample_rate);
                tick();
                (entry, e.class, loaded)
            })
            .collect();
        let (mut files, mut notes) = (Vec::new(), Vec::new());
        for (entry, class, loaded) in decoded {
            let key = data.entries[entry].key();
            match loaded {
                Ok(l) if l.samples.iter().all(|x| x.abs() < SILENT_PEAK) => {
                    notes.push(format!("{key}: left out, it is silent"));
                }
                Ok(Loaded {
                    damaged: Some(damage),
                    ..
                }) if known_damaged(data, entry) => {
                    notes.push(format!(
                        "{key}: left out, damaged in the common copy of GTZAN: {damage}"
                    ));
                }
                Ok(l) => {
                    if let Some(damage) = l.damaged {
                        notes.push(format!("{key}: {damage}; the rest is used"));
                    }
                    files.push(File {
                        entry,
                        class,
                        samples: l.samples,
                    });
                }
                Err(e) => notes.push(format!("{key}: left out, {e}")),
            }
        }
        match notes.first() {
            Some(first) if files.is_empty() => Err(TrainError::NothingReadable {
                side: side.name(),
                first: first.clone(),
            }),
            _ => Ok(Self { files, notes }),
        }
    }

    /// Every clip of every file, as (file, span).
    pub fn clips(&self, clip_samples: usize) -> Vec<(usize, ClipSpan)> {
        self.files
            .iter()
            .enumerate()
            .flat_map(|(i, f)| {
                audio::cut(f.samples.len(), clip_samples)
                    .into_iter()
                    .map(move |span| (i, span))
            })
            .collect()
    }
}

/// Whether the file is the one that is damaged in the common copy of GTZAN.
fn known_damaged(data: &Dataset, entry: usize) -> bool {
    let stem = data.entries[entry].path.file_stem();
    gtzan::is_gtzan(&data.classes) && stem.is_some_and(|s| s == gtzan::DAMAGED)
}
