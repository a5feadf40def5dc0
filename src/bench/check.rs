//! Whether a way to decibels and pictures gives the right ones: a figure for wrong numbers would be worth nothing.

use burn::tensor::Tensor;

use super::baselines;
use super::catalog::{Shape, signals};
use super::measure::BenchError;
use crate::frontend::FrontEnd;
use crate::frontend::config::FrontEndConfig;
use crate::frontend::cpu::rgba;
use crate::frontend::tables::Tables;
use crate::gpu::Compute;

/// Differences beyond this are mistakes. 80 dB below the loudest cell, f32 is good for a hundredth.
const TOLERANCE_DB: f64 = 0.1;
/// How far below the loudest cell is looked.
const WITHIN_DB: f32 = 80.0;
/// Mean difference of a picture's values that rounding may make.
const TOLERANCE_PICTURE: f64 = 1.0 / 255.0;
/// Our own passes, among the ways.
const OURS: &str = "sonoprint";

/// One way that gave the right numbers, and how far off it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Which way.
    pub name: String,
    /// Largest difference of its decibels, within 80 dB of the loudest.
    pub worst_db: f64,
    /// Mean difference of its picture's values (0..=1), if it makes pictures.
    pub mean_picture: Option<f64>,
    /// That this is more than rounding makes. Never of ours, which would be an error: of a rival, whose pictures are then not
    /// timed (Burn 0.22.1's operations draw them 5 to 22/255 off on llvmpipe, and rightly on the CPU).
    pub wrong_picture: bool,
}

/// The CPU twin's answer for the first clip.
pub(super) struct Reference {
    shape: &'static str,
    front_end: FrontEndConfig,
    db: Vec<f32>,
    picture: Vec<f32>,
}

impl Reference {
    pub(super) fn of(shape: &Shape, clip: &[f32]) -> Result<Self, BenchError> {
        let twin = FrontEnd::new(&Compute::Cpu, &shape.front_end)?;
        Ok(Self {
            shape: shape.id,
            front_end: shape.front_end.clone(),
            db: twin.spectrograms(&[clip], &[])?.remove(0).values,
            picture: values(twin.features(&[clip])?)?,
        })
    }

    /// Holds `db` (`[frame][row]`) and `picture` (`[channel][y][x]`) of the first clip against it.
    pub(super) fn check(
        &self,
        name: &str,
        db: &[f32],
        picture: Option<&[f32]>,
    ) -> Result<Checked, BenchError> {
        let wrong = |what: String| {
            Err(BenchError::Wrong {
                who: name.into(),
                what,
                shape: self.shape.into(),
            })
        };
        if db.len() != self.db.len() || picture.is_some_and(|p| p.len() != self.picture.len()) {
            return wrong("has other sizes than".into());
        }
        let worst_db = worst(db, &self.db);
        if worst_db > TOLERANCE_DB {
            return wrong(format!("is {worst_db:.3} dB off"));
        }
        // Colors are stretched down to the clip's single quietest cell, which is rounding and differs from transform to
        // transform: a rival's picture is held against that of its own decibels, which were just found right.
        let mean_picture = picture.map(|p| match name {
            OURS => mean(p, &self.picture),
            _ => mean(p, &drawn(&self.front_end, db)),
        });
        let off = mean_picture.filter(|&m| m > TOLERANCE_PICTURE);
        if let Some(mean) = off.filter(|_| name == OURS) {
            return wrong(format!("draws pictures {:.2}/255 off", 255.0 * mean));
        }
        Ok(Checked {
            name: name.into(),
            worst_db,
            mean_picture,
            wrong_picture: off.is_some(),
        })
    }
}

