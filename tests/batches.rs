//! Promise: a clip's picture is its own, whatever stands beside it in a batch and however batches are split.

mod common;

use std::sync::Arc;

use common::{devices, noise, software, tone};
use sonoprint::frontend::plan::{Limits, Plan};
use sonoprint::frontend::settings::{FrontEnd, Size};
use sonoprint::frontend::{Engine, Masks, presets};
use sonoprint::gpu::Compute;

/// A clip's picture is the same bits alone, in a batch of seven, and at every place in it, whatever its neighbours.
#[test]
fn no_clip_looks_at_another() {
    let settings = FrontEnd {
        clip_samples: 22_050,
        picture: Some(Size {
            height: 96,
            width: 64,
        }),
        ..presets::deeppixel()
    };
    for settings in [
        settings.clone(),
        FrontEnd {
            picture: None,
            clip_samples: 22_050,
            ..presets::mel()
        },
    ] {
        let one = noise(22_050, 1);
        let mut others: Vec<Vec<f32>> = [1e-4f32, 1.0, 0.0, 1e3, 0.3, 1e-2]
            .iter()
            .map(|gain| noise(22_050, 2).iter().map(|x| x * gain).collect())
            .collect();
        others[4] = tone(22_050, 440.0, 0.9);
        for (device, compute) in devices() {
            let engine = Engine::new(&compute, &settings).unwrap();
            let floats = |clips: &[&[f32]]| -> Vec<Vec<u32>> {
                let data = engine.pictures(clips).unwrap().into_data();
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
                assert!(floats(&batch)[place] == alone, "{device}: place {place}");
                assert!(engine.bytes(&batch).unwrap()[place] == engine.bytes(&[&one]).unwrap()[0]);
            }
        }
    }
}

/// More clips than one dispatch may serve: the same pictures, chunk by chunk, at aligned offsets of one tensor.
#[test]
fn batches_are_split_by_the_devices_limits() {
    let Compute::Gpu(mut gpu) = software() else {
        unreachable!()
    };
    let settings = FrontEnd {
        clip_samples: 4096,
        picture: Some(Size {
            height: 9,
            width: 7,
        }),
        ..presets::mel()
    };
    let clips: Vec<Vec<f32>> = (0..67).map(|i| noise(4096, i)).collect();
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let whole = Engine::new(&Compute::Gpu(gpu.clone()), &settings).unwrap();
    // A device that binds no more than some twenty clips' PCM.
    Arc::make_mut(&mut gpu)
        .limits
        .max_storage_buffer_binding_size = 20 * 4096 * 4;
    let plan = Plan::new(&settings, &Limits::from(&gpu.limits)).unwrap();
    assert!((1..=20).contains(&plan.clips_per_dispatch), "{plan:?}");
    let picture = plan.pixels() as usize * 16;
    let alignment = gpu.limits.min_storage_buffer_offset_alignment as usize;
    assert_eq!(plan.clips_per_dispatch * picture % alignment, 0);
    let parts = Engine::new(&Compute::Gpu(gpu), &settings).unwrap();
    let read = |e: &Engine| -> Vec<f32> {
        e.pictures(&clips)
            .unwrap()
            .into_data()
            .try_to_vec()
            .unwrap()
    };
    assert!(read(&whole) == read(&parts));
}

/// A mask hides its columns and rows and nothing else, on every device; hidden pixels have the lowest value's colour.
#[test]
fn masks_hide_what_they_name() {
    let settings = FrontEnd {
        clip_samples: 22_050,
        picture: Some(Size {
            height: 20,
            width: 30,
        }),
        ..presets::mel()
    };
    let clips = [noise(22_050, 1), noise(22_050, 2)];
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    // Columns 3..7 and rows 18..20 of the second clip; the first has none.
    let masks = [
        Masks::default(),
        Masks {
            stretches: [[3, 7, 0, 0], [0, 0, 18, 20]],
        },
    ];
    for (device, compute) in devices() {
        let engine = Engine::new(&compute, &settings).unwrap();
        let read = |t: burn::tensor::Tensor<4>| -> Vec<f32> { t.into_data().try_to_vec().unwrap() };
        let plain = read(engine.pictures(&clips).unwrap());
        let hidden = read(engine.masked_pictures(&clips, &masks).unwrap());
        let lowest = settings.colormap.table()[0];
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
