//! Configuration files that load, and others that are refused with the expected words.
//!
//! `fixtures/config/invalid/NAME.toml` belongs to `NAME.txt`, one problem a line, the path of the folder left out.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use doorward::config::{Environment, Loaded, Origin, Request, Sensitivity, Settings, Unreachable, load};

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/config")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn loaded(file: &Path) -> Result<Loaded, String> {
    let request = Request {
        file: Some(file.to_owned()),
        flags: Vec::new(),
    };
    load(&request, &Environment::default()).map_err(|error| error.to_string())
}

fn valid(name: &str) -> (Settings, Loaded, PathBuf) {
    let file = fixtures("valid")
        .into_iter()
        .find(|path| path.file_name().is_some_and(|file| file == name))
        .unwrap();
    let loaded = loaded(&file).unwrap();
    (loaded.settings.clone(), loaded, file)
}

#[test]
fn refused_files_say_where_and_what_is_allowed() {
    let files = fixtures("invalid");
    assert!(files.len() >= 30, "{}", files.len());
    let mut wrong = String::new();
    for file in files {
        let folder = format!("{}/", file.parent().unwrap().display());
        let said = match loaded(&file) {
            Ok(_) => "(it loads)".to_owned(),
            Err(said) => said.replace(&folder, ""),
        };
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap_or_default();
        if said != expected.trim_end() {
            wrong.push_str(&format!(
                "{}:\n  said:     {said}\n  expected: {expected}\n",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_valid_file_loads() {
    for file in fixtures("valid") {
        assert!(loaded(&file).is_ok(), "{}", file.display());
    }
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(valid("empty.toml").0, Settings::default());
}

#[test]
fn a_typical_file_means_what_it_says() {
    let (settings, loaded, file) = valid("typical.toml");
    let folder = file.parent().unwrap();
    assert_eq!(settings.score.base.hundredths(), 1250);
    assert_eq!(settings.app.unreachable("shop"), Unreachable::Hold);
    assert_eq!(
        settings.app.base("shop").map(|base| base.hundredths()),
        Some(1500)
    );
    assert_eq!(settings.app.base("forum"), None);
    assert_eq!(settings.app.name("shop"), "Example Shop");
    let forum = "https://forum.example.org/";
    assert_eq!(
        settings.app.sensitivity(forum, Some(Sensitivity::High)),
        Sensitivity::Low
    );
    assert_eq!(settings.tenants.allowed, ["forum", "shop"]);
    assert_eq!(settings.geoip.city, [folder.join("geo/city.mmdb")]);
    assert_eq!(
        settings.geoip.asn,
        [
            folder.join("geo/asn-v4.csv"),
            PathBuf::from("/var/lib/geo/asn-v6.csv")
        ]
    );
    assert_eq!(settings.metrics.listen.unwrap().port(), 9464);
    let key = settings.security.hash_key.reveal();
    assert_eq!(key, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes());
    let origin = &loaded.origins["app.shop.sensitivity"];
    assert!(
        matches!(
            origin,
            Origin::File {
                line: 13,
                column: 1,
                ..
            }
        ),
        "{origin:?}"
    );
}

#[test]
fn inline_tables_and_other_bases_are_the_same_language() {
    let (settings, ..) = valid("inline.toml");
    assert_eq!(settings.score.base.hundredths(), 1200);
    assert_eq!(settings.score.trust_cap.hundredths(), 2510);
    assert_eq!(
        settings.app.base("shop").map(|base| base.hundredths()),
        Some(1500)
    );
    assert_eq!(settings.tenants.allowed, ["shop"]);
    assert!(settings.geoip.lists.is_empty());
}
