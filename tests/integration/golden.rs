//! Promise: the presets draw what matplotlib and librosa draw, on every device.

use crate::support::{data, devices, npy};
use sonoprint::frontend::config::{Framing, FrontEndConfig, Range, Rows, Scale, Size};
use sonoprint::frontend::{FrontEnd, colormap::Colormap, presets, tables};

const SIGNALS: [&str; 6] = ["clip30", "tone", "impulse", "silence", "short", "gap"];

fn signal(name: &str) -> Vec<f32> {
    let ext = if name == "clip30" { "flac" } else { "wav" };
    let path = data(&format!("golden/signals/{name}.{ext}"));
    sonoprint::audio::load(&path, 22_050).unwrap().samples
}

/// Asserts that every device's decibels are within 1e-2 dB of a golden array, wherever the library
/// is above its maximum - 80 dB.
fn decibels(settings: &FrontEndConfig, name: &str, golden: &str) {
    let golden = npy(golden);
    let want = golden.decibels();
    let pcm = signal(name);
    let settings = FrontEndConfig {
        clip_samples: pcm.len(),
        ..settings.clone()
    };
    let (rows, frames) = (settings.rows(), settings.frames());
    assert_eq!(golden.shape, [rows, frames], "{name}: rows x frames");
    let max = want.iter().flatten().copied().fold(f32::MIN, f32::max);
    for (device, compute) in devices() {
        let front_end = FrontEnd::new(&compute, &settings).unwrap();
        let got = front_end.spectrograms(&[&pcm], &[]).unwrap().remove(0);
        let (mut worst, mut cells) = (0.0f32, 0);
        for row in 0..rows {
            for frame in 0..frames {
                let got = got.value(&settings, row, frame);
                match want[row * frames + frame] {
                    Some(w) if w >= max - 80.0 => {
                        let g =
                            got.unwrap_or_else(|| panic!("{device} {name} {row},{frame}: none"));
                        worst = worst.max((g - w).abs());
                        cells += 1;
                    }
                    Some(_) => {}
                    None => assert_eq!(got, None, "{device} {name}: row {row}, frame {frame}"),
                }
            }
        }
        println!(
            "{device:8} {:9} {name:8} {worst:.4} dB over {cells} cells",
            settings.preset
        );
        assert!(worst <= 1e-2, "{device} {name}: {worst} dB off");
    }
}

#[test]
fn deeppixel_decibels_are_matplotlibs() {
    for name in SIGNALS {
        let golden = format!("golden/deeppixel/{name}.db.npy.gz");
        decibels(&presets::deeppixel(), name, &golden);
    }
}

#[test]
fn mel_decibels_are_librosas() {
    for name in SIGNALS {
        decibels(
            &presets::mel(),
            name,
            &format!("golden/mel/{name}.db.npy.gz"),
        );
    }
}

#[test]
fn other_sizes_too() {
    for (n_fft, hop) in [(256, 128), (8192, 4096)] {
        let settings = FrontEndConfig {
            n_fft,
            hop,
            ..presets::deeppixel()
        };
        let golden = format!(
            "golden/other/gap_specgram_{n_fft}_{}.db.npy.gz",
            n_fft - hop
        );
        decibels(&settings, "gap", &golden);
    }
    for (n_fft, hop, n_mels) in [(512, 128, 40), (4096, 1024, 128)] {
        let settings = FrontEndConfig {
            n_fft,
            hop,
            rows: Rows::Mel {
                n_mels,
                f_min: 0.0,
                f_max: 11_025.0,
            },
            ..presets::mel()
        };
        decibels(
            &settings,
            "gap",
            &format!("golden/other/gap_mel_{n_fft}_{hop}_{n_mels}.db.npy.gz"),
        );
    }
}

