//! Where the ticks of an axis are, and what they say.

use crate::frontend::config::{Compression, FrontEndConfig, Range, Rows, Scale};
use crate::frontend::tables::hz_to_mel;

/// A tick: its place, as a share of the axis from its low end, and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// The ticks of an axis, and its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) ticks: Vec<Tick>,
}

/// The least distance of two ticks of frequency or of values, as a share of the axis: more of them
/// are not read.
const LEAST: f64 = 1.0 / 14.0;

/// Returns the smallest round number that is at least `least`: 1, 2 or 5 times a power of ten.
fn round_up(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter();
    let found = factor
        .map(|f| f * power)
        .find(|&f| f >= least * (1.0 - 1e-9));
    found.unwrap_or(10.0 * power)
}

/// Returns the multiples of `step` from `from` to `to`, at most a thousand.
fn multiples(step: f64, from: f64, to: f64) -> impl Iterator<Item = f64> {
    let first = (from / step - 1e-9).ceil();
    let last = (to / step + 1e-9).floor();
    let count = (last - first + 1.0).clamp(0.0, 1000.0) as usize;
    (0..count).map(move |i| (first + i as f64) * step)
}

/// Writes a number with as many decimals as `step` has, and a minus sign instead of a hyphen.
fn number(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    format!("{}{text}", if negative { "−" } else { "" })
}

/// Returns the axis of frequency, of `length` pixels with labels of `text` pixels: round numbers of
/// Hz on linear rows, and octaves from 64 Hz up on mel bands.
pub(super) fn frequency(config: &FrontEndConfig, length: f64, text: f64) -> Axis {
    let rows = config.rows() as f64;
    let least = (1.3 * text / length).max(LEAST);
    let nyquist = f64::from(config.sample_rate) / 2.0;
    match config.rows {
        Rows::Linear => {
            let bin = f64::from(config.sample_rate) / config.n_fft as f64;
            let at = |hz: f64| (hz / bin + 0.5) / rows;
            let step = round_up(least * rows * bin);
            let tick = |hz| Tick {
                at: at(hz),
                label: number(hz, step),
            };
            Axis {
                name: "frequency, Hz".into(),
                ticks: multiples(step, 0.0, nyquist).map(tick).collect(),
            }
        }
        Rows::Mel {
            n_mels,
            f_min,
            f_max,
        } => {
            let (low, high) = (hz_to_mel(f_min), hz_to_mel(f_max));
            // The center of band b is point b + 1 of n_mels + 2, from the lowest edge to the
            // highest.
            let band = |hz: f64| (hz_to_mel(hz) - low) / (high - low) * (n_mels + 1) as f64 - 1.0;
            let at = |hz: f64| (band(hz) + 0.5) / rows;
            let mut ticks: Vec<Tick> = Vec::new();
            let octaves = (6..18).map(|octave| f64::from(1 << octave));
            let inside = octaves.filter(|&hz| (0.0..=1.0).contains(&at(hz)));
            // The scale is linear at its low end, where octaves crowd: from the top down, until
            // one has no room.
            for hz in inside.collect::<Vec<_>>().into_iter().rev() {
                let room = 1.3 * text / length;
                if ticks.last().is_some_and(|above| above.at - at(hz) < room) {
                    break;
                }
                ticks.push(Tick {
                    at: at(hz),
                    label: number(hz, 1.0),
                });
            }
            Axis {
                name: "frequency, Hz (mel)".into(),
                ticks,
            }
        }
    }
}

/// Steps of time up to an hour, seconds, from 1 on; below they are round numbers.
const STEPS: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];

