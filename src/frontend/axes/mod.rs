//! Axes around the image of a clip: time, frequency, the scale of the values, and what was drawn.
//!
//! The image is a picture of the features and has no words. For people, [`with_axes`] puts it into
//! a larger one, as `librosa.display.specshow` shows it.

mod canvas;
mod ticks;

use ::image::RgbaImage;

use self::canvas::{Align, Canvas, Face};
use self::ticks::Axis;
use super::colormap::ENTRIES;
use super::config::{FrontEndConfig, Rows, Size};

/// The least length of the longer side of the drawn image, in pixels. A smaller one is enlarged by
/// a whole factor.
const LEAST: u32 = 400;
/// The least width of the whole, which the words below the image need.
const LEAST_WIDTH: u32 = 480;
/// Length of a tick, and of other small gaps.
const TICK: u32 = 5;
/// Width of the color bar.
const BAR: u32 = 18;

/// What the words around an image say of its clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caption<'a> {
    /// The heading, cut in its middle where it is too long: the name of the file.
    pub title: &'a str,
    /// Behind the heading, never cut: which clip of the file it is. May be empty.
    pub clip: &'a str,
    /// Place of the clip's first sample in the file, seconds.
    pub start: f64,
    /// A remark in the line below the image, such as that the clip is padded. May be empty.
    pub note: &'a str,
}

/// An image with axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxesImage {
    /// RGBA bytes `[y][x]`.
    pub rgba: Vec<u8>,
    /// Its size.
    pub size: Size,
    /// Column and row of the plain image's first pixel.
    pub origin: (usize, usize),
    /// Length of a plain pixel's side in it: 1, or more for small images.
    pub factor: usize,
}

/// Draws axes around `pixels`, the RGBA bytes of a clip's image as
/// [`FrontEnd::images`](super::FrontEnd::images) returns them. `range` is that of the clip's
/// [`Spectrogram`](super::Spectrogram). The image itself is copied pixel by pixel.
///
/// # Panics
/// If `pixels` is no image of the configuration's size.
pub fn with_axes(
    config: &FrontEndConfig,
    pixels: &[u8],
    range: Option<(f32, f32)>,
    caption: &Caption<'_>,
) -> AxesImage {
    let Size { height, width } = config.image_size();
    let plain = RgbaImage::from_raw(width as u32, height as u32, pixels.to_vec())
        .expect("the image of a clip has the configuration's size");
    let factor = LEAST.div_ceil(plain.width().max(plain.height()));
    let image = enlarged(&plain, factor);
    let layout = Layout::new(config, image.dimensions(), range, caption.start);
    let mut canvas = Canvas::new(layout.total.0, layout.total.1);
    let origin = (layout.left, layout.top);
    canvas.frame(origin, image.dimensions());
    canvas.paste(&image, origin);
    layout.draw_heading(&mut canvas, caption);
    layout.draw_frequency(&mut canvas);
    layout.draw_time(&mut canvas);
    layout.draw_remark(&mut canvas, config, caption);
    layout.draw_values(&mut canvas, config);
    AxesImage {
        size: Size {
            height: layout.total.1 as usize,
            width: layout.total.0 as usize,
        },
        origin: (layout.left as usize, layout.top as usize),
        factor: factor as usize,
        rgba: canvas.0.into_raw(),
    }
}

/// Where everything stands. Lengths are pixels.
struct Layout {
    face: Face,
    /// Height of a line of text.
    line: u32,
    /// Place and size of the image.
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// Left side of the color bar, and of the name of the values.
    bar: u32,
    bar_name: u32,
    /// Width and height of the whole.
    total: (u32, u32),
    frequency: Axis,
    time: Axis,
    /// None if the clip has no value.
    values: Option<Axis>,
}

impl Layout {
    fn new(
        config: &FrontEndConfig,
        (width, height): (u32, u32),
        range: Option<(f32, f32)>,
        start: f64,
    ) -> Self {
        // Words grow with the image, slowly.
        let face = Face::new((15 + width.max(height) / 400).min(28));
        let line = face.height();
        let (long, size) = (f64::from(height), f64::from(line));
        let frequency = ticks::frequency(config, long, size);
        let time = ticks::time(config, start, f64::from(width), |text| face.width(text));
        let values = range.map(|range| ticks::values(config, range, long, size));
        let widest = |axis: &Axis| {
            let widths = axis.ticks.iter().map(|tick| face.width(&tick.label));
            widths.max().unwrap_or(0)
        };
        // From the left: the name of the axis, its labels, its ticks, the frame.
        let left = 2 * TICK + line + TICK + widest(&frequency) + 2 * TICK + 1;
        let top = TICK + line + 2 * TICK;
        // Downwards: ticks, labels, the name of the axis, the remark.
        let bottom = 1 + TICK + 3 * line + 5 * TICK;
        let bar = left + width + line;
        let bar_name = bar + BAR + 3 * TICK + values.as_ref().map_or(0, widest);
        let right = match values {
            Some(_) => bar_name + line + 2 * TICK,
            None => bar,
        };
        Self {
            line,
            left,
            top,
            width,
            height,
            bar,
            bar_name,
            total: (right.max(LEAST_WIDTH), top + height + bottom),
            face,
            frequency,
            time,
            values,
        }
    }

    /// Returns the row at a share of an axis that begins at the bottom of the image.
    fn row(&self, at: f64) -> u32 {
        self.top + self.height - 1 - share(at, self.height)
    }

