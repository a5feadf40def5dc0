//! The shapes that are timed, and that a test compares with the CPU reference.

use crate::frontend::config::{FrontEndConfig, Output, Scale, Size, Window};
use crate::frontend::presets;

/// A workload of the front end.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// A stable name, for records and for choosing shapes.
    pub id: &'static str,
    /// The shape in words.
    pub label: &'static str,
    /// Clips per run.
    pub clips: usize,
    /// The configuration of the front end.
    pub front_end: FrontEndConfig,
}

impl Shape {
    /// Returns the bytes that `stft` has to move at least: PCM in, decibels out.
    pub fn stft_bytes(&self) -> u64 {
        self.clips as u64 * 4 * (self.front_end.clip_samples + self.cells()) as u64
    }

    /// Returns the bytes that `rgba` has to move at least: decibels in, images out. Zero if the
    /// output is the spectrogram itself, because then there is no second pass.
    pub fn rgba_bytes(&self) -> u64 {
        let values: usize = match self.front_end.output {
            Output::Image(_) => {
                self.cells() + self.front_end.output_shape().iter().product::<usize>()
            }
            Output::Features => 0,
        };
        self.clips as u64 * 4 * values as u64
    }

    /// Returns the seconds of audio in all clips.
    pub fn seconds(&self) -> f64 {
        let s = &self.front_end;
        (self.clips * s.clip_samples) as f64 / f64::from(s.sample_rate)
    }

    /// Returns the cells of the spectrogram of one clip.
    fn cells(&self) -> usize {
        self.front_end.frames() * self.front_end.rows()
    }
}

/// Returns all shapes: the presets at their own size, a short clip as in training, and every
/// transform length.
pub fn catalog() -> Vec<Shape> {
    let square = |side| {
        Some(Size {
            height: side,
            width: side,
        })
    };
    let mut all = vec![
        Shape {
            id: "deeppixel",
            label: "deeppixel preset, 720x720",
            clips: 16,
            front_end: presets::deeppixel(),
        },
        Shape {
            id: "deeppixel-512",
            label: "deeppixel preset, hop 512",
            clips: 16,
            front_end: FrontEndConfig {
                hop: 512,
                ..presets::deeppixel()
            },
        },
        Shape {
            id: "deeppixel-1",
            label: "deeppixel preset, one clip",
            clips: 1,
            front_end: presets::deeppixel(),
        },
        Shape {
            id: "mel",
            label: "mel preset, 1292x128",
            clips: 16,
            front_end: presets::mel(),
        },
        Shape {
            id: "mel-10s",
            label: "mel preset, 10 s, 216x128",
            clips: 48,
            front_end: FrontEndConfig {
                clip_samples: 220_500,
                ..presets::mel().with_image_size(Some(Size {
                    height: 128,
                    width: 216,
                }))
            },
        },
    ];
    let lengths = [
        ("n256", "n_fft 256, hop 64"),
        ("n512", "n_fft 512, hop 128"),
        ("n1024", "n_fft 1024, hop 256"),
        ("n2048", "n_fft 2048, hop 512"),
        ("n4096", "n_fft 4096, hop 1024"),
        ("n8192", "n_fft 8192, hop 2048"),
    ];
    for (i, (id, label)) in lengths.into_iter().enumerate() {
        let n_fft = 256 << i;
        all.push(Shape {
            id,
            label,
            clips: 8,
            front_end: FrontEndConfig {
                n_fft,
                hop: n_fft / 4,
                clip_samples: 220_500,
                window: Window::HannPeriodic,
                scale: Scale::Power,
                ..presets::deeppixel().with_image_size(square(256))
            },
        });
    }
    all
}

/// Makes `clips` signals of `samples` samples each: gliding tones, each at another pitch, over
/// noise.
pub fn signals(clips: usize, samples: usize) -> Vec<Vec<f32>> {
    (0..clips)
        .map(|clip| {
            let mut state = clip as u32 * 2_654_435_761 + 12_345;
            (0..samples)
                .map(|i| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = (state >> 8) as f64 / f64::from(1u32 << 23) - 1.0;
                    let t = i as f64 / samples as f64;
                    let turns = (0.01 + 0.003 * clip as f64 + 0.1 * t) * i as f64;
                    (0.5 * (std::f64::consts::TAU * turns.fract()).sin() + 0.05 * noise) as f32
                })
                .collect()
        })
        .collect()
}
