//! Promise: one-channel features are the spectrogram itself, on every device, in the tensor's
//! memory.

use std::sync::Arc;

use crate::support::{devices, noise, software, tone};
use burn::tensor::{DType, FloatDType, Tensor};
use realfft::RealFftPlanner;
use sonoprint::frontend::augment::{Augment, Waveform};
use sonoprint::frontend::config::{
    Compression, Framing, FrontEndConfig, ImageConfig, Output, Rows, Size,
};
use sonoprint::frontend::gpu::GpuFrontEnd;
use sonoprint::frontend::gpu::kernels::StftKernel;
use sonoprint::frontend::gpu::plan::{Limits, Plan};
use sonoprint::frontend::{
    DeviceSamples, FrontEnd, FrontEndError, Samples, encode_png, presets, tables,
};
use sonoprint::gpu::{Compute, tensor};

const SAMPLES: usize = 6_000;

/// 24 frames of 40 bands. Frames are short, because llvmpipe is slow.
fn config() -> FrontEndConfig {
    FrontEndConfig {
        n_fft: 512,
        hop: 256,
        clip_samples: SAMPLES,
        rows: Rows::Mel {
            n_mels: 40,
            f_min: 0.0,
            f_max: 11_025.0,
        },
        compression: Compression::Log { scale: 1e4 },
        output: Output::Features,
        ..presets::mel()
    }
}

/// Frames without padding, one per bin: 21 x 257 cells, an odd number.
fn linear() -> FrontEndConfig {
    FrontEndConfig {
        framing: Framing::Start,
        hop: 270,
        rows: Rows::Linear,
        compression: Compression::Floor { amin: 1e-10 },
        ..config()
    }
}

fn clips(count: u32) -> Vec<Vec<f32>> {
    let loud = |i| if i % 3 == 2 { 1e-3 } else { 1.0 };
    let clip = |i| noise(SAMPLES, i).iter().map(|x| x * loud(i)).collect();
    (0..count).map(clip).collect()
}

fn views(clips: &[Vec<f32>]) -> Vec<&[f32]> {
    clips.iter().map(Vec::as_slice).collect()
}

fn hosts<'a>(clips: &[&'a [f32]]) -> Vec<Samples<'a>> {
    clips.iter().map(|pcm| Samples::Host(pcm)).collect()
}

fn read(tensor: Tensor<4>) -> Vec<f32> {
    let tensor = tensor.cast(FloatDType::F32);
    tensor.into_data().try_to_vec().unwrap()
}

/// The features of one clip by the definition, `[frame][row]`, in f64.
fn in_f64(config: &FrontEndConfig, pcm: &[f32]) -> Vec<f64> {
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(config.n_fft);
    let window = tables::window(config);
    let mel = tables::mel_weights(config);
    let lead = match config.framing {
        Framing::Start => 0,
        _ => config.n_fft / 2,
    };
    let mut out = Vec::new();
    for frame in 0..config.frames() {
        let sample = |i: usize| {
            let at = (frame * config.hop + i).checked_sub(lead);
            at.and_then(|at| pcm.get(at)).map_or(0.0, |x| f64::from(*x))
        };
        let windowed = window.iter().enumerate();
        let mut input: Vec<f64> = windowed.map(|(i, w)| sample(i) * f64::from(*w)).collect();
        let mut spectrum = fft.make_output_vec();
        fft.process(&mut input, &mut spectrum).unwrap();
        let power: Vec<f64> = spectrum.iter().map(|z| z.norm_sqr()).collect();
        let rows = match config.rows {
            Rows::Linear => power,
            Rows::Mel { n_mels, .. } => (0..n_mels)
                .map(|r| mel.row(r).map(|(k, w)| power[k] * f64::from(w)).sum())
                .collect(),
        };
        out.extend(rows.into_iter().map(|p: f64| match config.compression {
            Compression::Floor { amin } => 10.0 * p.max(amin).log10(),
            Compression::Log { scale } => (1.0 + scale * p).log10(),
            Compression::Masked => panic!("features have a value in every cell"),
        }));
    }
    out
}

