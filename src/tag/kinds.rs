//! What the tags of musicnn say: a genre, a mood, or something else.

/// Moods among musicnn's tags.
const MOODS: [&str; 10] = [
    "beautiful",
    "mellow",
    "chillout",
    "chill",
    "party",
    "sexy",
    "catchy",
    "sad",
    "happy",
    "easy listening",
];

/// Tags of musicnn that are neither a genre nor a mood: voices, instruments and decades.
const OTHERS: [&str; 12] = [
    "female vocalists",
    "female vocalist",
    "male vocalists",
    "instrumental",
    "acoustic",
    "guitar",
    "oldies",
    "60s",
    "70s",
    "80s",
    "90s",
    "00s",
];

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// A genre. Labels that are not musicnn's count as genres.
    Genre,
    /// A mood.
    Mood,
    /// A voice, an instrument or a decade.
    Other,
}

impl LabelKind {
    /// Returns what `label` says, in any case.
    ///
    /// ```
    /// use sonoprint::tag::LabelKind;
    ///
    /// assert_eq!(LabelKind::of("Mellow"), LabelKind::Mood);
    /// assert_eq!(LabelKind::of("90s"), LabelKind::Other);
    /// assert_eq!(LabelKind::of("indie rock"), LabelKind::Genre);
    /// ```
    pub fn of(label: &str) -> Self {
        let is_in = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(label));
        if is_in(&MOODS) {
            Self::Mood
        } else if is_in(&OTHERS) {
            Self::Other
        } else {
            Self::Genre
        }
    }
}
