//! One part of a folder's files, for one machine of several.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest number of shards.
const MAX_SHARDS: u32 = 1_000_000;

/// Shard `number` of `of`. A file's path alone decides to which shard it belongs, so machines agree without
/// communication.
///
/// ```
/// use sonoprint::classify::Shard;
///
/// let second: Shard = "2/8".parse()?;
/// assert_eq!((second.number(), second.of()), (2, 8));
/// assert!("9/8".parse::<Shard>().is_err());
/// # Ok::<_, sonoprint::classify::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Shard {
    number: u32,
    of: u32,
}

/// A shard's fields in a file, before they are checked.
#[derive(Deserialize)]
struct Fields {
    number: u32,
    of: u32,
}

impl TryFrom<Fields> for Shard {
    type Error = ShardError;

    fn try_from(Fields { number, of }: Fields) -> Result<Self, ShardError> {
        Self::new(number, of).ok_or_else(|| ShardError(format!("{number}/{of}")))
    }
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no shard: a shard is I/N with I from 1 to N, such as 2/8 for the second of eight"
)]
pub struct ShardError(String);

impl Default for Shard {
    /// Returns 1/1: all files.
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl Shard {
    /// Returns shard `number` of `of`; `None` unless `1 <= number <= of <= 1_000_000`.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        ((1..=of).contains(&number) && of <= MAX_SHARDS).then_some(Self { number, of })
    }

    /// Which shard it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many shards there are.
    pub fn of(&self) -> u32 {
        self.of
    }

    /// Returns whether a file belongs to the shard. `path` is relative to the folder that was searched: machines
    /// may have the folder at different places.
    pub fn has(&self, path: &Path) -> bool {
        if self.of == 1 {
            return true;
        }
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for part in path.components() {
            let bytes = part.as_os_str().as_encoded_bytes();
            for &byte in bytes.iter().chain(b"/") {
                // FNV-1a.
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        // The low bits alone depend too much on the end of the name.
        hash ^= hash >> 32;
        hash % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            Self::new(number.parse().ok()?, of.parse().ok()?)
        };
        parse().ok_or_else(|| ShardError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Shard;

    #[test]
    fn shards_share_all_files_out_evenly() {
        let paths: Vec<PathBuf> = (0..5000)
            .map(|i| format!("genre{}/track.{i:05}.wav", i % 10).into())
            .collect();
        let mut counts = [0; 7];
        for path in &paths {
            let mut owners = (1..=7).filter(|&number| Shard { number, of: 7 }.has(path));
            counts[owners.next().unwrap() as usize - 1] += 1;
            assert!(owners.next().is_none(), "one shard has {path:?}");
            assert!(Shard::default().has(path));
        }
        assert!(counts.iter().all(|c| (600..830).contains(c)), "{counts:?}");
        // Pinned: machines with different versions must agree.
        let of_four =
            |path: &str| (1..=4).find(|&number| Shard { number, of: 4 }.has(path.as_ref()));
        assert_eq!(
            ["a.wav", "b/c.flac", "ü/x.ogg"].map(|p| of_four(p).unwrap()),
            [2, 2, 3]
        );
    }

    #[test]
    fn shards_are_written_as_fractions() {
        assert_eq!("2/8".parse(), Ok(Shard { number: 2, of: 8 }));
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0", "1/-2", "1/1000001"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_shard_in_a_file_is_checked() {
        let json = r#"{"number":2,"of":8}"#;
        let shard: Shard = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&shard).unwrap(), json);
        assert!(serde_json::from_str::<Shard>(r#"{"number":0,"of":0}"#).is_err());
    }
}