/// Every kernel for the configuration, on every device; the CPU has one.
fn kernels(config: &FrontEndConfig) -> Vec<(&'static str, StftKernel, Compute)> {
    let mut all = Vec::new();
    for (device, compute) in devices() {
        let kernels = match &compute {
            Compute::Cpu => vec![StftKernel::OneFrame],
            Compute::Gpu(gpu) => Plan::possible(config.n_fft, &Limits::from(&**gpu)),
        };
        all.extend(kernels.into_iter().map(|k| (device, k, compute.clone())));
    }
    all
}

/// A hundredth of a decibel within 80 dB of the loudest cell, and the same on the scale of log10,
/// as golden tests hold the presets. Of noise, every kernel is within that of the CPU over 100 dB.
#[test]
fn features_are_those_of_f64() {
    let long = FrontEndConfig {
        n_fft: 2048,
        hop: 1000,
        compression: Compression::Floor { amin: 1e-10 },
        ..config()
    };
    for config in [config(), linear(), long] {
        let pcm: Vec<f32> = noise(SAMPLES, 1)
            .iter()
            .zip(tone(SAMPLES, 1000.0, 0.5))
            .map(|(n, t)| 0.01 * n + t)
            .collect();
        let want = in_f64(&config, &pcm);
        let top = want.iter().copied().fold(f64::MIN, f64::max);
        let (near, far) = match config.compression {
            Compression::Log { .. } => (1e-3, 10.0),
            _ => (1e-2, 80.0),
        };
        let cpu = FrontEnd::new(&Compute::Cpu, &config).unwrap();
        let white = noise(SAMPLES, 2);
        let on_cpu = read(cpu.features(&[&white]).unwrap());
        let loudest = on_cpu.iter().copied().fold(f32::MIN, f32::max);
        for (device, kernel, compute) in kernels(&config) {
            let front_end = FrontEnd::with_kernel(&compute, &config, kernel).unwrap();
            let of_white = read(front_end.features(&[&white]).unwrap());
            let pairs = of_white.iter().zip(&on_cpu);
            for (g, w) in pairs.filter(|(_, w)| **w > loudest - 100.0) {
                let off = f64::from((g - w).abs());
                assert!(off <= near, "{device} {kernel}: {g} for {w}");
            }
            let tensor = front_end.features(&[&pcm]).unwrap();
            assert_eq!(tensor.dims(), [1, 1, config.frames(), config.rows()]);
            let got = read(tensor);
            let mut worst = 0.0f64;
            for (g, w) in got.iter().zip(&want).filter(|(_, w)| **w > top - far) {
                worst = worst.max((f64::from(*g) - w).abs());
            }
            println!("{device} {kernel} {:?}: {worst:.1e}", config.compression);
            assert!(worst <= near, "{device} {kernel}: {worst}");
            // They are the spectrogram's very bits.
            let spectrogram = front_end.spectrograms(&[&pcm], &[]).unwrap().remove(0);
            assert!(got == spectrogram.values, "{device} {kernel}");
        }
    }
}

/// The tensor lies in the buffer and at the offset to which the STFT pass was bound.
#[test]
fn the_network_reads_what_the_stft_wrote() {
    let Compute::Gpu(gpu) = software() else {
        unreachable!()
    };
    let front_end = GpuFrontEnd::new(&gpu, &config()).unwrap();
    let clips = clips(3);
    let cpu = FrontEnd::new(&Compute::Cpu, &config()).unwrap();
    let want = read(cpu.features(&views(&clips)).unwrap());
    for round in 0..3 {
        let target = front_end.target(&hosts(&views(&clips)), &[]).unwrap();
        let written = target.place().clone();
        let tensor = target.into_tensor();
        assert_eq!(tensor.dims(), [3, 1, 24, 40]);
        let place = tensor::place_of(tensor.clone()).unwrap();
        assert_eq!(place, written, "round {round}");
        let got = read(tensor);
        let far = got
            .iter()
            .zip(&want)
            .filter(|(a, b)| (*a - *b).abs() > 1e-3);
        assert_eq!(far.count(), 0, "round {round}");
    }
}

