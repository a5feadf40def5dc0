//! The shapes of a convolution that is reduced to its maximum over frequency.

/// The shapes of [`conv_max`](super::conv_max). The stride is one, and frequency is not padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvMaxShape {
    /// Images in the batch.
    pub n: usize,
    /// Frames and bands of an image.
    pub input: [usize; 2],
    /// Filters: channels of the output.
    pub channels: usize,
    /// Frames and bands of a filter.
    pub kernel: [usize; 2],
    /// Frames of zeros before and after an image.
    pub padding: (usize, usize),
}

impl ConvMaxShape {
    /// Returns the shapes of tensors `x`, `[n, 1, frames, bands]`, and `weight`,
    /// `[channels, 1, frames, bands]`.
    ///
    /// # Panics
    /// If either has more than one input channel, or if the filters are empty or larger than the
    /// padded image.
    pub fn new(x: [usize; 4], weight: [usize; 4], padding: (usize, usize)) -> Self {
        assert_eq!([x[1], weight[1]], [1, 1], "one input channel");
        let shape = Self {
            n: x[0],
            input: [x[2], x[3]],
            channels: weight[0],
            kernel: [weight[2], weight[3]],
            padding,
        };
        let [frames, bands] = shape.kernel;
        assert!(frames > 0 && bands > 0, "a filter has a value");
        assert!(
            frames <= x[2] + padding.0 + padding.1 && bands <= x[3],
            "the filters fit into the image"
        );
        shape
    }

    /// Returns the frames of the output.
    pub fn frames(&self) -> usize {
        self.input[0] + self.padding.0 + self.padding.1 - self.kernel[0] + 1
    }

    /// Returns the places of a filter along frequency: what the maximum is taken over.
    pub fn places(&self) -> usize {
        self.input[1] - self.kernel[1] + 1
    }

    /// Returns the number of values of an image.
    pub fn image_len(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Returns the number of values of a filter.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Returns the shape of the output.
    pub fn output(&self) -> [usize; 3] {
        [self.n, self.channels, self.frames()]
    }

    /// Returns the frames of a filter that meet the image, not the padding, at output frame `t`,
    /// and the frame of the image that the first of them meets.
    pub fn inside(&self, t: usize) -> (std::ops::Range<usize>, usize) {
        let first = self.padding.0.saturating_sub(t);
        let end = (self.input[0] + self.padding.0 - t.min(self.input[0] + self.padding.0))
            .min(self.kernel[0]);
        match first < end {
            true => (first..end, t + first - self.padding.0),
            false => (0..0, 0),
        }
    }
}
