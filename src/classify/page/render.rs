//! The page as HTML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::collect::{BINS, Collected, Track};
use super::data::{Map, json};
use super::info::PageInfo;
use super::link::Links;
use super::words::{duration, grouped, percent};
use crate::files::text_of_path;
use crate::model::Task;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Rows of the table that a browser without JavaScript shows.
const PLAIN_ROWS: usize = 50;

/// Colors that `page.css` has, and outlines of marks in a box of 16 by 16. A class has a color and a
/// shape: fifty classes are all different. Of the first ten, the two of a shape have colors that
/// the color blind tell apart.
const COLORS: usize = 10;
const SHAPES: [&str; 5] = [
    "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4Z",
    "M2.6 2.6h10.8v10.8H2.6Z",
    "M8 1.2L15 13.4H1Z",
    "M8 .8L15.2 8 8 15.2.8 8Z",
    "M5.7 1.4h4.6v4.3h4.3v4.6h-4.3v4.3H5.7v-4.3H1.4V5.7h4.3Z",
];
/// A ring, for tracks without a label.
const NO_LABEL: &str = "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4Z\
                        M8 4.4a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 1 1 0-7.2Z";

/// What the template shows. It escapes each text.
#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    tags: bool,
    tiles: Vec<(String, String)>,
    facts: Vec<(String, String)>,
    labels: Vec<Label<'a>>,
    /// Classes that no track has.
    unused: Vec<&'a str>,
    bars: Vec<Bar>,
    /// The largest count of a bar.
    most: String,
    /// The least confidence for a label, in percent.
    minimum: Option<String>,
    shown: String,
    read: String,
    sampled: bool,
    map: Option<MapWords>,
    map_hint: Option<&'a str>,
    rows: Vec<Row<'a>>,
    /// Whether there are more rows, which the script shows.
    rows_cut: bool,
    failed: String,
    reasons: Vec<(&'a str, String)>,
    failures: Vec<(String, &'a str, &'a str)>,
    failures_sampled: bool,
}

#[derive(Serialize)]
struct Label<'a> {
    /// The class, or `none`.
    id: String,
    name: &'a str,
    count: String,
    share: String,
    /// Length of its bar in percent.
    width: f64,
    color: String,
    shape: &'static str,
}

#[derive(Serialize)]
struct Bar {
    range: String,
    count: String,
    height: f64,
}

#[derive(Serialize)]
struct MapWords {
    embeddings: bool,
    share: String,
    compared: String,
}

#[derive(Serialize)]
struct Row<'a> {
    name: String,
    labels: Vec<&'a str>,
    confidence: String,
    length: String,
}

