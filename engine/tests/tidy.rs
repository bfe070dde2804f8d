//! The house rules that a compiler does not hold: direction of imports, sizes, names, paths in the documents. Each test
//! reads the tree and names file and line.

#![expect(
    clippy::expect_used,
    reason = "a tree that cannot be read fails the test, as it should"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Layers of the engine, outermost first. A layer may use those below it and never one above or beside it in the list
/// of leaves.
const LAYERS: [&str; 13] = [
    "cli", "io", "config", "generate", "pipeline", "alerts", "risk", "signals", "history", "attempt",
    "enrich", "event", "terms",
];
/// Used by every layer, using none but themselves and the layers named.
const LEAVES: [(&str, &[&str]); 2] = [("keyed_hash", &[]), ("telemetry", &["config"])];
/// Imports against the direction, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "config",
    "telemetry",
    "texts of settings are escaped by the rules for log lines",
)];

const TOP_LEVEL: [&str; 22] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "deploy",
    "engine",
    "fixtures",
    "geoip",
    "rules",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "test",
    "console",
    "docs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of the tree")
        .map(|entry| entry.expect("readable").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" && !name.starts_with("doorward-") {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn sources(below: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root().join(below), ending, &mut found);
    assert!(!found.is_empty(), "nothing ends in {ending} below {below}");
    let name = |path: &Path| {
        path.strip_prefix(root())
            .expect("below the root")
            .display()
            .to_string()
    };
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).expect("text")))
        .collect()
}

/// Lines that are no comment, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().starts_with("//"))
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Modules that a line reaches through `crate::`.
fn reached(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest
            .find(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
            .unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    })
}

fn may_use(from: &str, to: &str) -> bool {
    let layer = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    if from == to
        || from == "lib"
        || from == "main"
        || EXCEPTIONS.iter().any(|(a, b, _)| (*a, *b) == (from, to))
    {
        return true;
    }
    if let Some((_, allowed)) = LEAVES.iter().find(|(leaf, _)| *leaf == from) {
        return allowed.contains(&to);
    }
    match (layer(from), layer(to)) {
        (Some(from), Some(to)) => from < to,
        (Some(_), None) => LEAVES.iter().any(|(leaf, _)| *leaf == to) && (to != "telemetry" || from == "cli"),
        _ => false,
    }
}

