//! The catalog's shapes on one device, and rivals beside them.

use std::time::{Duration, Instant};

use super::baselines::{self, Baseline};
use super::catalog::{Shape, signals};
use super::check::{Reference, ours};
use super::record::{Adapter, BaselineTime, Measured, Record, Stat};
use super::roofline;
use crate::frontend::{FrontEnd, FrontEndError};
use crate::gpu::adapter::is_hardware;
use crate::gpu::timing::{Clock, Times};
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
    /// A process has one listener.
    #[error("no trace: something in this process listens to its spans already")]
    Tracing,
    /// A figure for wrong numbers would be worth nothing.
    #[error(
        "{who} {what} the CPU twin on {shape}: not timed. Please report it with `sonoprint devices`"
    )]
    Wrong {
        /// Which way.
        who: String,
        /// How it differs.
        what: String,
        /// Of which shape.
        shape: String,
    },
}

/// An empty record of this device, with its roofline.
///
/// # Errors
/// If the device fails.
pub fn record(compute: &Compute, options: &Options) -> Result<Record, BenchError> {
    let mut record = Record {
        sonoprint: env!("CARGO_PKG_VERSION").into(),
        device: compute.name(),
        adapter: None,
        software: true,
        clock: "wall".into(),
        limits: Vec::new(),
        copy_gigabytes_per_second: roofline::copy(compute, options.runs)?,
        runs: options.runs,
        shapes: Vec::new(),
    };
    if let Compute::Gpu(gpu) = compute {
        let (info, l) = (&gpu.info, &gpu.limits);
        record.adapter = Some(Adapter {
            name: info.name.clone(),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_owned(),
            backend: info.backend.to_string(),
        });
        record.software = !is_hardware(info);
        if Clock::new(gpu, 1).has_timestamps() {
            record.clock = "timestamps".into();
        }
        let limits = [
            (
                "workgroup memory",
                u64::from(l.max_compute_workgroup_storage_size),
            ),
            (
                "invocations a workgroup",
                u64::from(l.max_compute_invocations_per_workgroup),
            ),
            ("storage binding", l.max_storage_buffer_binding_size),
            ("buffer", l.max_buffer_size),
        ];
        record.limits = limits.map(|(name, n)| (name.to_owned(), n)).to_vec();
    }
    Ok(record)
}

/// One shape: checked against the CPU twin, then timed; with rivals, they are too. As many clips at once as the shape
/// says, or as one dispatch of this device serves.
///
/// # Errors
/// [`BenchError::Wrong`] for numbers that are not the twin's; otherwise if the device fails.
pub fn measure(
    compute: &Compute,
    shape: &Shape,
    options: &Options,
) -> Result<Measured, BenchError> {
    let engine = FrontEnd::new(compute, &shape.front_end)?;
    let most = match &engine {
        FrontEnd::Gpu(f) => f.plan().clips_per_dispatch,
        FrontEnd::Cpu(_) => shape.clips,
    };
    let shape = &Shape {
        clips: shape.clips.min(most),
        ..shape.clone()
    };
    let clips = signals(shape.clips, shape.front_end.clip_samples);
    let views: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let reference = Reference::of(shape, views[0])?;
    ours(&engine, &clips[..1], &reference)?;
    let times = match &engine {
        FrontEnd::Gpu(front_end) => front_end.measure(&views, options.runs)?,
        FrontEnd::Cpu(_) => on_cpu(&engine, &views, options.runs)?,
    };
    let stamps = times.iter().all(|t| t.passes.len() == 2);
    let (stft, rgba) = if stamps {
        let pass = |i: usize| Stat::of(times.iter().map(|t| t.passes[i]));
        (pass(0), Some(pass(1)))
    } else {
        // Without a clock of its own for each pass, the first has the whole time.
        (Stat::of(times.iter().map(|t| t.wall)), None)
    };
    let mut measured = Measured {
        id: shape.id.into(),
        label: shape.label.into(),
        clips: shape.clips,
        audio_seconds: shape.seconds(),
        stft,
        rgba,
        wall: Stat::of(times.iter().map(|t| t.wall)),
        stft_bytes: shape.stft_bytes(),
        rgba_bytes: shape.rgba_bytes(),
        rivals: Vec::new(),
    };
    if options.rivals && baselines::comparable(shape) {
        for mut rival in baselines::all(compute, shape, &clips)? {
            let time = time(rival.as_mut(), &reference, options.runs)?;
            measured.rivals.push(time);
        }
    }
    Ok(measured)
}

/// The second pass has what whole pictures take more than spectrograms.
fn on_cpu(engine: &FrontEnd, clips: &[&[f32]], runs: usize) -> Result<Vec<Times>, BenchError> {
    let run = || -> Result<Times, BenchError> {
        let start = Instant::now();
        engine.spectrograms(clips, &[])?;
        let stft = start.elapsed();
        let start = Instant::now();
        engine.features(clips)?;
        let wall = start.elapsed();
        let passes = vec![stft, wall.saturating_sub(stft)];
        Ok(Times { passes, wall })
    };
    run()?;
    (0..runs).map(|_| run()).collect()
}

fn time(
    rival: &mut dyn Baseline,
    reference: &Reference,
    runs: usize,
) -> Result<BaselineTime, BenchError> {
    // This is the run that warms up, too.
    rival.decibels()?;
    let db = rival.first()?;
    let picture = rival.first_picture().transpose()?;
    let checked = reference.check(rival.name(), &db, picture.as_deref())?;
    let times: Result<Vec<Duration>, _> = (0..runs).map(|_| rival.decibels()).collect();
    let pictures = match picture {
        Some(_) if !checked.wrong_picture => {
            let all: Result<Vec<Duration>, _> =
                (0..runs).filter_map(|_| rival.features()).collect();
            Some(Stat::of(all?))
        }
        _ => None,
    };
    Ok(BaselineTime {
        name: rival.name().into(),
        db: Stat::of(times?),
        picture: pictures,
        worst_db: checked.worst_db,
        wrong_picture: checked.wrong_picture,
    })
}
