//! The form of `.expected.toml`. What a field means stands in `fixtures/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub because: String,
    pub totals: Totals,
    #[serde(default)]
    pub held_back: BTreeMap<String, usize>,
    #[serde(default)]
    pub expect: Vec<Expect>,
    #[serde(default)]
    pub alike: Vec<Alike>,
    #[serde(default)]
    pub dead_letter: Vec<Refused>,
    #[serde(default)]
    pub told_later: Vec<ToldLater>,
}

/// Mails that no event raised, but the time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToldLater {
    pub because: String,
    pub says: Vec<String>,
    #[serde(default = "one")]
    pub count: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    pub decisions: usize,
    pub dead_letters: usize,
    pub repeated: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub event: String,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default = "one")]
    pub count: usize,
    pub because: Option<String>,
    pub action: Option<String>,
    pub required: Option<u8>,
    pub achieved: Option<u8>,
    pub step_up: Option<u8>,
    pub score: Option<f64>,
    pub score_between: Option<[f64; 2]>,
    pub fired: Option<Vec<String>>,
    #[serde(default)]
    pub not_fired: Vec<String>,
    #[serde(default)]
    pub points: BTreeMap<String, f64>,
    #[serde(default)]
    pub no_data: Vec<String>,
    /// State of the device, or `none` where nothing can be said of it.
    pub device: Option<String>,
    pub device_name: Option<String>,
    pub maturity: Option<String>,
    pub degraded: Option<Vec<String>>,
    pub told: Option<String>,
    pub held_back: Option<String>,
    #[serde(default)]
    pub mail_says: Vec<String>,
}

fn one() -> usize {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alike {
    pub because: String,
    pub events: Vec<String>,
    pub within: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub reason: String,
    #[serde(default)]
    pub field: String,
}

impl Expected {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }
}

impl Expect {
    /// Whether an event is meant; one `*` stands for anything.
    pub fn means(&self, decision: &serde_json::Value) -> bool {
        let id = decision["event_id"].as_str().unwrap_or_default();
        let same = match self.event.split_once('*') {
            Some((beginning, end)) => id.strip_prefix(beginning).is_some_and(|rest| rest.ends_with(end)),
            None => id == self.event,
        };
        same && self
            .source
            .as_deref()
            .is_none_or(|source| decision["source"] == source)
    }
}
