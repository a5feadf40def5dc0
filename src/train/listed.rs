//! The settings of a run as a list for its report.

use serde_json::Value;

use super::TrainSettings;
use crate::evaluate::report::Setting;

/// Keys that a report leaves out: the filters of a pruned network are long and no setting.
const LEFT_OUT: &str = "filters";

impl TrainSettings {
    /// Returns all settings by the keys of `run.toml`, with dots between nested ones, each with its
    /// default if it has another value. The default of the front end is the network's own preset.
    pub fn listed(&self) -> Vec<Setting> {
        let defaults = Self {
            network: self.network,
            task: self.task,
            front_end: self.network.preset(),
            ..Self::default()
        };
        let (mut own, mut default) = (Vec::new(), Vec::new());
        for (settings, list) in [(self, &mut own), (&defaults, &mut default)] {
            let json = serde_json::to_value(settings).expect("settings are plain data");
            flatten("", json, list);
        }
        let of = |name: &str| {
            let found = default.iter().find(|(key, _)| key == name);
            found.map_or("none", |(_, value)| value.as_str())
        };
        own.iter()
            .map(|(name, value)| Setting {
                name: name.clone(),
                value: value.clone(),
                default: (of(name) != value).then(|| of(name).to_owned()),
            })
            .collect()
    }
}

fn flatten(name: &str, value: Value, list: &mut Vec<(String, String)>) {
    let text = match value {
        Value::Object(map) => {
            for (key, value) in map.into_iter().filter(|(key, _)| key != LEFT_OUT) {
                let name = match name {
                    "" => key,
                    name => format!("{name}.{key}"),
                };
                flatten(&name, value, list);
            }
            return;
        }
        Value::Null => "none".to_owned(),
        Value::String(text) => text,
        // Numbers as Rust writes them: 6, where JSON has 6.0.
        Value::Number(n) if n.is_f64() => n.as_f64().unwrap_or(f64::NAN).to_string(),
        other => other.to_string(),
    };
    list.push((name.to_owned(), text));
}

#[cfg(test)]
mod tests {
    use crate::train::TrainSettings;

    #[test]
    fn what_differs_from_the_defaults_is_marked() {
        let none = TrainSettings::default().listed();
        assert!(
            none.iter().all(|setting| setting.default.is_none()),
            "{none:?}"
        );
        let settings = TrainSettings {
            lr: 0.002,
            front_end: TrainSettings::default().front_end.with_clip_seconds(1.0),
            patience: Some(3),
            ..TrainSettings::default()
        };
        let changed: Vec<_> = settings
            .listed()
            .into_iter()
            .filter_map(|s| Some((s.name, s.value, s.default?)))
            .collect();
        let want = [
            ("front_end.clip_samples", "22050", "661500"),
            ("lr", "0.002", "0.001"),
            ("patience", "3", "none"),
        ];
        let want = want.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(changed, want);
    }
}
