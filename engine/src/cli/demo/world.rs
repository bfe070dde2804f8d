//! The demo's own world: a generated life as an event file, the test networks as geo files, a configuration that names
//! them. All of it is written into the demo's folder, so that every other command can be tried on it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use doorward_geoip::{GeoDatabase, Source, Sources};

use crate::cli::exit::CliError;
use crate::generate::{GenerateError, Life, Plan};

const CITY: (&str, &[u8]) = (
    "city.mmdb",
    include_bytes!("../../../../fixtures/geoip/doorward-test-city.mmdb"),
);
const ASN: (&str, &[u8]) = (
    "asn.csv",
    include_bytes!("../../../../fixtures/geoip/doorward-test-asn.csv"),
);
const LISTS: (&str, &[u8]) = (
    "networks.list",
    include_bytes!("../../../../fixtures/geoip/doorward-test-networks.list"),
);

const CONFIGURATION: &str = "\
# Written by `doorward demo`, for trying other commands on its events:
#   doorward --config doorward-demo/doorward.toml replay --events doorward-demo/events.ndjson --decisions -
[geoip]
city = \"geo/city.mmdb\"
asn = \"geo/asn.csv\"
lists = \"geo/networks.list\"

[app.portal]
name = \"Example Portal\"
[app.shop]
name = \"Example Shop\"
[app.club]
name = \"Example Club\"
[app.webmail]
name = \"Example Mail\"
";

/// Where things are in the demo's folder.
#[derive(Debug, Clone)]
pub struct World {
    /// The events, one a line.
    pub events: PathBuf,
    /// The configuration that names the geo files.
    pub configuration: PathBuf,
    /// The life itself, with its labels.
    pub life: Life,
}

/// The geo databases inside the binary.
///
/// # Errors
/// [`CliError::Internal`]: they are compiled in, and a test loads them.
pub fn geo() -> Result<GeoDatabase, CliError> {
    let source = |(name, bytes): (&str, &[u8])| {
        vec![Source {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        }]
    };
    let sources = Sources {
        city: source(CITY),
        asn: source(ASN),
        lists: source(LISTS),
        anonymous: Vec::new(),
    };
    GeoDatabase::load(sources).map_err(|error| CliError::Internal(error.to_string()))
}

/// Makes the life of a plan, and writes what belongs to it into `folder`, once.
///
/// # Errors
/// When the plan is out of bounds, the folder holds another life, or it cannot be written.
pub fn build(plan: Plan, folder: &Path) -> Result<World, CliError> {
    let life = Life::new(plan).map_err(refused)?;
    let mut lines = Vec::new();
    for event in &life.events {
        lines.extend_from_slice(&event.bytes);
        lines.push(b'\n');
    }
    let events = folder.join("events.ndjson");
    let geo = folder.join("geo");
    fs::create_dir_all(&geo).map_err(|source| unwritable(&geo, source))?;
    if fs::read(&events).is_ok_and(|found| found != lines) {
        return Err(CliError::Usage(format!(
            "`{}` holds another life (other seed, users or days): name another folder with `--data`, or remove it",
            folder.display()
        )));
    }
    let configuration = folder.join("doorward.toml");
    write_once(&events, &lines)?;
    write_once(&configuration, CONFIGURATION.as_bytes())?;
    for (name, bytes) in [CITY, ASN, LISTS] {
        write_once(&geo.join(name), bytes)?;
    }
    Ok(World {
        events,
        configuration,
        life,
    })
}

/// Writes a file whole or not at all; one with the same bytes is left alone.
fn write_once(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let unfinished = path.with_extension("part");
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: io::Error) -> CliError {
    CliError::Output {
        name: path.display().to_string(),
        source,
    }
}

fn refused(error: GenerateError) -> CliError {
    CliError::Usage(error.to_string())
}
