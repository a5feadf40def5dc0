//! The PCM of a subset, decoded once and kept where the front end reads it.
//!
//! 30 s at 22 050 Hz take 2.6 MB, and GTZAN takes 2.6 GB. Files that fit into the allowance stay in
//! the device's memory (the host's, on the `cpu` device). Clips of the other files are decoded
//! again for every request. Where a file is stored does not change the result.

mod prefetch;
mod store;

use std::path::PathBuf;

use rayon::prelude::*;

use self::store::{Place, Store};
use crate::audio::{self, AudioError, ClipRule, ClipSpan, Loaded, MonoReader};
use crate::dataset::error::{DatasetError, Result};
use crate::dataset::folder::Dataset;
use crate::dataset::gtzan;
use crate::dataset::split::{Split, Subset};
use crate::frontend::config::FrontEndConfig;
use crate::frontend::{DeviceSamples, Samples};
use crate::gpu::Compute;

pub(crate) use prefetch::prefetch;

/// Default limit of PCM kept in memory, in bytes. GTZAN fits with room to spare.
pub const PCM_MEMORY: u64 = 4 << 30;

/// One decoded file.
pub struct File {
    /// Index into the dataset's entries.
    pub entry: usize,
    /// Indices into the dataset's classes, ascending.
    pub labels: Vec<usize>,
    /// Number of mono samples at the front end's sample rate, with what the rule for clips adds
    /// at the file's ends.
    pub len: usize,
    /// Root mean square of the samples.
    pub rms: f32,
    path: PathBuf,
    place: Place,
}

/// The decoded files of one subset of a split.
pub struct PcmSet {
    /// Files that could be read.
    pub files: Vec<File>,
    /// A line per file that is left out (unreadable, silent, GTZAN's known damaged one) or used in
    /// part, with its name and the reason.
    pub notes: Vec<String>,
    sample_rate: u32,
    rule: ClipRule,
}

/// The samples of one clip, on the host or on the device.
pub enum ClipPcm {
    /// Exactly `clip_samples` samples.
    Host(Vec<f32>),
    /// In a GPU's memory. The samples fill the start of the clip, and the rest is silence.
    Device(DeviceSamples),
}

impl ClipPcm {
    /// Returns the samples as the front end takes them.
    pub fn samples(&self) -> Samples<'_> {
        match self {
            Self::Host(pcm) => Samples::Host(pcm),
            Self::Device(samples) => Samples::Device(samples),
        }
    }
}

/// Memory for the PCM of all subsets of a split.
pub struct PcmMemory(Store);

impl PcmMemory {
    /// Reserves at most `bytes` bytes in the memory of `compute`.
    pub fn new(compute: &Compute, bytes: u64) -> Self {
        Self(Store::new(compute, bytes))
    }

    /// Returns the number of bytes in use.
    pub fn used(&self) -> u64 {
        self.0.used()
    }
}

impl PcmSet {
    /// Decodes the files of `subset` on all cores for the clips of `front_end` and keeps what fits
    /// into `memory`. Calls `tick` once per file, when that file is done, from any thread.
    ///
    /// # Errors
    /// [`DatasetError::NothingReadable`] if the subset has files and none gives usable audio.
    pub fn load(
        data: &Dataset,
        split: &Split,
        subset: Subset,
        front_end: &FrontEndConfig,
        memory: &PcmMemory,
        tick: &(dyn Fn() + Sync),
    ) -> Result<Self> {
        let (sample_rate, rule) = (front_end.sample_rate, front_end.clip_rule(0.0));
        let decoded: Vec<_> = split
            .subset(subset)
            .par_iter()
            .map(|&entry| {
                let decoded = decode(data, entry, sample_rate, rule, &memory.0);
                tick();
                decoded
            })
            .collect();
        let mut set = Self {
            files: Vec::new(),
            notes: Vec::new(),
            sample_rate,
            rule,
        };
        for (file, note) in decoded {
            set.files.extend(file);
            set.notes.extend(note);
        }
        match set.notes.first() {
            Some(first) if set.files.is_empty() => Err(DatasetError::NothingReadable {
                subset: subset.name(),
                first: first.clone(),
            }),
            _ => Ok(set),
        }
    }

    /// Checks that every class of `data` that has files in a subset has one that can be used.
    /// `listed` are the subset's entries.
    ///
    /// # Errors
    /// [`DatasetError::ClassWithoutSound`].
    pub fn check_classes(&self, data: &Dataset, listed: &[usize]) -> Result<()> {
        for (class, name) in data.classes.iter().enumerate() {
            let mut wanted = listed.iter().map(|&i| &data.entries[i]);
            let Some(first) = wanted.find(|entry| entry.labels.contains(&class)) else {
                continue;
            };
            if self.files.iter().any(|file| file.labels.contains(&class)) {
                continue;
            }
            let key = first.key();
            let note = self.notes.iter().find(|note| note.starts_with(&key));
            return Err(DatasetError::ClassWithoutSound {
                class: name.clone(),
                first: note.cloned().unwrap_or(key),
            });
        }
        Ok(())
    }

