//! Promise: a clip's features depend on that clip alone, whatever its neighbors in the batch and
//! however batches are split.

use std::sync::Arc;

use crate::support::{devices, noise, software, tone};
use sonoprint::frontend::NO_VALUE;
use sonoprint::frontend::augment::{Augment, Waveform};
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::gpu::kernels::StftKernel;
use sonoprint::frontend::gpu::plan::{Limits, Plan};
use sonoprint::frontend::{FrontEnd, Samples, Spectrogram, presets};
use sonoprint::gpu::Compute;

/// With every kernel, a clip's features are the same bits alone and at every place of a batch of
/// seven, whatever its neighbors.
#[test]
fn clips_of_a_batch_are_independent() {
    let settings = FrontEndConfig {
        clip_samples: 22_050,
        ..presets::deeppixel().with_image_size(Some(Size {
            height: 96,
            width: 64,
        }))
    };
    for settings in [
        settings.clone(),
        FrontEndConfig {
            clip_samples: 22_050,
            ..presets::mel().with_image_size(None)
        },
        FrontEndConfig {
            n_fft: 512,
            hop: 300,
            ..settings
        },
    ] {
        let one = noise(22_050, 1);
        let mut others: Vec<Vec<f32>> = [1e-4f32, 1.0, 0.0, 1e3, 0.3, 1e-2]
            .iter()
            .map(|gain| noise(22_050, 2).iter().map(|x| x * gain).collect())
            .collect();
        others[4] = tone(22_050, 440.0, 0.9);
        let ways = |compute: &Compute| match compute {
            Compute::Cpu => vec![StftKernel::OneFrame],
            Compute::Gpu(gpu) => Plan::possible(settings.n_fft, &Limits::from(&**gpu)),
        };
        let all: Vec<_> = devices()
            .into_iter()
            .flat_map(|(device, c)| ways(&c).into_iter().map(move |v| (device, c.clone(), v)))
            .collect();
        for (device, compute, variant) in all {
            let front_end = FrontEnd::with_kernel(&compute, &settings, variant).unwrap();
            let floats = |clips: &[&[f32]]| -> Vec<Vec<u32>> {
                let data = front_end.features(clips).unwrap().into_data();
                let flat: Vec<f32> = data.try_to_vec().unwrap();
                let bits: Vec<u32> = flat.iter().map(|v| v.to_bits()).collect();
                bits.chunks(bits.len() / clips.len())
                    .map(<[u32]>::to_vec)
                    .collect()
            };
            let alone = floats(&[&one]).remove(0);
            for place in 0..7 {
                let mut batch: Vec<&[f32]> = others.iter().map(Vec::as_slice).collect();
                batch.insert(place, &one);
                assert!(
                    floats(&batch)[place] == alone,
                    "{device} {variant}: place {place}"
                );
                assert!(
                    front_end.images(&batch).unwrap()[place]
                        == front_end.images(&[&one]).unwrap()[0]
                );
            }
        }
    }
}

/// More clips than one dispatch may serve: the same images, chunk by chunk, anywhere in one tensor.
#[test]
fn batches_are_split_by_the_devices_limits() {
    let Compute::Gpu(mut gpu) = software() else {
        unreachable!()
    };
    let settings = FrontEndConfig {
        clip_samples: 4096,
        ..presets::mel().with_image_size(Some(Size {
            height: 9,
            width: 7,
        }))
    };
    let clips: Vec<Vec<f32>> = (0..67).map(|i| noise(4096, i)).collect();
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let whole = FrontEnd::new(&Compute::Gpu(gpu.clone()), &settings).unwrap();
    // A device that binds the PCM of about twenty clips at most, at multiples of 256 bytes.
    let limits = &mut Arc::make_mut(&mut gpu).limits;
    limits.max_storage_buffer_binding_size = 20 * 4096 * 4;
    limits.min_storage_buffer_offset_alignment = 256;
    let plan = Plan::new(&settings, &Limits::from(&gpu.limits)).unwrap();
    assert!((1..=20).contains(&plan.clips_per_dispatch), "{plan:?}");
    let image = plan.pixels() as usize * 16;
    assert_ne!(plan.clips_per_dispatch * image % 256, 0);
    let parts = FrontEnd::new(&Compute::Gpu(gpu), &settings).unwrap();
    let read = |e: &FrontEnd| -> Vec<f32> {
        e.features(&clips)
            .unwrap()
            .into_data()
            .try_to_vec()
            .unwrap()
    };
    assert!(read(&whole) == read(&parts));
}