/// Returns the axis of time, of `length` pixels, for a clip whose first sample is at `start`
/// seconds. `width` measures a label.
pub(super) fn time(
    config: &FrontEndConfig,
    start: f64,
    length: f64,
    width: impl Fn(&str) -> u32,
) -> Axis {
    let frames = config.frames() as f64;
    let rate = f64::from(config.sample_rate);
    let frame = config.hop as f64 / rate;
    let first = start + (config.n_fft as f64 / 2.0 - config.lead() as f64) / rate;
    // The ends of the first and the last frame's pixels.
    let (from, to) = (first - frame / 2.0, first + (frames - 0.5) * frame);
    let label = |seconds: f64, step: f64| match to {
        to if to < 60.0 => number(seconds, step),
        to => clock(seconds, step, to >= 3600.0),
    };
    // The step for which labels like that of the end have room.
    let step_of = |text: &str| {
        let room = f64::from(width(text)).max(20.0) * 1.6 / length;
        match (room * (to - from)).max(1e-6) {
            least if least <= 0.5 => round_up(least),
            least => STEPS
                .into_iter()
                .find(|&step| step >= least)
                .unwrap_or_else(|| (least / 3600.0).ceil() * 3600.0),
        }
    };
    // A short step has decimals, which need room themselves.
    let step = step_of(&label(to, 1.0));
    let step = step_of(&label(to, step));
    let tick = |seconds: f64| Tick {
        at: (seconds - from) / (to - from),
        label: label(seconds, step),
    };
    Axis {
        name: match to {
            to if to < 60.0 => "time, s",
            to if to < 3600.0 => "time, min:s",
            _ => "time, h:min:s",
        }
        .into(),
        ticks: multiples(step, from.max(0.0), to).map(tick).collect(),
    }
}

/// Writes a time of day's kind: 1:05, 1:05.5, 1:00:05.
fn clock(seconds: f64, step: f64, hours: bool) -> String {
    let decimals = if step < 1.0 {
        (-step.log10().floor()).clamp(0.0, 6.0) as usize
    } else {
        0
    };
    let unit = 10f64.powi(decimals as i32);
    // Rounded first: 59.999 is 1:00.
    let seconds = (seconds.max(0.0) * unit).round() / unit;
    let whole = seconds.floor() as u64;
    let fraction = format!("{:.decimals$}", seconds - whole as f64);
    let fraction = fraction.trim_start_matches('0');
    let (hour, minute, second) = (whole / 3600, whole / 60, whole % 60);
    match hours {
        true => format!("{hour}:{:02}:{second:02}{fraction}", minute % 60),
        false => format!("{minute}:{second:02}{fraction}"),
    }
}

