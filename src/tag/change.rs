//! What changes in a file's tags.

use std::collections::BTreeMap;

use super::field::{Field, FieldKey, Fields, TagKind, genres_of};
use super::map::key;
use super::wanted::Wanted;

/// What happens to fields that have values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They stay. Only fields without a value are written.
    #[default]
    Missing,
    /// They are replaced.
    Overwrite,
    /// They stay, and what they do not have yet is added.
    Append,
}

/// A field before and after. Without a value, the field is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The values that the tag has.
    pub before: Vec<String>,
    /// The values that it gets.
    pub after: Vec<String>,
}

/// What changes in a file's tags.
pub type Changes = BTreeMap<FieldKey, Change>;

/// Returns whether one of the tags has a genre that is not just spaces.
pub fn has_genre(fields: &Fields) -> bool {
    has(fields, Field::Genre)
}

fn has(fields: &Fields, field: Field) -> bool {
    let mut values = fields.iter().filter(|(key, _)| key.field == field);
    values.any(|(_, values)| values.iter().any(|value| !is_blank(value)))
}

/// ID3 may write nothing as zeros.
fn is_blank(value: &str) -> bool {
    value
        .trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .is_empty()
}

/// Returns what changes in the tags of a file with `fields`. `kinds` are the tags that it has or
/// gets, the format's own first.
///
/// Every tag of the file gets the same, so that players agree, whichever they read.
pub fn changes(fields: &Fields, kinds: &[TagKind], wanted: &Wanted, mode: Mode) -> Changes {
    let mut changes = Changes::new();
    let groups = [
        (Field::Genre, &wanted.genres),
        (Field::Mood, &wanted.moods),
        (Field::Tags, &wanted.tags),
    ];
    for (field, values) in groups {
        let stays = mode == Mode::Missing && has(fields, field);
        if !values.is_empty() && !stays {
            put(&mut changes, fields, kinds, field, values, mode);
        }
    }
    // Scores that are there are of an earlier answer.
    if let Some(scores) = &wanted.scores
        && (!changes.is_empty() || (mode != Mode::Missing && !wanted.is_empty()))
    {
        let scores = std::slice::from_ref(scores);
        put(
            &mut changes,
            fields,
            kinds,
            Field::Scores,
            scores,
            Mode::Overwrite,
        );
    }
    changes
}

fn put(
    changes: &mut Changes,
    fields: &Fields,
    kinds: &[TagKind],
    field: Field,
    values: &[String],
    mode: Mode,
) {
    let of = |kind| fields.get(&FieldKey { kind, field }).cloned();
    let filled = |kind| {
        of(kind)
            .unwrap_or_default()
            .into_iter()
            .filter(|v| !is_blank(v))
    };
    // What a tag without the field takes over from one that has it.
    let first: Vec<String> = kinds
        .iter()
        .map(|&kind| filled(kind).collect::<Vec<_>>())
        .find(|values| !values.is_empty())
        .unwrap_or_default();
    for &kind in kinds.iter().filter(|kind| kind.has(field)) {
        let before = of(kind).unwrap_or_default();
        let after = match mode {
            Mode::Missing | Mode::Overwrite => kind.fit(values),
            Mode::Append => {
                let mut all: Vec<String> = filled(kind).collect();
                // ID3v1 has room for one.
                if kind == TagKind::Id3v1 && !all.is_empty() {
                    continue;
                }
                if all.is_empty() {
                    all.clone_from(&first);
                }
                append(&mut all, values);
                kind.fit(&all)
            }
        };
        if before != after {
            changes.insert(FieldKey { kind, field }, Change { before, after });
        }
    }
}

/// Adds the values that are not there yet, whether by name, by number or among several in a text.
fn append(all: &mut Vec<String>, values: &[String]) {
    let names = |value: &String| -> Vec<String> {
        let parts = value.split(';').flat_map(genres_of);
        parts
            .chain([value.clone()])
            .map(|name| key(&name))
            .collect()
    };
    for value in values {
        if !all.iter().flat_map(names).any(|name| name == key(value)) {
            all.push(value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(all: &[(TagKind, &[&str])]) -> Fields {
        let field = Field::Genre;
        let values = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
        let all = all.iter();
        all.map(|(kind, v)| (FieldKey { kind: *kind, field }, values(v)))
            .collect()
    }

    fn after(fields: &Fields, kinds: &[TagKind], mode: Mode) -> Vec<(TagKind, Vec<String>)> {
        let wanted = Wanted {
            genres: vec!["Rock".into(), "Blues".into()],
            ..Default::default()
        };
        let changes = changes(fields, kinds, &wanted, mode);
        changes
            .into_iter()
            .map(|(key, change)| (key.kind, change.after))
            .collect()
    }

    #[test]
    fn what_is_there_stays_unless_told() {
        use TagKind::{Ape, Id3v1, Id3v2, Riff};
        let rock = || vec!["Rock".to_owned(), "Blues".to_owned()];
        for blank in [&[][..], &[""], &["  ", "\0"]] {
            let fields = fields(&[(Id3v2, blank)]);
            assert_eq!(after(&fields, &[Id3v2], Mode::Missing), [(Id3v2, rock())]);
        }
        let jazz = fields(&[(Ape, &["Jazz"])]);
        assert!(after(&jazz, &[Id3v2, Ape], Mode::Missing).is_empty());
        let want = [(Id3v2, rock()), (Ape, rock())];
        assert_eq!(after(&jazz, &[Id3v2, Ape], Mode::Overwrite), want);
        let all = ["Jazz", "Rock", "Blues"].map(str::to_owned).to_vec();
        let want = [(Id3v2, all.clone()), (Ape, all)];
        assert_eq!(after(&jazz, &[Id3v2, Ape], Mode::Append), want);
        let by_number = fields(&[(Id3v2, &["(17)"]), (Id3v1, &["Rock"])]);
        let all = ["(17)", "Blues"].map(str::to_owned).to_vec();
        assert_eq!(
            after(&by_number, &[Id3v2, Id3v1], Mode::Append),
            [(Id3v2, all)]
        );
        let same = fields(&[(Id3v2, &["Rock", "Blues"]), (Riff, &["Rock; Blues"])]);
        for mode in [Mode::Overwrite, Mode::Append] {
            assert!(after(&same, &[Id3v2, Riff], mode).is_empty(), "{mode:?}");
        }
    }
}
