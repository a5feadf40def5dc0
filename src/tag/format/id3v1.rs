//! ID3v1: 128 bytes at the end of a file. Its last byte is the number of a genre.

use lofty::id3::v1::GENRES;

use crate::tag::field::genre_number;

/// Length in bytes.
pub(super) const LEN: u64 = 128;

/// The number that stands for no genre.
const NONE: u8 = 255;

/// Returns the genre of a number.
pub(super) fn genre(number: u8) -> Vec<String> {
    let name = GENRES.get(usize::from(number));
    name.map(|name| (*name).to_owned()).into_iter().collect()
}

/// Returns the number of the first genre, if the list has it.
pub(super) fn number(values: &[String]) -> u8 {
    let number = values.first().and_then(|name| genre_number(name));
    number.and_then(|n| u8::try_from(n).ok()).unwrap_or(NONE)
}
