//! The environment overrides the file; what it does not know is refused.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};

use doorward::config::{Environment, Loaded, Mode, Origin, Request, load};

fn with(variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let environment = Environment::from_iter(variables.iter().copied());
    load(&Request::default(), &environment).map_err(|error| error.to_string())
}

fn refused(name: &str, value: &str) -> String {
    with(&[(name, value)]).unwrap_err()
}

#[test]
fn values_need_no_quotes() {
    let loaded = with(&[
        ("DOORWARD_MODE", "monitor"),
        ("DOORWARD_SCORE_BASE", "12.25"),
        ("DOORWARD_LEVELS_HWK_ORIGIN_BOUND", "true"),
        ("DOORWARD_GEOIP_CITY", "city.mmdb"),
        ("DOORWARD_GEOIP_ASN", "[\"v4.csv\", \"v6.csv\"]"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    let settings = loaded.settings;
    assert_eq!(settings.mode, Mode::Monitor);
    assert_eq!(settings.score.base.hundredths(), 1225);
    assert!(settings.levels.hwk_origin_bound);
    assert_eq!(settings.geoip.city, [PathBuf::from("city.mmdb")]);
    assert_eq!(settings.geoip.asn, ["v4.csv", "v6.csv"].map(PathBuf::from));
    let origin = Origin::Environment("DOORWARD_SCORE_BASE".to_owned());
    assert_eq!(loaded.origins["score.base"], origin);
}

/// A name that happens to be a number, and keys without a letter or with one `e`, are text.
#[test]
fn text_that_looks_like_a_number_stays_text() {
    for key in [
        "12345678901234567890123456789012",
        "1234567890123456789012345678e901",
    ] {
        let loaded = with(&[
            ("DOORWARD_SECURITY_HASH_KEY", key),
            ("DOORWARD_TENANTS_ALLOWED", "2024"),
            ("DOORWARD_MAIL_SITE_NAME", "inf"),
        ])
        .unwrap();
        let bytes = u128::from_str_radix(key, 16).unwrap().to_be_bytes();
        assert_eq!(loaded.settings.security.hash_key.reveal(), bytes);
        assert_eq!(loaded.settings.tenants.allowed, ["2024"]);
        assert_eq!(loaded.settings.mail.site_name, "inf");
    }
}

#[test]
fn unknown_variables_are_refused_with_the_nearest() {
    assert_eq!(
        refused("DOORWARD_SCORE__BASE", "12"),
        "DOORWARD_SCORE__BASE: unknown variable `DOORWARD_SCORE__BASE`, did you mean `DOORWARD_SCORE_BASE`?"
    );
    assert_eq!(
        refused("DOORWARD_", ""),
        "DOORWARD_: unknown variable `DOORWARD_`"
    );
}

#[test]
fn variables_of_the_tests_are_no_settings() {
    assert!(with(&[("DOORWARD_TEST_KAFKA", "127.0.0.1:9092")]).is_ok());
}

#[test]
fn a_wrong_value_names_the_variable_and_what_is_allowed() {
    assert_eq!(
        refused("DOORWARD_STORE_JOURNAL_DAYS", "0"),
        "DOORWARD_STORE_JOURNAL_DAYS: `store.journal_days` is `0`, but must be a whole number from 1 to 3650 (days)"
    );
    assert_eq!(
        refused("DOORWARD_LOG_LEVEL", ""),
        "DOORWARD_LOG_LEVEL: `log.level` is `\"\"`, but must be one of `error`, `warn`, `info`, `debug`, `trace`"
    );
}

#[test]
fn a_secret_may_come_from_a_variable_or_file_and_is_never_quoted() {
    let key = "000102030405060708090a0b0c0d0e0f";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hash.key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let from_file = format!("{{ file = '{}' }}", file.display());
    for reference in ["{ env = \"SITE_KEY\" }", from_file.as_str(), key] {
        let loaded = with(&[("DOORWARD_SECURITY_HASH_KEY", reference), ("SITE_KEY", key)]).unwrap();
        let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(loaded.settings.security.hash_key.reveal(), bytes, "{reference}");
    }
    let said = refused("DOORWARD_SECURITY_HASH_KEY", "my-secret-that-is-no-key");
    assert!(!said.contains("my-secret"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = std::ffi::OsString::from_vec(vec![0x66, 0xff]);
    let environment = Environment::from_iter([("DOORWARD_RULES_FOLDER", value)]);
    let said = load(&Request::default(), &environment).unwrap_err().to_string();
    assert!(
        said.starts_with("DOORWARD_RULES_FOLDER: `rules.folder` is not UTF-8 text"),
        "{said}"
    );
}

#[test]
fn the_environment_names_the_file_unless_a_flag_does() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, base: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("[score]\nbase = {base}\n")).unwrap();
        path
    };
    let (one, two) = (write("one.toml", 11), write("two.toml", 12));
    let base = |file: Option<&Path>| {
        let request = Request {
            file: file.map(Path::to_owned),
            flags: Vec::new(),
        };
        let environment = Environment::from_iter([("DOORWARD_CONFIG", &one)]);
        let loaded = load(&request, &environment).unwrap();
        loaded.settings.score.base.hundredths()
    };
    assert_eq!(base(None), 1100);
    assert_eq!(base(Some(&two)), 1200);
}