/// A clip's features are the same bits alone and at every place of a batch, in f16 as well, also
/// when the device's limits split the batch.
#[test]
fn no_clip_looks_at_another() {
    for config in [config(), linear()] {
        let clips = clips(19);
        let clips = views(&clips);
        let values = config.frames() * config.rows();
        for (device, compute) in devices() {
            let mut whole = vec![(FrontEnd::new(&compute, &config).unwrap(), "f32")];
            if let Compute::Gpu(_) = &compute {
                let half = FrontEnd::new(&compute, &config).unwrap().into_half();
                whole.extend(half.ok().map(|f| (f, "f16")));
            }
            for (front_end, dtype) in whole {
                let all = read(front_end.features(&clips).unwrap());
                for (clip, together) in clips.iter().zip(all.chunks(values)) {
                    let alone = read(front_end.features(&[clip]).unwrap());
                    assert!(alone == together, "{device} {dtype}");
                }
            }
            let Compute::Gpu(mut gpu) = compute else {
                continue;
            };
            let front_end = FrontEnd::new(&Compute::Gpu(gpu.clone()), &config).unwrap();
            let want = read(front_end.features(&clips).unwrap());
            // A device that binds no more than some of the clips' PCM, at multiples of 256 bytes.
            let limits = &mut Arc::make_mut(&mut gpu).limits;
            limits.max_storage_buffer_binding_size = (4 * SAMPLES * 4) as u64;
            limits.min_storage_buffer_offset_alignment = 256;
            let plan = Plan::new(&config, &Limits::from(&*gpu)).unwrap();
            assert!(plan.clips_per_dispatch < 5, "{plan:?}");
            let split = FrontEnd::new(&Compute::Gpu(gpu.clone()), &config).unwrap();
            assert!(read(split.features(&clips).unwrap()) == want, "{device}");
            // Halves of an odd number of cells begin at odd multiples of two bytes.
            let Ok(half) = front_end.into_half() else {
                continue;
            };
            let want = read(half.features(&clips).unwrap());
            let split = FrontEnd::new(&Compute::Gpu(gpu), &config).unwrap();
            let split = split.into_half().unwrap();
            assert!(
                read(split.features(&clips).unwrap()) == want,
                "{device} f16"
            );
        }
    }
}

/// f16 features are the f32 ones, rounded.
#[test]
fn halves_are_rounded() {
    for config in [config(), linear()] {
        let clips = clips(3);
        let clips = views(&clips);
        let whole = FrontEnd::new(&software(), &config).unwrap();
        let want = read(whole.features(&clips).unwrap());
        let half = whole.into_half().unwrap();
        let tensor = half.features(&clips).unwrap();
        assert_eq!(tensor.dtype(), DType::F16);
        for (got, want) in read(tensor).into_iter().zip(want) {
            let off = (got - want).abs();
            assert!(off <= want.abs() / 2048.0 + 1e-7, "{got} for {want}");
        }
    }
    let cpu = FrontEnd::new(&Compute::Cpu, &config()).unwrap();
    assert!(matches!(cpu.into_half(), Err(FrontEndError::NoHalf(_))));
}

/// SpecAugment hides the frames and rows that it names, under the value of silence, on every device
/// and for every kernel, and nothing else.
#[test]
fn masks_hide_what_they_name() {
    for config in [config(), linear()] {
        let silence = match config.compression {
            Compression::Floor { amin } => 10.0 * amin.log10() as f32,
            _ => 0.0,
        };
        let clips = clips(3);
        let clips = views(&clips);
        let mut augments = [Augment::default(); 3];
        augments[1].masks.spans = [[3, 7, 0, 0], [0, 0, 18, 20]];
        augments[2].masks.spans = [[20, 21, 0, 2], [0, 1, 30, 40]];
        let (frames, rows) = (config.frames(), config.rows());
        for (device, kernel, compute) in kernels(&config) {
            let front_end = FrontEnd::with_kernel(&compute, &config, kernel).unwrap();
            let plain = read(front_end.features(&clips).unwrap());
            let hidden = front_end.augmented_features(&hosts(&clips), &augments);
            for (i, (p, h)) in plain.iter().zip(read(hidden.unwrap())).enumerate() {
                let (clip, frame, row) = (i / rows / frames, i / rows % frames, i % rows);
                let what = format!("{device} {kernel}: clip {clip}, frame {frame}, row {row}");
                match augments[clip].masks.hide(frame, row) {
                    true => assert!((h - silence).abs() < 2e-5, "{what}: {h}"),
                    false => assert_eq!(h, *p, "{what}"),
                }
            }
        }
    }
}

