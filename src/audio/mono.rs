//! Mixes all channels down to one and replaces unusable numbers.

/// The largest magnitude of a usable sample, full scale 1. Beyond it the file is broken, and the
/// value would only overflow later.
const LOUDEST: f32 = 1e9;

/// Appends the mean of the channels of `interleaved` to `mono` and returns the number of unusable
/// samples.
///
/// NaN, infinities and anything over 1e9 count as 0, because they would spoil the minimum and
/// maximum over a clip on the GPU. An incomplete last frame is left out.
pub(super) fn downmix(interleaved: &[f32], channels: u16, mono: &mut Vec<f32>) -> u64 {
    let channels = usize::from(channels.max(1));
    let mut bad = 0;
    let mut usable = |s: f32| {
        if s.abs() <= LOUDEST {
            s
        } else {
            bad += 1;
            0.0
        }
    };
    mono.reserve(interleaved.len() / channels);
    if channels == 1 {
        mono.extend(interleaved.iter().map(|&s| usable(s)));
    } else {
        let share = 1.0 / channels as f32;
        mono.extend(
            interleaved
                .chunks_exact(channels)
                .map(|frame| frame.iter().map(|&s| usable(s)).sum::<f32>() * share),
        );
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::downmix;

    #[test]
    fn mean_of_channels_and_unusable_numbers() {
        let mut mono = Vec::new();
        let bad = downmix(&[1.0, 0.5, f32::NAN, 1.0, 1.0], 2, &mut mono);
        assert_eq!((mono.as_slice(), bad), ([0.75, 0.5].as_slice(), 1));
        mono.clear();
        let bad = downmix(&[f32::INFINITY, -2.0, 3e38], 1, &mut mono);
        assert_eq!((mono.as_slice(), bad), ([0.0, -2.0, 0.0].as_slice(), 2));
    }
}
