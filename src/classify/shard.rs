//! One part of a folder's files, for one machine of several.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Part `number` of `of`, from 1. Which part a file belongs to follows from its path alone, so machines agree without
/// talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Default for Shard {
    /// Everything.
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl Shard {
    /// Whether a file belongs to it; `path` is relative to the folder that was asked for, so that machines may have it at
    /// different places.
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
        // Its low bits alone hang on the name's end too much.
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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            Some((number.parse().ok()?, of.parse().ok()?))
        };
        match parse() {
            Some((number, of)) if (1..=of).contains(&number) && of <= 1_000_000 => {
                Ok(Self { number, of })
            }
            _ => Err("write it as I/N, 2/8 for the second of eight".into()),
        }
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
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0", "1/-2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
