//! What `evaluate` and the end of `train` have in common: answers to a report, and its first lines to stdout.

use std::path::Path;

use anyhow::Context;

use super::args;
use crate::audio::ClipSpan;
use crate::dataset::pcm::PcmSet;
use crate::evaluate::report::{Mistake, Report};
use crate::evaluate::{Epoch, Evaluation};
use crate::frontend::FrontEnd;
use crate::frontend::config::FrontEndConfig;

/// Mistakes that a report shows.
const MISTAKES: usize = 12;

/// What was evaluated.
pub struct Subject<'a> {
    /// First line of the report.
    pub title: String,
    /// Name and value, for people.
    pub facts: Vec<(String, String)>,
    /// Names of the checkpoint's classes.
    pub classes: &'a [String],
    /// Names of the files of `set`, in its order.
    pub files: Vec<String>,
    /// The files.
    pub set: &'a PcmSet,
    /// PCM to picture.
    pub front_end: &'a FrontEndConfig,
    /// For the mistakes' pictures.
    pub engine: &'a FrontEnd,
    /// Of the run, if it was one.
    pub epochs: Vec<Epoch>,
}

/// Writes `report.html` and `metrics.json` into `folder` and prints the headline and the confusion matrix.
pub fn write(subject: Subject<'_>, evaluation: &Evaluation, folder: &Path) -> anyhow::Result<()> {
    let mistakes = evaluation
        .worst(MISTAKES)
        .into_iter()
        .map(|answer| {
            let predicted = answer.predicted();
            let len = subject.front_end.clip_samples;
            let span = ClipSpan {
                start: answer.start,
                len,
            };
            let clip = subject.set.decode(answer.file, span, len)?;
            Ok(Mistake {
                file: subject.files[answer.file].clone(),
                start: answer.start as f64 / f64::from(subject.front_end.sample_rate),
                truth: subject.classes[answer.truth].clone(),
                predicted: subject.classes[predicted].clone(),
                confidence: answer.probabilities[predicted],
                png: picture(subject.engine, subject.front_end, &clip)?,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let files = &evaluation.files;
    let (low, high) = files.interval;
    args::say(format!(
        "{} of {} files right, accuracy {:.3}, 95 % interval {low:.3} to {high:.3} (Wilson); by clip {:.3}",
        files.hits(),
        files.total(),
        files.accuracy,
        evaluation.clips.accuracy
    ))?;
    args::say(files.confusion.table(subject.classes))?;
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
    args::say(format!("wrote {}", folder.join("report.html").display()))?;
    Ok(())
}

fn picture(engine: &FrontEnd, front_end: &FrontEndConfig, clip: &[f32]) -> anyhow::Result<Vec<u8>> {
    let pixels = engine.bytes(&[clip])?.remove(0);
    let size = front_end.image_size();
    let picture = image::RgbaImage::from_raw(size.width as u32, size.height as u32, pixels)
        .context("the picture has another size than its settings say")?;
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png)?;
    Ok(png.into_inner())
}
