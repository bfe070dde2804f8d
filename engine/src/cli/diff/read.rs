//! Reads a decision file and keeps of each decision what a comparison needs: a hundred bytes or two, not the line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use doorward_rules::Points;
use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::cli::exit::CliError;

/// Longest line that is read; a decision has about a kilobyte.
const LINE_BYTES_MAX: u64 = 4 << 20;
/// Malformed lines that are named; the rest is counted.
const NAMED_MAX: usize = 20;

/// Texts that many decisions share, each kept once.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }
}

/// Who a decision is about: a digest of tenant, source and event id.
pub(super) type Key = [u8; 16];

/// One decision.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    revision: u64,
    /// Line of the file.
    pub(super) line: u64,
    pub(super) event_id: Box<str>,
    pub(super) source: u32,
    pub(super) tenant: u32,
    pub(super) user: Option<u32>,
    /// `None` if it was not scored.
    pub(super) verdict: Option<Verdict>,
    /// Digest of everything else that is compared.
    pub(super) rest: [u8; 16],
}

/// The part of a decision that is compared piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: u32,
    pub(super) score: Points,
    pub(super) ledger: Box<[Entry]>,
}

/// One line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) rule: u32,
    pub(super) status: u32,
    pub(super) points: Points,
}

/// A line that is no decision.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Malformed {
    pub(super) line: u64,
    pub(super) why: String,
}

/// One file.
#[derive(Default)]
pub(super) struct Side {
    pub(super) file: String,
    pub(super) kept: HashMap<Key, Kept>,
    pub(super) malformed: Vec<Malformed>,
    pub(super) malformed_count: u64,
}

/// Reads a file.
pub(super) fn file(path: &Path, names: &mut Names) -> Result<Side, CliError> {
    let name = path.display().to_string();
    let unreadable = |source| CliError::Input {
        name: name.clone(),
        source,
    };
    let reader = BufReader::with_capacity(256 * 1024, File::open(path).map_err(unreadable)?);
    let mut side = lines(reader, names).map_err(unreadable)?;
    side.file = name;
    Ok(side)
}

fn lines(mut reader: impl BufRead, names: &mut Names) -> io::Result<Side> {
    let mut side = Side::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.len() as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
            side.refuse(line, "it is longer than 4 MiB".to_owned());
        } else if !bytes.trim_ascii().is_empty() {
            match keep(&bytes, line, names) {
                Ok((key, kept)) => side.add(key, kept),
                Err(why) => side.refuse(line, why),
            }
        }
    }
    Ok(side)
}

impl Side {
    fn add(&mut self, key: Key, kept: Kept) {
        match self.kept.get_mut(&key) {
            // The same revision again is a repeat: a pipe is at least once.
            Some(before) if before.revision >= kept.revision => {}
            Some(before) => *before = kept,
            None => drop(self.kept.insert(key, kept)),
        }
    }

    fn refuse(&mut self, line: u64, why: String) {
        self.malformed_count += 1;
        if self.malformed.len() < NAMED_MAX {
            self.malformed.push(Malformed { line, why });
        }
    }
}

/// A decision as it is written, see `risk/json.rs`.
#[derive(Deserialize)]
struct Line<'a> {
    revision: u64,
    event_id: String,
    source: String,
    tenant: String,
    user_id: Option<String>,
    action: Option<String>,
    #[serde(borrow)]
    score: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ledger: Vec<LedgerLine<'a>>,
    #[serde(borrow, rename = "type")]
    event_type: Option<&'a RawValue>,
    #[serde(borrow)]
    required_level: Option<&'a RawValue>,
    #[serde(borrow)]
    achieved_level: Option<&'a RawValue>,
    #[serde(borrow)]
    base: Option<&'a RawValue>,
    #[serde(borrow)]
    alerts: Option<&'a RawValue>,
    #[serde(borrow)]
    step_up: Option<&'a RawValue>,
    #[serde(borrow)]
    device: Option<&'a RawValue>,
    #[serde(borrow)]
    maturity: Option<&'a RawValue>,
    #[serde(borrow)]
    degraded: Option<&'a RawValue>,
    #[serde(borrow, rename = "final")]
    is_final: Option<&'a RawValue>,
    #[serde(borrow)]
    mode: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LedgerLine<'a> {
    rule: String,
    status: String,
    #[serde(borrow)]
    points: &'a RawValue,
}

