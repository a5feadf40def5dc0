//! What the outputs for a batch should be.

use burn::tensor::TensorData;

use super::batches::Batch;

/// Returns the target distribution of each clip, `[n, classes]`: its own class, shared with the
/// next clip's as the two were mixed, and smoothed over all classes (Szegedy et al. 2016).
pub(super) fn class_targets(batch: &Batch, classes: usize, smoothing: f64) -> TensorData {
    let n = batch.labels.len();
    let mut out = vec![(smoothing / classes as f64) as f32; n * classes];
    for (i, augment) in batch.augments.iter().enumerate() {
        let mix = f64::from(augment.waveform.mix);
        let row = &mut out[i * classes..][..classes];
        row[batch.labels[i][0]] += ((1.0 - smoothing) * (1.0 - mix)) as f32;
        row[batch.labels[(i + 1) % n][0]] += ((1.0 - smoothing) * mix) as f32;
    }
    TensorData::new(out, [n, classes])
}

/// Returns the target of each clip for each tag, `[n, tags]`, from 0 to 1.
///
/// The target is 1 for a tag of the clip. The next clip's tags count by the share by which the two
/// were mixed (mixup, Zhang et al. 2018), because a tag of a clip that is hardly heard is hardly
/// true. Smoothing replaces a part of the target by the share of the training clips that have the
/// tag: the mean over the clips stays what it was, and rare tags stay improbable.
pub(super) fn tag_targets(batch: &Batch, shares: &[f64], smoothing: f64) -> TensorData {
    let (n, tags) = (batch.labels.len(), shares.len());
    let smooth = shares.iter().map(|share| (smoothing * share) as f32);
    let smooth: Vec<f32> = smooth.collect();
    let mut out = smooth.repeat(n);
    for (i, augment) in batch.augments.iter().enumerate() {
        let mix = f64::from(augment.waveform.mix);
        let row = &mut out[i * tags..][..tags];
        for (labels, part) in [
            (&batch.labels[i], 1.0 - mix),
            (&batch.labels[(i + 1) % n], mix),
        ] {
            for &tag in labels {
                row[tag] += ((1.0 - smoothing) * part) as f32;
            }
        }
    }
    TensorData::new(out, [n, tags])
}

/// Returns 1 for each clip's own classes and 0 for the others, `[n, classes]`.
pub(super) fn own_labels(batch: &Batch, classes: usize) -> TensorData {
    let n = batch.labels.len();
    let mut out = vec![0f32; n * classes];
    for (row, labels) in out.chunks_mut(classes).zip(&batch.labels) {
        for &label in labels {
            row[label] = 1.0;
        }
    }
    TensorData::new(out, [n, classes])
}

#[cfg(test)]
mod tests {
    use super::{Batch, own_labels, tag_targets};

    /// Two clips of three tags. A quarter of the second is mixed into the first.
    #[test]
    fn targets_of_tags_are_mixed_and_smoothed_towards_their_frequency() {
        let mut augments = vec![crate::frontend::augment::Augment::default(); 2];
        augments[0].waveform.mix = 0.25;
        let batch = Batch {
            clips: Vec::new(),
            labels: vec![vec![0, 1], vec![1, 2]],
            augments,
        };
        let values = |smoothing| {
            let targets = tag_targets(&batch, &[0.5, 1.0, 0.25], smoothing);
            targets.try_to_vec::<f32>().unwrap()
        };
        assert_eq!(values(0.0), [0.75, 1.0, 0.25, 0.0, 1.0, 1.0]);
        let smooth = values(0.5);
        assert_eq!(smooth, [0.625, 1.0, 0.25, 0.25, 1.0, 0.625]);
        let own = own_labels(&batch, 3).try_to_vec::<f32>().unwrap();
        assert_eq!(own, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    }
}
