//! The check of a GPU that nobody named.

use std::sync::Arc;

use crate::check::{Scope, Verdict, Verdicts, check};
use crate::gpu::{DeviceChoice, Gpu};

/// Checks a GPU that `wanted` chose by itself, unless that was done before. Returns why it is not
/// to be used, if its results are wrong.
pub fn refusal(gpu: &Arc<Gpu>, wanted: &DeviceChoice) -> Option<String> {
    if *wanted != DeviceChoice::Auto {
        return None;
    }
    let mut verdicts = Verdicts::of_user();
    let verdict = verdicts.on(gpu).cloned().unwrap_or_else(|| {
        let verdict = Verdict::of(&check(gpu, Scope::Short, |_| {}));
        verdicts.keep(gpu, verdict.clone());
        verdict
    });
    match verdict {
        Verdict::Right => None,
        Verdict::Wrong(what) => Some(format!(
            "{} computes wrong numbers ({what}), so the cpu is used: see `sonoprint check`",
            gpu.describe()
        )),
    }
}
