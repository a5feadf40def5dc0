//! What `evaluate` and the end of `train` have in common: the report, and its headline on stdout.

use std::path::Path;

use super::words::print_line;
use crate::audio::ClipSpan;
use crate::dataset::pcm::PcmSet;
use crate::evaluate::report::{Mistake, Report};
use crate::evaluate::{Epoch, EvaluatedClip, Evaluation};
use crate::frontend::config::FrontEndConfig;
use crate::frontend::{FrontEnd, encode_png};

/// Number of mistakes that a report shows.
const MISTAKES: usize = 12;

/// What was evaluated.
pub struct Subject<'a> {
    /// Heading of the report.
    pub title: String,
    /// Facts for people: names and values.
    pub facts: Vec<(String, String)>,
    /// Names of the checkpoint's classes.
    pub classes: &'a [String],
    /// Names of the files of `set`, in its order.
    pub files: Vec<String>,
    /// The files.
    pub set: &'a PcmSet,
    /// Configuration of the front end.
    pub config: &'a FrontEndConfig,
    /// Draws the mistakes.
    pub front_end: &'a FrontEnd,
    /// The epochs, if this is the end of a training run.
    pub epochs: Vec<Epoch>,
}

/// Writes `report.html` and `metrics.json` into `folder`, and prints the headline and the confusion
/// matrix.
pub fn write(subject: Subject<'_>, evaluation: &Evaluation, folder: &Path) -> anyhow::Result<()> {
    let mistakes = evaluation
        .worst(MISTAKES)
        .into_iter()
        .map(|clip| mistake(&subject, clip))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let files = &evaluation.files;
    let (low, high) = files.interval;
    print_line(format_args!(
        "{} of {} files right, accuracy {:.3}, 95 % interval {low:.3} to {high:.3} (Wilson); by clip {:.3}",
        files.correct(),
        files.total(),
        files.accuracy,
        evaluation.clips.accuracy
    ))?;
    print_line(files.confusion.table(subject.classes))?;
    let report = Report {
        title: subject.title,
        facts: subject.facts,
        classes: subject.classes.to_vec(),
        clips: evaluation.clips.clone(),
        files: evaluation.files.clone(),
        epochs: subject.epochs,
        mistakes,
    };
    report.write(folder)?;
    print_line(format_args!(
        "wrote {}",
        folder.join("report.html").display()
    ))?;
    Ok(())
}

/// Decodes a wrongly classified clip again and draws it.
fn mistake(subject: &Subject<'_>, clip: &EvaluatedClip) -> anyhow::Result<Mistake> {
    let predicted = clip.predicted();
    let len = subject.config.clip_samples;
    let span = ClipSpan {
        start: clip.start,
        len,
    };
    let pcm = subject.set.decode(clip.file, span)?;
    let pixels = subject.front_end.images(&[&pcm])?.remove(0);
    Ok(Mistake {
        file: subject.files[clip.file].clone(),
        start: clip.start as f64 / f64::from(subject.config.sample_rate),
        truth: subject.classes[clip.truth].clone(),
        predicted: subject.classes[predicted].clone(),
        confidence: clip.probabilities[predicted],
        png: encode_png(&pixels, subject.config.image_size())?,
    })
}
