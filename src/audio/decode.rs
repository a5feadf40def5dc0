//! Decodes the packets of a container and lays them on the file's time line.
//!
//! What is missing becomes silence of the same length, so that later sound keeps its place. What
//! an encoder or an edit list does not want to be heard is left out.

mod seek;

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::container::{self, Container, Event, Group, Kept, Place};
use super::damage::Damage;
use super::error::{AudioError, Result};
use super::levels::Levels;
use super::mono::downmix;
use super::resample::Resample;
use super::running::{Running, decoder};
use super::sniff::Format;
use super::timeline::{Before, Part, Timeline, rescale};
use super::{MAX_CHANNELS, RATES, guarded};

/// Packets in a row that may fail before the first sample, and behind it. The second number is
/// several minutes of sound.
const FAILING: (u32, u32) = (2_000, 20_000);

/// Changes of rate or channels that are followed. Each takes a new decoder.
const CHANGES: u64 = 1000;

/// Samples of silence per block.
const SILENCE: u64 = 65_536;

/// The sound of a file.
pub(super) struct Decoding {
    container: Box<dyn Container>,
    path: PathBuf,
    running: Option<Running>,
    /// Rate and channels of the first stream. The sound of others is resampled to that rate.
    spec: Option<(u32, u16)>,
    /// What is to be given, in the order of the file.
    queue: VecDeque<Queued>,
    /// Resamples what comes next in the queue.
    resample: Option<Box<Resample>>,
    /// Seconds in the queue and before it.
    seconds: f64,
    heard: bool,
    /// Packets in a row that gave nothing, and all of them.
    failing: u32,
    failed: u64,
    levels: Levels,
    interleaved: Vec<f32>,
    damage: Damage,
    ended: bool,
    /// What is heard of a stream in which frames can be found.
    part: Option<Kept>,
}

/// What is to be given.
enum Queued {
    /// Sound follows whose rate is the file's, or is brought to it.
    Rate(Option<Box<Resample>>),
    Part(Part),
}

impl Decoding {
    /// Opens the container that starts at byte `start`. `len` is the length of the whole file in
    /// bytes.
    pub(super) fn open(
        path: &Path,
        file: File,
        format: Format,
        start: u64,
        len: u64,
    ) -> Result<Self> {
        let container = guarded(|| container::open(file, format, start, len))
            .map_err(AudioError::damaged)?
            .map_err(|source| AudioError::io(path, source))??;
        Ok(Self {
            container,
            path: path.to_owned(),
            running: None,
            spec: None,
            queue: VecDeque::new(),
            resample: None,
            seconds: 0.0,
            heard: false,
            failing: 0,
            failed: 0,
            levels: Levels::default(),
            interleaved: Vec::new(),
            damage: Damage::default(),
            ended: false,
            part: None,
        })
    }

    /// Reads on in the container.
    fn step(&mut self) -> Result<()> {
        let event = match guarded(|| self.container.next()) {
            Ok(Ok(event)) => event,
            Ok(Err(source)) => {
                self.ended = true;
                return Err(AudioError::io(&self.path, source));
            }
            Err(panic) => Some(Event::Broken(panic)),
        };
        match event {
            None => self.end(),
            Some(Event::Broken(why)) => {
                self.damage.broken(why);
                self.end()
            }
            Some(Event::Stream(_)) if self.damage.changes() > CHANGES => {
                self.damage
                    .broken("it changes its format too often".to_owned());
                self.end()
            }
            Some(Event::Stream(stream)) => {
                self.end_stream();
                match Running::new(*stream) {
                    Ok(running) => self.running = Some(running),
                    Err(e) if self.spec.is_none() => {
                        self.ended = true;
                        return Err(e);
                    }
                    Err(e) => self.damage.broken(format!("a second stream: {e}")),
                }
                Ok(())
            }
            Some(Event::Group(group)) => {
                let Some(mut running) = self.running.take() else {
                    return Ok(());
                };
                self.group(&mut running, group)?;
                self.running = Some(running);
                let most = if self.heard { FAILING.1 } else { FAILING.0 };
                if self.failing >= most {
                    self.damage
                        .broken(format!("{most} packets in a row hold no sound"));
                    return self.end();
                }
                Ok(())
            }
        }
    }

