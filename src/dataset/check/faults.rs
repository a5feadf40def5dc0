//! From the measurements of every file to the faults of the dataset.

use std::collections::BTreeMap;

use super::gtzan_faults::GtzanFaults;
use super::report::{
    CLIPPED_SHARE, ClassFacts, Clipped, Count, Damaged, Duplicate, DuplicateKind, Durations,
    Findings, NearDuplicate, Report, SILENT_SHARE, Silent, Unreadable,
};
use super::stats::{AudioStats, FileStats};
use crate::audio::SILENT_LEVEL;
use crate::dataset::alike::{Pair, pairs};
use crate::dataset::folder::Dataset;

/// Builds the report from one [`FileStats`] per entry of `data`, in order.
pub(super) fn report(data: &Dataset, files: &[FileStats]) -> Report {
    let keys: Vec<String> = data.entries.iter().map(|e| e.key()).collect();
    let readable: Vec<(usize, &AudioStats)> = (files.iter().enumerate())
        .filter_map(|(i, file)| Some((i, file.audio.as_ref().ok()?)))
        .collect();
    let mut report = Report {
        root: data.root.clone(),
        classes: classes(data, &readable),
        durations: durations(readable.iter().map(|(_, audio)| audio.seconds()).collect()),
        rates: counts(readable.iter().map(|(_, audio)| audio.rate)),
        channels: counts(readable.iter().map(|(_, audio)| u32::from(audio.channels))),
        unreadable: Vec::new(),
        damaged: Vec::new(),
        silent: Vec::new(),
        clipped: Vec::new(),
        duplicates: duplicates(data, files, &keys),
        near_duplicates: near_duplicates(data, files, &keys),
        gtzan: GtzanFaults::of(data, &keys, files),
        findings: Findings::default(),
    };
    for (key, file) in keys.iter().zip(files) {
        classify_faults(&mut report, key, file);
    }
    report.findings = report.count();
    report
}

/// Adds one file to every list of the report that it belongs to.
fn classify_faults(report: &mut Report, key: &str, file: &FileStats) {
    let name = || key.to_owned();
    let audio = match &file.audio {
        Ok(audio) => audio,
        Err((reason, message)) => {
            return report.unreadable.push(Unreadable {
                file: name(),
                reason,
                message: message.clone(),
            });
        }
    };
    if let Some(what) = &audio.damaged {
        report.damaged.push(Damaged {
            file: name(),
            what: what.clone(),
        });
    }
    let share = |samples: u64| samples as f64 / audio.samples as f64;
    let (quiet, clipped) = (share(audio.quiet), share(audio.clipped));
    if audio.level < SILENT_LEVEL || quiet > SILENT_SHARE {
        report.silent.push(Silent {
            file: name(),
            level: audio.level,
            quiet,
        });
    }
    if clipped > CLIPPED_SHARE {
        report.clipped.push(Clipped {
            file: name(),
            share: clipped,
        });
    }
}

fn classes(data: &Dataset, readable: &[(usize, &AudioStats)]) -> Vec<ClassFacts> {
    let mut classes: Vec<_> = (data.classes.iter())
        .map(|name| ClassFacts {
            name: name.clone(),
            files: 0,
            readable: 0,
            seconds: 0.0,
        })
        .collect();
    for entry in &data.entries {
        for &label in &entry.labels {
            classes[label].files += 1;
        }
    }
    for &(i, audio) in readable {
        for &label in &data.entries[i].labels {
            classes[label].readable += 1;
            classes[label].seconds += audio.seconds();
        }
    }
    classes
}

fn durations(mut seconds: Vec<f64>) -> Option<Durations> {
    seconds.sort_by(f64::total_cmp);
    let (min, max) = (*seconds.first()?, *seconds.last()?);
    let (low, high) = ((seconds.len() - 1) / 2, seconds.len() / 2);
    Some(Durations {
        min,
        median: (seconds[low] + seconds[high]) / 2.0,
        max,
        total: seconds.iter().sum(),
    })
}

fn counts(values: impl Iterator<Item = u32>) -> Vec<Count> {
    let mut files = BTreeMap::new();
    for value in values {
        *files.entry(value).or_insert(0) += 1;
    }
    let count = |(value, files)| Count { value, files };
    files.into_iter().map(count).collect()
}

/// Returns the pairs of files that hold the same sound and are not the same.
fn near_duplicates(data: &Dataset, files: &[FileStats], keys: &[String]) -> Vec<NearDuplicate> {
    // Silence sounds like silence, which says nothing.
    let prints: Vec<Vec<u32>> = (files.iter())
        .map(|file| match &file.audio {
            Ok(audio) if audio.level >= SILENT_LEVEL => audio.print.clone(),
            _ => Vec::new(),
        })
        .collect();
    let same = |a: &FileStats, b: &FileStats| match (&a.audio, &b.audio) {
        (Ok(x), Ok(y)) => (x.hash, x.samples, x.rate) == (y.hash, y.samples, y.rate),
        _ => a.bytes.is_some() && a.bytes == b.bytes,
    };
    pairs(&prints)
        .iter()
        .filter(|pair| !same(&files[pair.a], &files[pair.b]))
        .map(
            |&Pair {
                 a,
                 b,
                 offset,
                 difference,
             }| NearDuplicate {
                file: keys[a].clone(),
                like: keys[b].clone(),
                offset,
                difference,
                across_classes: data.entries[a].labels != data.entries[b].labels,
            },
        )
        .collect()
}

/// Returns the sets of files with the same bytes, then the sets with the same audio, each kind
/// sorted by the first file of the set.
fn duplicates(data: &Dataset, files: &[FileStats], keys: &[String]) -> Vec<Duplicate> {
    let mut by_bytes = BTreeMap::<_, Vec<usize>>::new();
    let mut by_audio = BTreeMap::<_, Vec<usize>>::new();
    for (i, file) in files.iter().enumerate() {
        let mut first = true;
        if let Some(bytes) = file.bytes {
            let alike = by_bytes.entry(bytes).or_default();
            alike.push(i);
            first = alike.len() == 1;
        }
        if let (true, Ok(audio)) = (first, &file.audio) {
            let audio = (audio.hash, audio.samples, audio.rate);
            by_audio.entry(audio).or_default().push(i);
        }
    }
    let sets = |kind, mut sets: Vec<Vec<usize>>| {
        sets.retain(|set| set.len() > 1);
        sets.sort_unstable();
        sets.into_iter().map(move |set| Duplicate {
            kind,
            files: set.iter().map(|&i| keys[i].clone()).collect(),
            across_classes: (set.iter())
                .any(|&i| data.entries[i].labels != data.entries[set[0]].labels),
        })
    };
    let bytes = sets(DuplicateKind::Bytes, by_bytes.into_values().collect());
    bytes
        .chain(sets(DuplicateKind::Audio, by_audio.into_values().collect()))
        .collect()
}
