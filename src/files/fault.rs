//! Injected faults: a test fails the n-th call that writes, as a full or broken disk does.
//!
//! A plan belongs to a thread, so that tests do not disturb each other. Without a plan, a call
//! costs one relaxed load of a counter.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full (ENOSPC).
    NoSpace,
    /// The disk is broken (EIO).
    Broken,
    /// The disk becomes full within a write: half of the bytes are written, and the next call
    /// fails. A call that is no write fails at once.
    ShortWrite,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::NoSpace, Self::Broken, Self::ShortWrite];

    fn error(self) -> io::Error {
        match self {
            Self::NoSpace | Self::ShortWrite => io::ErrorKind::StorageFull.into(),
            Self::Broken => io::Error::other("injected input/output error"),
        }
    }
}

/// Which calls of a thread fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// The first call that fails, from 0.
    pub call: u64,
    /// How it fails.
    pub fault: Fault,
    /// Whether all later calls fail, too. Otherwise only this one does.
    pub lasting: bool,
}

#[derive(Clone, Copy)]
struct State {
    plan: FaultPlan,
    calls: u64,
    failed: u64,
    /// A write was cut short, and the next call fails.
    cut: bool,
}

/// Number of threads with a plan.
static PLANS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STATE: Cell<Option<State>> = const { Cell::new(None) };
}

/// Runs `work` with faults in the calls of this thread. Returns its result, and how many calls
/// failed.
#[doc(hidden)]
pub fn with_faults<R>(plan: FaultPlan, work: impl FnOnce() -> R) -> (R, u64) {
    /// Ends the plan, also if `work` panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            STATE.set(None);
            PLANS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    PLANS.fetch_add(1, Ordering::Relaxed);
    STATE.set(Some(State {
        plan,
        calls: 0,
        failed: 0,
        cut: false,
    }));
    let _end = End;
    let result = work();
    (result, STATE.get().map_or(0, |state| state.failed))
}

/// Makes a call that is no write, unless it is to fail.
pub(super) fn pass<R>(call: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    before(0)?;
    call()
}

/// Counts a call that writes `len` bytes; 0 for another call. Returns how many bytes it writes.
pub(super) fn before(len: usize) -> io::Result<usize> {
    match PLANS.load(Ordering::Relaxed) {
        0 => Ok(len),
        _ => planned(len),
    }
}

#[cold]
fn planned(len: usize) -> io::Result<usize> {
    let Some(mut state) = STATE.get() else {
        return Ok(len);
    };
    let FaultPlan {
        call,
        fault,
        lasting,
    } = state.plan;
    let number = state.calls;
    state.calls += 1;
    let fails = state.cut || number == call || (lasting && number > call);
    let shortens = fault == Fault::ShortWrite && number == call && len > 1;
    state.cut = shortens;
    state.failed += u64::from(fails);
    STATE.set(Some(state));
    match (fails, shortens) {
        (false, _) => Ok(len),
        (true, true) => Ok(len / 2),
        (true, false) => Err(fault.error()),
    }
}
