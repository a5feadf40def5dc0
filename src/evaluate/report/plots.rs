//! Line plots as inline SVG, by plotters.

use std::ops::Range;

use plotters::prelude::*;

use super::{Report, chance};
use crate::evaluate::{Auc, CalibrationBin, Epoch, Figures};

/// Colors that can be told apart on light and dark ground, at least 3:1 from both. The page's
/// style has the first two, too.
const BLUE: RGBColor = RGBColor(0x2f, 0x78, 0xc8);
const ORANGE: RGBColor = RGBColor(0xc8, 0x5f, 0x0f);
const GRAY: RGBColor = RGBColor(0x80, 0x80, 0x80);
/// Stands for the color of the text around the drawing.
const INK: RGBColor = RGBColor(1, 2, 3);

/// Size of a drawing.
const SIZE: (u32, u32) = (400, 300);
/// Height of a line of text. plotters makes a font of 16.9 of it; on a phone, where the drawing is
/// 343 pixels wide, it has 14.5.
const TEXT: u32 = 21;

/// The most points of a line that are marked.
const MARKED: usize = 30;

/// A plot of named lines over one x axis.
pub(crate) struct LinePlot<'a> {
    /// Name and range of the x axis.
    pub x: (&'a str, Range<f64>),
    /// Whether the x axis counts: labels between whole numbers are left out.
    pub counts: bool,
    /// Name of the y axis, and its end; it starts at 0.
    pub y: (&'a str, f64),
    /// The lines, those in front last.
    pub lines: Vec<Line<'a>>,
    /// Corner of the legend. `None` if the legend stands beside the drawing.
    pub legend: Option<Legend>,
}

/// A named line through points.
pub(crate) struct Line<'a> {
    name: &'a str,
    stroke: Stroke,
    points: Vec<(f64, f64)>,
}

/// How a line is drawn. The names are those of the page's style.
#[derive(Clone, Copy, PartialEq)]
enum Stroke {
    First,
    Second,
    Other,
    /// A level that the lines are compared with.
    Dashed,
    /// A place on the x axis.
    Kept,
}

/// A corner that the lines leave free.
pub(crate) enum Legend {
    LowerLeft,
}

/// A drawing of the page.
pub(super) struct Chart {
    /// Its heading.
    pub title: String,
    /// The drawing.
    pub svg: String,
    /// The class of each line in the page's style, and its name.
    pub legend: Vec<(&'static str, String)>,
}

impl<'a> Line<'a> {
    /// A line in the first color.
    pub fn first(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Stroke::First, points)
    }

    /// A line in the second color.
    pub fn second(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Stroke::Second, points)
    }

    /// A line that others are compared with.
    pub fn background(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Stroke::Other, points)
    }

    fn new(name: &'a str, stroke: Stroke, points: Vec<(f64, f64)>) -> Self {
        Self {
            name,
            stroke,
            points,
        }
    }
}

impl Stroke {
    fn class(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Other => "other",
            Self::Dashed => "dashed",
            Self::Kept => "kept",
        }
    }

    fn color(self) -> RGBColor {
        match self {
            Self::First => BLUE,
            Self::Second => ORANGE,
            Self::Other => GRAY,
            Self::Dashed | Self::Kept => INK,
        }
    }
}

/// Draws the charts of a report: over the epochs, loss and accuracy, or of tags the areas under the
/// curves; and calibration.
pub(super) fn charts(report: &Report) -> Vec<Chart> {
    let mut charts = curves(report);
    let calibration = match &report.figures {
        Figures::SingleLabel(levels) => reliability(&levels.clips.bins, ("confidence", "accuracy")),
        Figures::MultiLabel(levels) => {
            let axes = ("probability of a tag", "share of clips with it");
            reliability(&levels.clips.bins, axes)
        }
    };
    charts.extend(calibration);
    charts
}

/// Draws the curves over the epochs. None if there are fewer than two epochs.
fn curves(report: &Report) -> Vec<Chart> {
    let epochs = &report.epochs;
    if epochs.len() < 2 {
        return Vec::new();
    }
    let points = |value: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = epochs.iter().map(|e| (e.epoch as f64, value(e)));
        let points = points.filter_map(|(x, y)| Some((x, y?)));
        points.filter(|(_, y)| y.is_finite()).collect()
    };
    let (first, last) = (1.0, epochs.len() as f64);
    let kept_name = report.kept.map(|kept| format!("kept: epoch {kept}"));
    let kept = |top: f64| {
        let (kept, name) = report.kept.zip(kept_name.as_deref())?;
        let x = kept as f64;
        Some(Line::new(name, Stroke::Kept, vec![(x, 0.0), (x, top)]))
    };
    let mut loss = vec![
        Line::first("training", points(&|e| Some(e.loss))),
        Line::second("validation", points(&|e| e.valid.map(|v| v.loss))),
    ];
    let losses = loss.iter().flat_map(|line| &line.points).map(|p| p.1);
    let top = losses.fold(0.1, f64::max) * 1.05;
    loss.extend(kept(top));

    let auc =
        |figure: fn(Auc) -> f64| points(&move |e: &Epoch| e.valid.and_then(|v| v.auc).map(figure));
    let of_tags = matches!(report.figures, Figures::MultiLabel(_));
    let level = chance::chance(&report.figures);
    let level_name = match of_tags {
        false => format!("chance {level:.2}: the test files' most frequent class"),
        true => format!("chance of PR-AUC {level:.2}: a random order"),
    };
    let (title, name, mut lines) = match of_tags {
        false => (
            "Accuracy",
            "accuracy, share",
            vec![
                Line::first("training clips", points(&|e| Some(e.accuracy))),
                Line::second(
                    "validation files",
                    points(&|e| e.valid.map(|v| v.accuracy())),
                ),
            ],
        ),
        true => (
            "Validation files",
            "mean over tags, area",
            vec![
                Line::first("ROC-AUC", auc(|a| a.roc_auc)),
                Line::second("PR-AUC", auc(|a| a.pr_auc)),
            ],
        ),
    };
    let across = vec![(first, level), (last, level)];
    lines.push(Line::new(&level_name, Stroke::Dashed, across));
    lines.extend(kept(1.0));
    let over_epochs = |title, y, lines| {
        chart(
            title,
            LinePlot {
                x: ("epoch", first..last),
                counts: true,
                y,
                lines,
                legend: None,
            },
        )
    };
    let loss = over_epochs("Loss", ("cross-entropy, nats", top), loss);
    let figure = over_epochs(title, (name, 1.0), lines);
    [loss, figure].into_iter().flatten().collect()
}