/// Runs our passes and every rival that can over `shape`, and holds each against the CPU twin. Nothing is timed.
///
/// # Errors
/// [`BenchError::Wrong`] for numbers that are not the twin's; otherwise if the device fails.
pub fn check(compute: &Compute, shape: &Shape) -> Result<Vec<Checked>, BenchError> {
    let clips = signals(shape.clips, shape.front_end.clip_samples);
    let reference = Reference::of(shape, &clips[0])?;
    let engine = FrontEnd::new(compute, &shape.front_end)?;
    let mut all = vec![ours(&engine, &clips, &reference)?];
    if baselines::comparable(shape) {
        for mut rival in baselines::all(compute, shape, &clips)? {
            rival.decibels()?;
            let db = rival.first()?;
            let picture = rival.first_picture().transpose()?;
            all.push(reference.check(rival.name(), &db, picture.as_deref())?);
        }
    }
    Ok(all)
}

/// Our passes, over all clips at once.
pub(super) fn ours(
    engine: &FrontEnd,
    clips: &[Vec<f32>],
    reference: &Reference,
) -> Result<Checked, BenchError> {
    let views: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let db = engine.spectrograms(&views, &[])?.remove(0).values;
    let picture = values(engine.features(&views)?.narrow(0, 0, 1))?;
    reference.check(OURS, &db, Some(&picture))
}

/// The CPU twin's picture, `[channel][y][x]`, of decibels that all have a value.
fn drawn(settings: &FrontEndConfig, db: &[f32]) -> Vec<f32> {
    let size = settings.image_size();
    let ends = (f32::INFINITY, f32::NEG_INFINITY);
    let range = db
        .iter()
        .fold(ends, |(low, high), &v| (low.min(v), high.max(v)));
    let mut picture = vec![0.0; 4 * size.height * size.width];
    let tables = Tables::new(settings);
    rgba::run(settings, &tables, db, Some(range), &mut picture);
    picture
}

/// All values of a tensor.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, BenchError> {
    let data = tensor
        .try_into_data()
        .map_err(|e| BenchError::Burn(e.to_string()))?;
    data.try_to_vec()
        .map_err(|e| BenchError::Burn(e.to_string()))
}

/// The largest difference in cells that are not far below the loudest.
fn worst(got: &[f32], want: &[f32]) -> f64 {
    let loudest = want.iter().copied().fold(f32::MIN, f32::max);
    let off = |(g, w): (&f32, &f32)| match f64::from((g - w).abs()) {
        off if off.is_nan() => f64::INFINITY,
        off => off,
    };
    got.iter()
        .zip(want)
        .filter(|(_, w)| **w > loudest - WITHIN_DB)
        .map(off)
        .fold(0.0, f64::max)
}

fn mean(got: &[f32], want: &[f32]) -> f64 {
    let off = got.iter().zip(want).map(|(g, w)| f64::from((g - w).abs()));
    match off.sum::<f64>() / want.len() as f64 {
        mean if mean.is_nan() => f64::INFINITY,
        mean => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::{BenchError, OURS, Reference};
    use crate::frontend::presets;

    #[test]
    fn wrong_numbers_are_found() {
        let reference = Reference {
            shape: "toy",
            front_end: presets::deeppixel(),
            db: vec![0.0, -50.0, -120.0],
            picture: vec![0.5; 4],
        };
        let check = |db: &[f32], picture: &[f32]| reference.check(OURS, db, Some(picture));
        let right = check(&[0.0, -50.05, -99.0], &[0.5, 0.501, 0.5, 0.5]).unwrap();
        assert!((right.worst_db - 0.05).abs() < 1e-5, "{right:?}");
        for (db, picture) in [
            ([0.0, -50.2, -120.0], [0.5; 4]),
            ([f32::NAN, -50.0, -120.0], [0.5; 4]),
            ([0.0, -50.0, -120.0], [0.5, 0.52, 0.5, 0.5]),
            ([0.0, -50.0, -120.0], [0.5, f32::NAN, 0.5, 0.5]),
        ] {
            let wrong = check(&db, &picture);
            assert!(matches!(wrong, Err(BenchError::Wrong { .. })), "{wrong:?}");
        }
        assert!(check(&[0.0, -50.0], &[0.5; 4]).is_err());
    }
}
