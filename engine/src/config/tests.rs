//! The table of settings, the reference and the hash agree with each other.

use std::collections::BTreeSet;

use doorward_rules::Points;

use super::*;

fn default_lines() -> Vec<&'static str> {
    DEFAULTS.lines().collect()
}

#[test]
fn the_built_in_file_is_the_default() {
    let loaded = load(&Request::default(), &Environment::default()).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.settings.score.deny_from, Points::from_hundredths(7500));
    assert!(loaded.settings.security.hash_key.is_published());
}

#[test]
fn the_reference_explains_every_setting_and_marks_what_decides() {
    let lines = default_lines();
    let mut section = String::new();
    let mut seen = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        }
        let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let table = Settings::table();
        let row = table
            .iter()
            .find(|row| row.section == section && row.name == name)
            .unwrap_or_else(|| panic!("`{section}.{name}` is in no table"));
        let comment: Vec<_> = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with('#'))
            .copied()
            .collect();
        assert!(!comment.is_empty(), "`{}` has no comment", row.key());
        let marked = comment.iter().any(|line| line.contains("(decides)"));
        assert_eq!(marked, row.decides, "`{}`", row.key());
        seen.insert(row.key());
    }
    let all: BTreeSet<_> = Settings::table().iter().map(Setting::key).collect();
    assert_eq!(seen, all);
}

#[test]
fn every_setting_has_its_own_variable() {
    let table = Settings::table();
    let variables: BTreeSet<_> = table.iter().map(Setting::variable).collect();
    assert_eq!(variables.len(), table.len());
    assert!(variables.contains("DOORWARD_SCORE_BASE"));
    assert!(variables.contains("DOORWARD_MODE"));
    assert!(!variables.contains("DOORWARD_CONFIG"));
    let taken = variables.iter().any(|name| name.starts_with("DOORWARD_TEST_"));
    assert!(!taken);
}

/// A change of each setting, by variable: the hash moves exactly if the table says that it decides.
#[test]
fn the_hash_covers_what_decides_and_nothing_else() {
    let base = Settings::default();
    let mut changed = 0;
    for row in Settings::table() {
        let now = changed_value(&row, &base);
        let environment = Environment::from_iter([(row.variable(), now)]);
        let loaded = load(&Request::default(), &environment).unwrap();
        assert_ne!(loaded.settings, base, "`{}` did not change", row.key());
        let moved = loaded.settings.decides_hash() != base.decides_hash();
        assert_eq!(moved, row.decides, "`{}`", row.key());
        changed += 1;
    }
    assert_eq!(changed, Settings::table().len());
}

fn changed_value(row: &Setting, base: &Settings) -> String {
    let mut before = String::new();
    base.each(&mut |section, name, value| {
        if (section, name) == (row.section, row.name) {
            before = value.toml().unwrap_or_default();
        }
    });
    let value = match row.key().as_str() {
        "mode" => "monitor",
        "user.key" => "exact",
        "app.sensitivity" | "app.unreachable" => {
            if row.name == "sensitivity" {
                "high"
            } else {
                "deny"
            }
        }
        "tenants.allowed" => "[\"default\", \"other\"]",
        "alerts.failed_unknown" => "digest",
        "mail.from" => "security@example.org",
        "metrics.listen" => "127.0.0.1:1",
        "kafka.start" => "latest",
        "kafka.sasl" => "plain",
        "kafka.password" => "other",
        "log.format" => "json",
        "log.level" => "debug",
        "security.hash_key" => "000102030405060708090a0b0c0d0e0f",
        _ if before == "false" => "true",
        _ if before.starts_with(['"', '[']) => "other",
        _ => return (before.parse::<u64>().unwrap() + 1).to_string(),
    };
    value.to_owned()
}

#[test]
fn an_application_decides_by_what_it_overrides_but_not_by_its_name() {
    let base = Settings::default();
    let mut named = base.clone();
    let app = named.app.overrides.entry("shop".to_owned()).or_default();
    app.name = Some("Shop".to_owned());
    app.help_text = Some("Ask".to_owned());
    assert_eq!(named.decides_hash(), base.decides_hash());
    let mut strict = base.clone();
    let app = strict.app.overrides.entry("shop".to_owned()).or_default();
    app.base = Some(Points::from_hundredths(1000));
    assert_ne!(strict.decides_hash(), base.decides_hash());
}

#[test]
fn sensitivity_comes_from_the_application_then_the_event_then_the_default() {
    let mut app = Settings::default().app;
    assert_eq!(app.sensitivity("shop", None), Sensitivity::Normal);
    let told = Some(Sensitivity::Low);
    assert_eq!(app.sensitivity("shop", told), Sensitivity::Low);
    let shop = app.overrides.entry("shop".to_owned()).or_default();
    shop.sensitivity = Some(Sensitivity::High);
    assert_eq!(app.sensitivity("shop", told), Sensitivity::High);
    assert_eq!(app.name("shop"), "shop");
}

#[test]
fn a_secret_is_never_shown() {
    let settings = Settings::default();
    let key = "d0023a2d5f1c4e889b6071e43daa560f";
    assert!(!show(&settings, None).contains(key));
    assert!(!format!("{settings:?}").contains(key));
}

#[test]
fn what_is_shown_loads_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shown.toml");
    let mut settings = Settings::default();
    settings.score.base = Points::from_hundredths(1205);
    settings.rules.folder = Some("/etc/doorward \"rules\"\n".into());
    let app = settings.app.overrides.entry("a \"b\".c".to_owned()).or_default();
    app.name = Some("Ż \"q\" \\".to_owned());
    std::fs::write(&file, show(&settings, None)).unwrap();
    let request = Request {
        file: Some(file),
        flags: Vec::new(),
    };
    let loaded = load(&request, &Environment::default()).unwrap();
    assert_eq!(loaded.settings, settings);
}

#[test]
fn what_decides_reads_back_from_its_text() {
    let mut settings = Settings::default();
    settings.score.base = "12.5".parse().unwrap();
    settings.tenants.allowed = vec!["default".into(), "eine \"Firma\"".into()];
    let app = "[app.\"my shop\"]\nbase = 7\nsensitivity = \"high\"\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorward.toml");
    std::fs::write(&file, app).unwrap();
    let request = Request {
        file: Some(file),
        ..Request::default()
    };
    settings.app = load(&request, &Environment::default()).unwrap().settings.app;
    let read = load_decides(&settings.decides_text()).unwrap();
    assert_eq!(read.decides_text(), settings.decides_text());
    assert!(load_decides("score.base = 1\nscore.lace = 2\n").is_err());
}
