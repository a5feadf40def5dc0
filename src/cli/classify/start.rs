//! What passes before the first answer.

use std::time::{Duration, Instant};

/// Times of the steps from the first line of the command on.
pub struct Start {
    begun: Instant,
    last: Instant,
    parts: Vec<(&'static str, Duration)>,
    first: Option<Duration>,
}

impl Start {
    /// Begins now.
    pub fn now() -> Self {
        let begun = Instant::now();
        Self {
            begun,
            last: begun,
            parts: Vec::new(),
            first: None,
        }
    }

    /// Since the last part, or the beginning, this was done.
    pub fn done(&mut self, part: &'static str) {
        let now = Instant::now();
        self.parts.push((part, now - self.last));
        self.last = now;
    }

    /// An answer is there: is it the first?
    pub fn answered(&mut self) {
        if self.first.is_none() {
            self.done("first answer");
            self.first = Some(self.begun.elapsed());
        }
    }

    /// In a line; `None` if there was no answer.
    pub fn line(&self) -> Option<String> {
        let total = self.first?.as_secs_f64().max(1e-9);
        let parts: Vec<String> = self
            .parts
            .iter()
            .map(|(name, time)| {
                let seconds = time.as_secs_f64();
                format!(
                    "{name} {:.0} ms ({:.0} %)",
                    1e3 * seconds,
                    100.0 * seconds / total
                )
            })
            .collect();
        Some(format!(
            "the first answer came after {:.0} ms: {}",
            1e3 * total,
            parts.join(", ")
        ))
    }
}
