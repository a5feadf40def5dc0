//! The time line of one stream: where decoded sound lies, what is missing before it, and what of it
//! is to be heard.

use super::container::{Kept, Place, Stream};

/// The longest hole in seconds that is filled. A larger step of the time stamps is not believed.
const LONGEST_HOLE: u64 = 3600;

/// A stretch of sound.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Sound(Vec<f32>),
    /// Samples of silence.
    Silence(u64),
}

/// What stands in front of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// The sound before it.
    Nothing,
    /// This many frames are missing, and silence stands for them.
    Hole(u64),
    /// The time stamps step ahead by this many frames, which is not believed.
    Step(u64),
}

/// The time line of one stream, in frames.
#[derive(Debug)]
pub(super) struct Timeline {
    rate: u32,
    timescale: u32,
    tolerance: i64,
    /// The frame that comes next. Frames before 0 are never heard.
    position: i64,
    started: bool,
    /// Frames that the time stamps stepped ahead by without being believed.
    ignored: i64,
    /// What is to be heard, ascending.
    keep: Vec<Kept>,
    /// See [`Stream::padding`].
    padding: Option<u64>,
    /// Frames behind the end of `keep`, heard only if it turns out that the end is wrong.
    held: Vec<f32>,
    /// Frames before this one are not heard: a decoder begins before them.
    from: i64,
    /// Whether sound is missing at `from`.
    astray: bool,
}

impl Timeline {
    /// The time line of `stream`, whose sound has `rate` frames per second.
    pub(super) fn new(rate: u32, stream: &Stream) -> Self {
        let timescale = stream.timescale.max(1);
        let frames = |ticks: i64| match ticks {
            i64::MAX => i64::MAX,
            ticks => rescale(ticks, rate, timescale),
        };
        let keep = match stream.keep.as_slice() {
            [] => vec![Kept::from(0)],
            parts => parts
                .iter()
                .map(|part| Kept {
                    start: frames(part.start).max(0),
                    end: frames(part.end),
                })
                .collect(),
        };
        Self {
            rate,
            timescale,
            tolerance: stream.tolerance as i64,
            position: 0,
            started: false,
            ignored: 0,
            keep,
            padding: stream.padding,
            held: Vec::new(),
            from: i64::MIN,
            astray: false,
        }
    }

    /// Returns the part of a stream of `frames` frames that is heard. `None` if it is in pieces.
    pub(super) fn heard(&self, frames: u64) -> Option<Kept> {
        let &[Kept { start, end }] = self.keep.as_slice() else {
            return None;
        };
        let total = to_signed(frames);
        let is_wrong = self
            .padding
            .is_some_and(|padding| total.saturating_sub(end.max(start)) > to_signed(padding));
        let end = if is_wrong { total } else { end.min(total) };
        (start < end).then_some(Kept { start, end })
    }

    /// Goes on with frame `begin`, and hears what comes from frame `from` on of `part`, which is
    /// that of [`Timeline::heard`].
    pub(super) fn seek(&mut self, begin: i64, from: i64, part: Kept) {
        self.position = begin;
        self.started = true;
        self.ignored = 0;
        self.keep = vec![part];
        self.padding = None;
        self.held.clear();
        self.from = from.max(part.start);
        self.astray = begin > self.from;
    }

    /// Returns whether sound is missing where it should begin after [`Timeline::seek`].
    pub(super) fn is_astray(&self) -> bool {
        self.astray
    }

    /// Returns whether sound is decoded and dropped, in front of where it begins.
    pub(super) fn is_warming_up(&self) -> bool {
        self.position < self.from
    }

    /// Returns the number of frames per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns the frame that comes next: the length of the stream at its end.
    pub(super) fn position(&self) -> u64 {
        self.position.max(0) as u64
    }