/// At the spectrogram's own resolution: the mean is within 1/255 over all cells, and no channel is
/// further off than 8/255 wherever matplotlib's value is above its clip's maximum - 135 dB.
///
/// matplotlib transforms in f64. The rounding of an f32 FFT lies about 165 dB under a pure tone,
/// and in the deepest cells of `tone` (no other signal has any so deep) the last few decibels are
/// noise: eleven of its 139 400 values are off by up to 19/255.
#[test]
fn deeppixel_colors_are_matplotlibs() {
    for name in SIGNALS {
        let golden = npy(&format!("golden/deeppixel/{name}.rgba.npy.gz"));
        let pcm = signal(name);
        let settings = FrontEndConfig {
            clip_samples: pcm.len(),
            ..presets::deeppixel().with_image_size(None)
        };
        let Size { height, width } = settings.image_size();
        let columns = golden.shape[1];
        let db = npy(&format!("golden/deeppixel/{name}.db.npy.gz")).decibels();
        let max = db.iter().flatten().copied().fold(f32::MIN, f32::max);
        let step = if name == "clip30" { 8 } else { 1 };
        assert_eq!(golden.shape, [height, width.div_ceil(step), 4]);
        for (device, compute) in devices() {
            let front_end = FrontEnd::new(&compute, &settings).unwrap();
            let got = front_end.images(&[&pcm]).unwrap().remove(0);
            let (mut worst, mut deep, mut sum) = (0u32, 0u32, 0u64);
            for y in 0..height {
                for column in 0..columns {
                    let cell = db[(height - 1 - y) * width + column * step];
                    let far_down = cell.is_some_and(|v| v < max - 135.0);
                    let want = &golden.bytes[(y * columns + column) * 4..][..4];
                    let got = &got[(y * width + column * step) * 4..][..4];
                    for (w, g) in want.iter().zip(got) {
                        let d = u32::from(w.abs_diff(*g));
                        *if far_down { &mut deep } else { &mut worst } =
                            d.max(if far_down { deep } else { worst });
                        sum += u64::from(d);
                    }
                }
            }
            let mean = sum as f64 / golden.bytes.len() as f64;
            println!(
                "{device:8} {name:8} mean {mean:.3}/255, worst {worst}/255, far down {deep}/255"
            );
            assert!(mean <= 1.0, "{device} {name}: mean {mean}/255");
            assert!(worst <= 8, "{device} {name}: worst {worst}/255");
            assert!(
                deep <= if name == "tone" { 24 } else { 8 },
                "{device} {name}: {deep}/255"
            );
        }
    }
}

#[test]
fn mel_bands_are_librosas() {
    let golden = npy("golden/tables/mel_filterbank_22050_2048_128.npy.gz");
    assert_eq!(golden.shape, [128, 1025]);
    let mut dense = vec![0.0f32; 128 * 1025];
    let bands = tables::mel_weights(&presets::mel());
    for m in 0..128 {
        for (k, w) in bands.row(m) {
            dense[m * 1025 + k] = w;
        }
    }
    for (i, (got, want)) in dense.iter().zip(golden.f32()).enumerate() {
        assert!(
            (got - want).abs() <= 1e-7,
            "band {}, bin {}",
            i / 1025,
            i % 1025
        );
    }
}

#[test]
fn color_maps_are_matplotlibs() {
    let golden = npy("golden/tables/colormaps.npy.gz");
    let order = [
        Colormap::Inferno,
        Colormap::Viridis,
        Colormap::Magma,
        Colormap::Plasma,
    ];
    for (map, want) in order.iter().zip(golden.bytes.chunks(256 * 3)) {
        for (i, (got, want)) in map.table().iter().zip(want.chunks(3)).enumerate() {
            for (g, w) in got.iter().zip(want) {
                let off = (g * 255.0 - f32::from(*w)).abs();
                assert!(off <= 1.01, "{map:?} entry {i}: {g} against {w}");
            }
        }
    }
}

#[test]
fn the_presets_are_the_libraries_calls() {
    let d = presets::deeppixel();
    assert_eq!((d.frames(), d.rows()), (344, 1025));
    assert_eq!(
        (d.framing, d.scale),
        (Framing::Start, Scale::Psd { fs: 2.0 })
    );
    let m = presets::mel();
    assert_eq!((m.frames(), m.rows()), (1292, 128));
    assert_eq!(
        (m.framing, m.image().range),
        (Framing::CenterZeros, Range::Top { db: 80.0 })
    );
}
