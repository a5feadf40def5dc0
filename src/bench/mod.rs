//! Timing the front end: a catalogue of shapes, each pass by the GPU's clock against a measured roofline, and rivals in
//! the same run that must give the same numbers before they are timed.

mod catalogue;
mod measure;
mod record;
mod rivals;
mod roofline;

pub use catalogue::{Shape, catalogue, signals};
pub use measure::{BenchError, Options, measure, record};
pub use record::{Changed, Measured, Record, RivalTime, Stat, Verdict, compare};