    /// The width that a line of text may have.
    fn room(&self) -> u32 {
        self.total.0 - 4 * TICK
    }

    /// Writes the name of the file, and the number of the clip.
    fn draw_heading(&self, canvas: &mut Canvas, caption: &Caption<'_>) {
        let clip = match caption.clip {
            "" => String::new(),
            clip => format!(", {clip}"),
        };
        let left = self.room().saturating_sub(self.face.width(&clip));
        let heading = format!("{}{clip}", self.face.fit(caption.title, left));
        let heading = self.face.fit(&heading, self.room());
        let half = self.face.width(&heading) / 2;
        let x = centered(self.left + self.width / 2, half, self.total.0);
        canvas.text(&self.face, &heading, (x, i64::from(TICK)), Align::Middle);
    }

    fn draw_frequency(&self, canvas: &mut Canvas) {
        let end = self.left - 1 - TICK;
        for tick in &self.frequency.ticks {
            let y = self.row(tick.at);
            canvas.fill((end, y), (TICK, 1));
            let place = (i64::from(end - TICK), self.beside(y));
            canvas.text(&self.face, &tick.label, place, Align::End);
        }
        self.draw_rising(canvas, &self.frequency.name, 2 * TICK);
    }

    fn draw_time(&self, canvas: &mut Canvas) {
        let below = self.top + self.height + 1;
        for tick in &self.time.ticks {
            let x = self.left + share(tick.at, self.width);
            canvas.fill((x, below), (1, TICK));
            let place = (i64::from(x), i64::from(below + TICK));
            canvas.text(&self.face, &tick.label, place, Align::Middle);
        }
        let half = self.face.width(&self.time.name) / 2;
        let x = centered(self.left + self.width / 2, half, self.total.0);
        let place = (x, i64::from(below + 2 * TICK + self.line));
        canvas.text(&self.face, &self.time.name, place, Align::Middle);
    }

    /// Writes how the image was computed.
    fn draw_remark(&self, canvas: &mut Canvas, config: &FrontEndConfig, caption: &Caption<'_>) {
        let small = Face::new(self.line * 5 / 6);
        let words = match caption.note {
            "" => description(config),
            note => format!("{} · {note}", description(config)),
        };
        let words = small.fit(&words, self.room());
        let y = self.top + self.height + 1 + 4 * TICK + 2 * self.line;
        let place = (i64::from(2 * TICK), i64::from(y));
        canvas.text(&small, &words, place, Align::Start);
    }

    /// Draws the color bar with its scale.
    fn draw_values(&self, canvas: &mut Canvas, config: &FrontEndConfig) {
        let Some(values) = &self.values else { return };
        canvas.frame((self.bar, self.top), (BAR, self.height));
        canvas.paste(&color_bar(config, self.height), (self.bar, self.top));
        let end = self.bar + BAR + 1;
        for tick in &values.ticks {
            let y = self.row(tick.at);
            canvas.fill((end, y), (TICK, 1));
            let place = (i64::from(end + 2 * TICK), self.beside(y));
            canvas.text(&self.face, &tick.label, place, Align::Start);
        }
        self.draw_rising(canvas, &values.name, self.bar_name);
    }

    /// Returns the top of a line of text whose middle is at row `y`.
    fn beside(&self, y: u32) -> i64 {
        i64::from(y) - i64::from(self.line / 2)
    }

    /// Writes the name of an axis from the bottom to the top.
    fn draw_rising(&self, canvas: &mut Canvas, name: &str, x: u32) {
        let name = self.face.fit(name, self.total.1);
        let half = self.face.width(&name) / 2;
        let y = centered(self.top + self.height / 2, half, self.total.1);
        canvas.rising_text(&self.face, &name, (i64::from(x), y));
    }
}

/// Returns the place nearest to `middle` from which `half` reaches no end of `whole`.
fn centered(middle: u32, half: u32, whole: u32) -> i64 {
    i64::from(middle.clamp(
        half.min(whole / 2),
        whole.saturating_sub(half).max(whole / 2),
    ))
}

/// Returns an image with pixels of `factor` by `factor`.
fn enlarged(image: &RgbaImage, factor: u32) -> RgbaImage {
    let (width, height) = image.dimensions();
    RgbaImage::from_fn(width * factor, height * factor, |x, y| {
        *image.get_pixel(x / factor, y / factor)
    })
}

/// Returns the pixel at a share of `length` pixels.
fn share(at: f64, length: u32) -> u32 {
    ((at.clamp(0.0, 1.0) * f64::from(length)) as u32).min(length - 1)
}

/// Returns the color map from its high end to its low one.
fn color_bar(config: &FrontEndConfig, height: u32) -> RgbaImage {
    let table = config.image().colormap.table();
    RgbaImage::from_fn(BAR, height, |_, y| {
        let entry = (f64::from(height - 1 - y) + 0.5) / f64::from(height) * ENTRIES as f64;
        let color = table[(entry as usize).min(ENTRIES - 1)];
        ::image::Rgba(color.map(|v| (v * 255.0 + 0.5) as u8))
    })
}

/// Describes a configuration in a line.
fn description(config: &FrontEndConfig) -> String {
    let FrontEndConfig {
        preset,
        n_fft,
        hop,
        sample_rate,
        ..
    } = config;
    let rows = match config.rows {
        Rows::Linear => format!("{} bins", config.rows()),
        Rows::Mel { n_mels, .. } => format!("{n_mels} mel bands"),
    };
    format!("{preset} · n_fft {n_fft}, hop {hop} · {rows} · {sample_rate} Hz")
}
