//! Benchmarks of the front end, of the convolutions, and of whole steps.
//!
//! A [`catalog()`] of shapes drives [`measure()`]: each pass is timed by the GPU's clock and
//! compared with a measured roofline. Baselines run in the same process on the same clips.
//! Everything that is timed must first match the CPU reference. A [`Trace`] shows where the time of
//! a step goes.

mod baselines;
mod burn_network;
mod catalog;
mod check;
mod compare;
mod conv;
mod conv_max;
mod csv;
mod dispatch;
mod error;
mod measure;
mod paired;
mod record;
mod reference;
mod roofline;
mod trace;

pub use catalog::{Shape, catalog, signals};
pub use check::check;
pub use compare::{Change, CompareError, Verdict, compare};
pub use conv::{ConvRecord, LAYERS, Layer, LayerTimes, STEP, conv, conv_record, step};
pub use conv_max::{MAX_LAYERS, MaxLayer, MaxLayerTimes, conv_max_layer};
pub use csv::CSV_OURS;
pub use error::BenchError;
pub use measure::{Options, measure, record};
pub use paired::{PairedTimes, TOLERANCE};
pub use record::{Adapter, BaselineTimes, JSON_OURS, Record, ShapeTimes, Stat, write};
pub use reference::Accuracy;
pub use trace::{TRACE_OURS, Trace};
