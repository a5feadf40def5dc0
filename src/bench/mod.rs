//! Timing the front end: a catalogue of shapes, each pass by the GPU's clock against a measured roofline, and rivals in
//! the same run that must give the same numbers before they are timed. Traces of where a step's time goes.

mod catalogue;
mod check;
mod compare;
mod conv;
mod measure;
mod record;
mod rivals;
mod roofline;
mod trace;

pub use catalogue::{Shape, catalogue, signals};
pub use check::{Checked, check};
pub use compare::{Changed, CompareError, Verdict, compare};
pub use conv::{
    Both, ConvRecord, LAYERS, Layer, LayerTimes, STEP, TOLERANCE, conv, conv_record, steps,
};
pub use measure::{BenchError, Options, measure, record};
pub use record::{Adapter, Measured, Record, RivalTime, Stat};
pub use trace::Trace;
