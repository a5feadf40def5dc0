//! Prepares batches on a second thread while the caller uses the current one.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Capacity of the channel. Together with the result in use and the one in preparation, at most
/// three results are in memory.
const READY: usize = 1;

/// Calls `work` on every item in order, on a thread of its own, and passes the receiver of the
/// results to `consume`. When `consume` returns early, the remaining items are not worked on.
///
/// Training and evaluation use it to fetch the next batch of PCM while the device computes.
pub(crate) fn prefetch<I, T: Send, R>(
    items: I,
    work: impl Fn(I::Item) -> T + Send,
    consume: impl FnOnce(Receiver<T>) -> R,
) -> R
where
    I: Iterator + Send,
{
    thread::scope(|scope| {
        let (send, receive) = sync_channel(READY);
        scope.spawn(move || {
            for item in items {
                if send.send(work(item)).is_err() {
                    return;
                }
            }
        });
        consume(receive)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{READY, prefetch};

    #[test]
    fn results_come_in_order_and_the_rest_is_left_undone() {
        let done = AtomicUsize::new(0);
        let work = |i: usize| {
            done.fetch_add(1, Ordering::SeqCst);
            2 * i
        };
        let first: Vec<usize> = prefetch(0..1000, work, |results| results.iter().take(5).collect());
        assert_eq!(first, [0, 2, 4, 6, 8]);
        // The results that were taken, those that waited and the one in preparation.
        assert!(done.load(Ordering::SeqCst) <= 5 + READY + 2);
    }
}
