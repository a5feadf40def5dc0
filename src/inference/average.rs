//! The mean over a file's clips.

/// Adds up the predictions of one file's clips. The file's prediction is their mean over the clips
/// that have sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileAverage {
    probabilities: Vec<f64>,
    embedding: Vec<f64>,
    /// Clips added.
    pub(crate) clips: usize,
    /// Clips left out, because they are silent.
    pub(crate) silent: usize,
    /// Whether the file is shorter than a clip and was filled up, with silence or by
    /// repetition.
    pub(crate) padded: bool,
}

impl FileAverage {
    /// Adds one clip: its probabilities and, if wanted, its embedding.
    pub(crate) fn add(&mut self, probabilities: &[f32], embedding: Option<&[f32]>) {
        add(&mut self.probabilities, probabilities);
        add(&mut self.embedding, embedding.unwrap_or_default());
        self.clips += 1;
    }

    /// Returns the mean probability of each class; `None` if no clip was added.
    pub(crate) fn probabilities(&self) -> Option<Vec<f32>> {
        (self.clips > 0).then(|| self.mean(&self.probabilities))
    }

    /// Returns the mean embedding; empty if none was added.
    pub(crate) fn embedding(&self) -> Vec<f32> {
        self.mean(&self.embedding)
    }

    fn mean(&self, sums: &[f64]) -> Vec<f32> {
        let mean = |sum: &f64| (sum / self.clips as f64) as f32;
        sums.iter().map(mean).collect()
    }
}

fn add(sums: &mut Vec<f64>, values: &[f32]) {
    sums.resize(sums.len().max(values.len()), 0.0);
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += f64::from(value);
    }
}

#[cfg(test)]
mod tests {
    use super::FileAverage;

    #[test]
    fn the_mean_is_over_the_clips_added() {
        let mut average = FileAverage {
            silent: 3,
            ..FileAverage::default()
        };
        assert_eq!(
            (average.probabilities(), average.embedding()),
            (None, vec![])
        );
        average.add(&[0.25, 0.75], Some(&[1.0, 2.0, 3.0]));
        average.add(&[0.75, 0.25], Some(&[3.0, 2.0, 1.0]));
        assert_eq!(average.probabilities(), Some(vec![0.5, 0.5]));
        assert_eq!(average.embedding(), [2.0; 3]);
        assert_eq!(average.clips, 2);
    }
}
