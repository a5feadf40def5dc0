//! The pipeline as an iterator: its reader decides how fast it goes and when it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::discover::Input;
use super::options::Options;
use super::pipeline::classify_until;
use super::result::FileResult;
use crate::inference::{InferenceError, Predictor};

/// Results that wait for the reader before the pipeline waits, too.
const QUEUE: usize = 32;
/// Files that are read ahead of the first whose result is not taken, if the order is that of the
/// inputs. Bounds the results that wait for a long file before them.
const WINDOW: u64 = 256;

/// The order of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That of the inputs.
    Inputs,
    /// As soon as each is known.
    Finished,
}

/// The results of [`classify`](super::classify()), one per input, while a thread computes the next
/// ones.
///
/// A bounded number of results waits for the reader, and then the pipeline does. Dropping the stream
/// stops the pipeline and waits for its threads, which end with the clip that they decode and the
/// batches that the device has. A failed device ends the results with its error.
///
/// ```
/// use std::sync::Arc;
/// use sonoprint::classify::{Input, Options, Order, ResultStream};
/// use sonoprint::gpu::Compute;
/// use sonoprint::inference::Predictor;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let predictor = Arc::new(Predictor::builtin(&Compute::Cpu)?);
/// let files = ["data/clips/metal/metal.00019.wav", "missing.wav"].map(|p| Input::File(p.into()));
/// let options = Options::for_predictor(&predictor);
/// let results = ResultStream::start(predictor, files.into_iter(), options, Order::Inputs);
/// let failed: Vec<bool> =
///     results.map(|r| Ok(r?.outcome.is_failed())).collect::<Result<_, Box<dyn std::error::Error>>>()?;
/// assert_eq!(failed, [false, true]);
/// # Ok(())
/// # }
/// ```
pub struct ResultStream {
    /// `None` if the pipeline has ended.
    receiver: Option<Receiver<Message>>,
    gate: Arc<Gate>,
    thread: Option<JoinHandle<()>>,
    order: Order,
    /// Results that came before their turn.
    early: BTreeMap<u64, FileResult>,
    /// Results that were taken.
    taken: u64,
}

/// A result with the number of its input.
type Message = Result<(u64, FileResult), InferenceError>;

/// Why the pipeline ended before its inputs did.
enum End {
    Failed(InferenceError),
    /// Nobody takes the results.
    ReaderGone,
}

impl From<InferenceError> for End {
    fn from(error: InferenceError) -> Self {
        Self::Failed(error)
    }
}

impl ResultStream {
    /// Starts to classify `inputs` on threads of its own.
    pub fn start(
        predictor: Arc<Predictor>,
        inputs: impl Iterator<Item = Input> + Send + 'static,
        options: Options,
        order: Order,
    ) -> Self {
        let (sender, receiver) = sync_channel(QUEUE);
        let gate = Arc::new(Gate::default());
        let inputs = GatedInputs {
            inputs,
            gate: gate.clone(),
            given: 0,
            window: match order {
                Order::Inputs => WINDOW.max(2 * options.workers as u64),
                Order::Finished => u64::MAX,
            },
        };
        let stopped = gate.clone();
        let run = move || run(&stopped.stop, &predictor, inputs, &options, &sender);
        Self {
            receiver: Some(receiver),
            gate,
            thread: Some(std::thread::spawn(run)),
            order,
            early: BTreeMap::new(),
            taken: 0,
        }
    }

    /// Returns the next result, or `None` after the last one, if it is there within `wait`.
    ///
    /// # Panics
    /// If the pipeline panicked.
    pub fn next_within(
        &mut self,
        wait: Duration,
    ) -> Poll<Option<Result<FileResult, InferenceError>>> {
        let deadline = Instant::now().checked_add(wait);
        loop {
            if let Some(result) = self.early.remove(&self.taken) {
                return Poll::Ready(Some(Ok(self.take(result))));
            }
            let Some(receiver) = &self.receiver else {
                return Poll::Ready(None);
            };
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            match receiver.recv_timeout(left) {
                Ok(Ok((_, result))) if self.order == Order::Finished => {
                    return Poll::Ready(Some(Ok(self.take(result))));
                }
                Ok(Ok((number, result))) => {
                    self.early.insert(number, result);
                }
                Ok(Err(error)) => {
                    // Its thread has ended already.
                    let _ = self.end();
                    return Poll::Ready(Some(Err(error)));
                }
                Err(RecvTimeoutError::Timeout) => return Poll::Pending,
                Err(RecvTimeoutError::Disconnected) => {
                    if let Err(panic) = self.end() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
    }

    fn take(&mut self, result: FileResult) -> FileResult {
        self.taken += 1;
        self.gate.change(|taken| *taken = self.taken);
        result
    }

    /// Stops the pipeline and waits for its threads.
    fn end(&mut self) -> std::thread::Result<()> {
        self.gate
            .change(|_| self.gate.stop.store(true, Ordering::Relaxed));
        self.receiver = None;
        self.early.clear();
        self.thread.take().map_or(Ok(()), JoinHandle::join)
    }
}

impl Iterator for ResultStream {
    type Item = Result<FileResult, InferenceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Poll::Ready(next) = self.next_within(Duration::MAX) {
                return next;
            }
        }
    }
}

impl Drop for ResultStream {
    fn drop(&mut self) {
        // A panic was printed by its thread, and nobody asks for another result.
        let _ = self.end();
    }
}

/// Runs the pipeline.
fn run(
    stop: &AtomicBool,
    predictor: &Predictor,
    inputs: impl Iterator<Item = Input> + Send,
    options: &Options,
    sender: &SyncSender<Message>,
) {
    let done = classify_until(stop, predictor, inputs, options, |number, result| {
        sender
            .send(Ok((number, result)))
            .map_err(|_| End::ReaderGone)
    });
    if let Err(End::Failed(error)) = done {
        // A reader that is gone needs no error.
        let _ = sender.send(Err(error));
    }
}

/// What the reader tells the decoders.
#[derive(Default)]
struct Gate {
    /// Results that the reader took.
    taken: Mutex<u64>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut u64)) {
        change(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// Inputs that are given out no farther than a window ahead of the reader.
struct GatedInputs<I> {
    inputs: I,
    gate: Arc<Gate>,
    given: u64,
    window: u64,
}

impl<I: Iterator<Item = Input>> Iterator for GatedInputs<I> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let stopped = || self.gate.stop.load(Ordering::Relaxed);
        let taken = self
            .gate
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let too_far =
            |taken: &mut u64| !stopped() && self.given >= taken.saturating_add(self.window);
        drop(self.gate.changed.wait_while(taken, too_far));
        if stopped() {
            return None;
        }
        self.given += 1;
        self.inputs.next()
    }
}
