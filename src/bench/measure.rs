//! Timing shapes of the catalog, and baselines on the same shapes, on one device.

use std::time::{Duration, Instant};

use super::baselines::{self, Baseline};
use super::catalog::{Shape, signals};
use super::error::BenchError;
use super::record::{Adapter, BaselineTimes, Record, ShapeTimes, Stat, WrongBaseline};
use super::reference::Reference;
use super::roofline;
use crate::frontend::FrontEnd;
use crate::frontend::config::Output;
use crate::gpu::Compute;
use crate::gpu::adapter::is_hardware;
use crate::gpu::timing::{Clock, Times};

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Runs behind each median, at least one.
    pub runs: usize,
    /// Whether baselines run too.
    pub baselines: bool,
}

/// Returns a record of this device, with its roofline and without shapes.
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
        let (info, limits) = (&gpu.info, &gpu.limits);
        let driver = format!("{} {}", info.driver, info.driver_info);
        record.adapter = Some(Adapter {
            name: info.name.clone(),
            driver: driver.trim().to_owned(),
            backend: info.backend.to_string(),
        });
        record.software = !is_hardware(info);
        if Clock::new(gpu, 1).has_timestamps() {
            record.clock = "timestamps".into();
        }
        let workgroup_memory = limits.max_compute_workgroup_storage_size;
        let invocations = limits.max_compute_invocations_per_workgroup;
        record.limits = [
            ("workgroup memory", u64::from(workgroup_memory)),
            ("invocations per workgroup", u64::from(invocations)),
            ("storage binding", limits.max_storage_buffer_binding_size),
            ("buffer", limits.max_buffer_size),
        ]
        .map(|(name, n)| (name.to_owned(), n))
        .to_vec();
    }
    Ok(record)
}

/// Times our passes on one shape, and the baselines if `options` say so, after comparing each with
/// the CPU reference.
///
/// Runs as many clips as the shape says, but at most those that one dispatch of this device takes.
///
/// # Errors
/// [`BenchError::Wrong`] if our own numbers differ from the reference; a baseline whose numbers do
/// is not timed. Others if the device fails.
pub fn measure(
    compute: &Compute,
    shape: &Shape,
    options: &Options,
) -> Result<ShapeTimes, BenchError> {
    let front_end = FrontEnd::new(compute, &shape.front_end)?;
    let max_clips = match &front_end {
        FrontEnd::Gpu(f) => f.plan().clips_per_dispatch,
        FrontEnd::Cpu(_) => shape.clips,
    };
    let shape = &Shape {
        clips: shape.clips.min(max_clips),
        ..shape.clone()
    };
    let clips = signals(shape.clips, shape.front_end.clip_samples);
    let views: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let reference = Reference::new(shape, views[0])?;
    reference.compare_ours(&front_end, &views[..1])?;
    let times = match &front_end {
        FrontEnd::Gpu(front_end) => front_end.measure(&views, options.runs)?,
        FrontEnd::Cpu(_) => measure_on_cpu(&front_end, &views, options.runs)?,
    };
    let wall = Stat::of(times.iter().map(|t| t.wall));
    let pass = |i: usize| {
        let times: Option<Vec<Duration>> = times.iter().map(|t| t.passes.get(i).copied()).collect();
        times.map(Stat::of)
    };
    let (stft, rgba) = match pass(0) {
        Some(stft) => {
            let draws = matches!(shape.front_end.output, Output::Image(_));
            (stft, pass(1).filter(|_| draws))
        }
        // The passes cannot be timed one by one.
        None => (wall, None),
    };
    let mut measured = ShapeTimes {
        id: shape.id.into(),
        label: shape.label.into(),
        clips: shape.clips,
        audio_seconds: shape.seconds(),
        stft,
        rgba,
        wall,
        stft_bytes: shape.stft_bytes(),
        rgba_bytes: shape.rgba_bytes(),
        baselines: Vec::new(),
        wrong_baselines: Vec::new(),
    };
    if options.baselines && baselines::comparable(shape) {
        for mut baseline in baselines::all(compute, shape, &clips)? {
            match measure_baseline(baseline.as_mut(), &reference, options.runs) {
                Ok(times) => measured.baselines.push(times),
                // Our own numbers are right here, and their times are worth having.
                Err(BenchError::Wrong {
                    implementation,
                    difference,
                    ..
                }) => measured.wrong_baselines.push(WrongBaseline {
                    name: implementation,
                    difference,
                }),
                Err(e) => return Err(e),
            }
        }
    }
    Ok(measured)
}

/// Times the passes on the CPU, by the host's clock. The second pass gets the time that features
/// take more than spectrograms.
fn measure_on_cpu(
    front_end: &FrontEnd,
    clips: &[&[f32]],
    runs: usize,
) -> Result<Vec<Times>, BenchError> {
    let run = || -> Result<Times, BenchError> {
        let start = Instant::now();
        front_end.spectrograms(clips, &[])?;
        let stft = start.elapsed();
        let start = Instant::now();
        front_end.features(clips)?;
        let wall = start.elapsed();
        let passes = vec![stft, wall.saturating_sub(stft)];
        Ok(Times { passes, wall })
    };
    run()?; // warms up
    (0..runs).map(|_| run()).collect()
}

fn measure_baseline(
    baseline: &mut dyn Baseline,
    reference: &Reference,
    runs: usize,
) -> Result<BaselineTimes, BenchError> {
    // These runs warm up, too.
    baseline.decibels()?;
    let db = baseline.first_decibels()?;
    let features = baseline.first_features().transpose()?;
    let accuracy = reference.compare(baseline.name(), &db, features.as_deref())?;
    let db_times: Result<Vec<Duration>, _> = (0..runs).map(|_| baseline.decibels()).collect();
    let features = match features {
        Some(_) if !accuracy.wrong_features => {
            let times: Result<Vec<Duration>, _> =
                (0..runs).filter_map(|_| baseline.features()).collect();
            Some(Stat::of(times?))
        }
        _ => None,
    };
    Ok(BaselineTimes {
        name: baseline.name().into(),
        db: Stat::of(db_times?),
        features,
        max_db_error: accuracy.max_db_error,
        wrong_features: accuracy.wrong_features,
    })
}
