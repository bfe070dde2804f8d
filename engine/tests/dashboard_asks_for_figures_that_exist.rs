//! The dashboard in `deploy/grafana` asks for no figure that the program does not have, and for no value of a label that it
//! never gives.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use doorward::telemetry::metrics::Metrics;

fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    fs::read_to_string(path).expect("a file of deploy")
}

/// Names of all series, also of those that have no value until something happens.
fn series() -> BTreeSet<String> {
    let metrics = Metrics::new().expect("figures");
    metrics.show_kafka().expect("figures of Kafka");
    metrics.events.inc("kafka");
    metrics.decisions.inc("allow");
    metrics.refused.inc("too_old");
    metrics.alerts.inc("digest", "due");
    metrics.reloads.inc("broken");
    metrics.kafka_published.inc("decisions");
    let text = metrics.text().expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect()
}

fn words(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

fn queries() -> Vec<String> {
    let dashboard: serde_json::Value =
        serde_json::from_str(&deployed("grafana/doorward.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect()
}

#[test]
fn every_query_names_figures_that_exist() {
    let series = series();
    let queries = queries();
    for query in &queries {
        let mut named = words(query)
            .filter(|word| word.starts_with("doorward_"))
            .peekable();
        assert!(named.peek().is_some(), "`{query}` asks for nothing of ours");
        for name in named {
            assert!(series.contains(name), "`{name}` in `{query}` is no figure");
        }
    }
    let asked: BTreeSet<&str> = queries.iter().flat_map(|query| words(query)).collect();
    for name in [
        "doorward_kafka_lag_messages",
        "doorward_events_total",
        "doorward_decisions_total",
    ] {
        assert!(asked.contains(name), "no panel shows `{name}`");
    }
}

#[test]
fn the_parts_of_the_compose_file_fit_together() {
    let compose = deployed("compose.yaml");
    for words in [
        "./prometheus.yml:",
        "./grafana/doorward.json:",
        "./grafana/provisioning:",
        "9092:9092",
    ] {
        assert!(compose.contains(words), "{words}");
    }
    // Where the comment has Doorward listen, Prometheus asks.
    assert!(compose.contains("DOORWARD_METRICS_LISTEN=0.0.0.0:9464"));
    assert!(deployed("prometheus.yml").contains("host.docker.internal:9464"));
    assert!(deployed("grafana/provisioning/datasources/prometheus.yaml").contains("uid: prometheus"));
}
