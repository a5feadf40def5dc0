//! Timing the front end: a catalog of shapes, each pass by the GPU's clock against a measured roofline, and rivals in
//! the same run that must give the same numbers before they are timed. Traces of where a step's time goes.

mod baselines;
mod burn_network;
mod catalog;
mod check;
mod compare;
mod conv;
mod measure;
mod record;
mod roofline;
mod trace;

pub use catalog::{Shape, catalog, signals};
pub use check::{Checked, check};
pub use compare::{Changed, CompareError, Verdict, compare};
pub use conv::{
    Both, ConvRecord, LAYERS, Layer, LayerTimes, STEP, TOLERANCE, conv, conv_record, steps,
};
pub use measure::{BenchError, Options, measure, record};
pub use record::{Adapter, BaselineTime, Measured, Record, Stat};
pub use trace::Trace;
