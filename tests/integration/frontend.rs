//! Promise: the passes compute what the CPU reference and an obvious O(N^2) transform compute.

use std::f64::consts::PI;

use crate::support::{devices, noise, software, tone};
use sonoprint::frontend::config::{
    Compression, Framing, FrontEndConfig, ImageConfig, Output, Range, Rows, Scale, Size, Window,
};
use sonoprint::frontend::gpu::kernels::StftKernel;
use sonoprint::frontend::gpu::plan::{Limits, Plan};
use sonoprint::frontend::{FrontEnd, presets, tables};
use sonoprint::gpu::Compute;

fn linear(n_fft: usize, hop: usize, samples: usize) -> FrontEndConfig {
    FrontEndConfig {
        n_fft,
        hop,
        clip_samples: samples,
        window: Window::HannPeriodic,
        scale: Scale::Power,
        ..presets::deeppixel().with_image_size(None)
    }
}

fn image(range: Range, size: Option<Size>) -> Output {
    Output::Image(ImageConfig {
        range,
        size,
        ..ImageConfig::default()
    })
}

/// Returns |X_k|^2 of one windowed frame by the definition, in f64.
fn dft_power(frame: &[f32], window: &[f32]) -> Vec<f64> {
    let n = frame.len();
    (0..=n / 2)
        .map(|k| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, (x, w)) in frame.iter().zip(window).enumerate() {
                let a = -2.0 * PI * ((i * k) % n) as f64 / n as f64;
                let v = f64::from(*x) * f64::from(*w);
                re += v * a.cos();
                im += v * a.sin();
            }
            re * re + im * im
        })
        .collect()
}

#[test]
fn the_reference_itself_is_right_on_known_pairs() {
    let ones = vec![1.0; 64];
    // An impulse has a flat spectrum, a constant has only DC, a cosine on a bin has (n/2)^2 there.
    let mut impulse = vec![0.0; 64];
    impulse[5] = 1.0;
    assert!(
        dft_power(&impulse, &ones)
            .iter()
            .all(|p| (p - 1.0).abs() < 1e-12)
    );
    let constant = dft_power(&ones, &ones);
    assert!((constant[0] - 4096.0).abs() < 1e-9 && constant[1..].iter().all(|p| *p < 1e-20));
    let cosine: Vec<f32> = (0..64)
        .map(|i| (2.0 * PI * 4.0 * i as f64 / 64.0).cos() as f32)
        .collect();
    let p = dft_power(&cosine, &ones);
    assert!((p[4] - 1024.0).abs() < 1e-3 && p[5] < 1e-9);
}

/// Returns every kernel for frames of `n_fft` on every device; the CPU has one.
fn kernels(n_fft: usize) -> Vec<(&'static str, StftKernel, Compute)> {
    let mut all = Vec::new();
    for (device, compute) in devices() {
        let kernels = match &compute {
            Compute::Cpu => vec![StftKernel::OneFrame],
            Compute::Gpu(gpu) => Plan::possible(n_fft, &Limits::from(&**gpu)),
        };
        all.extend(kernels.into_iter().map(|k| (device, k, compute.clone())));
    }
    all
}

/// Every n_fft and kernel on every device, against the O(N^2) transform: error of the power,
/// relative to the frame's largest.
#[test]
fn every_transform_is_the_dft() {
    for log2 in 8..=13 {
        let n = 1 << log2;
        let signals = [noise(n + n / 2, 7), tone(n + n / 2, 997.3, 0.8)];
        for (device, kernel, compute) in kernels(n) {
            for pcm in &signals {
                let settings = linear(n, n / 2, pcm.len());
                let front_end = FrontEnd::with_kernel(&compute, &settings, kernel).unwrap();
                let got = front_end.spectrograms(&[pcm], &[]).unwrap().remove(0);
                assert_eq!((got.frames, got.rows), (2, n / 2 + 1));
                let window = tables::window(&settings);
                for frame in 0..2 {
                    let want = dft_power(&pcm[frame * n / 2..][..n], &window);
                    let top = want.iter().copied().fold(0.0, f64::max);
                    for (k, w) in want.iter().enumerate() {
                        let power = got
                            .value(&settings, k, frame)
                            .map_or(0.0, |db| 10f64.powf(f64::from(db) / 10.0));
                        let off = (power - w).abs() / top;
                        assert!(
                            off < 2e-6,
                            "{device} {kernel} n_fft {n} frame {frame} bin {k}: {power} for {w}"
                        );
                    }
                }
            }
        }
    }
}

