//! Tracing spans of this crate in Chrome's trace event format, which Perfetto (ui.perfetto.dev) and
//! chrome://tracing display.

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

use super::error::BenchError;
use crate::files::Ours;
use crate::gpu::Gpu;

/// The process ids that a trace shows.
const HOST: u32 = 1;
const GPU: u32 = 2;

/// Recognizes a trace by its first event.
pub const TRACE_OURS: Ours = Ours {
    what: "a trace",
    is: |head| {
        head.starts_with(
            "{\"traceEvents\":[{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,",
        ) && String::from_utf8_lossy(&head.start[..head.start.len().min(200)]).contains("host")
    },
};

/// A recorder of this crate's spans and of the GPU's passes.
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

/// An event of the format. Its phase `ph` is `X` for a complete span and `M` for a name.
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
    /// Becomes the process's subscriber for spans. Works once per process.
    ///
    /// # Errors
    /// [`BenchError::Tracing`] if the process already has a subscriber.
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

    /// Starts recording spans, and timing the passes of `gpu`.
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

    /// Stops recording, waits for `gpu` and adds its passes to the spans.
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

    /// Adds a span on the calling thread, around spans that show its parts.
    pub fn span(&self, name: &'static str, begin: Instant, time: Duration) {
        self.0.complete(HOST, thread(), name, begin, time);
        self.0.name_thread();
    }

    /// Returns the trace as JSON.
    ///
    /// # Errors
    /// [`BenchError::Write`] names `path`.
    pub fn json(&self, path: &Path) -> Result<Vec<u8>, BenchError> {
        let mut bytes = Vec::new();
        let written = self.write_to(&mut bytes);
        written.map(|()| bytes).map_err(|source| BenchError::Write {
            path: path.into(),
            source,
        })
    }

    fn write_to(&self, writer: &mut impl Write) -> std::io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct File<'a> {
            trace_events: Vec<&'a Event>,
            display_time_unit: &'static str,
        }
        let state = self.0.lock();
        let label = |kind, pid, tid, name: &str| Event {
            name: kind,
            ph: "M",
            pid,
            tid,
            ts: None,
            dur: None,
            args: BTreeMap::from([("name", name.to_owned())]),
        };
        let mut labels = vec![label("process_name", HOST, 0, "host")];
        for (tid, name) in &state.threads {
            labels.push(label("thread_name", HOST, *tid, name));
        }
        if let Some(gpu) = &state.gpu {
            labels.push(label("process_name", GPU, 0, gpu));
        }
        let file = File {
            trace_events: labels.iter().chain(&state.events).collect(),
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

/// Returns a number of the calling thread.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static THIS: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    THIS.with(|n| *n)
}

/// The subscriber layer that sees spans being entered and left.
struct Collect(Arc<Shared>);

/// When a span was entered. Stored with the span until it is left.
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
    fn spans_become_events_while_recording() {
        let trace = Trace::new();
        let subscriber = Registry::default().with(Collect(trace.0.clone()));
        tracing::subscriber::with_default(subscriber, || {
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
