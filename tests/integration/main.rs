//! One binary for all integration tests: Burn and wgpu are linked once. One file per promise.

mod adapter;
mod audio;
mod audio_bad_bytes;
mod batches;
mod bench;
mod classify;
mod dataset;
mod dataset_check;
mod evaluate;
mod features;
mod frontend;
mod frontend_config;
mod frontend_plan;
mod golden;
mod inference;
mod journal;
mod model;
mod outputs;
mod pcm;
mod report;
mod same_losses;
mod support;
mod tables;
mod threads;
mod train;
mod zero_copy;