/// On every device, a mask hides its columns and rows and nothing else. Hidden pixels have the
/// color of the lowest value.
#[test]
fn masks_hide_what_they_name() {
    let settings = FrontEndConfig {
        clip_samples: 22_050,
        ..presets::mel().with_image_size(Some(Size {
            height: 20,
            width: 30,
        }))
    };
    let clips = [noise(22_050, 1), noise(22_050, 2)];
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    // Columns 3..7 and rows 18..20 of the second clip; the first has none.
    let mut masks = [Augment::default(); 2];
    masks[1].masks.spans = [[3, 7, 0, 0], [0, 0, 18, 20]];
    for (device, compute) in devices() {
        let front_end = FrontEnd::new(&compute, &settings).unwrap();
        let read = |t: burn::tensor::Tensor<4>| -> Vec<f32> { t.into_data().try_to_vec().unwrap() };
        let plain = read(front_end.features(&clips).unwrap());
        let samples: Vec<_> = clips.iter().map(|pcm| Samples::Host(pcm)).collect();
        let hidden = read(front_end.augmented_features(&samples, &masks).unwrap());
        let lowest = settings.image().colormap.table()[0];
        for (i, (p, h)) in plain.iter().zip(&hidden).enumerate() {
            let (clip, channel, y, x) = (i / 2400, i / 600 % 4, i / 30 % 20, i % 30);
            let inside = clip == 1 && ((3..7).contains(&x) || (18..20).contains(&y));
            let want = if inside { lowest[channel] } else { *p };
            assert_eq!(
                *h, want,
                "{device}: clip {clip}, channel {channel}, {y}, {x}"
            );
        }
    }
}

/// Gain shifts decibels, polarity changes nothing, noise raises the floor to its own level, and a
/// mix has the spectrum of the sum: on every device, at every place of a batch that is split in
/// two.
#[test]
fn waveforms_are_augmented_as_configured() {
    let settings = FrontEndConfig {
        clip_samples: 8192,
        ..presets::deeppixel().with_image_size(None)
    };
    let clips: Vec<Vec<f32>> = (0..3)
        .map(|i| tone(8192, 1000.0 + 500.0 * f64::from(i), 0.5))
        .collect();
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let with = |waveform| Augment {
        waveform,
        ..Augment::default()
    };
    for (device, mut compute) in devices() {
        // Two clips per dispatch at most: the last clip of a chunk is mixed with the first of the
        // next.
        if let Compute::Gpu(gpu) = &mut compute {
            Arc::make_mut(gpu).limits.max_storage_buffer_binding_size = 3 * 8192 * 4;
        }
        let front_end = FrontEnd::new(&compute, &settings).unwrap();
        let run = |augments: &[Augment]| front_end.spectrograms(&clips, augments).unwrap();
        let plain = run(&[]);
        assert!(
            run(&[Augment::default(); 3]) == plain,
            "{device}: nothing is changed by default"
        );

        let doubled = run(&[with(Waveform {
            gain: 2.0,
            ..Waveform::default()
        }); 3]);
        let turned = run(&[with(Waveform {
            gain: -1.0,
            ..Waveform::default()
        }); 3]);
        for clip in 0..3 {
            assert_eq!(
                turned[clip].values, plain[clip].values,
                "{device}: polarity is not heard"
            );
            let shift = doubled[clip].range.unwrap().1 - plain[clip].range.unwrap().1;
            assert!(
                (shift - 6.0206).abs() < 1e-3,
                "{device}: gain 2 is {shift} dB"
            );
        }

        // Uniform noise of amplitude a has the power a^2 / 3, and so has matplotlib's one-sided
        // density at Fs = 2.
        let noisy = run(&[with(Waveform {
            noise: 0.1,
            seed: 7,
            ..Waveform::default()
        }); 3]);
        let far: Vec<f32> = noisy[0]
            .values
            .iter()
            .copied()
            .enumerate()
            .filter(|(i, _)| i % 1025 > 400)
            .map(|(_, v)| v)
            .collect();
        let power = far
            .iter()
            .map(|v| 10f64.powf(f64::from(*v) / 10.0))
            .sum::<f64>()
            / far.len() as f64;
        assert!(
            (power / (0.01 / 3.0) - 1.0).abs() < 0.1,
            "{device}: {power}"
        );

        let mixed = run(&[with(Waveform {
            mix: 0.25,
            ..Waveform::default()
        }); 3]);
        for clip in 0..3 {
            let bin = |i: usize| ((1000.0 + 500.0 * i as f64) * 2048.0 / 22_050.0).round() as usize;
            let level =
                |s: &sonoprint::frontend::Spectrogram, i| s.value(&settings, bin(i), 1).unwrap();
            let own = level(&mixed[clip], clip) - level(&plain[clip], clip);
            let next = (clip + 1) % 3;
            let other = level(&mixed[clip], next) - level(&plain[next], next);
            assert!(
                (own + 2.4988).abs() < 0.05,
                "{device} clip {clip}: own {own} dB"
            );
            assert!(
                (other + 12.0412).abs() < 0.05,
                "{device} clip {clip}: next {other} dB"
            );
        }
    }
}

