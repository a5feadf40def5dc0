//! The catalogue's shapes on one device, and rivals beside them.

use std::time::{Duration, Instant};

use super::catalogue::{Shape, signals};
use super::record::{Measured, Record, RivalTime, Stat};
use super::rivals::{self, Rival};
use super::roofline;
use crate::frontend::{Engine, FrontEndError};
use crate::gpu::adapter::is_hardware;
use crate::gpu::clock::Times;
use crate::gpu::{Compute, GpuError};

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Behind each median.
    pub runs: usize,
    /// Whether rivals run too.
    pub rivals: bool,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The shape does not run on this device, or the device failed.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// Burn failed.
    #[error("burn: {0}")]
    Burn(String),
    /// A figure for wrong numbers would be worth nothing.
    #[error("{who} is {worst:.3} dB off the CPU twin on {shape}: not timed")]
    Wrong {
        /// Which way.
        who: String,
        /// Largest difference.
        worst: f64,
        /// Of which shape.
        shape: String,
    },
}

/// Differences beyond this are mistakes. 80 dB below the loudest cell, f32 is good for a hundredth.
const TOLERANCE_DB: f64 = 0.1;
/// How far below the loudest cell is looked.
const WITHIN_DB: f32 = 80.0;

/// An empty record of this device, with its roofline.
///
/// # Errors
/// If the device fails.
pub fn record(compute: &Compute, options: &Options) -> Result<Record, BenchError> {
    let (device, software, limits) = match compute {
        Compute::Cpu => ("cpu".to_owned(), true, Vec::new()),
        Compute::Gpu(gpu) => {
            let l = &gpu.limits;
            let limits = [
                (
                    "workgroup memory",
                    u64::from(l.max_compute_workgroup_storage_size),
                ),
                (
                    "workgroup size",
                    u64::from(l.max_compute_invocations_per_workgroup),
                ),
                ("storage binding", l.max_storage_buffer_binding_size),
                ("buffer", l.max_buffer_size),
            ];
            let limits = limits.map(|(name, n)| (name.to_owned(), n)).to_vec();
            (gpu.describe(), !is_hardware(&gpu.info), limits)
        }
    };
    let stamps = match compute {
        Compute::Gpu(gpu) => crate::gpu::clock::Clock::new(gpu, 1).has_timestamps(),
        Compute::Cpu => false,
    };
    Ok(Record {
        sonoprint: env!("CARGO_PKG_VERSION").into(),
        device,
        software,
        clock: if stamps { "timestamps" } else { "wall" }.into(),
        limits,
        copy_gigabytes_per_second: roofline::copy(compute, options.runs)?,
        runs: options.runs,
        shapes: Vec::new(),
    })
}

/// One shape: checked against the CPU twin, then timed; with rivals, they are too.
///
/// # Errors
/// [`BenchError::Wrong`] for numbers that are not the twin's; otherwise if the device fails.
pub fn measure(
    compute: &Compute,
    shape: &Shape,
    options: &Options,
) -> Result<Measured, BenchError> {
    let clips = signals(shape.clips, shape.front_end.clip_samples);
    let views: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let engine = Engine::new(compute, &shape.front_end)?;
    let mut twin = Engine::new(&Compute::Cpu, &shape.front_end)?.spectrograms(&views[..1], &[])?;
    let twin = twin.remove(0).db;
    let ours = engine.spectrograms(&views[..1], &[])?.remove(0).db;
    check("sonoprint", shape, &ours, &twin)?;
    let times = match &engine {
        Engine::Gpu(front_end) => front_end.measure(&views, options.runs)?,
        Engine::Cpu(_) => on_cpu(&engine, &views, options.runs)?,
    };
    let pass = |i: usize| {
        Stat::of(
            times
                .iter()
                .map(|t| t.passes.get(i).copied().unwrap_or(t.wall)),
        )
    };
    let wall = Stat::of(times.iter().map(|t| t.wall));
    let stamps = times.iter().all(|t| t.passes.len() == 2);
    let mut measured = Measured {
        id: shape.id.into(),
        label: shape.label.into(),
        clips: shape.clips,
        audio_seconds: shape.seconds(),
        stft: pass(0),
        // Without a clock of its own for each pass, the first has the whole time.
        rgba: if stamps { pass(1) } else { Stat::default() },
        wall,
        stft_bytes: shape.stft_bytes(),
        rgba_bytes: shape.rgba_bytes(),
        rivals: Vec::new(),
    };
    if options.rivals && rivals::comparable(shape) {
        for mut rival in rivals::all(compute, shape, &clips)? {
            measured
                .rivals
                .push(time(rival.as_mut(), shape, &twin, options.runs)?);
        }
    }
    Ok(measured)
}

fn on_cpu(engine: &Engine, clips: &[&[f32]], runs: usize) -> Result<Vec<Times>, BenchError> {
    let run = || -> Result<Times, BenchError> {
        let start = Instant::now();
        engine.spectrograms(clips, &[])?;
        let stft = start.elapsed();
        let start = Instant::now();
        engine.pictures(clips)?;
        let wall = start.elapsed();
        let passes = vec![stft, wall.saturating_sub(stft)];
        Ok(Times { passes, wall })
    };
    run()?;
    (0..runs).map(|_| run()).collect()
}

fn time(
    rival: &mut dyn Rival,
    shape: &Shape,
    twin: &[f32],
    runs: usize,
) -> Result<RivalTime, BenchError> {
    rival.decibels()?;
    let first = rival.first()?;
    let worst_db = check(rival.name(), shape, &first, twin)?;
    let times: Result<Vec<Duration>, _> = (0..runs).map(|_| rival.decibels()).collect();
    let picture = match rival.pictures() {
        None => None,
        Some(warm) => {
            warm?;
            let all: Result<Vec<Duration>, _> =
                (0..runs).filter_map(|_| rival.pictures()).collect();
            Some(Stat::of(all?))
        }
    };
    Ok(RivalTime {
        name: rival.name().into(),
        db: Stat::of(times?),
        picture,
        worst_db,
    })
}

/// The largest difference in cells that are not far below the loudest.
fn check(who: &str, shape: &Shape, got: &[f32], want: &[f32]) -> Result<f64, BenchError> {
    let loudest = want.iter().copied().fold(f32::MIN, f32::max);
    let mut worst = if got.len() == want.len() {
        0.0
    } else {
        f64::INFINITY
    };
    for (g, w) in got.iter().zip(want) {
        if *w > loudest - WITHIN_DB {
            let off = f64::from((g - w).abs());
            // Not a number is wrong too.
            worst = if off <= worst { worst } else { off };
        }
    }
    match worst <= TOLERANCE_DB {
        true => Ok(worst),
        false => Err(BenchError::Wrong {
            who: who.into(),
            worst,
            shape: shape.id.into(),
        }),
    }
}
