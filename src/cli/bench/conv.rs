//! `sonoprint bench --only conv`.

use std::path::Path;

use anyhow::ensure;

use super::super::Done;
use super::output::Lines;
use crate::bench::{
    ConvRecord, LAYERS, LayerTimes, MAX_LAYERS, MaxLayerTimes, PairedTimes, STEP, Stat, TOLERANCE,
    conv, conv_max_layer, conv_record, step,
};
use crate::gpu::Compute;

/// Whether the values of `--only` name convolutions.
pub fn is_selected(only: &[String]) -> bool {
    !only.is_empty() && only.iter().all(|o| o.starts_with("conv"))
}

pub fn run(
    compute: &Compute,
    only: &[String],
    runs: usize,
    json: Option<&Path>,
    lines: &Lines,
) -> anyhow::Result<Done> {
    let is_selected = |id: &str| only.iter().any(|o| id.starts_with(o.as_str()));
    let layers: Vec<_> = LAYERS.iter().filter(|l| is_selected(l.id)).collect();
    let max_layers: Vec<_> = MAX_LAYERS.iter().filter(|l| is_selected(l.id)).collect();
    ensure!(
        !(layers.is_empty() && max_layers.is_empty()) || is_selected(STEP),
        "no layer's name begins with {}: there are {}, {}, {STEP}",
        only.join(" or "),
        LAYERS.map(|l| l.id).join(", "),
        MAX_LAYERS.map(|l| l.id).join(", ")
    );
    let mut record = conv_record(compute, runs)?;
    lines.print(head(&record))?;
    for layer in layers {
        let times = conv(compute, layer, runs)?;
        lines.print(rows(&times, record.peak))?;
        record.layers.push(times);
    }
    for layer in max_layers {
        let times = conv_max_layer(compute, layer, runs)?;
        lines.print(max_rows(&times, record.peak))?;
        record.max_layers.push(times);
    }
    if is_selected(STEP) {
        let times = step(compute, runs)?;
        lines.print(step_row(&times))?;
        record.step = Some(times);
    }
    if let Some(path) = json {
        lines.write(path, record.json().as_bytes())?;
    }
    Ok(Done::All)
}

fn head(record: &ConvRecord) -> String {
    format!(
        "{}\nconvolutions: {}\n\
         peak: {:.1} GFLOPS (nothing but multiply-adds in registers)\n\
         runs: {}; times are medians ± spread, by the host's clock around a wait\n\n\
         {:<24} {:<16} {:>16} {:>8} {:>7} {:>18} {:>9}",
        record.device,
        record.plan,
        record.peak,
        record.runs,
        "layer",
        "pass",
        "ours",
        "GFLOPS",
        "of peak",
        "Burn",
        "Burn/ours"
    )
}

/// Three rows, one per pass.
fn rows(times: &LayerTimes, peak: f64) -> String {
    let id = match times.ours {
        true => times.id.to_owned(),
        false => format!("{} (Burn)", times.id),
    };
    let flops = Some((times.flops, peak));
    [
        row(&id, "forward", &times.forward, flops),
        row("", "backward data", &times.backward_data, flops),
        row("", "backward weight", &times.backward_weight, flops),
    ]
    .join("\n")
}

/// Three rows: inference, and training with frozen moments and with learned ones.
///
/// The operations of training are not counted: the gradients take few.
fn max_rows(times: &MaxLayerTimes, peak: f64) -> String {
    let flops = Some((times.flops, peak));
    let forward = row(times.id, "forward", &times.forward, flops);
    let training = row("", "with gradients", &times.training, None);
    let unfused = row("", "unfused", &times.unfused, None);
    [forward, training, unfused].join("\n")
}

/// One row, with GFLOPS if the operations and the peak are given.
fn row(id: &str, pass: &str, paired: &PairedTimes, flops: Option<(f64, f64)>) -> String {
    let [gflops, of_peak] = flops.map_or([const { String::new() }; 2], |(flops, peak)| {
        let gflops = flops / 1e9 / paired.ours.median;
        [
            format!("{gflops:.2}"),
            format!("{:.0}%", 100.0 * gflops / peak),
        ]
    });
    let wrong = match paired.burn_error > TOLERANCE {
        true => format!(
            "  (Burn's result is wrong by {:.0}% of the largest value)",
            100.0 * paired.burn_error
        ),
        false => String::new(),
    };
    format!(
        "{id:<24} {pass:<16} {:>16} {gflops:>8} {of_peak:>7} {:>18} {:>9.2}{wrong}",
        milliseconds(&paired.ours),
        milliseconds(&paired.burn),
        paired.ratio()
    )
}

fn milliseconds(stat: &Stat) -> String {
    format!("{:.1} ±{:.1} ms", 1e3 * stat.median, 1e3 * stat.spread)
}

fn step_row(times: &PairedTimes) -> String {
    format!(
        "{STEP}: a training step of deeppixel, batch 4 at 180x180: \
         ours {}, Burn's convolutions {}, Burn/ours {:.1}",
        milliseconds(&times.ours),
        milliseconds(&times.burn),
        times.ratio()
    )
}
