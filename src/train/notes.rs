//! The settings of a run as notes in a checkpoint, for people.

use std::collections::BTreeMap;

use super::TrainSettings;

/// Returns the settings as notes for a checkpoint's header, except those that the header holds
/// anyway.
pub(super) fn notes(settings: &TrainSettings) -> BTreeMap<String, String> {
    let json = serde_json::to_value(settings).expect("settings are plain data");
    let serde_json::Value::Object(json) = json else {
        unreachable!("a struct is an object")
    };
    let left_out: &[&str] = match settings.transfer.init {
        Some(_) => &["network", "task", "front_end", "epochs", "filters"],
        None => &[
            "network",
            "task",
            "front_end",
            "epochs",
            "freeze",
            "backbone_lr",
            "levels",
        ],
    };
    // What a run that fits the last layer alone depends on.
    let of_frozen = ["init", "init_fingerprint", "freeze", "levels", "l2", "seed"];
    json.into_iter()
        .filter(|(key, _)| match settings.transfer.freeze {
            true => of_frozen.contains(&key.as_str()),
            false => !left_out.contains(&key.as_str()),
        })
        .map(|(key, value)| {
            let text = match value {
                serde_json::Value::Null => "none".to_owned(),
                serde_json::Value::String(text) => text,
                // Numbers as Rust writes them: 6, where JSON has 6.0.
                serde_json::Value::Number(n) if n.is_f64() => {
                    n.as_f64().unwrap_or(f64::NAN).to_string()
                }
                other => other.to_string(),
            };
            (key, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::notes;
    use crate::train::{AugmentConfig, TrainSettings};

    /// Scripts read these notes, so the keys and the way that numbers are written stay.
    #[test]
    fn notes_hold_every_setting() {
        let settings = TrainSettings {
            lr: 1e-5,
            augment: AugmentConfig {
                gain: 6.0,
                ..AugmentConfig::default()
            },
            ..TrainSettings::default()
        };
        let notes: Vec<(String, String)> = notes(&settings).into_iter().collect();
        let want = [
            ("accumulate", "1"),
            ("batch", "16"),
            ("equalize", "0"),
            ("gain", "6"),
            ("label_smoothing", "0.1"),
            ("lr", "0.00001"),
            ("mask", "0.15"),
            ("mixup", "0"),
            ("noise_snr", "none"),
            ("patience", "none"),
            ("pitch", "0"),
            ("polarity", "false"),
            ("seed", "1"),
            ("tempo", "0"),
            ("weight_decay", "0.01"),
        ];
        assert_eq!(
            notes,
            want.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }
}
