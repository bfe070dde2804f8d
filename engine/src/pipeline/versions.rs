//! What is in force, by hash (clause S11), and its archive: a decision names one hash, and the archive says what stood
//! behind it, so that a decision can be explained by the rules of its day.
//!
//! Two kinds of rows. Under the hash that decisions name (16 bytes): which parts. Under the SHA-256 of a part (32
//! bytes): its bytes. Versions that share a file share its row. Of geo files only name and SHA-256 are kept, as they are
//! large and often may not be copied.

use doorward_geoip::GeoDatabase;
use doorward_rules::{Diagnostic, Points, RuleSet, RuleSource};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::ports::{Change, Keyspace, Seq, Store, StoreError};
use crate::pipeline::row_bytes::{self, bad};
use crate::risk::decision::Id;
use crate::risk::score::ScorePolicy;

const VERSION: u8 = 1;
/// Key in table `meta` of what is in force.
const CURRENT: &[u8] = b"versions/current";
/// Beginning of the keys in table `meta` of each version's bounds.
const BOUNDS: &[u8] = b"versions/bounds/";

/// The hashes that make up the one that decisions name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// Of the rule set.
    pub rules: [u8; 32],
    /// Of the geo files and lists of networks.
    pub geo: [u8; 32],
    /// Of the settings that can change a decision.
    pub settings: [u8; 32],
}

/// What a part of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartKind {
    /// The settings that can change a decision, one a line.
    Settings,
    /// A rule file.
    Rule,
    /// A geo file or a list of networks; only its hash is kept.
    Geo,
}

/// One part, as a version names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Name for people: the path of a file.
    pub name: Box<str>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// One version: what stood behind a hash that decisions name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The hashes.
    pub hashes: Hashes,
    /// Version of the program.
    pub program: Box<str>,
    /// How many time zones the program knew.
    pub time_zones: u64,
    /// The parts: settings first, then rules and geo files in their order.
    pub parts: Vec<Part>,
}

/// What is in force, with what the archive keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The hash that decisions name.
    pub versions: Id,
    /// What stands behind it.
    pub manifest: Manifest,
    /// Bytes by hash, of the parts whose bytes are kept.
    contents: Vec<([u8; 32], Vec<u8>)>,
}

impl InForce {
    /// From rules, geo files and the settings that can change a decision, as text with its hash.
    #[must_use]
    pub fn new(rules: &RuleSet, geo: &GeoDatabase, (settings, settings_hash): (&str, [u8; 32])) -> Self {
        let mut parts = Vec::new();
        let mut contents = Vec::new();
        let mut keep = |kind, name: &str, bytes: &str| {
            let sha256 = Sha256::digest(bytes).into();
            parts.push(Part {
                kind,
                name: name.into(),
                sha256,
            });
            contents.push((sha256, bytes.as_bytes().to_vec()));
        };
        keep(PartKind::Settings, "settings", settings);
        for rule in rules.rules() {
            keep(PartKind::Rule, &rule.path, &rule.source);
        }
        parts.extend(geo.files().map(|(file, sha256)| Part {
            kind: PartKind::Geo,
            name: file.name.as_str().into(),
            sha256: *sha256,
        }));
        let manifest = Manifest {
            hashes: Hashes {
                rules: rules.hash(),
                geo: geo.sha256(),
                settings: settings_hash,
            },
            program: env!("CARGO_PKG_VERSION").into(),
            time_zones: jiff::tz::db().available().count() as u64,
            parts,
        };
        Self {
            versions: manifest.versions(),
            manifest,
            contents,
        }
    }

    /// The rows of the archive that the store has not got yet.
    ///
    /// # Errors
    /// When the store fails.
    pub fn missing_rows(&self, store: &dyn Store) -> Result<Vec<Change>, StoreError> {
        let mut rows = vec![(
            self.versions.0.to_vec(),
            row_bytes::encode(Keyspace::Archive, VERSION, &self.manifest)?,
        )];
        for (sha256, bytes) in &self.contents {
            let mut row = Vec::with_capacity(bytes.len() + 1);
            row.push(VERSION);
            row.extend_from_slice(bytes);
            rows.push((sha256.to_vec(), row));
        }
        // Two files may hold the same.
        rows.sort_unstable();
        rows.dedup();
        let keys: Vec<Vec<u8>> = rows.iter().map(|(key, _)| key.clone()).collect();
        let there = store.load_many(Keyspace::Archive, &keys)?;
        let missing = rows.into_iter().zip(there).filter(|(_, there)| there.is_none());
        Ok(missing
            .map(|((key, value), _)| Change {
                keyspace: Keyspace::Archive,
                key,
                value: Some(value),
            })
            .collect())
    }
}

impl Manifest {
    /// The hash that decisions name: of rules, lists and geo files, settings, time zones and program (clause S11).
    #[must_use]
    pub fn versions(&self) -> Id {
        let mut hash = Sha256::new();
        for part in [self.hashes.rules, self.hashes.geo, self.hashes.settings] {
            hash.update(part);
        }
        hash.update(self.time_zones.to_be_bytes());
        hash.update(&*self.program);
        let digest: [u8; 32] = hash.finalize().into();
        Id(digest.first_chunk().copied().unwrap_or_default())
    }

    fn parts(&self, kind: PartKind) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.kind == kind)
    }
}

/// What is in force, as the store remembers it: from which record on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The hash that decisions name.
    pub versions: Id,
    /// Its activation.
    pub seq: Seq,
}