/// The tempo moves frames and leaves their frequencies, the pitch does the reverse, and a filter
/// adds its decibels to every row. All three together give equal results on all devices.
#[test]
fn frames_are_warped_and_filtered_as_configured() {
    let (samples, frame) = (16_384, 2048);
    let settings = FrontEndConfig {
        clip_samples: samples,
        hop: 512,
        ..presets::deeppixel().with_image_size(None)
    };
    // Silence, then a tone. The silent half has no value at all.
    let mut late = vec![0.0; samples];
    late[samples / 2..].copy_from_slice(&tone(samples / 2, 1000.0, 0.5));
    let late: &[f32] = &late;
    let white = noise(samples, 3);
    let white: &[f32] = &white;
    let with = |waveform| {
        [Augment {
            waveform,
            ..Augment::default()
        }]
    };
    let plain = Waveform::default;
    let silent = |s: &Spectrogram| -> Vec<bool> {
        let columns = s.values.chunks(s.rows);
        columns.map(|c| c.iter().all(|&v| v == NO_VALUE)).collect()
    };
    let loudest = |s: &Spectrogram| {
        let (cell, _) = s
            .values
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap();
        (cell % s.rows) as f64 * 22_050.0 / frame as f64
    };
    let mut all = Vec::new();
    for (device, compute) in devices() {
        let front_end = FrontEnd::new(&compute, &settings).unwrap();
        let run = |pcm, waveform| {
            let one = front_end.spectrograms(&[pcm], &with(waveform)).unwrap();
            one.into_iter().next().unwrap()
        };
        // Frame t of 0..=28 starts at sample 512 t, and is silent if it ends before sample 8192.
        let ends_early = |start: usize| start + frame <= samples / 2;
        let normal = run(late, plain());
        assert_eq!(
            silent(&normal),
            (0..29).map(|t| ends_early(512 * t)).collect::<Vec<_>>(),
            "{device}"
        );

        let fast = run(
            late,
            Waveform {
                tempo: 1.5,
                ..plain()
            },
        );
        assert_eq!(
            silent(&fast),
            (0..29)
                .map(|t| ends_early(768 * t % samples))
                .collect::<Vec<_>>(),
            "{device}: at one and a half times the tempo"
        );
        let slow = run(
            late,
            Waveform {
                tempo: 0.5,
                ..plain()
            },
        );
        assert_eq!(
            silent(&slow),
            (0..29).map(|t| ends_early(256 * t)).collect::<Vec<_>>(),
            "{device}: at half the tempo"
        );
        let high = run(
            late,
            Waveform {
                pitch: 1.5,
                ..plain()
            },
        );
        for (s, pitch) in [
            (&normal, 1000.0),
            (&fast, 1000.0),
            (&slow, 1000.0),
            (&high, 1500.0),
        ] {
            let heard = loudest(s);
            assert!(
                (heard - pitch).abs() < 11.0,
                "{device}: {heard} Hz, not {pitch}"
            );
        }

        let equalizer = [6.0, -3.0, 0.0, 0.0, 0.0, 1.5];
        let even = run(white, plain());
        let colored = run(
            white,
            Waveform {
                equalizer,
                ..plain()
            },
        );
        for (i, (a, b)) in even.values.iter().zip(&colored.values).enumerate() {
            let x = std::f64::consts::PI * ((i % 1025) as f64 + 0.5) / 1025.0;
            let want = 6.0 * x.cos() - 3.0 * (2.0 * x).cos() + 1.5 * (6.0 * x).cos();
            assert!((f64::from(b - a) - want).abs() < 1e-3, "{device}: cell {i}");
        }

        let together = Waveform {
            gain: 0.5,
            noise: 0.01,
            seed: 5,
            tempo: 1.23,
            pitch: 0.9,
            equalizer,
            mix: 0.0,
        };
        all.push((device, run(white, together)));
    }
    let power = |db: f32| 10f64.powf(f64::from(db) / 10.0);
    let (_, first) = &all[0];
    let peak = power(first.range.unwrap().1);
    for (device, other) in &all {
        for (i, (a, b)) in first.values.iter().zip(&other.values).enumerate() {
            let off = (power(*a) - power(*b)).abs() / peak;
            assert!(off < 1e-5, "{device}: cell {i}: {a} and {b} dB");
        }
    }
}
