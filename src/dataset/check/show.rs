//! The text form of a [`Report`]: counts first, then every fault with its files. Long lists are
//! truncated.

use std::fmt::{Display, Formatter, Result};

use super::gtzan_faults::GtzanFaults;
use super::report::{Count, Duplicate, DuplicateKind, Findings, NearDuplicate, Report};

/// Lines shown per list. The report itself has all.
const SHOWN: usize = 10;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let files: usize = self.classes.iter().map(|class| class.files).sum();
        let readable: usize = self.classes.iter().map(|class| class.readable).sum();
        let seconds = self.durations.map_or(0.0, |d| d.total);
        let (root, classes) = (self.root.display(), self.classes.len());
        writeln!(f, "{root}: {files} files in {classes} classes")?;

        let width = self.classes.iter().map(|class| class.name.chars().count());
        let width = width.max().unwrap_or(0).max("class".len());
        let head = ["class", "files", "readable", "length"];
        let [name, a, b, c] = head;
        writeln!(f, "\n{name:width$} {a:>6} {b:>8} {c:>10}")?;
        for class in &self.classes {
            let (name, length) = (&class.name, length(class.seconds));
            let (files, readable) = (class.files, class.readable);
            writeln!(f, "{name:width$} {files:>6} {readable:>8} {length:>10}")?;
        }
        let (total, length) = ("total", length(seconds));
        writeln!(f, "{total:width$} {files:>6} {readable:>8} {length:>10}\n")?;

        if let Some(d) = self.durations {
            let (min, median, max) = (d.min, d.median, d.max);
            writeln!(f, "length: {min:.2} s to {max:.2} s, median {median:.2} s")?;
            writeln!(f, "sample rates: {}", counted(&self.rates, " Hz"))?;
            writeln!(f, "channels: {}", counted(&self.channels, ""))?;
        }
        let lines = self.unreadable.iter();
        let lines = lines.map(|bad| format!("{}: {}", bad.file, bad.message));
        list(f, "unreadable", lines.collect())?;
        let lines = self.damaged.iter();
        let lines = lines.map(|bad| format!("{}: {}", bad.file, bad.what));
        list(f, "damaged, but readable in part", lines.collect())?;
        let lines = self.silent.iter();
        let lines = lines.map(|bad| format!("{}: {}", bad.file, bad.why()));
        list(f, "silent", lines.collect())?;
        let lines = self.clipped.iter();
        let share = |share: f64| format!("{:.2} % of samples at full scale", share * 100.0);
        let lines = lines.map(|bad| format!("{}: {}", bad.file, share(bad.share)));
        list(
            f,
            "clipped (over 0.1 % of samples at full scale)",
            lines.collect(),
        )?;
        list(f, "duplicates", duplicates(self))?;
        list(f, "the same sound", near_duplicates(self))?;
        if let Some(gtzan) = &self.gtzan {
            show_gtzan(f, gtzan)?;
        }
        let out = self.left_out();
        let out = out.iter().map(|out| format!("{}: {}", out.file, out.why));
        list(f, "to leave out of training", out.collect())?;
        verdict(f, self.findings)
    }
}

/// Writes `none` in one line, or a heading with the number of lines and up to [`SHOWN`] of them.
fn list(f: &mut Formatter<'_>, what: &str, lines: Vec<String>) -> Result {
    if lines.is_empty() {
        return writeln!(f, "{what}: none");
    }
    writeln!(f, "{what}: {}", lines.len())?;
    for line in lines.iter().take(SHOWN) {
        writeln!(f, "  {line}")?;
    }
    match lines.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

/// Returns a line per set of duplicates. Sets across classes come first, because one of their
/// labels is wrong.
fn duplicates(report: &Report) -> Vec<String> {
    let mut sets: Vec<_> = report.duplicates.iter().collect();
    sets.sort_by_key(|set| !set.across_classes);
    let line = |set: &&Duplicate| {
        let same = match set.kind {
            DuplicateKind::Bytes => "same bytes",
            DuplicateKind::Audio => "same audio",
        };
        let across = if set.across_classes {
            " in two classes"
        } else {
            ""
        };
        format!("{same}{across}: {}", set.files.join(" = "))
    };
    sets.iter().map(line).collect()
}

/// Returns a line per pair of files that hold the same sound, those across classes first.
fn near_duplicates(report: &Report) -> Vec<String> {
    let mut pairs: Vec<_> = report.near_duplicates.iter().collect();
    pairs.sort_by_key(|pair| !pair.across_classes);
    let line = |pair: &&NearDuplicate| {
        let NearDuplicate {
            file,
            like,
            offset,
            difference,
            across_classes,
        } = pair;
        let across = if *across_classes {
            ", in two classes"
        } else {
            ""
        };
        let (outer, inner) = match *offset < 0.0 {
            true => (like, file),
            false => (file, like),
        };
        let (at, percent) = (offset.abs(), 100.0 * difference);
        format!("{inner} is in {outer} at {at:.1} s ({percent:.0} % of bits differ{across})")
    };
    pairs.iter().map(line).collect()
}

/// Writes the number of findings of each kind in one line.
fn verdict(f: &mut Formatter<'_>, findings: Findings) -> Result {
    let kinds = [
        (findings.unreadable, "unreadable"),
        (findings.damaged, "damaged"),
        (findings.silent, "silent"),
        (findings.clipped, "clipped"),
        (findings.duplicates, "sets of duplicates"),
        (findings.near_duplicates, "pairs with the same sound"),
        (findings.across_classes, "of these across classes"),
        (findings.left_out, "to leave out"),
    ];
    let found = kinds.iter().filter(|(n, _)| *n > 0);
    let found: Vec<_> = found.map(|(n, what)| format!("{n} {what}")).collect();
    match found.is_empty() {
        true => write!(f, "\nverdict: nothing found"),
        false => write!(f, "\nverdict: {}", found.join(", ")),
    }
}

fn show_gtzan(f: &mut Formatter<'_>, gtzan: &GtzanFaults) -> Result {
    let mut missing = gtzan.missing[..gtzan.missing.len().min(SHOWN)].join(", ");
    if gtzan.missing.len() > SHOWN {
        missing.push_str(", ...");
    }
    match gtzan.missing.len() {
        0 => writeln!(f, "GTZAN: all 1000 files")?,
        n => writeln!(f, "GTZAN: {n} of 1000 files are missing: {missing}")?,
    }
    if let Some(file) = &gtzan.damaged {
        writeln!(f, "GTZAN: {file} is damaged, as in the common copy")?;
    }
    if gtzan.other_rate > 0 {
        let n = gtzan.other_rate;
        writeln!(f, "GTZAN: {n} files are not at its 22050 Hz")?;
    }
    writeln!(
        f,
        "GTZAN: has repeated recordings and wrong labels (Sturm 2013, arXiv:1306.1461): \
         the filtered split keeps them out"
    )
}

/// Formats counts as `22050 Hz (998 files), 44100 Hz (1 file)`.
fn counted(counts: &[Count], unit: &str) -> String {
    let one = |count: &Count| {
        let (value, files) = (count.value, count.files);
        let s = if files == 1 { "" } else { "s" };
        format!("{value}{unit} ({files} file{s})")
    };
    counts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Formats a length as `12.5 s`, `50 min 2 s` or `8 h 20 min`.
fn length(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let all = seconds.round() as u64;
    match (all / 3600, all / 60 % 60, all % 60) {
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
