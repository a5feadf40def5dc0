//! What is wrong with a file that gave sound, gathered while it is decoded.

/// The damage of one file.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Packets that the decoder refused, and why it refused the last one.
    failed: u64,
    why: String,
    /// Number of holes and their total length in seconds, and where the first one lies.
    holes: u64,
    missing: f64,
    first: f64,
    /// A step of the time stamps that was not believed, in seconds.
    step: Option<f64>,
    /// Frames that were decoded and that the header states, if they are fewer.
    short: Option<(u64, u64)>,
    upper_band_missing: bool,
    /// The first change of rate or channels, and how many there are.
    change: Option<String>,
    changes: u64,
    /// What is odd about a stream.
    notes: Vec<&'static str>,
    broken: Option<String>,
}

impl Damage {
    /// A packet could not be decoded.
    pub(super) fn failed(&mut self, why: &str) {
        self.failed += 1;
        self.why = why.to_owned();
    }

    /// `seconds` are missing at `at` seconds.
    pub(super) fn hole(&mut self, at: f64, seconds: f64) {
        if self.holes == 0 {
            self.first = at;
        }
        self.holes += 1;
        self.missing += seconds;
    }

    /// The time stamps step ahead by `seconds`.
    pub(super) fn step(&mut self, seconds: f64) {
        self.step.get_or_insert(seconds);
    }

    /// A stream has `frames`, and its header states `stated`.
    pub(super) fn length(&mut self, frames: u64, stated: u64) {
        if frames < stated {
            self.short = Some((frames, stated));
        }
    }

    /// The stream is HE-AAC, of which the lower half of the band was decoded.
    pub(super) fn upper_band_missing(&mut self) {
        self.upper_band_missing = true;
    }

    /// Something else that the reader of a result should know.
    pub(super) fn remark(&mut self, what: &'static str) {
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }

    /// The sound changes its rate or its channels.
    pub(super) fn change(&mut self, what: String) {
        self.change.get_or_insert(what);
        self.changes += 1;
    }

    /// Returns how often the sound has changed its rate or its channels.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// A part of the file was not read.
    pub(super) fn broken(&mut self, why: String) {
        self.broken.get_or_insert(why);
    }

    /// Describes the damage in one line. `None` if there is none.
    pub(super) fn note(&self) -> Option<String> {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        let failed = (self.failed > 0).then(|| {
            let n = self.failed;
            format!(
                "{n} packet{} could not be decoded ({})",
                plural(n),
                self.why
            )
        });
        let holes = (self.holes > 0).then(|| {
            let (n, missing, first) = (self.holes, self.missing, self.first);
            match n {
                1 => format!("{missing:.2} s are missing at {first:.2} s and were replaced with silence"),
                _ => format!(
                    "{missing:.2} s are missing in {n} places, the first at {first:.2} s, and were replaced with silence"
                ),
            }
        });
        let step = self
            .step
            .map(|s| format!("its time stamps step by {s:.0} s"));
        let short = self
            .short
            .map(|(frames, stated)| format!("ends after {frames} of {stated} samples"));
        let band = self
            .upper_band_missing
            .then(|| "upper band missing (HE-AAC)".to_owned());
        let change = self.change.as_ref().map(|change| match self.changes {
            1 => change.clone(),
            n => format!("{change}, and {} more times", n - 1),
        });
        let notes = [
            band,
            self.broken.clone(),
            failed,
            holes,
            step,
            short,
            change,
        ];
        let odd = self.notes.iter().map(|note| (*note).to_owned());
        let notes: Vec<_> = notes.into_iter().flatten().chain(odd).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