/// Returns the axis of the values between the ends of the color map, of `length` pixels with labels
/// of `text` pixels, for a clip whose values lie in `range`.
pub(super) fn values(config: &FrontEndConfig, range: (f32, f32), length: f64, text: f64) -> Axis {
    let drawn = config.image().range;
    let (low, high) = drawn.ends(range.0, range.1);
    let decibels = !matches!(config.compression, Compression::Log { .. });
    // Relative to the maximum, as `power_to_db(ref=np.max)` gives them.
    let (low, high) = match drawn {
        Range::Top { .. } => (f64::from(low - high), 0.0),
        Range::MinMax => (f64::from(low), f64::from(high)),
    };
    let name = match (config.compression, drawn, config.scale) {
        (Compression::Log { scale }, ..) => format!("log10(1 + {scale} power)"),
        (_, Range::Top { .. }, _) => "dB, 0 = clip maximum".into(),
        (_, _, Scale::Power) => "dB, 0 = power |X|² of 1".into(),
        (_, _, Scale::Psd { fs }) => format!("dB, 0 = density of 1 (fs = {fs})"),
    };
    // Nothing lies between equal ends, and a cell of infinite value has no place.
    let has_length = high > low && (high - low).is_finite();
    if !has_length {
        let label = number(high, 1.0);
        return Axis {
            name,
            ticks: vec![Tick { at: 0.0, label }],
        };
    }
    let least = (1.5 * text / length).max(LEAST) * (high - low);
    let step = match decibels {
        // A tenth of a decibel is nothing that one sees.
        true => round_up(least.max(0.1)),
        false => round_up(least),
    };
    let tick = |value: f64| Tick {
        at: (value - low) / (high - low),
        label: number(value, step),
    };
    Axis {
        name,
        ticks: multiples(step, low, high).map(tick).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::presets::{deeppixel, mel, musicnn};

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    /// Of the mel bands, the weights say where a frequency lies; of the bins, their distance.
    #[test]
    fn frequencies_lie_on_their_rows() {
        let axis = frequency(&mel(), 1000.0, 10.0);
        let all = ["8192", "4096", "2048", "1024", "512", "256", "128", "64"];
        assert_eq!(labels(&axis), all);
        // Bin 95 of 2048 is 1022.8 Hz: it lies in the two bands between whose centers the tick is.
        let row = axis.ticks[3].at * 128.0 - 0.5;
        let weights = crate::frontend::tables::mel_weights(&mel());
        let has = |band: &usize| weights.row(*band).any(|(bin, w)| bin == 95 && w > 0.0);
        let bands: Vec<usize> = (0..128).filter(has).collect();
        assert_eq!(bands, [row.floor() as usize, row.ceil() as usize], "{row}");
        let narrow = frequency(&mel(), 128.0, 14.0);
        assert_eq!(labels(&narrow), ["8192", "4096", "2048", "1024", "512"]);
        let axis = frequency(&deeppixel(), 720.0, 14.0);
        assert_eq!(labels(&axis)[..3], ["0", "1000", "2000"]);
        // Bin 93 of 1025 is 1001.3 Hz.
        let row = axis.ticks[1].at * 1025.0 - 0.5;
        assert!((row - 1000.0 * 2048.0 / 22050.0).abs() < 1e-9, "{row}");
    }

    #[test]
    fn times_are_those_of_the_file() {
        let width = |text: &str| 8 * text.len() as u32;
        let axis = time(&mel(), 0.0, 1292.0, width);
        assert_eq!(axis.name, "time, s");
        assert_eq!(labels(&axis)[..3], ["0", "1", "2"]);
        // Frame 43 is centered on 0.9985 s and lies at 43.5 of 1292 pixels.
        let at = axis.ticks[1].at * 1292.0;
        assert!((at - 43.5 - (1.0 - 43.0 * 512.0 / 22050.0) * 22050.0 / 512.0).abs() < 1e-6);
        let axis = time(&mel(), 60.0, 432.0, width);
        assert_eq!(axis.name, "time, min:s");
        assert_eq!(labels(&axis)[..2], ["1:00", "1:05"]);
        let axis = time(&musicnn(), 7200.0, 400.0, width);
        assert_eq!(axis.name, "time, h:min:s");
        // The first frame is centered 16 ms later.
        assert_eq!(labels(&axis)[0], "2:00:01");
        let short = time(&mel().with_clip_seconds(0.1), 0.0, 400.0, width);
        assert_eq!(labels(&short)[..2], ["0.00", "0.02"]);
        assert_eq!(clock(59.999, 1.0, false), "1:00");
        assert_eq!(clock(3661.25, 0.1, true), "1:01:01.3");
    }

    #[test]
    fn decibels_say_what_zero_is() {
        let axis = values(&mel(), (-100.0, 23.0), 256.0, 14.0);
        assert_eq!(
            labels(&axis),
            ["−80", "−70", "−60", "−50", "−40", "−30", "−20", "−10", "0"]
        );
        assert_eq!(axis.ticks[8].at, 1.0);
        assert!(axis.name.contains("maximum"));
        let axis = values(&deeppixel(), (-103.0, -11.0), 720.0, 14.0);
        assert_eq!(labels(&axis)[..2], ["−100", "−90"]);
        for range in [(5.0, 5.0), (f32::NEG_INFINITY, 0.0), (-3e38, 3e38)] {
            for config in [deeppixel(), mel(), musicnn()] {
                assert!(values(&config, range, 100.0, 14.0).ticks.len() <= 1000);
            }
        }
        assert_eq!(number(-0.01, 1.0), "0");
        assert_eq!([0.11, 0.2, 3.0, 6.0].map(round_up), [0.2, 0.2, 5.0, 10.0]);
    }
}
