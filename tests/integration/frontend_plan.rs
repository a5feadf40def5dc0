//! Promise: plans and tables, which need no device, are right.

use sonoprint::frontend::config::{FrontEndConfig, Rows, Size};
use sonoprint::frontend::gpu::kernels::StftKernel;
use sonoprint::frontend::gpu::plan::{Limits, Plan, PlanError};
use sonoprint::frontend::{presets, tables};

/// The plan is data: kernel, sizes, stages and memory of every n_fft, without a device.
#[test]
fn plans_multiply_out() {
    for log2 in 8..=13u32 {
        let n_fft = 1usize << log2;
        for kernel in StftKernel::ALL {
            let Some(p) = kernel.fft(n_fft) else {
                continue;
            };
            if !matches!(kernel, StftKernel::Registers | StftKernel::Subgroup) {
                assert_eq!(8u32.pow(p.radix8_stages) * p.tail, p.points);
                assert_eq!(p.lanes * p.rounds * 8, p.points * p.transforms);
            }
            assert!(p.lanes <= 256, "WebGPU's base allows 256 invocations");
            assert!(p.workgroup_bytes() <= 32 * 1024, "{kernel} n_fft {n_fft}");
            // 8192 samples are 4096 complex numbers, and so are two frames of 4096.
            let points = if kernel == StftKernel::Packed {
                n_fft
            } else {
                n_fft / 2
            };
            let least = p.without_padding();
            assert_eq!(least.workgroup_bytes() <= 16 * 1024, points <= 2048);
            assert_eq!(kernel.name().parse(), Ok(kernel));
        }
        // WebGPU's base is enough for all frames but the longest.
        let base = Limits::from(&wgpu::Limits::default());
        assert_eq!(base.workgroup_memory, 16 * 1024);
        let config = FrontEndConfig {
            n_fft,
            ..presets::mel()
        };
        assert_eq!(Plan::new(&config, &base).is_ok(), log2 <= 12);
        // A card: only features of WebGPU's base, and workgroups of at least 128.
        let card = Limits::from(&wgpu::Limits::default());
        let limits = Limits {
            workgroup_memory: 32 * 1024,
            ..card
        };
        let chosen = Plan::choose_kernel(n_fft, &limits);
        assert_eq!(chosen == StftKernel::SharedWorkgroup, log2 <= 10);
        let fft = chosen.fft(n_fft).unwrap();
        assert!(fft.lanes >= 128 && chosen.features().is_empty() && chosen.accurate());
        // A card with subgroups of 32 can use them, but a measurement has to show that it should.
        let known = Limits {
            features: wgpu::Features::SUBGROUP,
            subgroup: 32,
            ..limits
        };
        let possible = Plan::possible(n_fft, &known);
        assert_eq!(possible.contains(&StftKernel::Subgroup), log2 == 11);
        assert_eq!(Plan::choose_kernel(n_fft, &known), chosen);
        // A processor.
        let chosen = Plan::choose_kernel(
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
    assert!(matches!(refused, PlanError::ImageTooSmall { .. }));
}

/// Resizing keeps the mean, copies at the same size, and interpolates between neighbors when
/// growing.
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

/// Bands ordered by bins equal the bands ordered by rows, even where they are narrower than bins.
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
