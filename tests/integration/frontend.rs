//! Promise: the passes do what their twins and an obvious O(N^2) transform do, and no clip looks at another.

use std::f64::consts::PI;

use crate::support::{devices, noise, software, tone};
use sonoprint::frontend::config::{
    Compression, Framing, FrontEndConfig, ImageConfig, Output, Range, Rows, Scale, Size, Window,
};
use sonoprint::frontend::gpu::kernels::StftKernel;
use sonoprint::frontend::gpu::plan::{Limits, Plan, PlanError};
use sonoprint::frontend::presets::UnknownPreset;
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

/// |X_k|^2 of one windowed frame, by the definition, in f64.
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

/// Every way to frames of `n_fft` on every device; the CPU has one.
fn ways(n_fft: usize) -> Vec<(&'static str, StftKernel, Compute)> {
    let mut all = Vec::new();
    for (device, compute) in devices() {
        let variants = match &compute {
            Compute::Cpu => vec![StftKernel::OneFrame],
            Compute::Gpu(gpu) => Plan::possible(n_fft, &Limits::from(&**gpu)),
        };
        all.extend(variants.into_iter().map(|v| (device, v, compute.clone())));
    }
    all
}

/// Every n_fft, by every way, on every device, against the O(N^2) transform: error of the power, relative to the frame's largest.
#[test]
fn every_transform_is_the_dft() {
    for log2 in 8..=13 {
        let n = 1 << log2;
        let signals = [noise(n + n / 2, 7), tone(n + n / 2, 997.3, 0.8)];
        for (device, variant, compute) in ways(n) {
            for pcm in &signals {
                let settings = linear(n, n / 2, pcm.len());
                let engine = FrontEnd::with_kernel(&compute, &settings, variant).unwrap();
                let got = engine.spectrograms(&[pcm], &[]).unwrap().remove(0);
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
                            "{device} {variant} n_fft {n} frame {frame} bin {k}: {power} for {w}"
                        );
                    }
                }
            }
        }
    }
}

