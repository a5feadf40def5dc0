//! Line plots as inline SVG, by plotters.

use std::ops::Range;

use plotters::prelude::*;

use crate::evaluate::{Auc, CalibrationBin, Epoch};

/// Colors that can be told apart on light and dark ground.
const BLUE: RGBColor = RGBColor(66, 133, 214);
const ORANGE: RGBColor = RGBColor(226, 120, 40);
const GRAY: RGBColor = RGBColor(136, 136, 136);

/// A plot of named lines over one x axis.
pub(crate) struct LinePlot<'a> {
    /// Name and range of the x axis.
    pub x: (&'a str, Range<f64>),
    /// Name of the y axis, and its end; it starts at 0.
    pub y: (&'a str, f64),
    /// The lines, those in front last.
    pub lines: Vec<Line<'a>>,
    /// Corner of the legend.
    pub legend: Legend,
}

/// A named line through points.
pub(crate) struct Line<'a> {
    name: &'a str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// A corner that the lines leave free.
pub(crate) enum Legend {
    UpperRight,
    LowerRight,
    LowerLeft,
}

impl<'a> Line<'a> {
    /// A line in the first color.
    pub fn first(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        let color = BLUE;
        Self {
            name,
            color,
            points,
        }
    }

    /// A line in the second color.
    pub fn second(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        let color = ORANGE;
        Self {
            name,
            color,
            points,
        }
    }

    /// A line that others are compared with.
    pub fn background(name: &'a str, points: Vec<(f64, f64)>) -> Self {
        let color = GRAY;
        Self {
            name,
            color,
            points,
        }
    }
}

/// Draws loss and accuracy, or of tags the areas under the curves, over the epochs. Empty if there
/// are fewer than two epochs.
pub(super) fn curves(epochs: &[Epoch]) -> Vec<String> {
    if epochs.len() < 2 {
        return Vec::new();
    }
    let points = |value: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = epochs.iter().map(|e| (e.epoch as f64, value(e)));
        points.filter_map(|(x, y)| Some((x, y?))).collect()
    };
    let loss = vec![
        Line::first("training", points(&|e| Some(e.loss))),
        Line::second("validation", points(&|e| e.valid.map(|v| v.loss))),
    ];
    let auc =
        |figure: fn(Auc) -> f64| points(&move |e: &Epoch| e.valid.and_then(|v| v.auc).map(figure));
    let of_tags = epochs
        .iter()
        .any(|e| e.valid.is_some_and(|v| v.auc.is_some()));
    let (name, lines) = match of_tags {
        false => (
            "accuracy",
            vec![
                Line::first("training clips", points(&|e| Some(e.accuracy))),
                Line::second(
                    "validation files",
                    points(&|e| e.valid.map(|v| v.accuracy())),
                ),
            ],
        ),
        true => (
            "validation files, mean over tags",
            vec![
                Line::first("ROC-AUC", auc(|a| a.roc_auc)),
                Line::second("PR-AUC", auc(|a| a.pr_auc)),
            ],
        ),
    };
    let losses = loss.iter().flat_map(|line| &line.points).map(|p| p.1);
    let top = losses.fold(0.1, f64::max);
    let plot = |lines, y, legend| {
        svg(&LinePlot {
            x: ("epoch", 0.0..epochs.len() as f64),
            y,
            lines,
            legend,
        })
    };
    [
        plot(loss, ("loss, nats", top * 1.05), Legend::UpperRight),
        plot(lines, (name, 1.0), Legend::LowerRight),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Draws the reliability diagram: accuracy over confidence, or what `axes` calls them. On the gray
/// line the two are equal.
pub(super) fn reliability(bins: &[CalibrationBin], axes: (&str, &str)) -> Option<String> {
    let bins = bins.iter().filter(|b| b.count > 0);
    svg(&LinePlot {
        x: (axes.0, 0.0..1.0),
        y: (axes.1, 1.0),
        legend: Legend::LowerRight,
        lines: vec![
            Line::background("perfect calibration", vec![(0.0, 0.0), (1.0, 1.0)]),
            Line::first(
                "predictions",
                bins.map(|b| (b.confidence, b.accuracy)).collect(),
            ),
        ],
    })
}

/// Draws a plot. Returns `None` if plotters cannot draw it, which costs a report that plot only.
pub(crate) fn svg(plot: &LinePlot<'_>) -> Option<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (460, 300)).into_drawing_area();
        let text = ("sans-serif", 13).into_font().color(&GRAY);
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(38)
            .y_label_area_size(48)
            .build_cartesian_2d(plot.x.1.clone(), 0.0..plot.y.1)
            .ok()?;
        chart
            .configure_mesh()
            .x_desc(plot.x.0)
            .y_desc(plot.y.0)
            .axis_style(GRAY)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRAY.mix(0.25))
            .label_style(text.clone())
            .axis_desc_style(text.clone())
            .draw()
            .ok()?;
        for line in &plot.lines {
            let color = line.color;
            let series = LineSeries::new(line.points.iter().copied(), color.stroke_width(2));
            let legend =
                move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2));
            let series = chart.draw_series(series).ok()?;
            series.label(line.name).legend(legend);
        }
        chart
            .configure_series_labels()
            .position(match plot.legend {
                Legend::UpperRight => SeriesLabelPosition::UpperRight,
                Legend::LowerRight => SeriesLabelPosition::LowerRight,
                Legend::LowerLeft => SeriesLabelPosition::LowerLeft,
            })
            .label_font(text)
            .border_style(TRANSPARENT)
            .draw()
            .ok()?;
        area.present().ok()?;
    }
    // The page sets the size of the drawing; the drawing sets only the aspect ratio.
    let fixed = "width=\"460\" height=\"300\"";
    Some(svg.replacen(fixed, "role=\"img\"", 1))
}
