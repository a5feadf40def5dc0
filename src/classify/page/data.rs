//! What the page's script reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::collect::Track;
use super::link::Links;
use super::pca::{Projection, project};
use crate::files::text_of_path;
use crate::model::Task;

/// Principal components by which the script finds similar tracks. The first two are the map.
const COMPONENTS: usize = 32;
/// The largest coordinate of a track on the map.
const MAP_RANGE: f32 = 10_000.0;

/// Where the tracks are on the map.
pub(super) struct Map {
    /// The fraction of the variance that its two directions hold.
    pub share: f64,
    /// The fraction that all components hold by which tracks are compared.
    pub compared: f64,
}

/// Tracks in columns; a track is an index.
#[derive(Serialize)]
struct Data<'a> {
    classes: &'a [String],
    /// Whether a track has any number of labels.
    tags: bool,
    path: Vec<String>,
    url: Vec<String>,
    /// Class, probability in hundredths of percent, class, probability, ...; most probable first.
    ranked: Vec<Vec<u32>>,
    /// How many of the ranked classes are labels.
    labels: Vec<usize>,
    seconds: Vec<f64>,
    note: Vec<Option<String>>,
    /// Coordinates on the map.
    x: Vec<Option<i32>>,
    y: Vec<Option<i32>>,
    /// Coordinates for comparisons: this many signed bytes per track, in base64.
    components: usize,
    vectors: String,
}

/// Returns the data as JSON that can stand in a page, and how good the map is; `None` if the tracks
/// do not differ.
pub(super) fn json(
    tracks: &[Track],
    classes: &[String],
    task: Task,
    links: &Links,
) -> (String, Option<Map>) {
    let vectors: Vec<&[f32]> = tracks.iter().map(|track| &track.vector[..]).collect();
    let projection = project(&vectors, COMPONENTS);
    let axis = |axis: usize| map_axis(projection.as_ref(), axis, tracks.len());
    let (components, bytes) = projection.as_ref().map_or((0, Vec::new()), quantized);
    let data = Data {
        classes,
        tags: task == Task::MultiLabel,
        path: tracks.iter().map(|t| text_of_path(&t.path)).collect(),
        url: tracks.iter().map(|t| links.to(&t.path)).collect(),
        ranked: tracks.iter().map(ranked).collect(),
        labels: tracks.iter().map(|t| t.labels).collect(),
        seconds: tracks
            .iter()
            .map(|t| (t.seconds * 10.0).round() / 10.0)
            .collect(),
        note: tracks.iter().map(note).collect(),
        x: axis(0),
        y: axis(1),
        components,
        vectors: STANDARD.encode(bytes),
    };
    let map = projection.map(|p| Map {
        share: p.shares.iter().take(2).sum(),
        compared: p.shares.iter().sum(),
    });
    let json = serde_json::to_string(&data).expect("columns are plain data");
    (for_script(&json), map)
}

fn ranked(track: &Track) -> Vec<u32> {
    let ranked = track.ranked.iter();
    ranked
        .flat_map(|&(class, p)| [class as u32, (f64::from(p) * 1e4).round() as u32])
        .collect()
}

/// Returns what is odd about a track.
fn note(track: &Track) -> Option<String> {
    let padded = track.padded.then(|| "shorter than a clip".to_owned());
    let damaged = track.damaged.as_ref().map(|d| format!("damaged: {d}"));
    let all: Vec<String> = [damaged, padded].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Returns one coordinate of each track, both axes in the same unit. The second is 0 if vectors have
/// one number.
fn map_axis(projection: Option<&Projection>, axis: usize, tracks: usize) -> Vec<Option<i32>> {
    let Some(Projection { coordinates, .. }) = projection else {
        return vec![None; tracks];
    };
    let both = coordinates.iter().flat_map(|v| v.iter().take(2));
    let largest = both.fold(f32::MIN_POSITIVE, |max, x| max.max(x.abs()));
    let scaled = |v: &Vec<f32>| {
        let x = v.get(axis).copied().unwrap_or(0.0);
        (!v.is_empty()).then_some((x / largest * MAP_RANGE).round() as i32)
    };
    coordinates.iter().map(scaled).collect()
}

/// Returns the number of components and each track's, as signed bytes in one common unit. A track
/// without a place has zeros.
fn quantized(projection: &Projection) -> (usize, Vec<u8>) {
    let components = projection.shares.len();
    let all = projection.coordinates.iter().flatten();
    let largest = all.fold(f32::MIN_POSITIVE, |max, x| max.max(x.abs()));
    let byte = |x: f32| (x / largest * 127.0).round() as i8 as u8;
    let bytes = projection
        .coordinates
        .iter()
        .flat_map(|v| (0..components).map(move |i| v.get(i).map_or(0, |&x| byte(x))));
    (components, bytes.collect())
}

/// Escapes what could end a script or begin markup. All of these stand in strings only, where JSON
/// allows the escapes.
pub(super) fn for_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_be_left() {
        let text = "</script><!--<script>&amp;\u{2028}\u{2029}\"\\";
        let json = serde_json::to_string(text).unwrap();
        let escaped = for_script(&json);
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn coordinates_share_one_unit() {
        let projection = Projection {
            coordinates: vec![vec![2.0, -1.0], Vec::new(), vec![-0.5, 0.0]],
            shares: vec![0.8, 0.2],
        };
        let x = map_axis(Some(&projection), 0, 3);
        assert_eq!(x, [Some(10_000), None, Some(-2500)]);
        let y = map_axis(Some(&projection), 1, 3);
        assert_eq!(y, [Some(-5000), None, Some(0)]);
        let (components, bytes) = quantized(&projection);
        let signed: Vec<i8> = bytes.iter().map(|&b| b as i8).collect();
        assert_eq!((components, signed), (2, vec![127, -64, 0, 0, -32, 0]));
    }
}
