//! The command line of this process, for reports.

use std::path::Path;

/// Returns the command line as one would type it: the program by its name, and quotes where a shell
/// needs them.
pub fn command_line() -> String {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let words: Vec<String> = std::iter::once(name).chain(words).map(quoted).collect();
    words.join(" ")
}

fn quoted(word: String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let quoted = |word: &str| super::quoted(word.into());
        assert_eq!(quoted("--out=run/1"), "--out=run/1");
        assert_eq!(quoted("my music"), "'my music'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
