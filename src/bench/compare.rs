//! Comparing two records of the same device.

use super::record::{Record, Stat};

/// The result of comparing one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Faster, by more than noise explains.
    Faster,
    /// Slower, by more than noise explains.
    Slower,
    /// Noise can explain the difference.
    Same,
}

/// An entry that both records have.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The id in the catalog, with the number of clips.
    pub id: String,
    /// New time divided by old time.
    pub ratio: f64,
    /// The relative change that noise can make.
    pub noise: f64,
    /// Whether the change is larger than noise.
    pub verdict: Verdict,
}

/// Why two records cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// They were made on different devices.
    #[error("the old record was made on another device: {0}")]
    Device(String),
    /// One was timed by the GPU's timestamps, the other by the host's clock.
    #[error("the old record was timed by another clock: {0}")]
    Clock(String),
    /// They have no entry in common.
    #[error("the two records have no entry in common: the old one has {0}")]
    Nothing(String),
}

/// The least relative change that counts, however steady the runs look: clock rates and other load
/// on the machine differ from run to run.
const MIN_NOISE: f64 = 0.03;
/// How many spreads noise may move a median by. For normal noise that is twice its standard
/// deviation.
const NOISE_SPREADS: f64 = 3.0;

/// Compares the entries that two records have in common.
///
/// Noise is three times the spreads of both records together, and at least 3 %.
///
/// # Errors
/// [`CompareError`] if the records cannot be compared.
pub fn compare(old: &Record, new: &Record) -> Result<Vec<Change>, CompareError> {
    if old.device != new.device {
        return Err(CompareError::Device(old.device.clone()));
    }
    if old.clock != new.clock {
        return Err(CompareError::Clock(old.clock.clone()));
    }
    let old = old.timed();
    let changes: Vec<Change> = new
        .timed()
        .into_iter()
        .filter_map(|(id, new)| {
            let (_, old) = old.iter().find(|(old_id, _)| *old_id == id)?;
            Some(change(id, *old, new))
        })
        .collect();
    if changes.is_empty() {
        let ids: Vec<String> = old.into_iter().map(|(id, _)| id).collect();
        return Err(CompareError::Nothing(ids.join(", ")));
    }
    Ok(changes)
}

fn change(id: String, old: Stat, new: Stat) -> Change {
    let relative_spread = |s: Stat| s.spread / s.median;
    let ratio = new.median / old.median;
    let noise = NOISE_SPREADS * relative_spread(old).hypot(relative_spread(new));
    let noise = noise.max(MIN_NOISE);
    let verdict = match ratio.ln() {
        change if change > noise => Verdict::Slower,
        change if change < -noise => Verdict::Faster,
        _ => Verdict::Same,
    };
    Change {
        id,
        ratio,
        noise,
        verdict,
    }
}