/// Configurations unlike the presets: GPU and CPU reference agree within a hundredth of a decibel
/// over 100 dB. At most one byte in fifty differs, and by no more than one entry of the color
/// table.
#[test]
fn gpu_and_cpu_agree_on_other_configurations() {
    let base = FrontEndConfig {
        clip_samples: 30_000,
        ..presets::mel()
    };
    let all = [
        FrontEndConfig {
            framing: Framing::CenterReflect,
            ..base.clone()
        },
        FrontEndConfig {
            framing: Framing::Start,
            n_fft: 1024,
            hop: 1000,
            ..base.clone().with_image_size(Some(Size {
                height: 33,
                width: 77,
            }))
        },
        FrontEndConfig {
            rows: Rows::Linear,
            compression: Compression::Masked,
            output: image(Range::MinMax, None),
            n_fft: 256,
            hop: 256,
            ..base.clone()
        },
        FrontEndConfig {
            rows: Rows::Linear,
            scale: Scale::Psd { fs: 22_050.0 },
            n_fft: 8192,
            hop: 777,
            ..base.clone().with_image_size(Some(Size {
                height: 3,
                width: 1,
            }))
        },
        FrontEndConfig {
            rows: Rows::Mel {
                n_mels: 17,
                f_min: 100.0,
                f_max: 5000.0,
            },
            n_fft: 4096,
            hop: 4096,
            output: image(
                Range::Top { db: 30.0 },
                Some(Size {
                    height: 300,
                    width: 5,
                }),
            ),
            ..base.clone()
        },
        FrontEndConfig {
            clip_samples: 50,
            framing: Framing::Start,
            ..base
        },
    ];
    for settings in all {
        let mut pcm = noise(settings.clip_samples, 3);
        for x in pcm.iter_mut().skip(11_000).take(9_000) {
            *x = 0.0;
        }
        let [cpu, gpu] = [Compute::Cpu, software()].map(|c| FrontEnd::new(&c, &settings).unwrap());
        let [a, b] = [&cpu, &gpu].map(|e| e.spectrograms(&[&pcm], &[]).unwrap().remove(0));
        let top = a.range.unwrap().1;
        for (i, (x, y)) in a.values.iter().zip(&b.values).enumerate() {
            if *x > top - 100.0 {
                assert!((x - y).abs() < 1e-2, "{settings:?} cell {i}: {x} {y}");
            }
        }
        let [a, b] = [&cpu, &gpu].map(|e| e.images(&[&pcm]).unwrap().remove(0));
        let size = settings.image_size();
        assert_eq!(a.len(), size.height * size.width * 4);
        // A value on the edge between two colors may fall to either side: one entry of the table is
        // up to 6/255.
        let far = a
            .iter()
            .zip(&b)
            .filter(|(x, y)| x.abs_diff(**y) > 6)
            .count();
        assert_eq!(far, 0, "{settings:?}");
        let apart = a.iter().zip(&b).filter(|(x, y)| x != y).count();
        assert!(
            apart * 50 <= a.len(),
            "{settings:?}: {apart} of {} bytes differ",
            a.len()
        );
    }
}

/// Returns how far `got` decibels are from one frame's spectrum in f64: |error| / |spectrum| of the
/// amplitudes.
fn relative_error(frame: &[f32], window: &[f32], got: impl Iterator<Item = Option<f32>>) -> f64 {
    let plan = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(frame.len());
    let mut input: Vec<f64> = frame
        .iter()
        .zip(window)
        .map(|(x, w)| f64::from(*x) * f64::from(*w))
        .collect();
    let mut spectrum = plan.make_output_vec();
    plan.process(&mut input, &mut spectrum).unwrap();
    let (mut off, mut all) = (0.0, 0.0);
    for (z, db) in spectrum.iter().zip(got) {
        let amplitude = db.map_or(0.0, |db| 10f64.powf(f64::from(db) / 20.0));
        off += (amplitude - z.norm()).powi(2);
        all += z.norm_sqr();
    }
    (off / all).sqrt()
}