/// Waveforms are augmented as for images: every device gives the CPU's features.
#[test]
fn waveforms_are_changed_alike() {
    let clips = clips(2);
    let clips = views(&clips);
    let augments = [1, 2].map(|seed| Augment {
        waveform: Waveform {
            gain: 0.5,
            noise: 0.01,
            mix: 0.3,
            seed,
            tempo: 1.23,
            pitch: 0.9,
            equalizer: [6.0, -3.0, 0.0, 0.0, 0.0, 1.5],
        },
        ..Augment::default()
    });
    let all: Vec<Vec<f32>> = devices()
        .iter()
        .map(|(_, compute)| {
            let front_end = FrontEnd::new(compute, &config()).unwrap();
            let features = front_end.augmented_features(&hosts(&clips), &augments);
            read(features.unwrap())
        })
        .collect();
    for other in &all[1..] {
        for (a, b) in all[0].iter().zip(other) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }
}

/// Features are drawn in the default way.
#[test]
fn features_can_be_drawn() {
    let drawn = FrontEndConfig {
        output: Output::Image(ImageConfig::default()),
        ..config()
    };
    let pcm = noise(SAMPLES, 1);
    for (device, compute) in devices() {
        let images = |config: &FrontEndConfig| {
            let front_end = FrontEnd::new(&compute, config).unwrap();
            front_end.images(&[&pcm]).unwrap().remove(0)
        };
        let image = images(&config());
        assert!(image == images(&drawn), "{device}");
        let size = config().image_size();
        assert_eq!(image.len(), 4 * size.height * size.width);
        let png = encode_png(&image, size).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        let other = Size {
            height: 1,
            width: 1,
        };
        assert!(encode_png(&image, other).is_err());
    }
}

/// Samples in a GPU's memory give every front end the same features as samples on the host; clips
/// of another length are refused.
#[test]
fn samples_may_lie_anywhere() {
    let Compute::Gpu(gpu) = software() else {
        unreachable!()
    };
    let mut pcm = noise(SAMPLES, 1);
    let buffer = gpu.storage("samples", 4 * SAMPLES as u64);
    gpu.queue
        .write_buffer(&buffer, 0, bytemuck::cast_slice(&pcm));
    let all = DeviceSamples::new(gpu, buffer, 0..SAMPLES);
    // A clip that silence fills.
    let part = all.slice(100..1100);
    assert_eq!(part.to_host().unwrap(), pcm[100..1100]);
    pcm.copy_within(100..1100, 0);
    pcm[1000..].fill(0.0);
    for (device, compute) in devices() {
        let front_end = FrontEnd::new(&compute, &config()).unwrap();
        let there = front_end.augmented_features(&[Samples::Device(&part)], &[]);
        let here = front_end.features(&[&pcm]);
        assert!(read(there.unwrap()) == read(here.unwrap()), "{device}");
        let none = front_end.features(&[]).unwrap();
        assert_eq!(none.dims(), [0, 1, 24, 40]);
        let short = front_end.features(&[&pcm, &pcm[1..]]);
        assert!(matches!(
            short,
            Err(FrontEndError::ClipLength {
                samples: 5_999,
                expected: SAMPLES
            })
        ));
        let lonely = front_end.augmented_features(&hosts(&[&pcm, &pcm]), &[Augment::default()]);
        assert!(matches!(
            lonely,
            Err(FrontEndError::Augments {
                augments: 1,
                clips: 2
            })
        ));
    }
}
