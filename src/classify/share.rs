//! A long file that several decoders read at the same time.
//!
//! Decoders without a file of their own wait for one that is worth sharing. The decoder that reads
//! it sees that they wait and offers the rest of the file in pieces of some clips. Clips are the
//! same bits whoever reads them, because only files are shared whose places and codec are exact.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::audio::{ClipReader, Levels};

/// Seconds that one decoder reads at a time.
const PIECE: f64 = 60.0;

/// The shortest rest of a file in seconds that is shared: each decoder opens the file anew.
const SHORTEST: f64 = 300.0;

/// The rest of a file that is shared.
pub(super) struct SharedFile {
    pub(super) id: u64,
    pub(super) path: PathBuf,
    /// Length of the file, seconds.
    pub(super) seconds: f64,
    /// Clips in the file, and in a piece.
    clips: usize,
    piece: usize,
    state: Mutex<State>,
}

struct State {
    /// The first clip that nobody has taken.
    next: usize,
    /// Decoders that read pieces.
    readers: usize,
    /// What the parts that were read show, with the rate of the file.
    levels: Levels,
    rate: u32,
    /// Whether something in the file asks for a closer look.
    is_doubtful: bool,
}

impl SharedFile {
    /// Shares the clips from `next` on, of which each lasts `step` seconds. `levels` are those of
    /// what was read before, and `is_doubtful` says that it is damaged. `None` if too little is left.
    pub(super) fn new(
        (id, path): (u64, PathBuf),
        seconds: f64,
        (clips, next, step): (usize, usize, f64),
        (levels, rate): (Levels, u32),
        is_doubtful: bool,
    ) -> Option<Arc<Self>> {
        let left = clips.saturating_sub(next);
        (left as f64 * step >= SHORTEST).then(|| {
            Arc::new(Self {
                id,
                path,
                seconds,
                clips,
                piece: ((PIECE / step).ceil() as usize).max(1),
                state: Mutex::new(State {
                    next,
                    readers: 1,
                    levels,
                    rate,
                    is_doubtful,
                }),
            })
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read pieces. Returns whether there are any.
    fn join(&self) -> bool {
        let mut state = self.state();
        let any = state.next < self.clips;
        state.readers += usize::from(any);
        any
    }

    /// Takes the next piece: the numbers of its clips.
    pub(super) fn take(&self) -> Option<Range<usize>> {
        let mut state = self.state();
        let start = state.next;
        state.next = (start + self.piece).min(self.clips);
        (start < state.next).then_some(start..state.next)
    }

    /// Returns whether the piece that ends with clip `end` is the last.
    pub(super) fn is_last(&self, end: usize) -> bool {
        end == self.clips
    }

    /// Reads no more pieces. Returns, to the last who leaves, whether the file needs a closer look.
    pub(super) fn leave(&self, reader: Option<&ClipReader>, failed: bool) -> Option<bool> {
        let mut state = self.state();
        if let Some(reader) = reader {
            state.levels.join(&reader.levels());
            state.is_doubtful |= reader.damaged().is_some();
        }
        state.is_doubtful |= failed;
        state.readers -= 1;
        let is_plain = state.levels.is_plain(state.rate) && !state.is_doubtful;
        (state.readers == 0).then_some(!is_plain)
    }
}

/// What decoders know of each other.
#[derive(Default)]
pub(super) struct Board {
    state: Mutex<Decoders>,
    changed: Condvar,
}

#[derive(Default)]
struct Decoders {
    /// Decoders that read files, and those that wait for one to share.
    busy: usize,
    waiting: usize,
    offers: VecDeque<Arc<SharedFile>>,
}

impl Board {
    /// A board for `decoders` decoders, all of which are busy.
    pub(super) fn new(decoders: usize) -> Self {
        let board = Self::default();
        board.state().busy = decoders;
        board
    }

    fn state(&self) -> MutexGuard<'_, Decoders> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the end of a busy decoder: it is not waited for any more when that is dropped.
    pub(super) fn busy(&self) -> Busy<'_> {
        Busy(self)
    }

    /// Returns whether a decoder waits.
    pub(super) fn is_awaited(&self) -> bool {
        self.state().waiting > 0
    }

    /// Offers a file to the decoders that wait.
    pub(super) fn offer(&self, file: Arc<SharedFile>) {
        self.state().offers.push_back(file);
        self.changed.notify_all();
    }

    /// Waits for a file with pieces to read, which the caller has joined then. `None` once no
    /// decoder is busy.
    pub(super) fn wait(&self) -> Option<Arc<SharedFile>> {
        let mut state = self.state();
        state.busy -= 1;
        state.waiting += 1;
        self.changed.notify_all();
        let found = loop {
            while let Some(file) = state.offers.front() {
                if file.join() {
                    break;
                }
                state.offers.pop_front();
            }
            if let Some(file) = state.offers.front() {
                break Some(file.clone());
            }
            if state.busy == 0 {
                break None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        state.waiting -= 1;
        state.busy += 1;
        found
    }
}

/// A decoder that is busy.
pub(super) struct Busy<'a>(&'a Board);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(clips: usize, next: usize) -> Option<Arc<SharedFile>> {
        let path = PathBuf::from("a.wav");
        let levels = (Levels::default(), 22_050);
        SharedFile::new((7, path), 1000.0, (clips, next, 10.0), levels, false)
    }

    #[test]
    fn a_file_is_read_in_pieces_and_ended_once() {
        let file = shared(100, 3).unwrap();
        let board = Board::new(3);
        board.offer(file.clone());
        let read: Vec<(Vec<usize>, bool)> = std::thread::scope(|scope| {
            let helper = || {
                let _busy = board.busy();
                let mut numbers = Vec::new();
                let mut has_ended = false;
                while let Some(file) = board.wait() {
                    while let Some(piece) = file.take() {
                        numbers.extend(piece);
                    }
                    has_ended |= file.leave(None, false).is_some();
                }
                (numbers, has_ended)
            };
            let helpers = [scope.spawn(helper), scope.spawn(helper)];
            let busy = board.busy();
            let own: Vec<usize> = std::iter::from_fn(|| file.take()).flatten().collect();
            let has_ended = file.leave(None, false).is_some();
            drop(busy);
            let found = helpers.map(|helper| helper.join().unwrap());
            found.into_iter().chain([(own, has_ended)]).collect()
        });
        let mut numbers: Vec<usize> = read.iter().flat_map(|(n, _)| n.clone()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (3..100).collect::<Vec<_>>());
        assert_eq!(read.iter().filter(|(_, has_ended)| *has_ended).count(), 1);
        assert!(!board.is_awaited());
    }

    #[test]
    fn short_rests_are_not_shared() {
        assert!(shared(100, 71).is_none());
        let file = shared(100, 70).unwrap();
        assert_eq!(file.take(), Some(70..76), "a minute");
        assert!(!file.is_last(76) && file.is_last(100));
        assert_eq!(file.leave(None, true), Some(true), "a closer look");
    }
}
