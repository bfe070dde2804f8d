//! The house rules that a compiler does not hold: direction of imports, sizes, names, paths in the documents. Each test
//! reads the tree and names file and line.

#![expect(
    clippy::expect_used,
    reason = "a tree that cannot be read fails the test, as it should"
)]

#[path = "tidy/scan.rs"]
mod scan;

use std::collections::BTreeSet;
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

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Paths into this crate that a source file names, from `src` on, with their lines. Relative ones count outside of
/// tests only: there, `super` may start from a module inside of the file.
fn reached(name: &str, text: &str) -> Vec<(usize, Vec<String>)> {
    let below_src = Path::new(name.trim_start_matches("engine/src/"));
    let code = scan::code(text);
    let is_absolute = |named: &scan::Named| named.path.first().is_some_and(|first| first == "crate");
    let absolute = scan::paths(&code).into_iter().filter(is_absolute);
    let relative = scan::paths(&scan::without_tests(&code)).into_iter();
    absolute
        .chain(relative.filter(|named| !is_absolute(named)))
        .filter_map(|named| Some((named.line, scan::in_crate(below_src, &named.path)?)))
        .collect()
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
        for (line, path) in reached(&name, &text) {
            // What is no module lies in `lib.rs` itself, which has nothing of its own.
            let to = path.first().map_or("lib", String::as_str);
            if !may_use(&module, to) {
                faults.push(format!("{name}:{line}: `{module}` must not use `{to}`"));
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
    let found = reached(
        "engine/src/event/mod.rs",
        "use crate::{risk, event::x};\nuse super::io::files;",
    );
    let modules: Vec<_> = found
        .iter()
        .map(|(line, path)| (*line, path.join("::")))
        .collect();
    let wanted = [(1, "risk"), (1, "event::x"), (2, "io::files")];
    assert_eq!(modules, wanted.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn folders_of_io_do_not_know_each_other() {
    let folders = ["admin", "files", "kafka", "mail", "memory", "store"];
    let mut faults = Vec::new();
    for folder in folders {
        for (name, text) in sources(&format!("engine/src/io/{folder}"), ".rs") {
            for (line, path) in reached(&name, &text) {
                let other = path
                    .get(1)
                    .filter(|_| path.first().is_some_and(|first| first == "io"));
                if other.is_some_and(|other| other != folder && folders.contains(&other.as_str())) {
                    faults.push(format!(
                        "{name}:{line}: `io/{folder}` must not use `{}`",
                        path.join("::")
                    ));
                }
            }
        }
    }
    none(&faults);
}

/// What the pure folders may not name; clippy.toml holds the longer list, which this one does not replace: it needs no
/// clippy, and sees code that is not compiled here.
const WORLD: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net::Tcp",
    "std::net::Udp",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::os",
];
const PURE: [&str; 11] = [
    "engine/src/event",
    "engine/src/enrich",
    "engine/src/attempt",
    "engine/src/history",
    "engine/src/signals",
    "engine/src/risk",
    "engine/src/alerts",
    "engine/src/pipeline",
    "engine/src/generate",
    "rules/src",
    "geoip/src",
];

/// The paths of the world that code outside of tests names.
fn world_in(text: &str) -> Vec<scan::Named> {
    let mut named = scan::paths(&scan::without_tests(&scan::code(text)));
    named.retain(|named| {
        let path = named.path.join("::");
        WORLD.iter().any(|banned| path.starts_with(banned))
    });
    named
}

#[test]
fn pure_folders_touch_no_disk_clock_or_environment() {
    let mut faults = Vec::new();
    for place in PURE {
        let mut files = sources(place, ".rs");
        // How long an open batch waits is the thread's business; the core knows no time but `now`.
        files.retain(|(name, _)| name != "engine/src/pipeline/run.rs");
        let tests: BTreeSet<PathBuf> = files
            .iter()
            .flat_map(|(name, text)| scan::test_modules(Path::new(name), &scan::code(text)))
            .collect();
        for (name, text) in files.iter().filter(|(name, _)| !tests.contains(Path::new(name))) {
            let found = world_in(text).into_iter();
            faults.extend(found.map(|named| {
                format!(
                    "{name}:{}: `{}` in a pure folder",
                    named.line,
                    named.path.join("::")
                )
            }));
        }
    }
    none(&faults);
}

#[test]
fn the_check_of_pure_folders_can_fail() {
    let text = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::{fmt, time::{Duration, Instant}};\n\
                fn f() { std::env::var(\"x\") }";
    let found: Vec<_> = world_in(text)
        .iter()
        .map(|named| (named.line, named.path.join("::")))
        .collect();
    let wanted = [(5, "std::time::Instant"), (6, "std::env::var")];
    assert_eq!(found, wanted.map(|(line, path)| (line, path.to_owned())));
}

/// Files that clippy lets touch the world.
const WORLDLY: [&str; 10] = [
    "engine/src/cli/mod.rs",
    "engine/src/config/load.rs",
    "engine/src/io/admin/mod.rs",
    "engine/src/io/files/mod.rs",
    "engine/src/io/kafka/mod.rs",
    "engine/src/io/mail/mod.rs",
    "engine/src/io/store/mod.rs",
    "engine/src/pipeline/run.rs",
    "engine/src/telemetry/log.rs",
    "engine/src/telemetry/serve.rs",
];

#[test]
fn clippy_watches_the_libraries_and_only_these_files_are_let_off() {
    let mut faults = Vec::new();
    for place in ["engine/src", "rules/src", "geoip/src"] {
        for (name, text) in sources(place, ".rs") {
            let names_the_lint = text.contains("clippy::disallowed_");
            let is_library = name == format!("{place}/lib.rs");
            if is_library && !(names_the_lint && text.contains("deny(")) {
                faults.push(format!("{name}: does not deny what clippy.toml lists"));
            }
            if names_the_lint && !is_library && !WORLDLY.contains(&name.as_str()) {
                faults.push(format!("{name}: touches the world"));
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
    for (document, text) in sources("", ".md") {
        for (index, line) in text.lines().enumerate() {
            let missing = missing_paths(Path::new(&document), line);
            faults.extend(missing.map(|path| format!("{document}:{}: `{path}` does not exist", index + 1)));
        }
    }
    none(&faults);
}

/// Paths in backticks, which start at the root, and links, which start at the document.
fn missing_paths<'a>(document: &Path, line: &'a str) -> impl Iterator<Item = &'a str> {
    let folders = ["engine/", "rules/", "geoip/", "benches/", "fixtures/", ".ci/"];
    let named = line
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(move |path| folders.iter().any(|folder| path.starts_with(folder)))
        .filter(|path| !path.contains([' ', '<', '*', '{']))
        .filter(|path| !root().join(path).exists());
    let folder = root().join(document.parent().unwrap_or(Path::new("")));
    let linked = links(line).filter(move |path| !folder.join(path).exists());
    named.chain(linked)
}

/// Targets of Markdown links in a line that lead into the tree.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

#[test]
fn the_check_of_documents_can_fail() {
    let missing = |document: &str, line| missing_paths(Path::new(document), line).count();
    assert_eq!(
        missing(
            "README.md",
            "`engine/src/lib.rs`, `engine/gone.rs`, `engine/*.rs`"
        ),
        1
    );
    assert_eq!(
        missing(
            "README.md",
            "[a](engine/docs/events.md#types) [b](https://x.org/y) [c](#d)"
        ),
        0
    );
    assert_eq!(
        missing("rules/docs/rules.md", "[a](fields.md) [b](docs/fields.md)"),
        1
    );
}

/// Names at the top of the tree: of what git tracks, or else, where there is no git, of what lies there and is neither
/// built nor written by a run.
fn top_level() -> BTreeSet<String> {
    let tracked = std::process::Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success() && !output.stdout.is_empty());
    match tracked {
        Some(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|path| Some(path.split('/').next()?.to_owned()))
            .collect(),
        None => on_disk(&root()),
    }
}

fn on_disk(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("the top of the tree")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "target" && name != ".git" && !name.starts_with("doorward-"))
        .collect()
}

#[test]
fn the_top_level_holds_only_what_was_agreed() {
    let names = top_level();
    assert!(names.contains("Cargo.toml"), "{names:?}");
    let faults: Vec<String> = names
        .iter()
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()))
        .map(|name| format!("`{name}` at the top level"))
        .collect();
    none(&faults);
}

#[test]
fn without_git_the_top_level_is_walked() {
    let walked = on_disk(&root());
    assert!(walked.contains("engine") && !walked.contains("target") && !walked.contains(".git"));
}