/// Draws the reliability diagram: accuracy over confidence, or what `axes` calls them. On the
/// dashed line the two are equal.
fn reliability(bins: &[CalibrationBin], axes: (&str, &str)) -> Option<Chart> {
    let bins = bins.iter().filter(|b| b.count > 0);
    let lines = vec![
        Line::new(
            "perfect calibration",
            Stroke::Dashed,
            vec![(0.0, 0.0), (1.0, 1.0)],
        ),
        Line::first(
            "predictions by clip, in tenths",
            bins.map(|b| (b.confidence, b.accuracy)).collect(),
        ),
    ];
    chart(
        "Calibration (reliability diagram)",
        LinePlot {
            x: (axes.0, 0.0..1.0),
            counts: false,
            y: (axes.1, 1.0),
            lines,
            legend: None,
        },
    )
}

/// Draws a chart of the page, without lines that have no points.
fn chart(title: &str, mut plot: LinePlot<'_>) -> Option<Chart> {
    plot.lines.retain(|line| !line.points.is_empty());
    let legend = plot.lines.iter();
    let legend = legend.map(|line| (line.stroke.class(), line.name.to_owned()));
    Some(Chart {
        title: title.to_owned(),
        legend: legend.collect(),
        svg: svg(&plot)?,
    })
}

/// Draws a plot. Returns `None` if plotters cannot draw it, which costs a report that plot only.
pub(crate) fn svg(plot: &LinePlot<'_>) -> Option<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let text = ("sans-serif", TEXT).into_font().color(&INK);
        // Labels stand around their ticks: half of one is right of the axis.
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(26)
            .margin_top(12)
            .x_label_area_size(58)
            .y_label_area_size(66)
            .build_cartesian_2d(plot.x.1.clone(), 0.0..plot.y.1)
            .ok()?;
        let (counts, high) = (plot.counts, plot.y.1);
        chart
            .configure_mesh()
            .x_desc(plot.x.0)
            .y_desc(plot.y.0)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|x| match counts {
                true if x.fract() != 0.0 => String::new(),
                true => format!("{x}"),
                false => format!("{x:.1}"),
            })
            .y_label_formatter(&|y| match high > 20.0 {
                true => format!("{y:.0}"),
                false => format!("{y:.1}"),
            })
            .axis_style(INK)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRAY.mix(0.35))
            .label_style(text.clone())
            .axis_desc_style(text.clone())
            .draw()
            .ok()?;
        for line in &plot.lines {
            let color = line.stroke.color();
            let points = line.points.iter().copied();
            let (dash, gap, width) = match line.stroke {
                Stroke::Dashed => (6, 4, 2),
                Stroke::Kept => (2, 3, 2),
                _ => (0, 0, 2),
            };
            let style = color.stroke_width(width);
            let series = match dash {
                0 => chart.draw_series(LineSeries::new(points.clone(), style)),
                _ => chart.draw_series(DashedLineSeries::new(points.clone(), dash, gap, style)),
            }
            .ok()?;
            if plot.legend.is_some() {
                let key = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style);
                series.label(line.name).legend(key);
            }
            if dash == 0 && plot.legend.is_none() && line.points.len() <= MARKED {
                let marks = points.map(|point| Circle::new(point, 3, color.filled()));
                chart.draw_series(marks).ok()?;
            }
        }
        if let Some(Legend::LowerLeft) = plot.legend {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerLeft)
                .label_font(text)
                .border_style(TRANSPARENT)
                .draw()
                .ok()?;
        }
        area.present().ok()?;
    }
    // The page sets the size of the drawing; the drawing sets only the aspect ratio.
    let fixed = format!("width=\"{}\" height=\"{}\"", SIZE.0, SIZE.1);
    let svg = svg.replacen(&fixed, "role=\"img\"", 1);
    Some(svg.replace("#010203", "currentColor"))
}
