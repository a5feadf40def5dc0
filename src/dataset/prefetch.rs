//! Work that runs ahead of whoever needs it.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Results that may wait to be taken: one being used, one ready, one being made.
const READY: usize = 1;

/// Calls `work` on every item in order, on a thread of its own, and gives `take` what comes out; never more than a
/// few results are held. When `take` returns early, the rest is not worked on.
pub fn ahead<I, T: Send, R>(
    items: I,
    work: impl Fn(I::Item) -> T + Send,
    take: impl FnOnce(Receiver<T>) -> R,
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
        take(receive)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{READY, ahead};

    #[test]
    fn results_come_in_order_and_the_rest_is_left_undone() {
        let done = AtomicUsize::new(0);
        let work = |i: usize| {
            done.fetch_add(1, Ordering::SeqCst);
            2 * i
        };
        let first: Vec<usize> = ahead(0..1000, work, |results| results.iter().take(5).collect());
        assert_eq!(first, [0, 2, 4, 6, 8]);
        // Those that were taken, those that waited, and one in hand.
        assert!(done.load(Ordering::SeqCst) <= 5 + READY + 2);
    }
}