impl Line<'_> {
    /// Everything that is compared as a whole.
    fn rest(&self) -> [u8; 16] {
        let parts = [
            self.event_type,
            self.required_level,
            self.achieved_level,
            self.base,
            self.alerts,
            self.step_up,
            self.device,
            self.maturity,
            self.degraded,
            self.is_final,
            self.mode,
        ];
        digest(parts.map(|part| part.map_or("", RawValue::get)))
    }
}

/// SHA-256 of texts, each behind its length, cut to 16 bytes.
fn digest<const N: usize>(parts: [&str; N]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

fn keep(bytes: &[u8], number: u64, names: &mut Names) -> Result<(Key, Kept), String> {
    let line: Line<'_> = serde_json::from_slice(bytes).map_err(|error| {
        // Every line is its own text there, so its number would mislead.
        format!("it is no decision: {error}").replace(" at line 1 column", " at column")
    })?;
    let key = digest([&line.tenant, &line.source, &line.event_id]);
    let kept = Kept {
        revision: line.revision,
        line: number,
        source: names.number(&line.source),
        tenant: names.number(&line.tenant),
        user: line.user_id.as_deref().map(|user| names.number(user)),
        verdict: verdict(&line, names)?,
        rest: line.rest(),
        event_id: line.event_id.into_boxed_str(),
    };
    Ok((key, kept))
}

fn verdict(line: &Line<'_>, names: &mut Names) -> Result<Option<Verdict>, String> {
    let Some(action) = &line.action else {
        return Ok(None);
    };
    let score = line.score.ok_or("it has an action and no score")?;
    let entries = line.ledger.iter().map(|entry| {
        Ok(Entry {
            rule: names.number(&entry.rule),
            status: names.number(&entry.status),
            points: points(entry.points)?,
        })
    });
    Ok(Some(Verdict {
        ledger: entries.collect::<Result<_, String>>()?,
        action: names.number(action),
        score: points(score)?,
    }))
}

fn points(value: &RawValue) -> Result<Points, String> {
    let text = value.get();
    text.parse()
        .map_err(|_| format!("`{text}` is no number of points"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str, revision: u32, score: &str) -> String {
        format!(
            r#"{{"revision":{revision},"event_id":"{event}","source":"web","tenant":"t","action":"allow","score":{score},"ledger":[]}}"#
        )
    }

    fn read(text: &str) -> Side {
        lines(text.as_bytes(), &mut Names::default()).unwrap()
    }

    fn scores(side: &Side) -> Vec<String> {
        let mut scores: Vec<_> = side.kept.values().collect();
        scores.sort_by_key(|kept| kept.line);
        scores
            .iter()
            .map(|kept| kept.verdict.as_ref().unwrap().score.to_string())
            .collect()
    }

    #[test]
    fn the_highest_revision_counts_wherever_it_stands() {
        let text = [line("a", 1, "20"), line("a", 0, "10"), line("b", 0, "7.5")].join("\n");
        assert_eq!(scores(&read(&text)), ["20", "7.5"]);
        let text = [line("a", 0, "10"), line("a", 3, "30"), line("a", 3, "40")].join("\n");
        assert_eq!(scores(&read(&text)), ["30"]);
    }

    #[test]
    fn malformed_lines_are_named_and_blank_ones_are_not() {
        let text = format!(
            "{}\n\nno decision\n{{}}\n{}\n",
            line("a", 0, "1"),
            line("b", 0, "1e9")
        );
        let side = read(&text);
        let named: Vec<_> = side.malformed.iter().map(|found| found.line).collect();
        assert_eq!(named, [3, 4, 5]);
        assert!(
            side.malformed[2].why.contains("`1e9`"),
            "{}",
            side.malformed[2].why
        );
    }

    #[test]
    fn an_endless_line_is_one_malformed_line() {
        let mut text = vec![b'x'; 9 << 20];
        text.push(b'\n');
        text.extend(line("a", 0, "1").bytes());
        let side = lines(text.as_slice(), &mut Names::default()).unwrap();
        assert_eq!(side.malformed_count, 1);
        assert_eq!(scores(&side), ["1"]);
    }

    #[test]
    fn parts_never_run_into_each_other() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