    /// The sound ends here.
    fn end(&mut self) -> Result<()> {
        self.ended = true;
        self.end_stream();
        match (self.heard, self.damage.note()) {
            (true, _) => Ok(()),
            (false, Some(why)) => Err(AudioError::damaged(why)),
            (false, None) => Err(AudioError::Empty),
        }
    }

    /// A stream ends: what was held back in it is not heard.
    fn end_stream(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let (stream, Some(timeline)) = (&running.stream, &running.timeline) else {
            return;
        };
        running.remark(&mut self.damage);
        let rate = stream.params.sample_rate.unwrap_or(timeline.rate());
        let stated = rescale(stream.stated as i64, timeline.rate(), rate);
        self.damage.length(timeline.position(), stated as u64);
    }

    /// Decodes a group and places it.
    fn group(&mut self, running: &mut Running, group: Group) -> Result<()> {
        if group.gap {
            running.decoder.reset();
        }
        let mut block = Vec::new();
        let (mut missing, mut failed) = (0, None);
        for packet in &group.packets {
            let (at, failures) = (block.len(), self.failed);
            missing += self.packet(running, packet, &mut block)?;
            if self.failed > failures {
                failed.get_or_insert(at);
            }
        }
        let Some(timeline) = &mut running.timeline else {
            running.missing += missing;
            running.lost |= group.gap || failed.is_some();
            return Ok(());
        };
        let gap = group.gap || std::mem::take(&mut running.lost);
        if matches!(group.place, Place::Until { .. }) {
            // A page says where it ends, so what is missing in it is known.
            self.put(timeline, group.place, &block, gap, failed);
            return Ok(());
        }
        if block.is_empty() {
            // What fails at the end of the sound needs no silence.
            running.missing += missing;
            if gap {
                self.put(timeline, group.place, &[], true, None);
            }
            return Ok(());
        }
        if running.missing > 0 {
            let ticks = std::mem::replace(&mut running.missing, missing);
            let lost = rescale(ticks as i64, timeline.rate(), running.stream.timescale);
            self.put(timeline, Place::After(lost as u64), &[], false, None);
        }
        self.put(timeline, group.place, &block, gap, None);
        Ok(())
    }

    /// Places a block and queues what is to be heard.
    fn put(
        &mut self,
        timeline: &mut Timeline,
        place: Place,
        block: &[f32],
        gap: bool,
        failed: Option<usize>,
    ) {
        let rate = f64::from(timeline.rate());
        let mut parts = Vec::new();
        let is_warming_up = timeline.is_warming_up();
        match timeline.put(place, block, gap, failed, &mut parts) {
            // What a decoder that begins in the middle does not know is not missing in the file.
            _ if is_warming_up => {}
            Before::Nothing if gap && block.is_empty() => self.damage.remark(match place {
                Place::Next => "its end is damaged",
                _ => "some bytes in it are no sound",
            }),
            Before::Nothing => {}
            Before::Hole(frames) => self.damage.hole(self.seconds, frames as f64 / rate),
            Before::Step(frames) => self.damage.step(frames as f64 / rate),
        }
        for part in parts {
            let len = match &part {
                Part::Sound(sound) => sound.len() as u64,
                Part::Silence(len) => *len,
            };
            self.heard |= matches!(part, Part::Sound(_));
            self.seconds += len as f64 / rate;
            self.queue.push_back(Queued::Part(part));
        }
    }

