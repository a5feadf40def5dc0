//! The shapes of a convolution.

/// The shapes of a 2D convolution without dilation and groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images in the batch.
    pub n: usize,
    /// Channels, height and width of an input image.
    pub input: [usize; 3],
    /// Channels of an output image.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros to the left and to the right.
    pub padding: [(usize, usize); 2],
}

impl Geometry {
    /// Returns the height and width of an output image.
    ///
    /// # Panics
    /// If the kernel is larger than the padded image, or a stride is zero.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|i| {
            let (before, after) = self.padding[i];
            let padded = self.input[i + 1] + before + after;
            assert!(padded >= self.kernel[i], "the kernel fits into the image");
            (padded - self.kernel[i]) / self.stride[i] + 1
        })
    }

    /// Returns the number of values of an input image.
    pub fn image_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Returns the number of values that the kernel reads at one place: the rows of the matrix that
    /// im2col makes.
    pub fn patch_len(&self) -> usize {
        self.input[0] * self.kernel[0] * self.kernel[1]
    }

    /// Returns the number of pixels of an output image.
    pub fn pixels(&self) -> usize {
        self.output().iter().product()
    }

    /// Counts the multiply-adds of the convolution, and of each of its gradients.
    pub fn multiply_adds(&self) -> u64 {
        let factors = [self.n, self.channels, self.pixels(), self.patch_len()];
        factors.map(|n| n as u64).into_iter().product()
    }

    /// Returns the number of places of the kernel: its height times its width.
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Returns the same convolution with images of one row if they have one column.
    ///
    /// The values lie in memory in the same order, and the kernels are made for long rows.
    pub fn without_columns(self) -> Self {
        let ([channels, height, width], [rows, columns]) = (self.input, self.kernel);
        if [width, columns] != [1, 1] || self.padding[1] != (0, 0) {
            return self;
        }
        Self {
            input: [channels, 1, height],
            kernel: [1, rows],
            stride: [1, self.stride[0]],
            padding: [(0, 0), self.padding[0]],
            ..self
        }
    }
}

/// Returns the zeros before and after one axis with which the output has `size / stride` values,
/// rounded up. An odd zero goes to the end, as in ONNX, TensorFlow and Burn.
pub fn same_padding(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let needed = match size.div_ceil(stride) {
        0 => 0,
        output => (output - 1) * stride + kernel,
    };
    let padding = needed.saturating_sub(size);
    (padding / 2, padding - padding / 2)
}
