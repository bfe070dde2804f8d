//! Builds the test database from its plan:
//! `cargo run -p doorward-geoip --example build-fixture [FOLDER]`, the folder being that of
//! `doorward-test.json` (default `fixtures/geoip`).

mod plan;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/geoip");
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| default.to_owned()));
    let plan: plan::Plan = serde_json::from_slice(&fs::read(folder.join("doorward-test.json"))?)?;
    let built = plan.build()?;
    for (name, bytes) in [
        ("doorward-test-city.mmdb", built.city.as_slice()),
        ("doorward-test-asn.csv", built.asn.as_bytes()),
        ("doorward-test-networks.list", built.lists.as_bytes()),
    ] {
        fs::write(folder.join(name), bytes)?;
        println!("{name}: {} bytes", bytes.len());
    }
    println!("{} networks", plan.networks.len());
    Ok(())
}