    /// Places `block`, and appends what is to be heard to `parts`. `gap` says that packets before
    /// it are lost, and `failed`, before which sample of it others were that gave no sound.
    pub(super) fn put(
        &mut self,
        place: Place,
        mut block: &[f32],
        gap: bool,
        failed: Option<usize>,
        parts: &mut Vec<Part>,
    ) -> Before {
        let len = block.len() as i64;
        let start = match place {
            Place::Next => self.position,
            Place::After(lost) => self.position.saturating_add(to_signed(lost)),
            Place::At(ticks) => {
                let stamp = rescale(ticks, self.rate, self.timescale);
                self.believed(stamp.saturating_sub(self.ignored), gap)
            }
            Place::Until { end, last } => {
                let end = rescale(end, self.rate, self.timescale).saturating_sub(self.ignored);
                let start = end.saturating_sub(len);
                // A stream of one page begins at 0, and what is too much is at its end.
                let single = last && start < 0;
                let lost = gap || failed.is_some();
                if !self.started && !single && !lost {
                    self.begin(start);
                }
                if last && (self.position..self.position.saturating_add(len)).contains(&end) {
                    block = &block[..(end - self.position) as usize];
                }
                self.believed(start, lost)
            }
        };
        self.started = true;
        self.forget_parts();
        let hole = start.saturating_sub(self.position).max(0) as u64;
        let before = match hole {
            0 => Before::Nothing,
            hole if hole > LONGEST_HOLE * u64::from(self.rate) => Before::Step(hole),
            hole => Before::Hole(hole),
        };
        let (first, second) = match (before, failed) {
            (Before::Hole(_), Some(at)) if !gap => block.split_at(at.min(block.len())),
            _ => (&[][..], block),
        };
        self.sound(first, parts);
        match before {
            Before::Hole(hole) => self.silence(hole, parts),
            // The stamps go on from there.
            Before::Step(step) => self.ignored = self.ignored.saturating_add(to_signed(step)),
            Before::Nothing => {}
        }
        self.sound(second, parts);
        before
    }

    /// The stream begins at frame `start`: late, as a part of a broadcast does, or before 0.
    fn begin(&mut self, start: i64) {
        self.position = start;
        if start > 0 {
            for part in &mut self.keep {
                part.start = part.start.saturating_add(start);
                part.end = part.end.saturating_add(start);
            }
        }
    }

    /// Returns the place that a time stamp states, or what was decoded so far if the two are close.
    fn believed(&self, stamp: i64, lost: bool) -> i64 {
        let tolerance = if lost { 0 } else { self.tolerance };
        match stamp.saturating_sub(self.position) > tolerance {
            true => stamp,
            false => self.position,
        }
    }

    /// Drops the parts that lie behind the position, but not the last: its end is the stream's.
    fn forget_parts(&mut self) {
        let position = self.position;
        let behind = self.keep.iter().take_while(|part| part.end <= position);
        let behind = behind.count().min(self.keep.len() - 1);
        self.keep.drain(..behind);
    }

    fn silence(&mut self, len: u64, parts: &mut Vec<Part>) {
        let place = self.position..self.position.saturating_add(to_signed(len));
        if self.padding.is_some() && self.keep.last().is_some_and(|part| place.end > part.end) {
            self.forget_end(parts);
        }
        self.astray |= (place.start..place.end).contains(&self.from);
        let kept = self.keep.iter().map(|part| {
            let start = part.start.max(place.start).max(self.from);
            part.end.min(place.end).saturating_sub(start).max(0) as u64
        });
        let kept = kept.sum::<u64>();
        if kept > 0 {
            parts.push(Part::Silence(kept));
        }
        self.position = place.end;
    }

    fn sound(&mut self, block: &[f32], parts: &mut Vec<Part>) {
        let place = self.position..self.position.saturating_add(block.len() as i64);
        for part in &self.keep {
            let start = part.start.max(place.start).max(self.from);
            let end = part.end.min(place.end);
            if start < end {
                let heard = &block[(start - place.start) as usize..(end - place.start) as usize];
                parts.push(Part::Sound(heard.to_vec()));
            }
        }
        self.position = place.end;
        let end = self.keep.last().map_or(0, |part| part.end);
        if let Some(padding) = self.padding
            && place.end > end
        {
            let kept_from = self.keep.last().map_or(0, |part| part.start);
            let from = (end.max(kept_from) - place.start).clamp(0, block.len() as i64) as usize;
            self.held.extend_from_slice(&block[from..]);
            if self.held.len() as u64 > padding {
                self.forget_end(parts);
            }
        }
    }

