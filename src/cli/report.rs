//! What `evaluate` and the end of `train` have in common: the report, and its headline on stdout.

use std::path::Path;

use super::words::print_line_lossy;
use crate::audio::ClipSpan;
use crate::dataset::pcm::PcmSet;
use crate::evaluate::report::{Mistake, Report, Setting};
use crate::evaluate::{
    Epoch, EvaluatedClip, Evaluation, Figures, LevelMetrics, Levels, TagMetrics, WrongClip,
    cooled_error,
};
use crate::frontend::config::FrontEndConfig;
use crate::frontend::{FrontEnd, encode_png};
use crate::model::Header;

/// Number of mistakes that a report lists, and how many of them it draws.
const MISTAKES: usize = 30;
const DRAWN: usize = 6;

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
    /// The epoch whose weights were kept, if there are any.
    pub kept: Option<usize>,
    /// The settings of the run, or what a checkpoint says of them.
    pub settings: Vec<Setting>,
}

/// Returns the fact of a checkpoint's temperature, if it has one: the calibration error with and
/// without it.
pub fn temperature(header: &Header, evaluation: &Evaluation) -> Option<(String, String)> {
    let Header {
        task, temperature, ..
    } = *header;
    let error = |temperature: f64| cooled_error(task, &evaluation.predictions, temperature);
    (temperature != 1.0).then(|| {
        let (before, after) = (error(1.0 / f64::from(temperature)), error(1.0));
        let errors = format!("calibration error (ECE) by clip {before:.3} without it");
        let text = format!("{temperature:.3}; {errors}, {after:.3} with it");
        ("temperature".into(), text)
    })
}

/// Writes `report.html` and `metrics.json` into `folder`, and prints the headline and the confusion
/// matrix or the tags.
pub fn write(subject: Subject<'_>, evaluation: &Evaluation, folder: &Path) -> anyhow::Result<()> {
    let mistakes = evaluation
        .worst(MISTAKES)
        .iter()
        .enumerate()
        .map(|(i, wrong)| {
            let of_tags = evaluation.single_label().is_none();
            mistake(&subject, wrong, of_tags, i < DRAWN)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let report = Report {
        title: subject.title,
        facts: subject.facts,
        classes: subject.classes.to_vec(),
        figures: evaluation.figures.clone(),
        settings: subject.settings,
        epochs: subject.epochs,
        kept: subject.kept,
        mistakes,
    };
    // The files first: they do not depend on a reader of stdout.
    report.write(folder)?;
    match &evaluation.figures {
        Figures::SingleLabel(levels) => print_classes(levels, subject.classes),
        Figures::MultiLabel(levels) => print_tags(levels, subject.classes),
    }
    print_line_lossy(format_args!(
        "wrote {}",
        folder.join("report.html").display()
    ));
    Ok(())
}

fn print_classes(levels: &Levels<LevelMetrics>, classes: &[String]) {
    let Levels { clips, files } = levels;
    let (low, high) = files.interval;
    print_line_lossy(format_args!(
        "{} of {} files right, accuracy {:.3}, 95 % interval {low:.3} to {high:.3} (Wilson); by clip {:.3}",
        files.correct(),
        files.total(),
        files.accuracy,
        clips.accuracy
    ));
    print_line_lossy(files.confusion.table(classes));
}

fn print_tags(levels: &Levels<TagMetrics>, tags: &[String]) {
    let Levels { clips, files } = levels;
    let figure = |value: Option<f64>| value.map_or("none".into(), |v| format!("{v:.3}"));
    let interval = |interval: Option<(f64, f64)>| {
        interval.map_or(String::new(), |(low, high)| {
            format!(" (95 % interval {low:.3} to {high:.3})")
        })
    };
    print_line_lossy(format_args!(
        "mean of {} tags over {} files: PR-AUC {}{}, ROC-AUC {}{}; by clip {}, {}",
        files.tags_scored,
        files.items,
        figure(files.pr_auc),
        interval(files.pr_auc_interval),
        figure(files.roc_auc),
        interval(files.roc_auc_interval),
        figure(clips.pr_auc),
        figure(clips.roc_auc)
    ));
    let of_tags = || tags.iter().zip(&files.tags);
    let left_out = of_tags().filter(|(_, score)| score.roc_auc.is_none());
    let left_out: Vec<&str> = left_out.map(|(tag, _)| tag.as_str()).collect();
    if !left_out.is_empty() {
        print_line_lossy(format_args!(
            "{} tags left out, which all of these files have or none has: {}",
            left_out.len(),
            left_out.join(", ")
        ));
    }
    let wide = tags.iter().map(|tag| tag.chars().count()).max();
    let wide = wide.unwrap_or(0).max("tag".len());
    print_line_lossy(format_args!(
        "{:wide$} {:>7} {:>7} {:>7}",
        "tag", "files", "ROC-AUC", "PR-AUC"
    ));
    for (tag, score) in of_tags().filter(|(_, score)| score.roc_auc.is_some()) {
        let (roc_auc, pr_auc) = (figure(score.roc_auc), figure(score.pr_auc));
        print_line_lossy(format_args!(
            "{tag:wide$} {:>7} {roc_auc:>7} {pr_auc:>7}",
            score.positives
        ));
    }
}

/// Describes a mistake. If it is `drawn`, decodes its clip again.
fn mistake(
    subject: &Subject<'_>,
    wrong: &WrongClip<'_>,
    of_tags: bool,
    drawn: bool,
) -> anyhow::Result<Mistake> {
    let WrongClip {
        clip,
        predicted,
        missed,
    } = *wrong;
    let labels = clip.labels.iter();
    let truth: Vec<&str> = labels.map(|&i| subject.classes[i].as_str()).collect();
    let png = drawn.then(|| draw(subject, clip)).transpose()?;
    Ok(Mistake {
        file: subject.files[clip.file].clone(),
        start: clip.start as f64 / f64::from(subject.config.sample_rate),
        truth: truth.join(", "),
        predicted: subject.classes[predicted].clone(),
        confidence: clip.probabilities[predicted],
        missed: of_tags.then(|| (subject.classes[missed].clone(), clip.probabilities[missed])),
        png,
    })
}

/// Draws a clip as PNG.
fn draw(subject: &Subject<'_>, clip: &EvaluatedClip) -> anyhow::Result<Vec<u8>> {
    let span = ClipSpan {
        start: clip.start,
        len: subject.config.clip_samples,
    };
    let pcm = subject.set.decode(clip.file, span)?;
    let pixels = subject.front_end.images(&[&pcm])?.remove(0);
    Ok(encode_png(&pixels, subject.config.image_size())?)
}
