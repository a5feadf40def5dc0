//! A record as lines on a terminal.

use crate::bench::{BaselineTimes, Change, Record, ShapeTimes, Stat, Verdict};

/// Describes the device and names the columns.
pub fn head(record: &Record) -> String {
    let mut text = match &record.adapter {
        Some(a) => format!("{}, driver {}, {}", a.name, a.driver, a.backend),
        None => record.device.clone(),
    };
    if record.software {
        text += match record.adapter {
            Some(_) => "\nSOFTWARE RASTERIZER: these times say little about a GPU",
            None => "\nNO GPU: these are times of the CPU",
        };
    }
    let limits = record.limits.iter().map(|(name, n)| format!("{name} {n}"));
    let limits: Vec<String> = limits.collect();
    if !limits.is_empty() {
        text += &format!("\nlimits: {}", limits.join(", "));
    }
    let clock = match record.clock.as_str() {
        "timestamps" => "the GPU's timestamps",
        _ => "the host's clock around a wait",
    };
    text += &format!(
        "\ncopy kernel: {:.1} GB/s\nruns: {}; times are medians ± spread, by {clock}\nstft: PCM to decibels; rgba: decibels to features\n\n",
        record.copy_gigabytes_per_second, record.runs
    );
    text + &format!(
        "{:<14} {:>5} {:>16} {:>16} {:>9} {:>10} {:>7} {:>7}  description",
        "shape", "clips", "stft ms", "rgba ms", "clips/s", "real time", "GB/s", "of copy"
    )
}

/// Describes the times of one shape, with its baselines below.
pub fn rows(times: &ShapeTimes, copy: f64) -> String {
    let mut text = format!(
        "{:<14} {:>5} {:>16} {:>16} {:>9.0} {:>9.0}x {:>7.2} {:>6.1}%  {}",
        times.id,
        times.clips,
        milliseconds(&times.stft),
        times
            .rgba
            .as_ref()
            .map_or("(with stft)".into(), milliseconds),
        times.clips_per_second(),
        times.times_real_time(),
        times.gigabytes_per_second(),
        100.0 * times.gigabytes_per_second() / copy,
        times.label
    );
    for baseline in &times.baselines {
        text += &baseline_row(baseline, times);
    }
    for baseline in &times.wrong_baselines {
        let (name, difference) = (&baseline.name, &baseline.difference);
        text += &format!("\n    {name:<20} is wrong here and was not timed: {difference}");
    }
    text
}

fn baseline_row(baseline: &BaselineTimes, ours: &ShapeTimes) -> String {
    let db = milliseconds(&baseline.db);
    let mut text = format!("\n    {:<20}{db:>16} ms to decibels", baseline.name);
    if ours.rgba.is_some() {
        let ratio = baseline.db.median / ours.stft.median;
        text += &format!(" ({ratio:.2} times ours)");
    }
    if baseline.wrong_features {
        text += "; its features are wrong and were not timed";
    }
    if let Some(features) = &baseline.features {
        text += &format!(
            "; {} ms to features ({:.2} times ours)",
            milliseconds(features),
            features.median / ours.total()
        );
    }
    text
}

fn milliseconds(stat: &Stat) -> String {
    format!("{:.2} ±{:.2}", 1e3 * stat.median, 1e3 * stat.spread)
}

/// Describes the change of one entry since an older record.
pub fn change(c: &Change) -> String {
    let verdict = match c.verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "SLOWER",
        Verdict::Same => "no change beyond noise",
    };
    format!(
        "{:<18} {:.3} of the old time (noise {:.1} %): {verdict}",
        c.id,
        c.ratio,
        100.0 * c.noise
    )
}
