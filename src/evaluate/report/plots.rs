//! Plots as inline SVG, by plotters.

use std::ops::Range;

use plotters::prelude::*;

use crate::evaluate::{Epoch, LevelMetrics};
use crate::train::LrSweep;

/// Colors that are told apart on light and dark ground.
const BLUE: RGBColor = RGBColor(66, 133, 214);
const ORANGE: RGBColor = RGBColor(226, 120, 40);
const GRAY: RGBColor = RGBColor(136, 136, 136);

/// Name, color, points.
type Line<'a> = (&'a str, RGBColor, Vec<(f64, f64)>);

/// Named lines over one x axis.
struct Lines<'a> {
    x: (&'a str, Range<f64>),
    y: (&'a str, f64),
    lines: Vec<Line<'a>>,
    legend: SeriesLabelPosition,
}

/// Loss and accuracy over epochs; empty if there are fewer than two.
pub fn curves(epochs: &[Epoch]) -> Vec<String> {
    if epochs.len() < 2 {
        return Vec::new();
    }
    let last = epochs.len() as f64;
    let line = |value: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = epochs.iter().map(|e| (e.epoch as f64, value(e)));
        points.filter_map(|(x, y)| Some((x, y?))).collect()
    };
    let loss = [
        ("training", BLUE, line(&|e| Some(e.loss))),
        ("validation", ORANGE, line(&|e| e.valid.map(|v| v.loss))),
    ];
    let accuracy = [
        ("training clips", BLUE, line(&|e| Some(e.accuracy))),
        (
            "validation files",
            ORANGE,
            line(&|e| e.valid.map(|v| v.accuracy())),
        ),
    ];
    let top = loss
        .iter()
        .flat_map(|l| &l.2)
        .map(|p| p.1)
        .fold(0.1, f64::max);
    [
        (
            loss,
            ("loss, nats", top * 1.05),
            SeriesLabelPosition::UpperRight,
        ),
        (accuracy, ("accuracy", 1.0), SeriesLabelPosition::LowerRight),
    ]
    .into_iter()
    .filter_map(|(lines, y, legend)| {
        draw(&Lines {
            x: ("epoch", 0.0..last),
            y,
            lines: lines.into(),
            legend,
        })
    })
    .collect()
}

/// Accuracy over confidence: on the gray line they agree.
pub fn reliability(level: &LevelMetrics) -> Option<String> {
    let bins = level.bins.iter().filter(|b| b.count > 0);
    draw(&Lines {
        x: ("confidence", 0.0..1.0),
        y: ("accuracy", 1.0),
        legend: SeriesLabelPosition::LowerRight,
        lines: vec![
            ("as confident as right", GRAY, vec![(0.0, 0.0), (1.0, 1.0)]),
            (
                "answers",
                BLUE,
                bins.map(|b| (b.confidence, b.accuracy)).collect(),
            ),
        ],
    })
}

/// Loss over the learning rate's decimal logarithm.
pub fn sweep(sweep: &LrSweep) -> Option<String> {
    let (first, last) = (sweep.0.first()?, sweep.0.last()?);
    let points = |loss: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        let place = |i: usize| (sweep.0[i].lr.log10(), loss(i));
        (0..sweep.0.len()).map(place).collect()
    };
    let top = sweep.0.iter().map(|t| t.smoothed).fold(0.1, f64::max);
    draw(&Lines {
        x: (
            "log10 of the learning rate",
            first.lr.log10()..last.lr.log10(),
        ),
        y: ("loss, nats", top * 1.2),
        legend: SeriesLabelPosition::LowerLeft,
        lines: vec![
            (
                "of the step",
                GRAY,
                points(&|i| sweep.0[i].loss.min(top * 1.2)),
            ),
            ("smoothed", BLUE, points(&|i| sweep.0[i].smoothed)),
        ],
    })
}

/// `None` if plotters cannot draw it, which leaves the report without that plot and otherwise whole.
fn draw(plot: &Lines<'_>) -> Option<String> {
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
        for (name, color, points) in &plot.lines {
            let color = *color;
            let line = LineSeries::new(points.iter().copied(), color.stroke_width(2));
            let legend =
                move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2));
            chart.draw_series(line).ok()?.label(*name).legend(legend);
        }
        chart
            .configure_series_labels()
            .position(plot.legend.clone())
            .label_font(text)
            .border_style(TRANSPARENT)
            .draw()
            .ok()?;
        area.present().ok()?;
    }
    // The page sets the size; the drawing only its shape.
    let fixed = "width=\"460\" height=\"300\"";
    Some(svg.replacen(fixed, "role=\"img\"", 1))
}