/// Settings unlike the presets: GPU and CPU twin within a hundredth of a decibel over 100 dB, pixels within 2/255.
#[test]
fn gpu_and_twin_agree_on_other_settings() {
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
        for (i, (x, y)) in a.db.iter().zip(&b.db).enumerate() {
            if *x > top - 100.0 {
                assert!((x - y).abs() < 1e-2, "{settings:?} cell {i}: {x} {y}");
            }
        }
        let [a, b] = [&cpu, &gpu].map(|e| e.bytes(&[&pcm]).unwrap().remove(0));
        let size = settings.image_size();
        assert_eq!(a.len(), size.height * size.width * 4);
        // A value on the edge between two colors may fall to either side: one entry of the table is up to 6/255.
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

/// Amplitudes of one frame's spectrum by f64, and how far `got` decibels are from them in proportion: |error| / |spectrum|.
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

/// Every accurate way, every n_fft, every device: the spectrum of no frame is further from f64's than twice what
/// realfft's f32 (the CPU twin) is; `packed` is, by far, where a frame stands beside one 100 dB louder, and so it is not
/// chosen. Spectra come out as decibels only, so the logarithm's rounding (2^-21 is what WGSL allows) is granted to all.
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
            let errors = |compute: &Compute, variant| -> Vec<f64> {
                let engine = FrontEnd::with_kernel(compute, &settings, variant).unwrap();
                let got = engine.spectrograms(&[pcm], &[]).unwrap().remove(0);
                let row = |frame, k| got.value(&settings, k, frame);
                pcm.chunks(n)
                    .enumerate()
                    .map(|(f, x)| relative_error(x, &window, (0..=n / 2).map(|k| row(f, k))))
                    .collect()
            };
            let twin = errors(&Compute::Cpu, StftKernel::OneFrame);
            let most = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
            for (device, variant, compute) in ways(n) {
                let ours = most(&errors(&compute, variant));
                println!(
                    "n_fft {n} {name}: {device} {variant} {ours:.1e}, realfft {:.1e}",
                    most(&twin)
                );
                if variant.accurate() {
                    assert!(
                        ours <= 2.0 * most(&twin) + LOGARITHM,
                        "n_fft {n} {name}: {device} {variant} {ours:e}, realfft {:e}",
                        most(&twin)
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

/// Mel bands and their ranges are the twin's by every way that a device can take, where frames hang over both ends of the clip.
#[test]
fn every_way_makes_the_twins_bands() {
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
        let twin = FrontEnd::new(&Compute::Cpu, &settings).unwrap();
        let want = twin.spectrograms(&clips, &[]).unwrap();
        for (device, variant, compute) in ways(n_fft) {
            let engine = FrontEnd::with_kernel(&compute, &settings, variant).unwrap();
            let got = engine.spectrograms(&clips, &[]).unwrap();
            for (g, w) in got.iter().zip(&want) {
                let what = format!("{device} {variant} n_fft {n_fft}");
                let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-3, "{what}: {a} for {b}");
                g.db.iter().zip(&w.db).for_each(|(a, b)| near(*a, *b));
                let (g, w) = (g.range.unwrap(), w.range.unwrap());
                near(g.0, w.0);
                near(g.1, w.1);
            }
        }
    }
}

/// The plan is data: which way, sizes, stages and memory of every n_fft, without a device.
#[test]
fn plans_multiply_out() {
    for log2 in 8..=13u32 {
        let n_fft = 1usize << log2;
        for variant in StftKernel::ALL {
            let Some(p) = variant.fft(n_fft) else {
                continue;
            };
            if !matches!(variant, StftKernel::Registers | StftKernel::Subgroup) {
                assert_eq!(8u32.pow(p.radix8_stages) * p.tail, p.points);
                assert_eq!(p.lanes * p.rounds * 8, p.points * p.transforms);
            }
            assert!(p.lanes <= 256, "WebGPU's base allows 256 invocations");
            let base = if log2 <= 11 { 16 } else { 32 };
            assert!(
                p.workgroup_bytes() <= base * 1024,
                "{variant} n_fft {n_fft}"
            );
            assert_eq!(variant.name().parse(), Ok(variant));
        }
        // A card: nothing but WebGPU's base, and workgroups of at least 128.
        let card = Limits::from(&wgpu::Limits::default());
        let limits = Limits {
            workgroup_memory: 32 * 1024,
            ..card
        };
        let chosen = Plan::variant(n_fft, &limits);
        assert_eq!(chosen == StftKernel::SharedWorkgroup, log2 <= 10);
        let fft = chosen.fft(n_fft).unwrap();
        assert!(fft.lanes >= 128 && chosen.features().is_empty() && chosen.accurate());
        // One whose subgroups are of 32 can take them, if it is told to: not before it was measured.
        let known = Limits {
            features: wgpu::Features::SUBGROUP,
            subgroup: 32,
            ..limits
        };
        let possible = Plan::possible(n_fft, &known);
        assert_eq!(possible.contains(&StftKernel::Subgroup), log2 == 11);
        assert_eq!(Plan::variant(n_fft, &known), chosen);
        // A processor.
        let chosen = Plan::variant(
            n_fft,
            &Limits {
                software: true,
                ..limits
            },
        );
        assert_eq!(chosen == StftKernel::Registers, log2 == 11);
        assert!(chosen.accurate());
    }
    assert!("fastest".parse::<StftKernel>().is_err());
    let limits = Limits::from(&wgpu::Limits::default());
    let refused = Plan::with_kernel(&presets::mel(), &limits, StftKernel::SharedWorkgroup);
    assert!(matches!(
        refused,
        Err(PlanError::StftKernel { n_fft: 2048, .. })
    ));
    let small = Limits {
        workgroup_memory: 4096,
        ..Limits::from(&wgpu::Limits::default())
    };
    let refused = Plan::new(&presets::deeppixel(), &small).unwrap_err();
    assert!(matches!(
        refused,
        PlanError::WorkgroupMemory { n_fft: 2048, .. }
    ));
    let picture = Some(Size {
        height: 1,
        width: 1,
    });
    let tiny = presets::deeppixel().with_image_size(picture);
    let refused = Plan::new(&tiny, &Limits::from(&wgpu::Limits::default())).unwrap_err();
    assert!(matches!(refused, PlanError::Picture { .. }));
}

#[test]
fn wrong_settings_are_named() {
    let mel = presets::mel();
    let wrong = |s: FrontEndConfig| s.validate().unwrap_err().to_string();
    assert_eq!(
        wrong(FrontEndConfig {
            n_fft: 1000,
            ..mel.clone()
        }),
        "n_fft is 1000: it must be a power of two from 256 to 8192"
    );
    assert_eq!(
        wrong(FrontEndConfig {
            hop: 0,
            ..mel.clone()
        }),
        "hop is 0: it must be from 1 to n_fft (2048)"
    );
    assert!(
        wrong(FrontEndConfig {
            clip_samples: 0,
            ..mel.clone()
        })
        .contains("a clip of 0 samples")
    );
    assert!(
        wrong(FrontEndConfig {
            hop: 1,
            ..mel.clone()
        })
        .contains("65535")
    );
    assert!(
        wrong(FrontEndConfig {
            output: image(Range::Top { db: f64::NAN }, None),
            ..mel.clone()
        })
        .contains("range.top.db")
    );
    let rows = Rows::Mel {
        n_mels: 10,
        f_min: 0.0,
        f_max: 20_000.0,
    };
    assert!(
        wrong(FrontEndConfig {
            rows,
            ..mel.clone()
        })
        .contains("f_max <= 11025")
    );
    let picture = Some(Size {
        height: 0,
        width: 5,
    });
    assert!(wrong(mel.clone().with_image_size(picture)).contains("5x0"));
    assert_eq!(presets::preset("x").unwrap_err(), UnknownPreset("x".into()));
    // Features need a value in every cell.
    let features = |compression| FrontEndConfig {
        compression,
        output: Output::Features,
        ..mel.clone()
    };
    assert!(wrong(features(Compression::Masked)).contains("'floor' or 'log'"));
    assert!(wrong(features(Compression::Floor { amin: 1e-50 })).contains("amin is"));
    assert!(wrong(features(Compression::Log { scale: 1e50 })).contains("scale is"));
    assert!(wrong(features(Compression::Log { scale: -1.0 })).contains("positive"));
    assert_eq!(
        features(Compression::Floor { amin: 1e-10 }).validate(),
        Ok(())
    );
}

/// The shape of the output names channels, height and width, and which of them is time.
#[test]
fn outputs_have_a_shape() {
    let shape = |s: &FrontEndConfig| (s.output_shape(), s.output_axes().time);
    assert_eq!(shape(&presets::deeppixel()), ([4, 720, 720], 720));
    assert_eq!(shape(&presets::mel()), ([4, 128, 1292], 1292));
    let features = FrontEndConfig {
        output: Output::Features,
        ..presets::mel()
    };
    assert_eq!(shape(&features), ([1, 1292, 128], 1292));
}

/// A configuration is the same after it was written and read, and texts of earlier versions are read.
#[test]
fn configurations_are_read_back() {
    let features = FrontEndConfig {
        compression: Compression::Log { scale: 1e4 },
        output: Output::Features,
        ..presets::mel()
    };
    let names = presets::NAMES.map(|name| presets::preset(name).unwrap());
    for settings in names.into_iter().chain([features]) {
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(
            toml::from_str::<FrontEndConfig>(&text),
            Ok(settings.clone())
        );
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<FrontEndConfig>(&json).unwrap(),
            settings
        );
    }
    // As the first version wrote it, in British spelling.
    let old = r#"
        preset = "mel"
        sample_rate = 22050
        clip_samples = 661500
        n_fft = 2048
        hop = 512
        framing = "centre_zeros"
        window = "hann_periodic"
        colormap = "inferno"
        scale = "power"
        rows.mel = { n_mels = 128, f_min = 0.0, f_max = 11025.0 }
        decibels.floor.amin = 0.0000000001
        range.top.db = 80.0
    "#;
    let read = |text: &str| toml::from_str::<FrontEndConfig>(text);
    assert_eq!(read(old), Ok(presets::mel()));
    let sized = format!("{old}\npicture = {{ height = 128, width = 216 }}");
    let size = Some(Size {
        height: 128,
        width: 216,
    });
    assert_eq!(read(&sized), Ok(presets::mel().with_image_size(size)));
    // Half of each form is neither.
    let both = format!("{old}\noutput = \"features\"");
    assert!(
        read(&both)
            .unwrap_err()
            .to_string()
            .contains("output.image")
    );
    let none = old.replace("colormap", "#");
    assert!(read(&none).unwrap_err().to_string().contains("`output`"));
    let unknown = format!("{old}\nhopp = 1");
    assert!(read(&unknown).unwrap_err().to_string().contains("hopp"));
}

/// Resizing keeps the mean, copies at the same size, and interpolates between neighbors when growing.
#[test]
fn resize_weights_sum_to_one() {
    for (from, to) in [
        (1025, 720),
        (344, 720),
        (128, 128),
        (7, 3),
        (1, 5),
        (5, 1),
        (1292, 216),
    ] {
        for flip in [false, true] {
            let w = tables::resize_weights(from, to, flip);
            assert_eq!(w.rows(), to);
            let mut columns = vec![0.0f64; from];
            for r in 0..to {
                let sum: f32 = w.row(r).map(|(_, w)| w).sum();
                assert!((sum - 1.0).abs() < 1e-5, "{from} to {to}, row {r}");
                for (c, w) in w.row(r) {
                    columns[c] += f64::from(w);
                }
            }
            if to <= from {
                // Shrinking looks at every cell equally.
                let even = to as f64 / from as f64;
                assert!(
                    columns.iter().all(|c| (c - even).abs() < 1e-4),
                    "{from} to {to}"
                );
            }
        }
    }
    let same = tables::resize_weights(4, 4, true);
    assert_eq!(same.start, [3, 2, 1, 0]);
}

/// Bands by bins are the bands by rows, also where they are narrower than bins.
#[test]
fn mel_segments_are_the_bands() {
    for (n_fft, n_mels, f_min, f_max) in [
        (2048, 128, 0.0, 11_025.0),
        (256, 128, 0.0, 11_025.0),
        (512, 512, 0.0, 11_025.0),
        (8192, 1, 500.0, 600.0),
        (4096, 17, 100.0, 5000.0),
    ] {
        let settings = FrontEndConfig {
            n_fft,
            rows: Rows::Mel {
                n_mels,
                f_min,
                f_max,
            },
            ..presets::mel()
        };
        let rows = tables::mel_weights(&settings);
        let segments = tables::MelSegments::new(&rows, settings.bins());
        let mut dense = vec![vec![0.0f32; settings.bins()]; n_mels];
        let mut bin = 0;
        for (s, end) in segments.ends.iter().enumerate() {
            let bins = segments.weights.iter().enumerate();
            for (b, &[fall, rise]) in bins.take(*end as usize).skip(bin) {
                for (weight, row) in [(fall, s.checked_sub(1)), (rise, Some(s))] {
                    if weight != 0.0 {
                        dense[row.unwrap()][b] += weight;
                    }
                }
            }
            bin = bin.max(*end as usize);
        }
        for (r, dense) in dense.iter().enumerate() {
            let mut want = vec![0.0f32; settings.bins()];
            for (b, w) in rows.row(r) {
                want[b] = w;
            }
            assert!(*dense == want, "n_fft {n_fft}, {n_mels} bands: band {r}");
        }
    }
}
