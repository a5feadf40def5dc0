//! Which parts of a long track are classified.

#![allow(
    clippy::single_range_in_vec_init,
    reason = "a list of ranges may have one"
)]

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::rule::ClipRule;

/// Where the excerpts of a track lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExcerptPlace {
    /// One behind the other, from the first clip on.
    Start,
    /// Each in the middle of its share of the track: of three, in the middle of each third.
    #[default]
    Spread,
    /// One behind the other, around the middle.
    Middle,
    /// One behind the other, up to the last clip.
    End,
}

impl ExcerptPlace {
    /// All places, in the order of time.
    pub const ALL: [Self; 4] = [Self::Start, Self::Spread, Self::Middle, Self::End];

    /// Returns its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Spread => "spread",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl fmt::Display for ExcerptPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExcerptPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|place| place.name() == text);
        found.ok_or("must be start, spread, middle or end")
    }
}

/// The parts of a long track that stand for the whole of it.
///
/// An excerpt consists of clips of the whole track, so that each of its clips has the answer that it
/// has there.
///
/// ```
/// use sonoprint::audio::{ExcerptPlace, Excerpts};
///
/// let excerpts = Excerpts { count: 3, ..Excerpts::default() };
/// assert_eq!(excerpts.to_string(), "3 of 15 s, spread");
/// assert_eq!("middle".parse(), Ok(ExcerptPlace::Middle));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excerpts {
    /// How many there are: at least 1.
    pub count: u32,
    /// The length of each in seconds. It holds as many whole clips as fit, and at least one.
    pub seconds: f64,
    /// Where they lie.
    pub at: ExcerptPlace,
}

impl Excerpts {
    /// The length of an excerpt in seconds, unless another is asked for.
    pub const SECONDS: f64 = 15.0;

    /// Chooses among the `clips` clips of a track at `rate` Hz: ranges of their numbers, ascending.
    /// `None` if the excerpts would be all of the track.
    pub(super) fn choose(
        &self,
        rule: &ClipRule,
        rate: u32,
        clips: usize,
    ) -> Option<Vec<Range<usize>>> {
        let samples = (self.seconds * f64::from(rate)).round() as usize;
        let each = 1 + samples.saturating_sub(rule.covered()) / rule.step.max(1);
        let count = self.count.max(1) as usize;
        let all = each.checked_mul(count).filter(|&all| all < clips)?;
        let from = |start: usize| std::iter::once(start..start + all).collect();
        Some(match self.at {
            ExcerptPlace::Start => from(0),
            ExcerptPlace::Middle => from((clips - all) / 2),
            ExcerptPlace::End => from(clips - all),
            ExcerptPlace::Spread => {
                // Excerpt i has its middle at (i + 1/2) / count of the track.
                let middle = |i: usize| (2 * i + 1) as u128 * clips as u128;
                let start = |i: usize| {
                    let twice = middle(i).saturating_sub(each as u128 * count as u128);
                    (twice / (2 * count as u128)) as usize
                };
                (0..count).map(|i| start(i)..start(i) + each).collect()
            }
        })
    }
}

impl Default for Excerpts {
    /// One excerpt in the middle.
    fn default() -> Self {
        Self {
            count: 1,
            seconds: Self::SECONDS,
            at: ExcerptPlace::default(),
        }
    }
}

impl fmt::Display for Excerpts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, seconds, at } = self;
        write!(f, "{count} of {seconds} s, {at}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first clip of each excerpt, and the one behind its last.
    fn chosen(
        count: u32,
        seconds: f64,
        at: ExcerptPlace,
        clips: usize,
    ) -> Option<Vec<(usize, usize)>> {
        let excerpts = Excerpts { count, seconds, at };
        let parts = excerpts.choose(&ClipRule::inside(100), 10, clips)?;
        Some(
            parts
                .into_iter()
                .map(|part| (part.start, part.end))
                .collect(),
        )
    }

    #[test]
    fn places() {
        use ExcerptPlace::{End, Middle, Spread, Start};
        // Clips of ten seconds.
        assert_eq!(chosen(2, 25.0, Start, 10), Some(vec![(0, 4)]));
        assert_eq!(chosen(2, 20.0, Middle, 10), Some(vec![(3, 7)]));
        assert_eq!(chosen(2, 20.0, End, 10), Some(vec![(6, 10)]));
        assert_eq!(chosen(2, 20.0, Spread, 10), Some(vec![(1, 3), (6, 8)]));
        assert_eq!(
            chosen(3, 1.0, Spread, 9),
            Some(vec![(1, 2), (4, 5), (7, 8)])
        );
        assert_eq!(chosen(1, 30.0, Spread, 9), Some(vec![(3, 6)]), "the middle");
        assert_eq!(chosen(3, 30.0, Spread, 9), None, "all of it");
        assert_eq!(chosen(u32::MAX, 1e9, Start, 9), None);
    }

    #[test]
    fn spread_excerpts_never_overlap() {
        for clips in 1..200 {
            for count in 1..20 {
                for seconds in [10.0, 20.0, 50.0] {
                    let Some(parts) = chosen(count, seconds, ExcerptPlace::Spread, clips) else {
                        continue;
                    };
                    assert_eq!(parts.len(), count as usize);
                    assert!(parts.windows(2).all(|pair| pair[0].1 <= pair[1].0));
                    assert!(parts.iter().all(|part| part.1 <= clips));
                }
            }
        }
    }
}
