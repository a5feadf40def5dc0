//! The fields that are written, and the kinds of tags that hold them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use lofty::id3::v1::GENRES;

/// A kind of tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagKind {
    /// ID3v2: before MP3 and AAC, and a chunk of WAV and AIFF.
    Id3v2,
    /// Vorbis comments: in FLAC and Ogg.
    Vorbis,
    /// The item list of MP4.
    Mp4,
    /// APEv2: behind some MP3.
    Ape,
    /// The INFO list of WAV.
    Riff,
    /// ID3v1: behind some MP3. Its genre is a number.
    Id3v1,
}

/// A field of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The genres.
    Genre,
    /// The moods.
    Mood,
    /// Every tag that the model gives: a field of this program's own.
    Tags,
    /// The probability of every class, and the model: a field of this program's own.
    Scores,
}

/// A field of a kind of tag. Its text is `id3v2.genre`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldKey {
    /// The kind of tag.
    pub kind: TagKind,
    /// The field.
    pub field: Field,
}

/// The values of fields, as the tags have them. A field without a value is left out.
pub type Fields = BTreeMap<FieldKey, Vec<String>>;

impl TagKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Id3v2,
        Self::Vorbis,
        Self::Mp4,
        Self::Ape,
        Self::Riff,
        Self::Id3v1,
    ];

    /// Returns the name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id3v2 => "id3v2",
            Self::Vorbis => "vorbis",
            Self::Mp4 => "mp4",
            Self::Ape => "ape",
            Self::Riff => "riff",
            Self::Id3v1 => "id3v1",
        }
    }

    /// Returns whether a tag of this kind has a place for `field`.
    pub fn has(self, field: Field) -> bool {
        match self {
            Self::Riff | Self::Id3v1 => field == Field::Genre,
            _ => true,
        }
    }

    /// Returns `values` as a tag of this kind can hold them: RIFF has one text, ID3v1 one genre of
    /// its list.
    pub fn fit(self, values: &[String]) -> Vec<String> {
        match self {
            Self::Riff if values.len() > 1 => vec![values.join("; ")],
            Self::Id3v1 => {
                let known = values.iter().find_map(|name| genre_number(name));
                known.map(|n| GENRES[n].to_owned()).into_iter().collect()
            }
            _ => values.to_vec(),
        }
    }
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 4] = [Self::Genre, Self::Mood, Self::Tags, Self::Scores];

    /// Returns the name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Genre => "genre",
            Self::Mood => "mood",
            Self::Tags => "tags",
            Self::Scores => "scores",
        }
    }

    /// Returns the key in tags whose fields have free names. Names are compared in any case.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Genre => "GENRE",
            Self::Mood => "MOOD",
            Self::Tags => "SONOPRINT_TAGS",
            Self::Scores => "SONOPRINT_SCORES",
        }
    }
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind.name(), self.field.name())
    }
}

impl FromStr for FieldKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, field) = text.split_once('.').ok_or(())?;
        let kind = TagKind::ALL.into_iter().find(|k| k.name() == kind);
        let field = Field::ALL.into_iter().find(|f| f.name() == field);
        let (kind, field) = kind.zip(field).ok_or(())?;
        Ok(Self { kind, field })
    }
}

/// Returns the genres that a value names. ID3 may name them by numbers, `(17)` or `17`, several in
/// one text, before a name: `(4)(9)Eurodisco`. A value of spaces names none.
///
/// ```
/// use sonoprint::tag::genres_of;
///
/// assert_eq!(genres_of("(17)"), ["Rock"]);
/// assert_eq!(genres_of("(4)Eurodisco"), ["Disco", "Eurodisco"]);
/// assert_eq!(genres_of("Rock (live)"), ["Rock (live)"]);
/// assert!(genres_of(" ").is_empty());
/// ```
pub fn genres_of(value: &str) -> Vec<String> {
    let mut rest = value.trim();
    let mut genres = Vec::new();
    while let Some((inside, behind)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        match by_number(inside) {
            Some(name) => genres.push(name.to_owned()),
            None => break,
        }
        rest = behind.trim_start();
    }
    // `((` stands for `(`.
    let rest = if rest.starts_with("((") {
        &rest[1..]
    } else {
        rest
    };
    if !rest.is_empty() {
        genres.push(by_number(rest).unwrap_or(rest).to_owned());
    }
    genres
}

/// Returns the genre of ID3's list that `text` is the number of.
fn by_number(text: &str) -> Option<&'static str> {
    match text {
        "RX" => Some("Remix"),
        "CR" => Some("Cover"),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => {
            GENRES.get(text.parse::<usize>().ok()?).copied()
        }
        _ => None,
    }
}

/// Returns the number of a genre in ID3's list. Only letters and digits count, in any case.
pub(super) fn genre_number(name: &str) -> Option<usize> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let name = plain(name);
    GENRES.iter().position(|genre| plain(genre) == name)
}
