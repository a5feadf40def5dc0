//! How many clips a device can take at once.

use crate::gpu::Compute;
use crate::model::{NetworkSpec, Pass};

/// Bytes of the largest tensor of a batch that is chosen automatically. A forward pass holds a few
/// tensors of that size at a time, and cards have 4 GiB and more.
const AUTOMATIC_BYTES: u64 = 1 << 30;

/// A batch that is larger than the device can bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a batch of {clips} clips needs a buffer of {} MB, and this device binds at most {} MB: {}",
    need / 1_000_000,
    have / 1_000_000,
    match most {
        0 => "not even one clip fits".to_owned(),
        n => format!("{n} clips fit"),
    }
)]
pub struct BatchTooLarge {
    /// Clips of the batch.
    pub clips: usize,
    /// The most clips that fit.
    pub most: usize,
    /// Bytes of the batch's largest tensor.
    pub need: u64,
    /// Bytes of one binding.
    pub have: u64,
}

/// What limits the batches of one network on one device: its largest tensor.
///
/// ```
/// use sonoprint::frontend::presets;
/// use sonoprint::gpu::Compute;
/// use sonoprint::inference::BatchLimit;
/// use sonoprint::model::{NetworkKind, NetworkSpec, Pass};
///
/// let network = NetworkSpec::new(NetworkKind::DeepPixel, 10, &presets::deeppixel());
/// let limit = BatchLimit::new(&Compute::Cpu, &network, Pass::Inference, false);
/// assert_eq!(limit.most(), None);
/// // 66 MB per clip.
/// assert_eq!(limit.automatic(32), 16);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimit {
    /// Bytes of the largest tensor of one clip.
    clip: u64,
    /// Bytes of one binding; `None` without such a limit.
    binding: Option<u64>,
}

impl BatchLimit {
    /// Returns the limit of `network` on `compute`, with tensors of f16 if `half`, else f32.
    pub fn new(compute: &Compute, network: &NetworkSpec, pass: Pass, half: bool) -> Self {
        let value = if half { 2 } else { 4 };
        Self {
            clip: network.largest_tensor(pass).saturating_mul(value).max(1),
            binding: compute.largest_binding(),
        }
    }

    /// Returns the most clips that fit; `None` without a limit.
    pub fn most(&self) -> Option<usize> {
        let fit = |binding| usize::try_from(binding / self.clip).unwrap_or(usize::MAX);
        self.binding.map(fit)
    }

    /// Returns `wanted` clips, or fewer if they would need much memory or more than the device can
    /// bind; at least one.
    pub fn automatic(&self, wanted: usize) -> usize {
        let cheap = usize::try_from(AUTOMATIC_BYTES / self.clip).unwrap_or(usize::MAX);
        let most = self.most().unwrap_or(usize::MAX);
        wanted.min(cheap).min(most).max(1)
    }

    /// Checks that a batch of `clips` fits.
    ///
    /// # Errors
    /// [`BatchTooLarge`].
    pub fn check(&self, clips: usize) -> Result<(), BatchTooLarge> {
        match (self.binding, self.most()) {
            (Some(have), Some(most)) if clips > most => Err(BatchTooLarge {
                clips,
                most,
                need: self.clip.saturating_mul(clips as u64),
                have,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_what_the_device_binds() {
        let limit = BatchLimit {
            clip: 66_000_000,
            binding: Some(128 << 20),
        };
        assert_eq!(limit.most(), Some(2));
        assert_eq!(limit.automatic(32), 2);
        assert!(limit.check(2).is_ok());
        let error = limit.check(4).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a batch of 4 clips needs a buffer of 264 MB, and this device binds at most 134 MB: \
             2 clips fit"
        );
        let tight = BatchLimit {
            binding: Some(1),
            ..limit
        };
        assert_eq!((tight.most(), tight.automatic(32)), (Some(0), 1));
        let error = tight.check(1).unwrap_err().to_string();
        assert!(error.ends_with("not even one clip fits"), "{error}");
    }
}