    /// Decodes a packet and appends its mono samples to `block`. Returns how many ticks of it gave
    /// no sound.
    fn packet(
        &mut self,
        running: &mut Running,
        packet: &Packet,
        block: &mut Vec<f32>,
    ) -> Result<u64> {
        let ticks = packet.block_dur().get();
        running.search_sbr(packet);
        running.adapt(packet)?;
        let empty = running.is_empty(packet);
        let decoded = match guarded(|| running.decoder.decode(packet)) {
            Ok(Ok(_)) if empty => {
                self.fail(running, "an empty block of AAC");
                return Ok(ticks);
            }
            Ok(Ok(decoded)) => decoded,
            failed => {
                match failed {
                    Ok(Err(Error::DecodeError(why) | Error::Unsupported(why))) => {
                        self.fail(running, why);
                    }
                    Ok(_) => self.fail(running, "it ends too early"),
                    Err(panic) => {
                        self.fail(running, &panic);
                        // A decoder must not be used after a panic.
                        running.decoder = decoder(&running.stream.params)?;
                    }
                }
                return Ok(ticks);
            }
        };
        let frames = decoded.frames() as u64;
        if frames == 0 {
            self.failing += 1;
            return Ok(0);
        }
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS).contains(&channels) {
            self.fail(running, &format!("{channels} channels at {rate} Hz"));
            return Ok(ticks);
        }
        self.failing = 0;
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        if running.timeline.is_none() {
            running.timeline = Some(Timeline::new(rate, &running.stream));
            let spec = (rate, channels as u16);
            let (first, before) = *self.spec.get_or_insert(spec);
            if (first, before) != spec && !running.stream.chained {
                let at = self.seconds;
                self.damage.change(format!(
                    "changes from {before} channels at {first} Hz to {channels} at {rate} Hz at {at:.2} s"
                ));
            }
            let resample = match first == rate {
                true => None,
                false => Some(Box::new(Resample::new(rate, first)?)),
            };
            self.queue.push_back(Queued::Rate(resample));
        }
        let before = block.len();
        let unusable = downmix(&self.interleaved, channels as u16, block);
        if !running.is_warming_up() {
            self.levels
                .add(&self.interleaved, channels, &block[before..], unusable);
        }
        // A packet of ADTS may hold several blocks, of which the decoder knows the first.
        let expected = rescale(ticks as i64, rate, running.stream.timescale) as u64;
        Ok(match 2 * frames <= expected {
            true => ticks - ticks * frames / expected,
            false => 0,
        })
    }

    /// A packet gave nothing, because of `why`.
    fn fail(&mut self, running: &Running, why: &str) {
        self.failing += 1;
        self.failed += 1;
        if !running.is_warming_up() {
            self.damage.failed(why);
        }
    }

    /// Gives what comes next in the queue. Returns whether there was anything.
    fn give(&mut self, mono: &mut Vec<f32>) -> Result<bool> {
        let sound = match self.queue.pop_front() {
            None => return Ok(false),
            Some(Queued::Rate(resample)) => {
                if let Some(mut before) = std::mem::replace(&mut self.resample, resample) {
                    before.finish(mono)?;
                }
                return Ok(true);
            }
            Some(Queued::Part(Part::Sound(sound))) => sound,
            Some(Queued::Part(Part::Silence(len))) => {
                let rest = len.saturating_sub(SILENCE);
                if rest > 0 {
                    self.queue.push_front(Queued::Part(Part::Silence(rest)));
                }
                vec![0.0; (len - rest) as usize]
            }
        };
        match &mut self.resample {
            Some(resample) => resample.push(&sound, mono)?,
            None => mono.extend_from_slice(&sound),
        }
        Ok(true)
    }

    /// Appends one block of mono samples. Returns `Ok(false)` at the end and for every later call.
    ///
    /// A block may be empty. An error means that the file gave no samples at all or that the
    /// system failed. Later damage is in [`Decoding::note`].
    pub(super) fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool> {
        while self.queue.is_empty() && !self.ended {
            self.step()?;
        }
        if self.give(mono)? {
            return Ok(true);
        }
        match self.resample.take() {
            Some(mut resample) => {
                resample.finish(mono)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Returns the sample rate in Hz and the number of channels. Final only after the first sample.
    pub(super) fn spec(&self) -> (u32, u16) {
        self.spec.unwrap_or((0, 0))
    }

    /// Returns what the samples so far show.
    pub(super) fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Returns what is wrong with the part of the file that was read, if anything.
    pub(super) fn note(&self) -> Option<String> {
        self.damage.note()
    }
}