/// Returns the page.
pub(super) fn render(info: &PageInfo, all: &Collected, links: &Links) -> String {
    let settings = &info.settings;
    let classes = &settings.classes;
    let (json, map) = json(&all.tracks, classes, settings.task, links);
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let minimum = settings.min_confidence;
    let most = all.confidence.iter().copied().max().unwrap_or(0);
    let page = Page {
        title: &info.title,
        tags: settings.task == Task::MultiLabel,
        tiles: tiles(info, all),
        facts: facts(info, all),
        labels: labels(info, all),
        unused: unused(classes, &all.classes),
        bars: bars(all, most),
        most: grouped(most),
        minimum: minimum.map(|p| ((f64::from(p) * 1e4).round() / 100.0).to_string()),
        shown: grouped(all.tracks.len() as u64),
        read: grouped(all.read),
        sampled: (all.tracks.len() as u64) < all.read,
        map: map.map(|Map { share, compared }| MapWords {
            embeddings: settings.embeddings,
            share: percent(share),
            compared: percent(compared),
        }),
        map_hint: info.map_hint.as_deref(),
        rows: all
            .tracks
            .iter()
            .take(PLAIN_ROWS)
            .map(|track| row(track, classes))
            .collect(),
        rows_cut: all.tracks.len() > PLAIN_ROWS,
        failed: grouped(all.failed()),
        reasons: all
            .reasons
            .iter()
            .map(|(reason, &n)| (reason.as_str(), grouped(n)))
            .collect(),
        failures: all
            .failures
            .iter()
            .map(|f| (text_of_path(&f.path), f.reason.as_str(), f.message.as_str()))
            .collect(),
        failures_sampled: (all.failures.len() as u64) < all.failed(),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters"));
    // Texts are escaped because of the name's ending.
    let added = environment.add_template("page.html", TEMPLATE);
    added.expect("the template is well formed");
    let template = environment.get_template("page.html").expect("it was added");
    let raw = Value::from_safe_string;
    let context = minijinja::context! {
        style => raw(STYLE.to_owned()),
        script => raw(SCRIPT.to_owned()),
        script_hash => raw(hash),
        data => raw(json),
        page => Value::from(Serde(page)),
    };
    template.render(context).expect("the page has every value")
}

/// Returns the figures of the page's head, and what they count.
fn tiles(info: &PageInfo, all: &Collected) -> Vec<(String, String)> {
    let tags = info.settings.task == Task::MultiLabel;
    let used = all.classes.iter().filter(|&&n| n > 0).count() as u64;
    let (length, unit) = duration(all.seconds);
    let plural =
        |n: u64, one: &str, many: &str| (grouped(n), if n == 1 { one } else { many }.to_owned());
    let mut tiles = vec![plural(all.read, "track", "tracks")];
    tiles.push((length, format!("{unit} of audio")));
    tiles.push(match tags {
        true => plural(used, "tag", "tags"),
        false => plural(used, "genre", "genres"),
    });
    let some = [
        (all.unsure, "unsure"),
        (all.without_tags, "without a tag"),
        (all.damaged, "damaged in part"),
        (all.failed(), "without an answer"),
    ];
    let some = some.into_iter().filter(|&(n, _)| n > 0);
    tiles.extend(some.map(|(n, what)| (grouped(n), what.to_owned())));
    tiles
}

fn facts(info: &PageInfo, all: &Collected) -> Vec<(String, String)> {
    let settings = &info.settings;
    let mut facts = info.facts.clone();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    fact("fingerprint", settings.model.clone());
    fact("files", grouped(all.read + all.failed()));
    let least = |p: f32| format!("{p} and more");
    match settings.min_confidence {
        Some(p) => fact("confidence for a label", least(p)),
        None => fact("confidence for a label", "any".into()),
    }
    if let (Task::MultiLabel, Some(p)) = (settings.task, settings.threshold) {
        fact("probability for a tag", least(p));
    }
    if settings.overlap > 0.0 {
        fact("overlap of clips", percent(settings.overlap));
    }
    if settings.half {
        fact("precision", "f16".into());
    }
    if settings.shard.of() > 1 {
        fact("shard", settings.shard.to_string());
    }
    facts
}

/// Returns the classes that tracks have, the most frequent first, and the tracks without one.
fn labels<'a>(info: &'a PageInfo, all: &Collected) -> Vec<Label<'a>> {
    let without = all.unsure + all.without_tags;
    let most = all.classes.iter().copied().max().unwrap_or(0).max(without);
    let label = |id, name, count, color, shape| Label {
        id,
        name,
        count: grouped(count),
        share: percent(count as f64 / all.read.max(1) as f64),
        width: 100.0 * count as f64 / most.max(1) as f64,
        color,
        shape,
    };
    let names = info.settings.classes.iter().zip(&all.classes).enumerate();
    let mut used: Vec<_> = names.filter(|(_, (_, count))| **count > 0).collect();
    used.sort_by_key(|(_, (_, count))| std::cmp::Reverse(**count));
    let mut labels: Vec<Label<'a>> = used
        .into_iter()
        .map(|(class, (name, &count))| {
            let (color, turn) = (class % COLORS, class / COLORS);
            let shape = SHAPES[(class + turn) % SHAPES.len()];
            label(
                class.to_string(),
                name.as_str(),
                count,
                format!("c{color}"),
                shape,
            )
        })
        .collect();
    if without > 0 {
        let name = match info.settings.task {
            Task::SingleLabel => "unsure",
            Task::MultiLabel => "no tag",
        };
        labels.push(label("none".into(), name, without, "none".into(), NO_LABEL));
    }
    labels
}

fn unused<'a>(classes: &'a [String], counts: &[u64]) -> Vec<&'a str> {
    let names = classes.iter().zip(counts).filter(|(_, count)| **count == 0);
    names.map(|(name, _)| name.as_str()).collect()
}

fn bars(all: &Collected, most: u64) -> Vec<Bar> {
    let bar = |(bin, &count): (usize, &u64)| Bar {
        range: format!("{} to {} %", 100 * bin / BINS, 100 * (bin + 1) / BINS),
        count: grouped(count),
        height: 100.0 * count as f64 / most.max(1) as f64,
    };
    all.confidence.iter().enumerate().map(bar).collect()
}

fn row<'a>(track: &Track, classes: &'a [String]) -> Row<'a> {
    let labels = track.ranked[..track.labels.min(track.ranked.len())].iter();
    let confidence = track.ranked.first().map_or(0.0, |&(_, p)| f64::from(p));
    let seconds = track.seconds.round() as u64;
    Row {
        name: text_of_path(&track.path),
        labels: labels.map(|&(class, _)| classes[class].as_str()).collect(),
        confidence: format!("{:.0} %", 100.0 * confidence),
        length: format!("{}:{:02}", seconds / 60, seconds % 60),
    }
}
