//! Promise: results as a stream come in the order that was asked for, no farther ahead than their
//! reader allows, and end with it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use sonoprint::classify::{Input, Options, Order, ResultStream};
use sonoprint::gpu::Compute;
use sonoprint::inference::Predictor;
use tempfile::TempDir;

use crate::support::audio_files::{RATE, folder, put, wav16};
use crate::support::rendered;

fn predictor() -> Arc<Predictor> {
    Arc::new(Predictor::load(rendered(), &Compute::Cpu).unwrap())
}

fn options() -> Options {
    Options {
        workers: 2,
        batch: 2,
        first_batch: 1,
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings: false,
    }
}

/// A WAV file of noise.
fn noise(seconds: usize) -> Vec<u8> {
    let samples = 0..seconds * RATE as usize;
    let samples: Vec<i16> = samples.map(|i| (i * i % 9973) as i16).collect();
    wav16(&samples)
}

/// A WAV file with a day of silence, which takes no room on the disk.
fn day(dir: &TempDir) -> PathBuf {
    let len = 24 * 3600 * 2 * RATE;
    let mut header = wav16(&[]);
    header[4..8].copy_from_slice(&(len + 36).to_le_bytes());
    header[40..44].copy_from_slice(&len.to_le_bytes());
    let path = put(dir, "day.wav", &header);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(u64::from(len) + 44).unwrap();
    path
}

#[test]
fn results_come_in_the_order_of_the_inputs_or_as_soon_as_they_are_known() {
    let dir = folder();
    let long = put(&dir, "long.wav", &noise(120));
    let mut paths = vec![long.clone()];
    paths.extend((0..600).map(|i| PathBuf::from(format!("missing {i}"))));
    paths.push(long);
    let predictor = predictor();
    for order in [Order::Inputs, Order::Finished] {
        let inputs = paths.clone().into_iter().map(Input::File);
        let stream = ResultStream::start(predictor.clone(), inputs, options(), order);
        let mut got: Vec<PathBuf> = stream.map(|result| result.unwrap().path).collect();
        if order == Order::Finished {
            assert_ne!(
                got[0], paths[0],
                "the long file is not the first to be done"
            );
            got.sort();
            paths.sort();
        }
        assert_eq!(got, paths);
    }
}

/// While nobody takes results, the pipeline stops, in either order. It goes on with the reader, and
/// ends with it in the middle of a file.
#[test]
fn a_stream_waits_for_its_reader_and_ends_with_it() {
    let dir = folder();
    let day = day(&dir);
    let predictor = predictor();
    for order in [Order::Inputs, Order::Finished] {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        let inputs = (0..100_000).map(move |i| {
            count.fetch_add(1, Ordering::Relaxed);
            Input::File(format!("missing {i}").into())
        });
        let mut stream = ResultStream::start(predictor.clone(), inputs, options(), order);
        assert!(stream.next().is_some());
        std::thread::sleep(Duration::from_millis(300));
        let ahead = begun.load(Ordering::Relaxed);
        assert!(ahead < 1000, "{ahead} inputs for one result");
        assert_eq!(stream.by_ref().take(2000).count(), 2000);
        drop(stream);
        let read = begun.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(begun.load(Ordering::Relaxed), read, "the decoders are gone");

        let start = Instant::now();
        let inputs = [Input::File(day.clone())].into_iter();
        let mut stream = ResultStream::start(predictor.clone(), inputs, options(), order);
        assert!(matches!(
            stream.next_within(Duration::from_millis(50)),
            Poll::Pending
        ));
        drop(stream);
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
}
