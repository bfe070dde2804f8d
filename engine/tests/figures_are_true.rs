//! The figures of a run agree with what the run wrote, none of them stays without a value, and none names a user.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorward::cli::assemble::Assembly;
use doorward::cli::run::{Over, file_sink, mail_sink, run_over};
use doorward::cli::watch::Watch;
use doorward::config::{Settings, load};
use doorward::io::files::SinkKind;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::run::Sinks;
use doorward::telemetry::metrics::Metrics;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn settings() -> Settings {
    let request = doorward::config::Request {
        file: Some(fixtures().join("doorward.toml")),
        ..Default::default()
    };
    load(&request, &Default::default()).unwrap().settings
}

/// Runs a story into `folder` and gives the figures at the end.
fn figures(story: &str, folder: &Path) -> String {
    let settings = settings();
    let assembly = Assembly::from_settings(&settings).unwrap();
    let metrics = Metrics::new().unwrap();
    run_over(
        &Over {
            assembly: &assembly,
            settings: &settings,
            tenant: "default",
            stop: &Arc::default(),
            settle: 0,
            live: false,
            upkeep: None,
            backfill: false,
        },
        Arc::new(MemoryStore::new()),
        &[fixtures().join("events").join(story)],
        |store| {
            Ok(Sinks {
                alerts: None,
                decisions: Some(file_sink(store, SinkKind::Decisions, &folder.join("decisions"))?),
                dead_letters: Some(file_sink(store, SinkKind::DeadLetters, &folder.join("dead"))?),
                mail: Some(mail_sink(store, folder, &settings, &metrics)?),
            })
        },
        &Watch::new(metrics.clone()),
    )
    .unwrap();
    metrics.text().unwrap()
}

/// The sum over all labels of a figure.
fn sum(text: &str, name: &str) -> usize {
    let samples = text.lines().filter_map(|line| {
        let (sample, value) = line.rsplit_once(' ')?;
        let named = sample == name || sample.starts_with(&format!("{name}{{"));
        named.then(|| value.parse::<usize>().unwrap())
    });
    samples.sum()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn figures_agree_with_the_files_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = figures("answers-and-dirt.ndjson", folder.path());
    let (decided, refused) = (
        lines(&folder.path().join("decisions")),
        lines(&folder.path().join("dead")),
    );
    let mails = fs::read_dir(folder.path().join("mail")).unwrap().count();
    assert!(decided > 0 && refused > 0 && mails > 0, "the story shows nothing");
    assert_eq!(sum(&text, "doorward_decisions_total"), decided);
    assert_eq!(sum(&text, "doorward_refused_total"), refused);
    assert_eq!(sum(&text, "doorward_events_total"), decided + refused);
    // The first record says what is in force.
    assert_eq!(sum(&text, "doorward_batch_records_sum"), 1 + decided + refused);
    assert_eq!(sum(&text, "doorward_store_head"), 1 + decided + refused);
    assert_eq!(sum(&text, "doorward_mails_written_total"), mails);
    assert_eq!(sum(&text, "doorward_duplicates_total"), 2);
}

#[test]
fn no_figure_is_left_without_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let text = figures("answers-and-dirt.ndjson", folder.path());
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    assert_eq!(names.len(), 10, "{text}");
    for (name, kind) in names {
        let name = if kind == "histogram" {
            format!("{name}_count")
        } else {
            name.to_owned()
        };
        assert!(sum(&text, &name) > 0, "`{name}` counts nothing:\n{text}");
    }
}

#[test]
fn figures_name_no_user_and_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let text = figures("answers-and-dirt.ndjson", folder.path());
    for line in fs::read_to_string(folder.path().join("decisions"))
        .unwrap()
        .lines()
    {
        let decision: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["user_id", "event_id", "decision_id"] {
            let word = decision
                .get(key)
                .and_then(|word| word.as_str())
                .unwrap_or_default();
            assert!(
                word.is_empty() || !text.contains(word),
                "{key} `{word}` in\n{text}"
            );
        }
    }
}