/// Every accurate kernel, n_fft and device: no frame's spectrum is further from f64's than twice
/// the distance of realfft's f32 (the CPU reference). `packed` is much further where a frame stands
/// beside one 100 dB louder, and is therefore never chosen. Spectra come out as decibels only, and
/// the logarithm's rounding (WGSL allows 2^-21) is therefore granted to all.
#[test]
fn spectra_are_as_good_as_realffts() {
    const LOGARITHM: f64 = 3.5e-7;
    let mut packed_worst = 0.0f64;
    for log2 in 8..=13 {
        let n: usize = 1 << log2;
        let len = 4 * n;
        let two_tones: Vec<f32> = tone(len, 1003.7, 0.9)
            .iter()
            .zip(tone(len, 4001.3, 0.9e-5))
            .map(|(a, b)| a + b)
            .collect();
        // Loud, and 100 dB down from one frame to the next.
        let steps: Vec<f32> = noise(len, 11)
            .iter()
            .enumerate()
            .map(|(i, x)| {
                if (i / n).is_multiple_of(2) {
                    *x
                } else {
                    x * 1e-5
                }
            })
            .collect();
        let signals = [
            ("noise", noise(len, 7)),
            ("tone", tone(len, 997.3, 0.8)),
            ("tones 100 dB apart", two_tones),
            ("frames 100 dB apart", steps),
        ];
        let settings = linear(n, n, len);
        let window = tables::window(&settings);
        for (name, pcm) in &signals {
            let errors = |compute: &Compute, kernel| -> Vec<f64> {
                let front_end = FrontEnd::with_kernel(compute, &settings, kernel).unwrap();
                let got = front_end.spectrograms(&[pcm], &[]).unwrap().remove(0);
                let row = |frame, k| got.value(&settings, k, frame);
                pcm.chunks(n)
                    .enumerate()
                    .map(|(f, x)| relative_error(x, &window, (0..=n / 2).map(|k| row(f, k))))
                    .collect()
            };
            let reference = errors(&Compute::Cpu, StftKernel::OneFrame);
            let most = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
            for (device, kernel, compute) in kernels(n) {
                let ours = most(&errors(&compute, kernel));
                println!(
                    "n_fft {n} {name}: {device} {kernel} {ours:.1e}, realfft {:.1e}",
                    most(&reference)
                );
                if kernel.accurate() {
                    assert!(
                        ours <= 2.0 * most(&reference) + LOGARITHM,
                        "n_fft {n} {name}: {device} {kernel} {ours:e}, realfft {:e}",
                        most(&reference)
                    );
                } else {
                    packed_worst = packed_worst.max(ours);
                }
            }
        }
    }
    assert!(
        packed_worst > 1e-4,
        "packed is accurate after all: {packed_worst:e}"
    );
}

/// Every kernel computes the CPU reference's mel bands and ranges, where frames extend past both
/// ends of the clip.
#[test]
fn every_kernel_computes_the_same_bands() {
    for n_fft in [512, 2048] {
        let settings = FrontEndConfig {
            n_fft,
            hop: 300,
            clip_samples: 9_000,
            rows: Rows::Mel {
                n_mels: 40,
                f_min: 0.0,
                f_max: 11_025.0,
            },
            ..presets::mel()
        };
        let clips = [noise(9_000, 5), noise(9_000, 6)];
        let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
        let reference = FrontEnd::new(&Compute::Cpu, &settings).unwrap();
        let want = reference.spectrograms(&clips, &[]).unwrap();
        for (device, kernel, compute) in kernels(n_fft) {
            let front_end = FrontEnd::with_kernel(&compute, &settings, kernel).unwrap();
            let got = front_end.spectrograms(&clips, &[]).unwrap();
            for (g, w) in got.iter().zip(&want) {
                let what = format!("{device} {kernel} n_fft {n_fft}");
                let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-3, "{what}: {a} for {b}");
                g.values
                    .iter()
                    .zip(&w.values)
                    .for_each(|(a, b)| near(*a, *b));
                let (g, w) = (g.range.unwrap(), w.range.unwrap());
                near(g.0, w.0);
                near(g.1, w.1);
            }
        }
    }
}
