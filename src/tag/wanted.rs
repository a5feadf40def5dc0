//! What a row of a table says should be written.

use super::kinds::LabelKind;
use super::map::{LabelMap, key};
use crate::classify::{RowLabels, RowStatus, TableRow};

/// Which labels of a row are written, and how they are called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelRule {
    /// Labels below this probability are not written. Those without one in the table are.
    pub min_confidence: Option<f32>,
    /// The most labels, without their parents. If absent: one genre, or all tags.
    pub top: Option<usize>,
    /// The probability from which a tag counts, in place of what the table was made with.
    pub threshold: Option<f32>,
    /// Whether moods and all tags are written, and not genres only. For multi-label models.
    pub tags: bool,
    /// Whether the scores are written.
    pub scores: bool,
    /// Other names, exclusions and parents.
    pub map: LabelMap,
}

/// What should be written into a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Its genres, most probable first.
    pub genres: Vec<String>,
    /// Its moods.
    pub moods: Vec<String>,
    /// Every tag.
    pub tags: Vec<String>,
    /// The probability of every class and the model, as a line of text.
    pub scores: Option<String>,
}

impl Wanted {
    /// Returns whether there is neither a genre nor a tag.
    pub fn is_empty(&self) -> bool {
        self.genres.is_empty() && self.moods.is_empty() && self.tags.is_empty()
    }
}

impl LabelRule {
    /// Returns what `row` says should be written.
    pub fn wanted(&self, row: &TableRow) -> Wanted {
        let mut wanted = Wanted::default();
        if row.status != RowStatus::Ok {
            return wanted;
        }
        for label in self.labels(row) {
            let names = self.map.names(&label);
            let kind = match row.labels {
                RowLabels::Genres(_) => LabelKind::Genre,
                RowLabels::Tags(_) => LabelKind::of(&label),
            };
            match kind {
                LabelKind::Genre => add(&mut wanted.genres, &names),
                LabelKind::Mood if self.tags => add(&mut wanted.moods, &names),
                _ => {}
            }
            if self.tags {
                add(&mut wanted.tags, &names);
            }
        }
        if self.scores && !wanted.is_empty() {
            wanted.scores = scores(row);
        }
        wanted
    }

    /// Returns the model's labels that are sure enough, most probable first.
    fn labels(&self, row: &TableRow) -> Vec<String> {
        let ranked = || {
            let mut all = row.probabilities.clone();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            all.into_iter().map(|(name, p)| (name, Some(p)))
        };
        let (mut labels, top) = match &row.labels {
            RowLabels::Genres(genres) => (genres.clone(), self.top.unwrap_or(1)),
            RowLabels::Tags(tags) => (tags.clone(), self.top.unwrap_or(usize::MAX)),
        };
        match (&row.labels, self.threshold) {
            // The table names two genres, and has the probability of each.
            (RowLabels::Genres(genres), _) if !genres.is_empty() && genres.len() < top => {
                let more = ranked().filter(|(name, _)| genres.iter().all(|(g, _)| g != name));
                labels.extend(more);
            }
            (RowLabels::Tags(_), Some(threshold)) if !row.probabilities.is_empty() => {
                labels = ranked().filter(|(_, p)| *p >= Some(threshold)).collect();
            }
            _ => {}
        }
        let least = self.min_confidence.unwrap_or(f32::NEG_INFINITY);
        labels.retain(|(_, p)| p.is_none_or(|p| p >= least));
        let written = |(name, _): &(String, _)| {
            let is_mood_or_genre = match row.labels {
                RowLabels::Genres(_) => true,
                RowLabels::Tags(_) => self.tags || LabelKind::of(name) == LabelKind::Genre,
            };
            is_mood_or_genre && !self.map.names(name).is_empty()
        };
        // What is not written takes no place.
        labels.retain(written);
        labels.truncate(top);
        labels.into_iter().map(|(name, _)| name).collect()
    }
}

