//! Reads files and environment, lays the layers over each other, hands out checked settings.
//!
//! The only place in this folder that touches the world.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the one file of the settings that reads files and environment"
)]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::cross_check;
use super::layers::{Document, Layers};
use super::problem::{ConfigError, Problem};
use super::raw::{Entry, Origin, Raw};
use super::section::{Entries, Reader};
use super::{DEFAULTS, Settings, VARIABLE_PREFIX};

/// The file that is read when none is named, if it is there.
const USUAL_FILE: &str = "doorward.toml";
/// Names the configuration file, like `--config`.
const FILE_VARIABLE: &str = "DOORWARD_CONFIG";
/// Variables of the tests begin with it; they are no settings.
const TEST_PREFIX: &str = "DOORWARD_TEST_";
const FILE_BYTES_MAX: u64 = 1 << 20;
const SECRET_BYTES_MAX: u64 = 4096;

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Flags that set something: flag, key, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// A snapshot of the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let pairs = variables.into_iter();
        Self(pairs.map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Checked settings and where each was written.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// By full key (`score.base`, `app.shop.base`).
    pub origins: BTreeMap<String, Origin>,
    /// The configuration file that was read, if any.
    pub file: Option<PathBuf>,
}

/// Defaults, then the file, then the environment, then flags.
///
/// # Errors
/// Every problem that can be told at once, each with its place.
pub fn load(request: &Request, environment: &Environment) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::new();
    layers.add_document(&built_in());
    let file = add_file(&mut layers, request, environment);
    add_environment(&mut layers, environment);
    for (flag, key, value) in &request.flags {
        layers.add_flag(flag, key, value, Path::new(""));
    }
    resolve_references(&mut layers, environment);
    finish(layers).map(|(settings, origins)| Loaded {
        settings,
        origins,
        file,
    })
}

/// Settings from what [`Settings::decides_text`] wrote; what is not in it, and secrets, as built in.
///
/// # Errors
/// As [`load`]: the text was written by a program that knew other settings.
pub fn load_decides(text: &str) -> Result<Settings, ConfigError> {
    let table = Settings::table();
    let secret = |line: &str| {
        let key = line.split_once(" = ").map(|(key, _)| key);
        table
            .iter()
            .any(|row| row.secret && Some(row.key().as_str()) == key)
    };
    let lines: Vec<&str> = text.lines().filter(|line| !secret(line)).collect();
    let mut layers = Layers::new();
    layers.add_document(&built_in());
    layers.add_document(&Document {
        text: &lines.join("\n"),
        path: Some(Path::new("settings in the archive")),
        folder: Path::new(""),
    });
    finish(layers).map(|(settings, _)| settings)
}

/// The built-in defaults alone.
pub(super) fn from_defaults() -> Result<Settings, ConfigError> {
    let mut layers = Layers::new();
    layers.add_document(&built_in());
    finish(layers).map(|(settings, _)| settings)
}

fn built_in() -> Document<'static> {
    Document {
        text: DEFAULTS,
        path: None,
        folder: Path::new(""),
    }
}

fn finish(layers: Layers) -> Result<(Settings, BTreeMap<String, Origin>), ConfigError> {
    let mut problems = layers.problems;
    let settings = Settings::read(&mut Reader {
        entries: &layers.entries,
        problems: &mut problems,
    });
    let origins = origins(&layers.entries);
    if let Some(settings) = &settings {
        cross_check::check(settings, &origins, &mut problems);
    }
    match settings {
        Some(settings) if problems.is_empty() => Ok((settings, origins)),
        _ => {
            problems.sort_by(|a, b| a.origin().cmp(&b.origin()));
            Err(ConfigError { problems })
        }
    }
}

fn origins(entries: &Entries) -> BTreeMap<String, Origin> {
    let mut origins: BTreeMap<_, _> = entries
        .settings
        .iter()
        .map(|(key, entry)| (key.clone(), entry.origin.clone()))
        .collect();
    for (id, settings) in &entries.applications {
        for (name, entry) in settings {
            let key = super::section::application_key(id, name);
            origins.insert(key, entry.origin.clone());
        }
    }
    origins
}

fn add_file(layers: &mut Layers, request: &Request, env: &Environment) -> Option<PathBuf> {
    let named = request.file.clone();
    // An empty variable is how many shells and service files say that there is none.
    let of_variable = || env.get(FILE_VARIABLE).filter(|path| !path.is_empty());
    let named = named.or_else(|| of_variable().map(PathBuf::from));
    let must_be_there = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(USUAL_FILE));
    let text = match read_text(&path, FILE_BYTES_MAX) {
        Ok(text) => text,
        Err(Problem::Unreadable { source, .. }) if !must_be_there && source.kind() == ErrorKind::NotFound => {
            return None;
        }
        Err(problem) => {
            layers.problems.push(problem);
            return None;
        }
    };
    layers.add_document(&Document {
        text: text.strip_prefix('\u{feff}').unwrap_or(&text),
        path: Some(&path),
        folder: path.parent().unwrap_or(Path::new("")),
    });
    Some(path)
}

