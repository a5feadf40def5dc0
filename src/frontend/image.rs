//! Images on the host: RGBA bytes and PNG.

use ::image::codecs::png::PngEncoder;
use ::image::error::{ParameterError, ParameterErrorKind};
use ::image::{ExtendedColorType, ImageEncoder, ImageError, ImageResult};

use super::config::Size;

/// Converts planes `[channel][y][x]` in 0..=1 to RGBA bytes `[y][x]`.
pub(super) fn rgba_bytes(planes: &[f32]) -> Vec<u8> {
    let pixels = planes.len() / 4;
    let byte = |v: f32| (v * 255.0 + 0.5) as u8;
    (0..pixels)
        .flat_map(|i| (0..4).map(move |channel| channel * pixels + i))
        .map(|at| byte(planes[at]))
        .collect()
}

/// Encodes RGBA bytes `[y][x]`, as [`FrontEnd::images`](super::FrontEnd::images) returns them, as
/// PNG.
///
/// # Errors
/// If `size` is not the size of the image, or too large for PNG.
pub fn encode_png(rgba: &[u8], size: Size) -> ImageResult<Vec<u8>> {
    let (width, height) = (size.width as u32, size.height as u32);
    if rgba.len() != 4 * size.width * size.height {
        let kind = ParameterErrorKind::DimensionMismatch;
        return Err(ImageError::Parameter(ParameterError::from_kind(kind)));
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(rgba, width, height, ExtendedColorType::Rgba8)?;
    Ok(png)
}
