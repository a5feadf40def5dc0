//! What a file is, without decoding it: its format, and a hash of its sound.

use std::fs::File;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::container::{self, Event};
use super::error::{AudioError, Result};
use super::guarded;
use super::sniff::{Format, sniff};

/// Returns the format of the file at `path`, by its content, and the byte at which it begins: behind
/// any ID3v2 tags.
///
/// # Errors
/// `Io`, `Empty`, `UnknownFormat` and `Unsupported` of [`AudioError`].
pub fn file_format(path: &Path) -> Result<(Format, u64)> {
    open(path).map(|(_, format, start, _)| (format, start))
}

/// Returns a hash of everything that decoding the file at `path` depends on: the streams, and their
/// packets with their places on the time line. Two files with the same hash give the same samples,
/// to the bit, whatever tags they have.
///
/// The packets are read, and not decoded: the cost is that of reading the file.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::sound_digest;
///
/// let jazz = Path::new("data/clips/jazz");
/// let one = sound_digest(&jazz.join("jazz.00014.flac"))?;
/// assert_ne!(one, sound_digest(&jazz.join("jazz.00039.flac"))?);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
///
/// # Errors
/// Those of [`file_format`], and `Damaged` and `NoAudioTrack` if there is no stream.
pub fn sound_digest(path: &Path) -> Result<[u8; 32]> {
    let (file, format, start, len) = open(path)?;
    let mut container = guarded(|| container::open(file, format, start, len))
        .map_err(AudioError::damaged)?
        .map_err(io(path))??;
    let mut hash = Sha256::new();
    let mut packets = 0_u64;
    loop {
        let event = guarded(|| container.next()).map_err(AudioError::damaged)?;
        match event.map_err(io(path))? {
            None => break,
            Some(Event::Broken(why)) => return Err(AudioError::damaged(why)),
            Some(Event::Stream(stream)) => hash.update(format!("{stream:?}")),
            Some(Event::Group(group)) => {
                hash.update(format!("{:?} {}", group.place, group.gap));
                for packet in &group.packets {
                    packets += 1;
                    hash.update(format!("{:?} {}", packet.dur, packet.data.len()));
                    hash.update(&packet.data);
                }
            }
        }
    }
    match packets {
        0 => Err(AudioError::Empty),
        _ => Ok(hash.finalize().into()),
    }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> AudioError {
    |source| AudioError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Opens a file. Also returns its format, where that begins, and the file's length, in bytes.
fn open(path: &Path) -> Result<(File, Format, u64, u64)> {
    // Opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(io(path))?;
    if !metadata.is_file() {
        return Err(io(path)(std::io::Error::other("not a regular file")));
    }
    let mut file = File::open(path).map_err(io(path))?;
    let (format, start) = sniff(&mut file, metadata.len()).map_err(io(path))??;
    Ok((file, format, start, metadata.len()))
}
