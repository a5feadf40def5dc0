//! Numbers as people read them.

/// Writes a number in groups of three digits, with narrow spaces that do not break.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Writes a length of audio in the unit that fits, and names the unit.
pub(super) fn duration(seconds: f64) -> (String, &'static str) {
    match seconds {
        ..120.0 => (format!("{seconds:.0}"), "seconds"),
        ..7200.0 => (format!("{:.0}", seconds / 60.0), "minutes"),
        ..360_000.0 => (format!("{:.1}", seconds / 3600.0), "hours"),
        _ => (grouped((seconds / 3600.0).round() as u64), "hours"),
    }
}

/// Writes a fraction as percent: with a digit after the point where it is small.
pub(super) fn percent(fraction: f64) -> String {
    match 100.0 * fraction {
        p if p > 0.0 && p < 0.1 => "< 0.1 %".into(),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (1_234_567, "1 234 567"),
        ] {
            assert_eq!(grouped(n).replace('\u{202f}', " "), want);
        }
        assert_eq!(duration(90.4).0, "90");
        assert_eq!(duration(5400.0), ("90".into(), "minutes"));
        assert_eq!(duration(9000.0), ("2.5".into(), "hours"));
        assert_eq!(percent(0.5), "50 %");
        assert_eq!(percent(0.0312), "3.1 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.0001), "< 0.1 %");
    }
}
