//! The date in a report.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// Returns the present date and time, `2026-05-01 12:30 UTC`; that of the variable
/// `SOURCE_DATE_EPOCH` if it is set, so that a report can be made again to the byte.
pub fn now() -> String {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok();
    let seconds = set.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs() as i64)
    });
    written(seconds)
}

fn written(seconds: i64) -> String {
    let date = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    date.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_those_of_the_calendar() {
        // `date -u -d @1709210096`.
        assert_eq!(super::written(1_709_210_096), "2024-02-29 12:34 UTC");
        assert_eq!(super::written(i64::MAX), "1970-01-01 00:00 UTC");
    }
}
