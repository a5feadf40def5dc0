//! Two records of the same device: what became faster, what slower, and what noise can explain.

use super::record::Record;

/// What a comparison says of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By more than noise.
    Faster,
    /// By more than noise.
    Slower,
    /// Noise can explain it.
    Same,
}

/// An entry that two records have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Of the catalog, with the number of clips.
    pub id: String,
    /// New time over old.
    pub ratio: f64,
    /// The change that noise may make, as a share.
    pub noise: f64,
    /// Outside of it or not.
    pub verdict: Verdict,
}

/// Why two records say nothing of each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// They were made on different devices.
    #[error("the old record is of another device, {0}: make one on this device with --json")]
    Device(String),
    /// One was timed by the GPU, the other by the host.
    #[error("the old record has times by {0}: make one with this version with --json")]
    Clock(String),
    /// Nothing was measured in both.
    #[error("the two records have nothing in common: the old one has {0}")]
    Nothing(String),
}

/// Changes smaller than this are noise however steady the runs look: clocks and neighbors differ from run to run.
const LEAST_NOISE: f64 = 0.03;
/// Spreads (median distances from the median) that noise may move a median by. For normal noise that is twice its
/// standard deviation.
const SPREADS: f64 = 3.0;

/// Compares what two records have in common. Noise is three spreads of both sides together, and at least 3 %.
///
/// # Errors
/// [`CompareError`] if they cannot be compared.
pub fn compare(old: &Record, new: &Record) -> Result<Vec<Changed>, CompareError> {
    if old.device != new.device {
        return Err(CompareError::Device(old.device.clone()));
    }
    if old.clock != new.clock {
        return Err(CompareError::Clock(old.clock.clone()));
    }
    let before = old.timed();
    let pairs = new.timed().into_iter().filter_map(|(id, n)| {
        let (_, o) = before.iter().find(|(before, _)| *before == id)?;
        Some((id, *o, n))
    });
    let all: Vec<Changed> = pairs
        .map(|(id, o, n)| {
            let share = |s: super::Stat| s.spread / s.median;
            let ratio = n.median / o.median;
            let noise = LEAST_NOISE.max(SPREADS * share(o).hypot(share(n)));
            let verdict = match ratio.ln() {
                change if change > noise => Verdict::Slower,
                change if change < -noise => Verdict::Faster,
                _ => Verdict::Same,
            };
            Changed {
                id,
                ratio,
                noise,
                verdict,
            }
        })
        .collect();
    if all.is_empty() {
        let names: Vec<String> = before.into_iter().map(|(id, _)| id).collect();
        return Err(CompareError::Nothing(names.join(", ")));
    }
    Ok(all)
}
