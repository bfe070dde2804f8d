//! Reads rule files and geo files for the commands that need them; both are checked as a whole before anything uses
//! them, and refused with every place that is wrong.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use doorward_geoip::{GeoDatabase, Source, Sources};
use doorward_rules::{Diagnostic, RuleSet, RuleSource};

use super::exit::CliError;
use crate::config::GeoipSettings;

/// Largest rule file.
const RULE_BYTES_MAX: u64 = 256 * 1024;
/// Most rule files below one folder.
const RULE_FILES_MAX: usize = 4096;
/// Folders inside each other: packs, a pack, and one more for order.
const RULE_FOLDERS_DEPTH_MAX: usize = 3;
/// Largest geo file: several times the largest that is sold.
const GEO_BYTES_MAX: u64 = 2 << 30;
/// The logins that tests of rules start from lie beside the packs, and are no rule.
const NOT_A_RULE: &str = "base-logins.toml";

/// The rules of a folder of packs, or of one pack; `None` = the packs inside the binary.
///
/// # Errors
/// [`CliError::Input`] when a file cannot be read, [`CliError::FilesRefused`] with every fault of every rule.
pub fn rules(folder: Option<&Path>) -> Result<RuleSet, CliError> {
    let Some(folder) = folder else {
        return RuleSet::builtin().map_err(|faults| refused_rules("the built-in rules", &faults));
    };
    let name = format!("the rules in `{}`", folder.display());
    RuleSet::from_sources(&rule_sources(folder)?).map_err(|faults| refused_rules(&name, &faults))
}

/// The texts of the rule files of a folder.
///
/// # Errors
/// As [`rules`], but for what is in the texts.
pub fn rule_sources(folder: &Path) -> Result<Vec<RuleSource>, CliError> {
    let files = rule_files(folder)?;
    if files.is_empty() {
        let name = format!("the rules in `{}`", folder.display());
        return Err(refused(name, "there is no rule file (`*.toml`) in it".to_owned()));
    }
    files.iter().map(|path| rule_source(path)).collect()
}

/// The rule files of a folder, in the order of their names.
///
/// # Errors
/// When a folder cannot be read, or holds too many.
pub fn rule_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    find_rules(folder, RULE_FOLDERS_DEPTH_MAX, &mut files)?;
    files.sort();
    Ok(files)
}

fn find_rules(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let is_rule = path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_some_and(|name| name != NOT_A_RULE);
        if path.is_dir() && depth > 1 {
            find_rules(&path, depth - 1, files)?;
        } else if is_rule && !path.is_dir() {
            files.push(path);
        }
        if files.len() > RULE_FILES_MAX {
            let name = format!("the rules in `{}`", folder.display());
            return Err(refused(
                name,
                format!("there are more than {RULE_FILES_MAX} files"),
            ));
        }
    }
    Ok(())
}

fn rule_source(path: &Path) -> Result<RuleSource, CliError> {
    let text = String::from_utf8(whole_file(path, RULE_BYTES_MAX)?);
    let text =
        text.map_err(|_| refused(format!("`{}`", path.display()), "it is not UTF-8 text".to_owned()))?;
    Ok(RuleSource {
        path: path.display().to_string(),
        text,
    })
}

fn refused_rules(what: &str, faults: &[Diagnostic]) -> CliError {
    CliError::FilesRefused {
        what: what.to_owned(),
        problems: faults.iter().map(ToString::to_string).collect(),
    }
}

/// The databases that `[geoip]` names, in memory and verified.
///
/// # Errors
/// [`CliError::Input`] when a file cannot be read, [`CliError::FilesRefused`] when one is not what it should be.
pub fn geo(settings: &GeoipSettings) -> Result<GeoDatabase, CliError> {
    let sources = Sources {
        city: geo_sources(&settings.city)?,
        asn: geo_sources(&settings.asn)?,
        anonymous: geo_sources(&settings.anonymous)?,
        lists: geo_sources(&settings.lists)?,
    };
    GeoDatabase::load(sources).map_err(|error| refused("a file of `[geoip]`".to_owned(), error.to_string()))
}

fn geo_sources(paths: &[PathBuf]) -> Result<Vec<Source>, CliError> {
    let source = |path: &PathBuf| {
        let name = path.display().to_string();
        whole_file(path, GEO_BYTES_MAX).map(|bytes| Source { name, bytes })
    };
    paths.iter().map(source).collect()
}

fn whole_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > bytes_max {
        let problem = format!("it is larger than {bytes_max} bytes");
        return Err(refused(format!("`{}`", path.display()), problem));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> CliError {
    CliError::Input {
        name: path.display().to_string(),
        source,
    }
}

fn refused(what: String, problem: String) -> CliError {
    CliError::FilesRefused {
        what,
        problems: vec![problem],
    }
}
