//! Times of the steps before the first answer.

use std::time::{Duration, Instant};

/// Measures the steps between the start of the command and its first answer.
pub struct StartupTimes {
    start: Instant,
    last: Instant,
    steps: Vec<(&'static str, Duration)>,
    first_answer: Option<Duration>,
}

impl StartupTimes {
    /// Starts the clock.
    pub fn start() -> Self {
        let start = Instant::now();
        Self {
            start,
            last: start,
            steps: Vec::new(),
            first_answer: None,
        }
    }

    /// Ends a step, which began where the last one ended.
    pub fn end_step(&mut self, step: &'static str) {
        let now = Instant::now();
        self.steps.push((step, now - self.last));
        self.last = now;
    }

    /// Records an answer. Only the first one counts.
    pub fn answered(&mut self) {
        if self.first_answer.is_none() {
            self.end_step("first answer");
            self.first_answer = Some(self.start.elapsed());
        }
    }

    /// Returns the times as a line of text; `None` if there was no answer.
    pub fn line(&self) -> Option<String> {
        let total = self.first_answer?.as_secs_f64().max(1e-9);
        let step = |(name, time): &(&str, Duration)| {
            let seconds = time.as_secs_f64();
            let (ms, percent) = (1e3 * seconds, 100.0 * seconds / total);
            format!("{name} {ms:.0} ms ({percent:.0} %)")
        };
        let steps: Vec<String> = self.steps.iter().map(step).collect();
        Some(format!(
            "the first answer came after {:.0} ms: {}",
            1e3 * total,
            steps.join(", ")
        ))
    }
}
