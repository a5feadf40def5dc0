//! `sonoprint bench --only conv`.

use std::path::Path;

use anyhow::{Context, ensure};

use super::super::{Done, args};
use crate::bench::{
    Both, ConvRecord, LAYERS, LayerTimes, STEP, TOLERANCE, conv, conv_record, steps,
};
use crate::gpu::Compute;

/// Whether these words of `--only` mean convolutions.
pub fn asked(only: &[String]) -> bool {
    !only.is_empty() && only.iter().all(|o| o.starts_with("conv"))
}

pub fn run(
    compute: &Compute,
    only: &[String],
    runs: usize,
    json: Option<&Path>,
) -> anyhow::Result<Done> {
    let asked = |id: &str| only.iter().any(|o| id.starts_with(o.as_str()));
    let layers: Vec<_> = LAYERS.iter().filter(|l| asked(l.id)).collect();
    ensure!(
        !layers.is_empty() || asked(STEP),
        "no layer begins so: there are {}, {STEP}",
        LAYERS.map(|l| l.id).join(", ")
    );
    let mut found = conv_record(compute, runs)?;
    args::say(head(&found))?;
    for layer in layers {
        let times = conv(compute, layer, runs)?;
        args::say(rows(&times, found.peak))?;
        found.layers.push(times);
    }
    if asked(STEP) {
        let step = steps(compute, runs)?;
        args::say(format!(
            "{STEP}: a training step of the seed network, 4 pictures of 180x180: {:.0} ±{:.0} ms, with Burn's convolutions {:.0} ±{:.0} ms: {:.1} times ours",
            1e3 * step.ours.median,
            1e3 * step.ours.spread,
            1e3 * step.burns.median,
            1e3 * step.burns.spread,
            step.ratio()
        ))?;
        found.step = Some(step);
    }
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&found)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        args::say(format!("wrote {}", path.display()))?;
    }
    Ok(Done::All)
}

fn head(found: &ConvRecord) -> String {
    let peak = match found.peak {
        Some(peak) => format!("multiply-adds alone: {peak:.1} GFLOPS\n"),
        None => String::new(),
    };
    format!(
        "{}\nconvolutions: {}\n{peak}medians of {} runs around a wait, by the host's clock\n\n{:<22} {:<16} {:>14} {:>8} {:>7} {:>16} {:>6}",
        found.device,
        found.plan,
        found.runs,
        "",
        "",
        "ours",
        "GFLOPS",
        "of peak",
        "Burn's",
        "ratio"
    )
}

fn rows(times: &LayerTimes, peak: Option<f64>) -> String {
    let row = |id: &str, what: &str, both: &Both| {
        let rate = times.flops / 1e9 / both.ours.median;
        let wrong = match both.burns_off > TOLERANCE {
            true => format!(
                "  (Burn's numbers are wrong: {:.0}% off)",
                100.0 * both.burns_off
            ),
            false => String::new(),
        };
        let share = peak.map_or(String::new(), |p| format!("{:.0}%", 100.0 * rate / p));
        format!(
            "{id:<22} {what:<16} {:>8.1} ±{:<4.1}ms {rate:>8.2} {share:>7} {:>10.1} ±{:<4.1}ms {:>6.2}{wrong}",
            1e3 * both.ours.median,
            1e3 * both.ours.spread,
            1e3 * both.burns.median,
            1e3 * both.burns.spread,
            both.ratio()
        )
    };
    let id = match times.ours {
        true => times.id.to_owned(),
        false => format!("{} (Burn's)", times.id),
    };
    [
        row(&id, "forward", &times.forward),
        row("", "backward data", &times.backward_data),
        row("", "backward weight", &times.backward_weight),
    ]
    .join("\n")
}
