//! Promise: `spectrogram --axes` draws axes around the picture that the network sees, and changes
//! no pixel of it.

use std::path::Path;
use std::process::{Command, Output};

use image::RgbaImage;
use sonoprint::frontend::axes::{AxesImage, Caption, with_axes};
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::gpu::Compute;

use crate::support::{noise, wav};

const CAPTION: Caption<'static> = Caption {
    title: "a name.mp3",
    clip: "clip 2 of 3",
    start: 75.0,
    note: "",
};

fn spectrogram(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .arg("spectrogram")
        .args(arguments)
        .args(["--device", "cpu"])
        .output()
        .unwrap()
}

fn image(bytes: &[u8]) -> RgbaImage {
    image::load_from_memory(bytes).unwrap().into_rgba8()
}

/// Asserts that `plain` is in `whole`, each of its pixels as a square of `factor` pixels.
#[track_caller]
fn assert_inside(whole: &RgbaImage, plain: &RgbaImage, (left, top): (u32, u32), factor: u32) {
    for (x, y, pixel) in plain.enumerate_pixels() {
        for (dx, dy) in [(0, 0), (factor - 1, factor - 1)] {
            let at = (left + x * factor + dx, top + y * factor + dy);
            assert_eq!(whole.get_pixel(at.0, at.1), pixel, "{x}, {y}");
        }
    }
}

/// Draws noise with and without axes, and compares.
fn framed(config: &FrontEndConfig, caption: &Caption<'_>) -> AxesImage {
    let pcm = noise(config.clip_samples, 3);
    let engine = FrontEnd::new(&Compute::Cpu, config).unwrap();
    let pixels = engine.images(&[&pcm]).unwrap().remove(0);
    let range = engine.spectrograms(&[&pcm], &[]).unwrap()[0].range;
    let framed = with_axes(config, &pixels, range, caption);
    let raw = |bytes: &[u8], size: Size| {
        let (width, height) = (size.width as u32, size.height as u32);
        RgbaImage::from_raw(width, height, bytes.to_vec()).unwrap()
    };
    let (left, top) = framed.origin;
    assert_inside(
        &raw(&framed.rgba, framed.size),
        &raw(&pixels, config.image_size()),
        (left as u32, top as u32),
        framed.factor as u32,
    );
    framed
}

#[test]
fn the_picture_in_the_middle_is_the_plain_one() {
    for name in presets::names() {
        let preset = presets::preset(name).unwrap().with_clip_seconds(2.0);
        for (width, height, factor) in [
            (216, 128, 2),
            (1440, 720, 1),
            (400, 3, 1),
            (3, 401, 1),
            (32, 32, 13),
            (1, 1, 400),
        ] {
            let config = preset.clone().with_image_size(Some(Size { height, width }));
            let framed = framed(&config, &CAPTION);
            if config.image_size() == (Size { height, width }) {
                assert_eq!(framed.factor, factor, "{name}, {width}x{height}");
            }
            assert!(framed.size.width >= 480, "{name}, {width}x{height}");
        }
    }
}

#[test]
fn any_name_and_any_sound_is_drawn() {
    let config = presets::mel()
        .with_clip_seconds(1.0)
        .with_image_size(Some(Size {
            height: 128,
            width: 216,
        }));
    let usual = framed(&config, &CAPTION).size;
    let long = "a long name, ".repeat(50);
    for title in ["", "日本語の曲.mp3", "\u{202e}\n\0\t", "مرحبا", &long] {
        for start in [-1.0, 0.0, 1e9] {
            let caption = Caption {
                title,
                start,
                note: &long,
                ..CAPTION
            };
            assert_eq!(framed(&config, &caption).size.height, usual.height);
        }
    }
    // Silence, and a clip without any value.
    let pixels = vec![0; 4 * 216 * 128];
    for preset in [presets::mel(), presets::deeppixel(), presets::musicnn()] {
        let size = Some(Size {
            height: 128,
            width: 216,
        });
        let mut config = preset.with_image_size(size);
        config.output =
            sonoprint::frontend::config::Output::Image(sonoprint::frontend::config::ImageConfig {
                size,
                ..config.image()
            });
        for range in [None, Some((-100.0, -100.0)), Some((f32::NEG_INFINITY, 0.0))] {
            with_axes(&config, &pixels, range, &CAPTION);
        }
    }
}

/// The command writes PNG files of the same names as without the flag, and lists them once.
#[test]
fn the_command_names_and_lists_them_as_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("müsic 日本.wav");
    wav(&music, 5.0, 440.0);
    let draw = |out: &str, more: &[&str]| {
        let out = folder.path().join(out);
        let mut arguments = vec![music.to_str().unwrap(), "--out", out.to_str().unwrap()];
        arguments.extend(["--clip-seconds", "2", "--size", "216x128"]);
        arguments.extend(more);
        let done = spectrogram(&arguments);
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{stderr}");
        let mut files: Vec<_> = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let list = std::fs::read_to_string(out.join("images.csv")).unwrap();
        (files, list)
    };
    let read = |path: &Path| image(&std::fs::read(path).unwrap());
    let plain = draw("plain", &[]);
    assert_eq!(plain.0.len(), 1 + 3, "three clips: {:?}", plain.0);
    assert_eq!(draw("axes", &["--axes"]), plain);
    for name in plain.0.iter().filter(|name| name.ends_with(".png")) {
        let small = read(&folder.path().join("plain").join(name));
        let large = read(&folder.path().join("axes").join(name));
        assert_eq!(small.dimensions(), (216, 128));
        // The frame's upper left corner is the first black pixel that goes on in both directions.
        let black = |x, y| large.get_pixel(x, y).0 == [0, 0, 0, 255];
        let corner = (0..large.height() - 50)
            .flat_map(|y| (0..large.width() - 50).map(move |x| (x, y)))
            .find(|&(x, y)| (0..50).all(|i| black(x + i, y) && black(x, y + i)))
            .unwrap();
        assert_inside(&large, &small, (corner.0 + 1, corner.1 + 1), 2);
    }
    // The same file drawn again replaces its own images.
    assert_eq!(draw("plain", &["--axes"]), plain);
    let name = plain.0.iter().find(|name| name.ends_with("001.png"));
    let name = name.unwrap();
    let (again, axes) = (
        read(&folder.path().join("plain").join(name)),
        read(&folder.path().join("axes").join(name)),
    );
    assert!(again == axes);
}
