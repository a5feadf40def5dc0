//! The dataset's PCM: decoded once, and kept where the front end reads it, as far as it fits.
//!
//! 30 s at 22 050 Hz are 2.6 MB, so GTZAN takes 2.6 GB. What fits into the allowance stays in the device's memory (the
//! host's, on the `cpu` device); clips of the other files are decoded anew each time they are asked for. Where a file
//! lies changes nothing about the result.

mod store;

use std::path::PathBuf;

use rayon::prelude::*;

use self::store::{Place, Store};
use crate::audio::{self, AudioError, ClipSpan, Loaded, MonoReader};
use crate::dataset::check::SILENT_PEAK;
use crate::dataset::{Dataset, DatasetError, Split, Subset, gtzan};
use crate::frontend::{DeviceSamples, Samples};
use crate::gpu::Compute;

/// Bytes of PCM kept in memory unless something else is asked for: GTZAN with room to spare.
pub const PCM_MEMORY: u64 = 4 << 30;

/// One decoded file.
pub struct File {
    /// Index into the dataset's entries.
    pub entry: usize,
    /// Index into the dataset's classes.
    pub class: usize,
    /// Mono samples at the front end's rate.
    pub len: usize,
    /// Root of the mean of their squares.
    pub rms: f32,
    path: PathBuf,
    place: Place,
}

/// The decoded files of one side of a split.
pub struct PcmSet {
    /// Files that could be read.
    pub files: Vec<File>,
    /// Files that are left out (unreadable, silent, GTZAN's known damaged one) and files that are used as far as they
    /// go, by name and with the reason.
    pub notes: Vec<String>,
    sample_rate: u32,
}

/// The samples of one clip, on the host or on the device.
pub enum ClipPcm {
    /// `clip_samples` of them.
    Host(Vec<f32>),
    /// In a GPU's memory; the rest of the clip is silence.
    Device(DeviceSamples),
}

impl ClipPcm {
    /// As the front end takes it.
    pub fn samples(&self) -> Samples<'_> {
        match self {
            Self::Host(pcm) => Samples::Host(pcm),
            Self::Device(samples) => Samples::Device(samples),
        }
    }
}

/// Memory for the PCM of all sides of a split.
pub struct PcmMemory(Store);

impl PcmMemory {
    /// At most `bytes`, in the memory of `compute`.
    pub fn new(compute: &Compute, bytes: u64) -> Self {
        Self(Store::new(compute, bytes))
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.0.used()
    }
}

impl PcmSet {
    /// Decodes the files of `side` on all cores, calling `tick` after each, and keeps what fits into `memory`.
    ///
    /// # Errors
    /// [`DatasetError::NothingReadable`] if the side has files and none can be read.
    pub fn load(
        data: &Dataset,
        split: &Split,
        side: Subset,
        sample_rate: u32,
        memory: &PcmMemory,
        tick: &(dyn Fn() + Sync),
    ) -> Result<Self, DatasetError> {
        let decoded: Vec<_> = split
            .side(side)
            .par_iter()
            .map(|&entry| {
                let decoded = decode(data, entry, sample_rate, &memory.0);
                tick();
                decoded
            })
            .collect();
        let mut set = Self {
            files: Vec::new(),
            notes: Vec::new(),
            sample_rate,
        };
        for (file, note) in decoded {
            set.files.extend(file);
            set.notes.extend(note);
        }
        match set.notes.first() {
            Some(first) if set.files.is_empty() => Err(DatasetError::NothingReadable {
                side: side.name(),
                first: first.clone(),
            }),
            _ => Ok(set),
        }
    }

    /// Every clip of every file, as (file, span).
    pub fn clips(&self, clip_samples: usize) -> Vec<(usize, ClipSpan)> {
        self.files
            .iter()
            .enumerate()
            .flat_map(|(i, f)| {
                audio::cut(f.len, clip_samples)
                    .into_iter()
                    .map(move |span| (i, span))
            })
            .collect()
    }

    /// Files that are decoded anew for each of their clips, since memory was full.
    pub fn streamed(&self) -> usize {
        let on_disk = |f: &&File| matches!(f.place, Place::Disk);
        self.files.iter().filter(on_disk).count()
    }