    /// Returns every clip of every file as (index into [`PcmSet::files`], span).
    pub fn clips(&self) -> Vec<(usize, ClipSpan)> {
        self.files
            .iter()
            .enumerate()
            .flat_map(|(i, f)| {
                let spans = self.rule.spans(f.len).into_iter();
                spans.map(move |span| (i, span))
            })
            .collect()
    }

    /// Returns the number of files that every request decodes again, because memory was full.
    pub fn streamed(&self) -> usize {
        let on_disk = |f: &&File| matches!(f.place, Place::Disk);
        self.files.iter().filter(on_disk).count()
    }

    /// Returns the samples of `spans`, each padded with silence to the length of a clip. Decodes
    /// those that are not in memory, on all cores.
    ///
    /// # Errors
    /// [`DatasetError::Audio`] if a file that could be read before cannot be read now.
    pub fn fetch(&self, spans: &[(usize, ClipSpan)]) -> Result<Vec<ClipPcm>> {
        let _span = tracing::info_span!("fetch").entered();
        spans
            .par_iter()
            .map(|&(file, span)| self.clip(&self.files[file], span))
            .collect()
    }

    /// Returns the samples of a span on the host, wherever the file is stored.
    ///
    /// # Errors
    /// As [`PcmSet::fetch`].
    pub fn decode(&self, file: usize, span: ClipSpan) -> Result<Vec<f32>> {
        let file = &self.files[file];
        match &file.place {
            Place::Host(samples) => Ok(audio::extract(samples, span, self.rule.len)),
            _ => decode_span(file, span, self.rule, self.sample_rate),
        }
    }

    fn clip(&self, file: &File, span: ClipSpan) -> Result<ClipPcm> {
        let clip = self.rule.len;
        Ok(match &file.place {
            Place::Host(samples) => ClipPcm::Host(audio::extract(samples, span, clip)),
            Place::Device(samples) => {
                let end = span.start + span.len.min(clip);
                ClipPcm::Device(samples.slice(span.start..end))
            }
            Place::Disk => ClipPcm::Host(decode_span(file, span, self.rule, self.sample_rate)?),
        })
    }
}

/// Decodes one file and stores its samples. Returns `None` and a note if the file is left out.
fn decode(
    data: &Dataset,
    entry: usize,
    sample_rate: u32,
    rule: ClipRule,
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
        samples,
        damaged,
        silent,
        ..
    } = loaded;
    if let Err(e) = audio::check_length(samples.len() as u64, sample_rate) {
        return out(e.to_string());
    }
    if silent {
        return out("it is silent".into());
    }
    if let (Some(damage), true) = (&damaged, known_damaged(data, entry)) {
        return out(format!("damaged in the common copy of GTZAN: {damage}"));
    }
    let energy: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    let rms = (energy / samples.len() as f64).sqrt() as f32;
    let samples = rule.prepare(samples);
    let file = File {
        entry,
        labels: e.labels.clone(),
        len: samples.len(),
        rms,
        path,
        place: store.keep(samples),
    };
    let note = damaged.map(|d| format!("{key}: {d}; the rest is used"));
    (Some(file), note)
}

/// Decodes a file up to the end of `span` and keeps only the span, in the memory of two clips and
/// one packet.
fn decode_span(file: &File, span: ClipSpan, rule: ClipRule, rate: u32) -> Result<Vec<f32>> {
    let clip = rule.len;
    let failed = |source: AudioError| DatasetError::Audio {
        path: file.path.clone(),
        source,
    };
    let _span = tracing::info_span!("decode").entered();
    let mut reader = MonoReader::open(&file.path, rate).map_err(failed)?;
    // A file that is as long as one clip may be a short one, which `prepare` fills up.
    if file.len == clip {
        let mut whole = Vec::new();
        while reader.read(&mut whole).map_err(failed)? > 0 {}
        whole.truncate(clip);
        return Ok(audio::extract(&rule.prepare(whole), span, clip));
    }
    let (mut out, mut before) = (Vec::with_capacity(clip), 0);
    let mut block = vec![0.0; rule.margin()];
    let end = span.start + span.len.min(clip);
    while before < end {
        let from = span.start.saturating_sub(before).min(block.len());
        let to = (end - before).min(block.len());
        out.extend_from_slice(&block[from..to]);
        before += block.len();
        block.clear();
        if before < end && reader.read(&mut block).map_err(failed)? == 0 {
            break;
        }
    }
    out.resize(clip, 0.0);
    Ok(out)
}

/// Returns whether the file is the one that is damaged in the common copy of GTZAN.
fn known_damaged(data: &Dataset, entry: usize) -> bool {
    let stem = data.entries[entry].path.file_stem();
    gtzan::is_gtzan(&data.classes) && stem.is_some_and(|s| s == gtzan::DAMAGED)
}