fn read_text(path: &Path, bytes_max: u64) -> Result<String, Problem> {
    let unreadable = |source| Problem::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(bytes_max + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Problem::TooLarge {
            path: path.to_owned(),
            bytes_max,
        });
    }
    String::from_utf8(bytes).map_err(|_| Problem::NotText {
        path: path.to_owned(),
    })
}

fn add_environment(layers: &mut Layers, environment: &Environment) {
    for (name, value) in &environment.0 {
        let name = name.to_string_lossy();
        let ours = name.starts_with(VARIABLE_PREFIX);
        if !ours || name == FILE_VARIABLE || name.starts_with(TEST_PREFIX) {
            continue;
        }
        layers.add_variable(&name, value, Path::new(""));
    }
}

/// Puts what a secret's reference points at in the place of the reference.
fn resolve_references(layers: &mut Layers, environment: &Environment) {
    let secrets: Vec<_> = layers.table().iter().filter(|row| row.secret).collect();
    let keys: Vec<_> = secrets.iter().map(|row| row.key()).collect();
    for key in keys {
        let Some(entry) = layers.entries.settings.get_mut(&key) else {
            continue;
        };
        match resolved(entry, &key, environment) {
            Ok(Some(text)) => {
                entry.raw = Raw::Text(text);
                entry.otherwise = None;
            }
            Ok(None) => {}
            Err(problem) => {
                // The reference is gone, so that it is not told a second time as no key.
                layers.problems.push(problem);
                layers.restore_default(&key, &built_in());
            }
        }
    }
}

fn resolved(entry: &Entry, key: &str, env: &Environment) -> Result<Option<String>, Problem> {
    let Raw::Table(pairs) = &entry.raw else {
        return Ok(None);
    };
    let refused = |target: String, reason: String| Problem::Reference {
        origin: entry.origin.clone(),
        key: key.to_owned(),
        target,
        reason,
    };
    match pairs.as_slice() {
        [(kind, Raw::Text(name))] if kind == "env" => match env.get(name).map(OsStr::to_str) {
            Some(Some(text)) => Ok(Some(text.trim().to_owned())),
            Some(None) => Err(refused(variable(name), "is not text".to_owned())),
            None => Err(refused(variable(name), "is not set".to_owned())),
        },
        [(kind, Raw::Text(name))] if kind == "file" => {
            let path = entry.folder.join(name);
            match read_text(&path, SECRET_BYTES_MAX) {
                Ok(text) => Ok(Some(text.trim().to_owned())),
                Err(Problem::Unreadable { source, .. }) => {
                    let target = format!("the file `{}`", path.display());
                    Err(refused(target, format!("cannot be read: {source}")))
                }
                Err(_) => {
                    let target = format!("the file `{}`", path.display());
                    Err(refused(target, "is no short text".to_owned()))
                }
            }
        }
        _ => Ok(None),
    }
}

fn variable(name: &str) -> String {
    format!("the variable `{name}`")
}

impl Loaded {
    /// The files and folders that settings name and that cannot be opened now.
    #[must_use]
    pub fn missing_files(&self) -> Vec<Problem> {
        let geoip = &self.settings.geoip;
        let files = [
            ("geoip.city", &geoip.city),
            ("geoip.asn", &geoip.asn),
            ("geoip.anonymous", &geoip.anonymous),
            ("geoip.lists", &geoip.lists),
        ];
        let kafka = &self.settings.kafka;
        let of_kafka = [
            ("kafka.ca_file", &kafka.ca_file),
            ("kafka.cert_file", &kafka.cert_file),
            ("kafka.key_file", &kafka.key_file),
            ("kafka.token_file", &kafka.token_file),
        ];
        let of_kafka = of_kafka
            .into_iter()
            .flat_map(|(key, path)| path.iter().map(move |path| (key, path)));
        let files = files
            .into_iter()
            .flat_map(|(key, paths)| paths.iter().map(move |path| (key, path)))
            .chain(of_kafka)
            .filter_map(|(key, path)| File::open(path).err().map(|error| (key, path, error)));
        let folder = self.settings.rules.folder.iter().filter_map(|path| {
            let error = std::fs::read_dir(path).err()?;
            Some(("rules.folder", path, error))
        });
        files
            .chain(folder)
            .map(|(key, path, source)| Problem::MissingFile {
                origin: self.origins.get(key).cloned().unwrap_or(Origin::Default),
                key: key.to_owned(),
                path: path.clone(),
                source,
            })
            .collect()
    }
}