impl Current {
    /// Reads it; `None` for a new store.
    ///
    /// # Errors
    /// When the store fails, or the row does not decode.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let row = store.load_many(Keyspace::Meta, &[CURRENT.to_vec()])?.pop();
        row.flatten()
            .map(|row| row_bytes::decode(Keyspace::Meta, VERSION, &row))
            .transpose()
    }

    /// The row to store.
    ///
    /// # Errors
    /// As [`row_bytes::encode`].
    pub fn change(&self) -> Result<Change, StoreError> {
        Ok(Change {
            keyspace: Keyspace::Meta,
            key: CURRENT.to_vec(),
            value: Some(row_bytes::encode(Keyspace::Meta, VERSION, self)?),
        })
    }
}

/// Bounds of the score by which lines of a version's decisions are written. A line that a crash kept back is written by
/// a later process, under whose own bounds it would be another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Bounds {
    level2_from: Points,
    level3_from: Points,
}

fn bounds_key(versions: Id) -> Vec<u8> {
    [BOUNDS, &versions.0].concat()
}

/// The row that remembers how lines of this version's decisions are written.
///
/// # Errors
/// As [`row_bytes::encode`].
pub fn bounds_change(versions: Id, policy: &ScorePolicy) -> Result<Change, StoreError> {
    let bounds = Bounds {
        level2_from: policy.level2_from,
        level3_from: policy.level3_from,
    };
    Ok(Change {
        keyspace: Keyspace::Meta,
        key: bounds_key(versions),
        value: Some(row_bytes::encode(Keyspace::Meta, VERSION, &bounds)?),
    })
}

/// `policy` with the bounds of a version, if the store remembers them.
///
/// # Errors
/// When the store fails, or the row does not decode.
pub fn with_bounds_of(
    store: &dyn Store,
    versions: Id,
    policy: ScorePolicy,
) -> Result<ScorePolicy, StoreError> {
    let row = store.load_many(Keyspace::Meta, &[bounds_key(versions)])?.pop();
    let Some(row) = row.flatten() else {
        return Ok(policy);
    };
    let bounds: Bounds = row_bytes::decode(Keyspace::Meta, VERSION, &row)?;
    Ok(ScorePolicy {
        level2_from: bounds.level2_from,
        level3_from: bounds.level3_from,
        ..policy
    })
}

/// What the archive has of a version.
#[derive(Debug)]
pub struct Archived {
    /// What stood behind the hash.
    pub manifest: Manifest,
    /// The settings that can change a decision, as text.
    pub settings: Option<String>,
    /// The rule set; `None` if a file of it is missing.
    pub rules: Option<RuleSet>,
}

/// Looks a version up; `None` if the archive does not have it.
///
/// # Errors
/// When the store fails, or a row is damaged.
pub fn archived(store: &dyn Store, versions: Id) -> Result<Option<Archived>, StoreError> {
    let row = store.load_many(Keyspace::Archive, &[versions.0.to_vec()])?.pop();
    let Some(row) = row.flatten() else { return Ok(None) };
    let manifest = decode_manifest(&row)?;
    let settings = texts(store, manifest.parts(PartKind::Settings))?;
    let rules = texts(store, manifest.parts(PartKind::Rule))?
        .map(|texts| rule_set(&texts))
        .transpose()?;
    Ok(Some(Archived {
        settings: settings
            .and_then(|mut texts| texts.pop())
            .map(|source| source.text),
        rules,
        manifest,
    }))
}

/// The texts of parts; `None` if one of them is missing.
fn texts<'a>(
    store: &dyn Store,
    parts: impl Iterator<Item = &'a Part>,
) -> Result<Option<Vec<RuleSource>>, StoreError> {
    let (keys, names): (Vec<Vec<u8>>, Vec<&str>) =
        parts.map(|part| (part.sha256.to_vec(), &*part.name)).unzip();
    let mut texts = Vec::with_capacity(names.len());
    let rows = store.load_many(Keyspace::Archive, &keys)?;
    for ((key, name), row) in keys.iter().zip(names).zip(rows) {
        let Some(row) = row else { return Ok(None) };
        let bytes = check_part(key, &row)?.to_vec();
        texts.push(RuleSource {
            path: name.to_owned(),
            text: String::from_utf8(bytes).map_err(|error| bad(Keyspace::Archive, error.to_string()))?,
        });
    }
    Ok(Some(texts))
}

fn rule_set(sources: &[RuleSource]) -> Result<RuleSet, StoreError> {
    RuleSet::from_sources(sources).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(Diagnostic::to_string).collect();
        bad(Keyspace::Archive, faults.join("; "))
    })
}

/// Whether a row of the archive can be read and is what its key says.
///
/// # Errors
/// [`StoreError::BadRow`].
pub fn check_row(key: &[u8], row: &[u8]) -> Result<(), StoreError> {
    if key.len() == 32 {
        return check_part(key, row).map(drop);
    }
    let manifest = decode_manifest(row)?;
    if manifest.versions().0 != *key {
        return Err(bad(Keyspace::Archive, "it is kept under another hash".into()));
    }
    Ok(())
}

fn decode_manifest(row: &[u8]) -> Result<Manifest, StoreError> {
    row_bytes::decode(Keyspace::Archive, VERSION, row)
}

/// The bytes of a part, which must have the hash that is its key.
fn check_part<'a>(key: &[u8], row: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let (version, bytes) = row
        .split_first()
        .ok_or_else(|| bad(Keyspace::Archive, "it is empty".into()))?;
    if *version != VERSION {
        return Err(bad(
            Keyspace::Archive,
            format!("it has format {version}, and this program reads format {VERSION}"),
        ));
    }
    if Sha256::digest(bytes)[..] != *key {
        return Err(bad(Keyspace::Archive, "its bytes have another hash".into()));
    }
    Ok(bytes)
}