#[test]
fn imports_go_one_way() {
    let mut faults = Vec::new();
    for (name, text) in sources("engine/src", ".rs") {
        let module = name
            .trim_start_matches("engine/src/")
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_owned();
        for (number, line) in code(&text) {
            for to in reached(line).filter(|to| !may_use(&module, to)) {
                faults.push(format!("{name}:{number}: `{module}` must not use `{to}`"));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_check_of_imports_can_fail() {
    assert!(!may_use("event", "pipeline"));
    assert!(!may_use("history", "risk"));
    assert!(!may_use("pipeline", "io"));
    assert!(!may_use("risk", "telemetry"));
    assert_eq!(
        reached("use crate::risk::decision::Id; crate::io::x").collect::<Vec<_>>(),
        ["risk", "io"]
    );
}

#[test]
fn folders_of_io_do_not_know_each_other() {
    let folders = ["files", "mail", "memory", "store"];
    let mut faults = Vec::new();
    for folder in folders {
        for (name, text) in sources(&format!("engine/src/io/{folder}"), ".rs") {
            for (number, line) in code(&text) {
                for other in folders.iter().filter(|other| **other != folder) {
                    if line.contains(&format!("io::{other}")) {
                        faults.push(format!(
                            "{name}:{number}: `io/{folder}` must not use `io/{other}`"
                        ));
                    }
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn pure_folders_touch_no_disk_clock_or_environment() {
    let banned = [
        "std::fs",
        "std::env",
        "std::net::Tcp",
        "std::process",
        "SystemTime",
        "Instant::now",
        "File::open",
    ];
    let pure = [
        "event", "enrich", "attempt", "history", "signals", "risk", "alerts", "pipeline", "generate",
    ];
    let mut places: Vec<String> = pure.iter().map(|folder| format!("engine/src/{folder}")).collect();
    places.extend(["rules/src".to_owned(), "geoip/src".to_owned()]);
    let mut faults = Vec::new();
    for place in places {
        for (name, text) in sources(&place, ".rs") {
            // How long an open batch waits is the thread's business; the core knows no time but `now`.
            if name.ends_with("pipeline/run.rs") {
                continue;
            }
            let tests = text
                .lines()
                .position(|line| line.starts_with("#[cfg(test)]"))
                .unwrap_or(usize::MAX);
            let is_test = name.ends_with("tests.rs");
            for (number, line) in code(&text).filter(|(number, _)| !is_test && *number <= tests) {
                for word in banned.iter().filter(|word| line.contains(**word)) {
                    faults.push(format!("{name}:{number}: `{word}` in a pure folder"));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn rules_and_geoip_know_nothing_of_the_engine() {
    let mut faults = Vec::new();
    for (place, banned) in [
        ("rules/Cargo.toml", ["tokio", "rdkafka", "doorward.", "fjall"]),
        (
            "geoip/Cargo.toml",
            ["tokio", "rdkafka", "doorward-rules", "fjall"],
        ),
    ] {
        let text = fs::read_to_string(root().join(place)).expect("a manifest");
        let found = banned.iter().filter(|word| text.contains(**word));
        faults.extend(found.map(|word| format!("{place}: `{word}`")));
    }
    none(&faults);
}

#[test]
fn files_are_at_most_600_lines() {
    let mut faults = Vec::new();
    for place in ["engine", "rules", "geoip", "benches"] {
        for (name, text) in sources(place, ".rs") {
            let lines = text.lines().count();
            if lines > 600 {
                faults.push(format!("{name} has {lines} lines"));
            }
        }
    }
    none(&faults);
}

#[test]
fn nothing_is_left_unfinished_or_silenced() {
    // Written in two halves, so that this file does not name itself.
    let banned = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["#[ig", "nore"].concat(),
        ["#[al", "low("].concat(),
    ];
    let mut faults = Vec::new();
    for place in ["engine/src", "engine/tests", "rules/src", "geoip/src", "benches"] {
        for (name, text) in sources(place, ".rs") {
            for (index, line) in text.lines().enumerate() {
                for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                    faults.push(format!("{name}:{}: `{word}`", index + 1));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn no_module_is_named_for_nothing() {
    let mut faults = Vec::new();
    for place in ["engine/src", "rules/src", "geoip/src"] {
        for (name, _) in sources(place, ".rs") {
            let vague = ["utils", "util", "common", "helpers", "helper", "manager", "misc"];
            let parts = name.trim_end_matches(".rs").split('/');
            faults.extend(
                parts
                    .filter(|part| vague.contains(part))
                    .map(|part| format!("{name}: `{part}`")),
            );
        }
    }
    none(&faults);
}

#[test]
fn every_path_named_in_a_document_exists() {
    let mut faults = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).expect("a document");
        for (index, line) in text.lines().enumerate() {
            for path in line.split('`').skip(1).step_by(2).chain(links(line)) {
                let looks_like_path = ["engine/", "rules/", "geoip/", "benches/", "fixtures/", ".ci/"]
                    .iter()
                    .any(|folder| path.starts_with(folder))
                    && !path.contains([' ', '<', '*', '{']);
                if looks_like_path && !root().join(path).exists() {
                    faults.push(format!("{document}:{}: `{path}` does not exist", index + 1));
                }
            }
        }
    }
    none(&faults);
}

/// Targets of Markdown links in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn the_top_level_holds_only_what_was_agreed() {
    let tracked = std::process::Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output();
    let Ok(tracked) = tracked else { return };
    let mut faults: Vec<String> = String::from_utf8_lossy(&tracked.stdout)
        .lines()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !TOP_LEVEL.contains(name))
        .map(|name| format!("`{name}` at the top level"))
        .collect();
    faults.dedup();
    none(&faults);
}
