//! `doorward geoip` says what is read, what is known of an address, and which file is refused.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn doorward(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn configured() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "asn.csv",
        "198.51.100.0,198.51.100.255,64500,\"Umbra \u{1b}[31mNet\"\n",
    );
    write("vpn.list", "kind = vpn\nAS64500\n");
    write(
        "doorward.toml",
        "[geoip]\nasn = \"asn.csv\"\nlists = [\"vpn.list\"]\n",
    );
    folder
}

#[test]
fn an_address_is_told_with_network_and_kind() {
    let folder = configured();
    let output = doorward(
        folder.path(),
        &["geoip", "lookup", "198.51.100.7", "10.0.0.1", "::1"],
    );
    assert_eq!(output.status.code(), Some(0));
    let said = stdout(&output);
    for line in [
        "198.51.100.7",
        "  class         documentation",
        "  kind          vpn",
        "  network       AS64500",
        "  country       unknown",
        "10.0.0.1",
        "  class         private",
        "::1",
        "  class         loopback",
    ] {
        assert!(said.lines().any(|have| have == line), "{line} in\n{said}");
    }
    assert!(said.contains("  organisation  Umbra "), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn info_names_every_file_and_the_hash() {
    let folder = configured();
    let said = stdout(&doorward(folder.path(), &["geoip", "info"]));
    assert!(said.contains("asn: asn.csv\n"), "{said}");
    assert!(said.contains("lists: vpn.list\n"), "{said}");
    let hash = said
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("hash "))
        .unwrap();
    assert_eq!(hash.len(), 64);
    fs::write(folder.path().join("vpn.list"), "kind = tor\nAS64500\n").unwrap();
    assert!(!stdout(&doorward(folder.path(), &["geoip", "info"])).contains(hash));
}

#[test]
fn a_database_in_maxminds_form_gives_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip/maxmind/good/GeoIP2-City-Test.mmdb");
    let variable = file.to_str().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["geoip", "lookup", "81.2.69.142"])
        .current_dir(folder.path())
        .env_clear()
        .env("DOORWARD_GEOIP_CITY", variable)
        .output()
        .unwrap();
    let said = stdout(&output);
    assert!(said.contains("  country       GB\n"), "{said}");
    assert!(
        said.contains("  place         London, England, 51.5142 -0.0931, within "),
        "{said}"
    );
}

#[test]
fn a_file_that_is_broken_or_missing_has_its_exit_code() {
    let folder = configured();
    fs::write(folder.path().join("asn.csv"), "198.51.100.0,nonsense,64500,X\n").unwrap();
    let output = doorward(folder.path(), &["geoip", "info"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("`asn.csv`, line 1: "), "{said}");
    fs::remove_file(folder.path().join("asn.csv")).unwrap();
    assert_eq!(doorward(folder.path(), &["geoip", "info"]).status.code(), Some(4));
}