/// Adds the names that are not there yet.
fn add(all: &mut Vec<String>, names: &[String]) {
    for name in names {
        if all.iter().all(|known| key(known) != key(name)) {
            all.push(name.clone());
        }
    }
}

/// Returns `rock=0.8123; blues=0.1020; model=0123456789ab`, most probable first.
fn scores(row: &TableRow) -> Option<String> {
    let mut all: Vec<(String, f32)> = row.probabilities.clone();
    if all.is_empty() {
        let labels = row.labels.all().iter();
        all = labels
            .filter_map(|(name, p)| Some((name.clone(), (*p)?)))
            .collect();
    }
    if all.is_empty() {
        return None;
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let scores = all.iter().map(|(name, p)| format!("{name}={p:.4}"));
    let model = row.model.iter().map(|model| format!("model={model}"));
    let text: Vec<String> = scores.chain(model).collect();
    Some(text.join("; ").replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(labels: RowLabels, probabilities: &[(&str, f32)]) -> TableRow {
        TableRow {
            path: "a".into(),
            status: RowStatus::Ok,
            labels,
            probabilities: probabilities
                .iter()
                .map(|(n, p)| ((*n).into(), *p))
                .collect(),
            seconds: None,
            reason: None,
            message: None,
            model: Some("0123".into()),
        }
    }

    #[test]
    fn genres_by_number_confidence_and_map() {
        let p = [("blues", 0.1), ("rock", 0.6), ("hiphop", 0.3)];
        let row = row(RowLabels::Genres(vec![("rock".into(), Some(0.6))]), &p);
        let genres = |rule: LabelRule| rule.wanted(&row).genres;
        let rule = LabelRule::default;
        assert_eq!(genres(rule()), ["rock"]);
        let top = |top| LabelRule {
            top: Some(top),
            ..rule()
        };
        assert_eq!(genres(top(9)), ["rock", "hiphop", "blues"]);
        let map: LabelMap = "exclude = ['rock']\n[rename]\nhiphop = 'Hip-Hop'"
            .parse()
            .unwrap();
        assert_eq!(
            genres(LabelRule {
                map: map.clone(),
                ..top(2)
            }),
            ["Hip-Hop", "blues"]
        );
        let sure = |p| LabelRule {
            min_confidence: Some(p),
            ..top(9)
        };
        assert_eq!(genres(sure(0.3)), ["rock", "hiphop"]);
        assert!(genres(sure(0.7)).is_empty());
        let scores = LabelRule {
            scores: true,
            ..rule()
        }
        .wanted(&row)
        .scores;
        let want = "rock=0.6000; hiphop=0.3000; blues=0.1000; model=0123";
        assert_eq!(scores.as_deref(), Some(want));
        let unsure = TableRow {
            status: RowStatus::Unsure,
            ..row.clone()
        };
        assert!(rule().wanted(&unsure).is_empty());
    }

    #[test]
    fn tags_are_genres_moods_and_the_rest() {
        let p = [("rock", 0.5), ("happy", 0.4), ("90s", 0.3), ("pop", 0.1)];
        let given = p[..3]
            .iter()
            .map(|(n, p)| ((*n).into(), Some(*p)))
            .collect();
        let row = row(RowLabels::Tags(given), &p);
        let wanted = |tags, threshold| {
            LabelRule {
                tags,
                threshold,
                ..Default::default()
            }
            .wanted(&row)
        };
        assert_eq!(wanted(false, None).genres, ["rock"]);
        assert!(wanted(false, None).moods.is_empty());
        assert_eq!(wanted(false, Some(0.1)).genres, ["rock", "pop"]);
        let all = wanted(true, None);
        assert_eq!(
            (all.genres, all.moods),
            (vec!["rock".into()], vec!["happy".into()])
        );
        assert_eq!(all.tags, ["rock", "happy", "90s"]);
    }
}
