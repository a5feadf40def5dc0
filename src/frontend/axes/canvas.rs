//! Text and lines on an RGBA image.

use std::sync::LazyLock;

use ::image::{Rgba, RgbaImage, imageops};
use ab_glyph::{Font, FontRef, PxScaleFont, ScaleFont, point};

/// Paper and ink.
const WHITE: Rgba<u8> = Rgba([255; 4]);
const BLACK: Rgba<u8> = Rgba([0, 0, 0, 255]);

/// DejaVu Sans: Latin, Greek and Cyrillic. `data/font/README.md` says how the file is made.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../data/font/DejaVuSans-subset.ttf");
    FontRef::try_from_slice(bytes).expect("the font is a constant, and a test reads it")
});

/// Where a text stands, seen from the point that it is drawn at.
#[derive(Clone, Copy)]
pub(super) enum Align {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The font at a height in pixels, from the top of an accent to the bottom of a `g`.
#[derive(Clone)]
pub(super) struct Face {
    font: PxScaleFont<&'static FontRef<'static>>,
}

impl Face {
    pub(super) fn new(height: u32) -> Self {
        Self {
            font: FONT.as_scaled(height as f32),
        }
    }

    /// Returns the height of a line.
    pub(super) fn height(&self) -> u32 {
        self.font.height().ceil() as u32
    }

    /// Returns the width of a text.
    pub(super) fn width(&self, text: &str) -> u32 {
        let advances = text.chars().map(|c| self.font.h_advance(self.glyph(c)));
        advances.sum::<f32>().ceil() as u32
    }

    /// Cuts the middle out of a text that is wider than `width`, and puts an ellipsis there: both
    /// ends of a file's name tell files apart.
    pub(super) fn fit(&self, text: &str, width: u32) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let chars: Vec<char> = text.chars().collect();
        let cut = |kept: usize| -> String {
            let (head, tail) = (kept - kept / 2, kept / 2);
            let head = chars[..head].iter().chain(&['…']);
            head.chain(&chars[chars.len() - tail..]).collect()
        };
        // The longest of the cuts that fit; the width grows with what is kept.
        let (mut fits, mut wide) = (0, chars.len());
        while fits + 1 < wide {
            let middle = fits.midpoint(wide);
            match self.width(&cut(middle)) <= width {
                true => fits = middle,
                false => wide = middle,
            }
        }
        cut(fits)
    }

    /// Returns the glyph of a character: the replacement character's of a control character, and
    /// an empty box (glyph 0) of one that the font lacks.
    fn glyph(&self, c: char) -> ab_glyph::GlyphId {
        let c = if c.is_control() { '\u{fffd}' } else { c };
        self.font.glyph_id(c)
    }
}

/// An image of white paper.
pub(super) struct Canvas(pub(super) RgbaImage);

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self(RgbaImage::from_pixel(width, height, WHITE))
    }

    /// Fills a rectangle with black, as far as it lies on the paper.
    pub(super) fn fill(&mut self, (x, y): (u32, u32), (width, height): (u32, u32)) {
        let (right, bottom) = self.0.dimensions();
        for y in y..(y + height).min(bottom) {
            for x in x..(x + width).min(right) {
                self.0.put_pixel(x, y, BLACK);
            }
        }
    }

    /// Draws the outline of a rectangle, one pixel wide, around the pixels of the rectangle.
    pub(super) fn frame(&mut self, (x, y): (u32, u32), (width, height): (u32, u32)) {
        let (left, top) = (x.saturating_sub(1), y.saturating_sub(1));
        self.fill((left, top), (width + 2, 1));
        self.fill((left, y + height), (width + 2, 1));
        self.fill((left, top), (1, height + 2));
        self.fill((x + width, top), (1, height + 2));
    }

    /// Copies an image to a place, its transparent pixels too.
    pub(super) fn paste(&mut self, image: &RgbaImage, (x, y): (u32, u32)) {
        imageops::replace(&mut self.0, image, i64::from(x), i64::from(y));
    }

    /// Writes a line of text. `y` is the top of the line, `x` the place that `align` means.
    pub(super) fn text(&mut self, face: &Face, text: &str, (x, y): (i64, i64), align: Align) {
        let width = i64::from(face.width(text));
        let left = match align {
            Align::Start => x,
            Align::Middle => x - width / 2,
            Align::End => x - width,
        };
        let mut pen = point(left as f32, y as f32 + face.font.ascent());
        for c in text.chars() {
            let id = face.glyph(c);
            let glyph = id.with_scale_and_position(face.font.scale(), pen);
            pen.x += face.font.h_advance(id);
            let Some(outline) = face.font.outline_glyph(glyph) else {
                continue;
            };
            let at = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| {
                let (x, y) = (at.x as i64 + i64::from(dx), at.y as i64 + i64::from(dy));
                let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
                    return;
                };
                if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
                    let ink = 1.0 - cover.clamp(0.0, 1.0);
                    for channel in &mut pixel.0[..3] {
                        *channel = (f32::from(*channel) * ink).round() as u8;
                    }
                }
            });
        }
    }

    /// Writes a line of text from the bottom to the top, with its middle at `y` and its left side
    /// at `x`.
    pub(super) fn rising_text(&mut self, face: &Face, text: &str, (x, y): (i64, i64)) {
        let mut line = Self::new(face.width(text).max(1), face.height());
        line.text(face, text, (0, 0), Align::Start);
        let risen = imageops::rotate270(&line.0);
        let top = y - i64::from(risen.height()) / 2;
        imageops::overlay(&mut self.0, &risen, x, top);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_drawn_and_cut_to_its_width() {
        let face = Face::new(16);
        let long = "a very long name ".repeat(40);
        for text in [
            "",
            "ä",
            "日本語の曲.mp3",
            "\u{1f3b5}\n\t\0",
            "مرحبا",
            long.as_str(),
        ] {
            for width in [0, 1, 20, 100, 5000] {
                let cut = face.fit(text, width);
                assert!(face.width(&cut) <= width.max(face.width("…")), "{cut:?}");
                let mut canvas = Canvas::new(120, 20);
                canvas.text(&face, &cut, (-5, -3), Align::Start);
                canvas.text(&face, &cut, (119, 18), Align::Middle);
                canvas.rising_text(&face, &cut, (110, 2));
            }
        }
        let cut = face.fit("first middle last.mp3", face.width("first … last.mp3"));
        assert!(cut.starts_with("first") && cut.ends_with("mp3"), "{cut}");
        let shown = |text: &str| {
            let mut canvas = Canvas::new(60, 20);
            canvas.text(&face, text, (0, 0), Align::Start);
            canvas.0.pixels().filter(|p| p.0[0] < 128).count()
        };
        assert_eq!(shown(" "), 0);
        for text in ["Ag", "Жя", "Ωλ", "é", "日", "\u{7}"] {
            assert!(shown(text) > 15, "{text:?} has {} dark pixels", shown(text));
        }
    }
}
