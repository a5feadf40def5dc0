//! A record for people, and as CSV.

use std::path::Path;

use crate::bench::{Changed, Measured, Record, Stat, Verdict};

/// What stands over the rows.
pub fn head(found: &Record) -> String {
    let mut text = match &found.adapter {
        Some(a) => format!("{}, driver {}, {}", a.name, a.driver, a.backend),
        None => found.device.clone(),
    };
    if found.software {
        text += match found.adapter {
            Some(_) => "\nSOFTWARE RASTERIZER: its figures say little about a card",
            None => "\nNO GPU: these are figures of the processor",
        };
    }
    let limits = found.limits.iter().map(|(name, n)| format!("{name} {n}"));
    let limits: Vec<String> = limits.collect();
    if !limits.is_empty() {
        text += &format!("\nlimits: {}", limits.join(", "));
    }
    let clock = match found.clock.as_str() {
        "timestamps" => "the GPU's timestamps",
        _ => "the host's clock around a wait",
    };
    text += &format!(
        "\ncopy kernel: {:.1} GB/s; times by {clock}, medians of {} runs ± median distance\n\n",
        found.copy_gigabytes_per_second, found.runs
    );
    text + &format!(
        "{:<14} {:>5} {:>16} {:>16} {:>9} {:>10} {:>7} {:>7}  shape",
        "", "clips", "stft ms", "rgba ms", "clips/s", "real time", "GB/s", "of copy"
    )
}

/// One shape, with its rivals below it.
pub fn row(m: &Measured, copy: f64) -> String {
    let mut text = format!(
        "{:<14} {:>5} {:>16} {:>16} {:>9.0} {:>9.0}x {:>7.2} {:>6.1}%  {}",
        m.id,
        m.clips,
        milliseconds(&m.stft),
        m.rgba.as_ref().map_or("(with stft)".into(), milliseconds),
        m.clips_per_second(),
        m.times_real_time(),
        m.gigabytes_per_second(),
        100.0 * m.gigabytes_per_second() / copy,
        m.label
    );
    for rival in &m.rivals {
        text += &format!("\n    {:<16}{:>16}", rival.name, milliseconds(&rival.db));
        if m.rgba.is_some() {
            text += &format!(" = {:.2} times ours", rival.db.median / m.stft.median);
        }
        if rival.wrong_picture {
            text += "; its pictures are wrong: not timed";
        }
        if let Some(picture) = &rival.picture {
            text += &format!(
                "; to the picture {}, {:.2} times",
                milliseconds(picture),
                picture.median / m.total()
            );
        }
    }
    text
}

fn milliseconds(stat: &Stat) -> String {
    format!("{:.2} ±{:.2}", 1e3 * stat.median, 1e3 * stat.spread)
}

/// One line of a comparison.
pub fn verdict(c: &Changed) -> String {
    let verdict = match c.verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "SLOWER",
        Verdict::Same => "the same, as far as noise lets one see",
    };
    format!(
        "{:<18} {:.3} of the old time (noise {:.1} %): {verdict}",
        c.id,
        c.ratio,
        100.0 * c.noise
    )
}

/// A row a shape, and a row a rival of it.
pub fn write_csv(path: &Path, found: &Record) -> csv::Result<()> {
    let mut csv = csv::Writer::from_path(path)?;
    csv.write_record([
        "device",
        "software",
        "clock",
        "id",
        "rival",
        "clips",
        "stft_ms",
        "stft_spread_ms",
        "rgba_ms",
        "rgba_spread_ms",
        "total_ms",
        "clips_per_second",
        "times_real_time",
        "gigabytes_per_second",
        "copy_gigabytes_per_second",
    ])?;
    let number = |n: f64| format!("{n:.4}");
    let stat = |s: Option<&Stat>| match s {
        Some(s) => [number(1e3 * s.median), number(1e3 * s.spread)],
        None => Default::default(),
    };
    for m in &found.shapes {
        let words = |rival: &str| {
            [
                found.device.clone(),
                found.software.to_string(),
                found.clock.clone(),
                m.id.clone(),
                rival.to_owned(),
                m.clips.to_string(),
            ]
        };
        let rates = |total: f64| {
            let a_second = 1.0 / total;
            [
                1e3 * total,
                m.clips as f64 * a_second,
                m.audio_seconds * a_second,
                (m.stft_bytes + m.rgba_bytes) as f64 / 1e9 * a_second,
                found.copy_gigabytes_per_second,
            ]
            .map(number)
        };
        csv.write_record(
            words("")
                .into_iter()
                .chain(stat(Some(&m.stft)))
                .chain(stat(m.rgba.as_ref()))
                .chain(rates(m.total())),
        )?;
        for rival in &m.rivals {
            let rates = match &rival.picture {
                Some(p) => rates(p.median),
                None => Default::default(),
            };
            csv.write_record(
                words(&rival.name)
                    .into_iter()
                    .chain(stat(Some(&rival.db)))
                    .chain(stat(None))
                    .chain(rates),
            )?;
        }
    }
    csv.flush()?;
    Ok(())
}