    /// The samples of `spans`, each padded with silence to `clip_samples`; decoded on all cores where they are not in
    /// memory.
    ///
    /// # Errors
    /// [`DatasetError::Audio`] if a file that could be read before cannot be now.
    pub fn fetch(
        &self,
        spans: &[(usize, ClipSpan)],
        clip_samples: usize,
    ) -> Result<Vec<ClipPcm>, DatasetError> {
        let _span = tracing::info_span!("fetch").entered();
        spans
            .par_iter()
            .map(|&(file, span)| self.clip(&self.files[file], span, clip_samples))
            .collect()
    }

    /// The samples of a span on the host, wherever the file lies.
    ///
    /// # Errors
    /// As [`PcmSet::fetch`].
    pub fn decode(
        &self,
        file: usize,
        span: ClipSpan,
        clip_samples: usize,
    ) -> Result<Vec<f32>, DatasetError> {
        let file = &self.files[file];
        match &file.place {
            Place::Host(samples) => Ok(audio::extract(samples, span, clip_samples)),
            _ => stretch(file, span, clip_samples, self.sample_rate),
        }
    }

    fn clip(&self, file: &File, span: ClipSpan, clip: usize) -> Result<ClipPcm, DatasetError> {
        Ok(match &file.place {
            Place::Host(samples) => ClipPcm::Host(audio::extract(samples, span, clip)),
            Place::Device(samples) => {
                let end = span.start + span.len.min(clip);
                ClipPcm::Device(samples.slice(span.start..end))
            }
            Place::Disk => ClipPcm::Host(stretch(file, span, clip, self.sample_rate)?),
        })
    }
}

/// Reads one file, and finds it a place; `None` and a note if it is left out.
fn decode(
    data: &Dataset,
    entry: usize,
    sample_rate: u32,
    store: &Store,
) -> (Option<File>, Option<String>) {
    let e = &data.entries[entry];
    let (path, key) = (data.path(e), e.key());
    let out = |why: String| (None, Some(format!("{key}: left out, {why}")));
    let loaded = match audio::load(&path, sample_rate) {
        Ok(loaded) => loaded,
        Err(e) => return out(e.to_string()),
    };
    let Loaded {
        samples, damaged, ..
    } = loaded;
    if samples.iter().all(|x| x.abs() < SILENT_PEAK) {
        return out("it is silent".into());
    }
    if let (Some(damage), true) = (&damaged, known_damaged(data, entry)) {
        return out(format!("damaged in the common copy of GTZAN: {damage}"));
    }
    let energy: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    let file = File {
        entry,
        class: e.class,
        len: samples.len(),
        rms: (energy / samples.len() as f64).sqrt() as f32,
        path,
        place: store.keep(samples),
    };
    let note = damaged.map(|d| format!("{key}: {d}; the rest is used"));
    (Some(file), note)
}

/// Decodes a file up to the end of `span`, and keeps that alone: memory for one clip and a packet.
fn stretch(file: &File, span: ClipSpan, clip: usize, rate: u32) -> Result<Vec<f32>, DatasetError> {
    let failed = |source: AudioError| DatasetError::Audio {
        path: file.path.clone(),
        source,
    };
    let _span = tracing::info_span!("decode").entered();
    let mut reader = MonoReader::open(&file.path, rate).map_err(failed)?;
    let (mut out, mut block, mut before) = (Vec::with_capacity(clip), Vec::new(), 0);
    let end = span.start + span.len.min(clip);
    while before < end && reader.read(&mut block).map_err(failed)? > 0 {
        let from = span.start.saturating_sub(before).min(block.len());
        let to = (end - before).min(block.len());
        out.extend_from_slice(&block[from..to]);
        before += block.len();
        block.clear();
    }
    out.resize(clip, 0.0);
    Ok(out)
}

/// Whether the file is the one that is damaged in the common copy of GTZAN.
fn known_damaged(data: &Dataset, entry: usize) -> bool {
    let stem = data.entries[entry].path.file_stem();
    gtzan::is_gtzan(&data.classes) && stem.is_some_and(|s| s == gtzan::DAMAGED)
}
