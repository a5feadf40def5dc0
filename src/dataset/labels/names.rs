//! Label names: spaces, spelling, and genres that are several in one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::sets::{LabelSets, count, listed};

/// Genres that say nothing about the music, in lower case.
const EMPTY: [&str; 8] = [
    "genre",
    "misc",
    "n/a",
    "none",
    "other",
    "undefined",
    "unknown",
    "unknown genre",
];

/// Returns a name without spaces around it and with single spaces in it.
pub(super) fn tidy(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the labels in a genre tag: split at `;`, `|`, `\0` and ` / `.
pub(super) fn genres(tag: &str) -> impl Iterator<Item = String> + '_ {
    let parts = tag.split([';', '|', '\0']).flat_map(|s| s.split(" / "));
    let parts = parts.map(tidy);
    parts.filter(|name| !name.is_empty())
}

/// Removes genres that say nothing about the music.
pub(super) fn leave_out_empty(sets: &mut LabelSets, notes: &mut Vec<String>) {
    let mut files = BTreeMap::<String, usize>::new();
    for labels in sets.values_mut() {
        labels.retain(|label| {
            let says = !EMPTY.contains(&label.to_lowercase().as_str());
            if !says {
                *files.entry(label.clone()).or_default() += 1;
            }
            says
        });
    }
    if !files.is_empty() {
        let genres = count(files.len(), "genre");
        let names = files.iter().map(|(name, n)| format!("{name} ({n})"));
        notes.push(format!(
            "{genres} left out, of no meaning: {}",
            listed(names)
        ));
    }
}

/// Splits genres at `/` and `,` where each part is a genre by itself in another file: a part that
/// never stands alone is no genre, as in `Singer/Songwriter` or `Folk, World, & Country`.
pub(super) fn split_compounds(sets: &mut LabelSets) {
    let all: HashSet<String> = (sets.values().flatten())
        .map(|label| label.to_lowercase())
        .collect();
    for labels in sets.values_mut() {
        let split = |label: String| {
            let parts: Vec<String> = label.split(['/', ',']).map(tidy).collect();
            let known = |part: &String| all.contains(&part.to_lowercase());
            match parts.len() > 1 && parts.iter().all(known) {
                true => parts,
                false => vec![label],
            }
        };
        *labels = std::mem::take(labels).into_iter().flat_map(split).collect();
    }
}

/// Gives labels that differ only in case the spelling that most files use, the first by its bytes
/// of equal ones.
pub(super) fn merge_spellings(sets: &mut LabelSets, notes: &mut Vec<String>) {
    let mut spellings = BTreeMap::<String, BTreeMap<String, usize>>::new();
    for label in sets.values().flatten() {
        let spellings = spellings.entry(label.to_lowercase()).or_default();
        *spellings.entry(label.clone()).or_default() += 1;
    }
    let mut merged = Vec::new();
    let best = spellings.into_iter().map(|(lower, spellings)| {
        let most = spellings.values().copied().max();
        let best = spellings.iter().find(|(_, files)| Some(**files) == most);
        let best = best.map_or_else(|| lower.clone(), |(name, _)| name.clone());
        if spellings.len() > 1 {
            let all: Vec<&str> = spellings.keys().map(String::as_str).collect();
            merged.push(format!("{} are {best}", all.join(" and ")));
        }
        (lower, best)
    });
    let best: BTreeMap<String, String> = best.collect();
    if merged.is_empty() {
        return;
    }
    let labels = count(merged.len(), "label");
    notes.push(format!(
        "{labels} of several spellings: {}",
        listed(merged.into_iter())
    ));
    for labels in sets.values_mut() {
        let old: BTreeSet<String> = std::mem::take(labels);
        *labels = (old.iter())
            .map(|label| best[&label.to_lowercase()].clone())
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::{LabelSets, genres, leave_out_empty, merge_spellings, split_compounds, tidy};

    fn sets(labels: &[&[&str]]) -> LabelSets {
        let set = |(i, labels): (usize, &&[&str])| {
            let labels = labels.iter().map(|&label| label.to_owned());
            (format!("{i}.wav"), labels.collect())
        };
        labels.iter().enumerate().map(set).collect()
    }

    #[test]
    fn a_genre_tag_is_split_where_it_is_safe() {
        let of = |tag| genres(tag).collect::<Vec<_>>();
        assert_eq!(of(" Drum  &  Bass; Jungle "), ["Drum & Bass", "Jungle"]);
        assert_eq!(of("Rock / Pop|Soul"), ["Rock", "Pop", "Soul"]);
        assert_eq!(of("R&B/Soul"), ["R&B/Soul"]);
        assert_eq!(of("Jazz; ;Other"), ["Jazz", "Other"]);
        assert_eq!(tidy("\t a  b "), "a b");
    }

    #[test]
    fn genres_that_say_nothing_are_left_out_and_said() {
        let mut labels = sets(&[&["Other", "Jazz"], &["unknown"], &["Other"]]);
        let mut notes = Vec::new();
        leave_out_empty(&mut labels, &mut notes);
        assert_eq!(labels, sets(&[&["Jazz"], &[], &[]]));
        assert_eq!(
            notes,
            ["2 genres left out, of no meaning: Other (2), unknown (1)"]
        );
    }

    #[test]
    fn a_compound_is_split_if_its_parts_stand_alone_elsewhere() {
        let mut labels = sets(&[
            &["Rock/Pop"],
            &["rock"],
            &["Pop"],
            &["Singer/Songwriter"],
            &["Folk, World, & Country"],
            &["Folk"],
            &["rock, folk"],
        ]);
        split_compounds(&mut labels);
        let want = sets(&[
            &["Rock", "Pop"],
            &["rock"],
            &["Pop"],
            &["Singer/Songwriter"],
            &["Folk, World, & Country"],
            &["Folk"],
            &["rock", "folk"],
        ]);
        assert_eq!(labels, want);
    }

    #[test]
    fn the_most_common_spelling_is_kept_and_said() {
        let mut labels = sets(&[
            &["Hip-Hop", "jazz"],
            &["hip-hop"],
            &["Hip-Hop", "HIP-HOP"],
            &["Soul"],
        ]);
        let mut notes = Vec::new();
        merge_spellings(&mut labels, &mut notes);
        let want = sets(&[&["Hip-Hop", "jazz"], &["Hip-Hop"], &["Hip-Hop"], &["Soul"]]);
        assert_eq!(labels, want);
        assert_eq!(
            notes,
            ["1 label of several spellings: HIP-HOP and Hip-Hop and hip-hop are Hip-Hop"]
        );
    }
}