    /// The stream goes on behind the end that its header states, so that end is wrong.
    fn forget_end(&mut self, parts: &mut Vec<Part>) {
        if !self.held.is_empty() {
            parts.push(Part::Sound(std::mem::take(&mut self.held)));
        }
        if let Some(part) = self.keep.last_mut() {
            part.end = i64::MAX;
        }
        self.padding = None;
    }
}

fn to_signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Converts `ticks` of `timescale` per second to frames of `rate` per second, rounded.
pub(super) fn rescale(ticks: i64, rate: u32, timescale: u32) -> i64 {
    if rate == timescale || timescale == 0 {
        return ticks;
    }
    let scale = i128::from(timescale);
    let frames = (i128::from(ticks) * i128::from(rate) + scale / 2).div_euclid(scale);
    i64::try_from(frames).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use symphonia::core::codecs::audio::AudioCodecParameters;

    fn kept(start: i64, end: i64) -> Kept {
        Kept { start, end }
    }

    fn stream() -> Stream {
        let mut params = AudioCodecParameters::new();
        params.with_sample_rate(100);
        Stream::new(params)
    }

    /// Puts `blocks` of as many samples and returns what is heard: lengths, silence negative.
    fn heard(stream: &Stream, blocks: &[(Place, usize)]) -> Vec<i64> {
        let mut timeline = Timeline::new(100, stream);
        let mut parts = Vec::new();
        for &(place, len) in blocks {
            timeline.put(place, &vec![1.0; len], false, None, &mut parts);
        }
        parts
            .iter()
            .map(|part| match part {
                Part::Sound(sound) => sound.len() as i64,
                Part::Silence(len) => -(*len as i64),
            })
            .collect()
    }

    #[test]
    fn holes_are_silence() {
        let until = |end| Place::Until { end, last: false };
        let s = stream();
        assert_eq!(
            heard(&s, &[(Place::At(0), 10), (Place::At(25), 5)]),
            [10, -15, 5]
        );
        assert_eq!(
            heard(&s, &[(Place::Next, 10), (Place::After(7), 5)]),
            [10, -7, 5]
        );
        assert_eq!(
            heard(&s, &[(until(10), 10), (until(40), 10)]),
            [10, -20, 10]
        );
        let step = LONGEST_HOLE as i64 * 100 + 1;
        assert_eq!(
            heard(&s, &[(Place::Next, 10), (Place::At(step + 10), 5)]),
            [10, 5]
        );
        let tolerant = Stream {
            tolerance: 3,
            ..stream()
        };
        let jitter = [(Place::At(0), 10), (Place::At(13), 10), (Place::At(24), 10)];
        assert_eq!(heard(&tolerant, &jitter), [10, 10, -4, 10]);
    }

    #[test]
    fn pages_end_where_they_say() {
        let until = |end, last| Place::Until { end, last };
        let s = stream();
        assert_eq!(
            heard(&s, &[(until(10, false), 12), (until(20, false), 10)]),
            [10, 10]
        );
        assert_eq!(
            heard(&s, &[(until(1010, false), 10), (until(1015, true), 10)]),
            [10, 5]
        );
        assert_eq!(heard(&s, &[(until(7, true), 10)]), [7], "a single page");
        let skip = Stream {
            keep: vec![Kept::from(3)],
            ..stream()
        };
        assert_eq!(heard(&skip, &[(until(10, false), 10)]), [7]);
        assert_eq!(
            heard(&skip, &[(until(1010, false), 10)]),
            [7],
            "a late start"
        );
    }

    #[test]
    fn only_what_is_kept_is_heard() {
        let s = Stream {
            keep: vec![kept(5, 10), kept(20, 30)],
            ..stream()
        };
        assert_eq!(heard(&s, &[(Place::Next, 40)]), [5, 10]);
        assert_eq!(
            heard(&s, &[(Place::Next, 4), (Place::After(20), 2)]),
            [-9, 2]
        );
        let lame = Stream {
            keep: vec![kept(5, 30)],
            padding: Some(8),
            ..stream()
        };
        assert_eq!(
            heard(&lame, &[(Place::Next, 20), (Place::Next, 18)]),
            [15, 10]
        );
        let wrong = [(Place::Next, 20), (Place::Next, 18), (Place::Next, 10)];
        assert_eq!(
            heard(&lame, &wrong),
            [15, 10, 18],
            "more than padding follows"
        );
    }
}
