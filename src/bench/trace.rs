//! Spans of the real code as Chrome's trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing draw.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::{Metadata, Subscriber, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::BenchError;
use crate::gpu::Gpu;

/// The processes that a trace shows.
const HOST: u32 = 1;
const GPU: u32 = 2;

/// Collects the spans of this crate while a step runs.
#[derive(Clone)]
pub struct Trace(Arc<Shared>);

struct Shared {
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    on: bool,
    events: Vec<Event>,
    threads: BTreeMap<u64, String>,
    gpu: Option<String>,
}

/// One of the format's events: `X`, a complete span; `M`, a name.
#[derive(Serialize)]
struct Event {
    name: &'static str,
    ph: &'static str,
    pid: u32,
    tid: u64,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'static str, String>,
}

impl Trace {
    /// Makes the process's spans visible. Works once a process.
    ///
    /// # Errors
    /// [`BenchError::Tracing`] if somebody listens to spans already.
    pub fn install() -> Result<Self, BenchError> {
        let trace = Self::new();
        let layer = Collect(trace.0.clone());
        tracing::subscriber::set_global_default(Registry::default().with(layer))
            .map_err(|_| BenchError::Tracing)?;
        Ok(trace)
    }

    fn new() -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            state: Mutex::default(),
        }))
    }

    /// From now on spans are kept, and passes of `gpu` are timed.
    ///
    /// # Errors
    /// If the device fails.
    pub fn begin(&self, gpu: Option<&Gpu>) -> Result<(), BenchError> {
        if let Some(gpu) = gpu {
            gpu.record_passes()?;
        }
        self.0.lock().on = true;
        Ok(())
    }

    /// No more: waits for `gpu` and puts its passes beside the host's spans.
    ///
    /// # Errors
    /// If the device fails.
    pub fn end(&self, gpu: Option<&Gpu>) -> Result<(), BenchError> {
        self.0.lock().on = false;
        let Some(gpu) = gpu else { return Ok(()) };
        for pass in gpu.recorded_passes()? {
            self.0.complete(GPU, 0, pass.name, pass.begin, pass.time);
        }
        self.0.lock().gpu = Some(gpu.describe());
        Ok(())
    }

    /// Adds a span around what others show in parts, on the calling thread.
    pub fn span(&self, name: &'static str, begin: Instant, time: Duration) {
        self.0.complete(HOST, thread(), name, begin, time);
        self.0.name_thread();
    }

    /// Writes what was kept.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let file = std::fs::File::create(path)?;
        let mut writer = std::io::BufWriter::new(file);
        self.write_to(&mut writer)?;
        writer.flush()
    }

    fn write_to(&self, writer: &mut impl Write) -> std::io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct File<'a> {
            trace_events: Vec<&'a Event>,
            display_time_unit: &'static str,
        }
        let state = self.0.lock();
        let named = |what, pid, tid, name: &str| Event {
            name: what,
            ph: "M",
            pid,
            tid,
            ts: None,
            dur: None,
            args: BTreeMap::from([("name", name.to_owned())]),
        };
        let mut names = vec![named("process_name", HOST, 0, "host")];
        for (tid, name) in &state.threads {
            names.push(named("thread_name", HOST, *tid, name));
        }
        if let Some(gpu) = &state.gpu {
            names.push(named("process_name", GPU, 0, gpu));
        }
        let file = File {
            trace_events: names.iter().chain(&state.events).collect(),
            display_time_unit: "ms",
        };
        serde_json::to_writer(writer, &file).map_err(Into::into)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, pid: u32, tid: u64, name: &'static str, begin: Instant, time: Duration) {
        let since = begin.saturating_duration_since(self.begun);
        self.lock().events.push(Event {
            name,
            ph: "X",
            pid,
            tid,
            ts: Some(since.as_secs_f64() * 1e6),
            dur: Some(time.as_secs_f64() * 1e6),
            args: BTreeMap::new(),
        });
    }

    fn name_thread(&self) {
        let current = std::thread::current();
        let name = || current.name().unwrap_or("worker").to_owned();
        self.lock().threads.entry(thread()).or_insert_with(name);
    }
}

/// A number for the calling thread.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static THIS: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    THIS.with(|n| *n)
}

/// Hears when spans are entered and left.
struct Collect(Arc<Shared>);

/// Kept with a span while it is entered.
struct Entered(Instant);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Entered(Instant::now()));
        }
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(Entered(begin)) = span.extensions_mut().remove() else {
            return;
        };
        if self.0.lock().on {
            let time = begin.elapsed();
            self.0.complete(HOST, thread(), span.name(), begin, time);
            self.0.name_thread();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Collect, Registry, SubscriberExt, Trace};

    #[test]
    fn spans_become_events_while_it_is_on() {
        let trace = Trace::new();
        let listener = Registry::default().with(Collect(trace.0.clone()));
        tracing::subscriber::with_default(listener, || {
            drop(tracing::info_span!("before").entered());
            trace.begin(None).unwrap();
            let outer = tracing::info_span!("outer").entered();
            drop(tracing::info_span!("inner").entered());
            drop(tracing::info_span!(target: "others", "theirs").entered());
            drop(outer);
            trace.end(None).unwrap();
            drop(tracing::info_span!("after").entered());
        });
        let mut bytes = Vec::new();
        trace.write_to(&mut bytes).unwrap();
        let all: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let events = all["traceEvents"].as_array().unwrap();
        let spans: Vec<_> = events.iter().filter(|e| e["ph"] == "X").collect();
        let names: Vec<_> = spans.iter().map(|e| e["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["inner", "outer"]);
        let time = |i: usize, key: &str| spans[i][key].as_f64().unwrap();
        assert!(time(1, "ts") <= time(0, "ts"));
        assert!(time(0, "ts") + time(0, "dur") <= time(1, "ts") + time(1, "dur") + 1e-3);
    }
}
