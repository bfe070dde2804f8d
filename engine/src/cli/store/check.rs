//! Reads every row of every table, and holds the tables against each other.

use std::fmt::Write as _;

use crate::alerts::alert::Alert;
use crate::alerts::budget::Mailbox;
use crate::event::Timestamp;
use crate::history::codec;
use crate::history::failures::UserFailures;
use crate::io::files::check_input_row;
use crate::io::partition_position::{check_position_row, is_position_key};
use crate::io::sink_cursor::SinkCursor;
use crate::io::store::journal_gap;
use crate::pipeline::batch::{decode_dead_letter, decode_decision};
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::retention::Removed;
use crate::pipeline::timers::Timer;
use crate::pipeline::user_rows::{UserRows, decode_attempt};
use crate::pipeline::versions;
use crate::telemetry::escape::escape;

const PAGE: usize = 1_024;
/// Problems of one table that are printed; the rest is counted.
const SHOWN: usize = 20;

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    /// Which.
    pub keyspace: Keyspace,
    /// Rows read.
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// What is wrong: the key in words, and why. At most 20.
    pub problems: Vec<(String, String)>,
    /// Problems in all.
    pub problem_count: u64,
}

impl TableReport {
    fn new(keyspace: Keyspace) -> Self {
        Self {
            keyspace,
            rows: 0,
            bytes: 0,
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    fn problem(&mut self, key: String, why: String) {
        self.problem_count += 1;
        if self.problems.len() < SHOWN {
            self.problems.push((key, why));
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order of [`Keyspace::ALL`].
    pub tables: Vec<TableReport>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.tables.iter().all(|table| table.problem_count == 0)
    }

    fn rows(&self, keyspace: Keyspace) -> u64 {
        let table = self.tables.get(keyspace as usize);
        table.map_or(0, |table| table.rows)
    }

    fn problem(&mut self, keyspace: Keyspace, key: &str, why: String) {
        if let Some(table) = self.tables.get_mut(keyspace as usize) {
            table.problem(key.to_owned(), why);
        }
    }
}

/// Rows that other tables say should be there.
struct Expected {
    decisions_with_user: u64,
    dead_letters: u64,
    /// What was removed because it was too old: nothing leads there any more.
    removed: Removed,
}

/// Checks a store. What cannot be read is part of the report, so that one bad table does not hide another.
#[must_use]
pub fn check(store: &dyn Store) -> Report {
    let mut report = Report {
        tables: Keyspace::ALL.map(TableReport::new).into(),
    };
    let mut expected = Expected {
        decisions_with_user: 0,
        dead_letters: 0,
        // A row that does not read is a problem of table `meta`; everything is wanted then.
        removed: Removed::read(store).unwrap_or(Removed::NOTHING),
    };
    for table in &mut report.tables {
        if let Err(error) = check_table(store, table, &mut expected) {
            table.problem("the table".to_owned(), error.to_string());
        }
    }
    check_counts(&mut report, &expected);
    match journal_gap(store) {
        Ok(None) => {}
        Ok(Some(gap)) => report.problem(Keyspace::Journal, "the table", gap.to_string()),
        Err(error) => report.problem(Keyspace::Journal, "the table", error.to_string()),
    }
    report
}

fn check_table(
    store: &dyn Store,
    table: &mut TableReport,
    expected: &mut Expected,
) -> Result<(), StoreError> {
    let head = store.head()?;
    let mut from = Vec::new();
    loop {
        let page = store.scan(table.keyspace, &[], &from, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from.clone_from(&last.key);
        from.push(0);
        for row in &page {
            table.rows += 1;
            table.bytes += (row.key.len() + row.value.len()) as u64;
            if let Err(why) = check_row(table.keyspace, row, head) {
                table.problem(key_in_words(table.keyspace, &row.key), why);
            }
        }
        for (row, why) in check_partners(store, table.keyspace, &page, expected)? {
            table.problem(key_in_words(table.keyspace, &row.key), why);
        }
    }
}

/// Whether one row can be read, and is where it belongs.
fn check_row(keyspace: Keyspace, row: &Row, head: Seq) -> Result<(), String> {
    let value = &row.value;
    let text = |error: StoreError| error.to_string();
    match keyspace {
        Keyspace::Journal => {
            journal::decode(value).map_err(text)?;
            in_order(keys::read_seq(&row.key), None, head)
        }
        Keyspace::Decided => {
            let seq = decode_decision(value).map_err(text)?.seq;
            in_order(keys::read_seq(&row.key), Some(seq), head)
        }
        Keyspace::Alert => {
            let seq = Alert::decode(value).map_err(|error| error.to_string())?.seq;
            in_order(keys::read_seq(&row.key), Some(seq), head)
        }
        Keyspace::Decision => in_order(keys::read_seq(value), None, head),
        Keyspace::ByUser => in_order(keys::read_by_user(&row.key), None, head),
        Keyspace::Dead if row.key.starts_with(keys::dead_prefix()) => {
            let seq = decode_dead_letter(value).map_err(text)?.seq;
            in_order(keys::read_dead(&row.key), Some(seq), head)
        }
        Keyspace::Dead => in_order(keys::read_seq(value), None, head),
        Keyspace::User => codec::decode(value).map(drop).map_err(|error| error.to_string()),
        Keyspace::Failures => UserFailures::decode(value)
            .map(drop)
            .map_err(|error| error.to_string()),
        Keyspace::Attempt if keys::is_unnamed_attempts(&row.key) => {
            UserRows::decode(None, None, Some(value)).map(drop).map_err(text)
        }
        Keyspace::Attempt => decode_attempt(value).map(drop).map_err(text),
        Keyspace::Mailbox => Mailbox::decode(value)
            .map(drop)
            .map_err(|error| error.to_string()),
        Keyspace::Sink => SinkCursor::decode(value).map(drop),
        Keyspace::Input if is_position_key(&row.key) => check_position_row(value),
        Keyspace::Input => check_input_row(value),
        Keyspace::Timer => match Timer::read(&row.key) {
            Some(_) => Ok(()),
            None => Err("it is no timer".to_owned()),
        },
        // The image as a whole has a digest, which the next start compares.
        Keyspace::Crowd if value.is_empty() => Err("it is empty".to_owned()),
        Keyspace::Crowd => Ok(()),
        Keyspace::Archive => versions::check_row(&row.key, value).map_err(text),
        // The store reads its own rows when it opens.
        Keyspace::Meta if value.is_empty() => Err("it is empty".to_owned()),
        Keyspace::Meta => Ok(()),
        Keyspace::Erased if row.key.starts_with(keys::erased_prefix()) => {
            in_order(keys::read_erased(&row.key).map(|(seq, _)| seq), None, head)
        }
        Keyspace::Erased => in_order(keys::read_seq(value), None, head),
        // The image as a whole has a digest.
        Keyspace::Image if keys::read_image_row(&row.key).is_none() => {
            Err("its key cannot be read".to_owned())
        }
        Keyspace::Image => Ok(()),
    }
}

/// `own`: the position that the row itself names.
fn in_order(at: Option<Seq>, own: Option<Seq>, head: Seq) -> Result<(), String> {
    match (at, own) {
        (None, _) => Err("its position cannot be read".to_owned()),
        (Some(at), _) if at == 0 || at > head => {
            Err(format!("it is at seq {at}, but the store ends at seq {head}"))
        }
        (Some(at), Some(own)) if at != own => Err(format!("it is kept at seq {at}, but says seq {own}")),
        _ => Ok(()),
    }
}

/// Rows of the page whose partner in another table is missing or another one.
fn check_partners<'a>(
    store: &dyn Store,
    keyspace: Keyspace,
    page: &'a [Row],
    expected: &mut Expected,
) -> Result<Vec<(&'a Row, String)>, StoreError> {
    let mut wanted: Vec<(&Row, Keyspace, Vec<u8>, Option<Seq>)> = Vec::new();
    for row in page {
        match keyspace {
            Keyspace::Journal => {
                let Ok(record) = journal::decode(&row.value) else {
                    continue;
                };
                let seq = keys::read_seq(&row.key).unwrap_or_default();
                if seq < expected.removed.decided_from {
                    continue;
                }
                wanted.push(match record.body {
                    Body::Event { .. } | Body::Backfilled { .. } | Body::Own { .. } => {
                        (row, Keyspace::Decided, row.key.clone(), None)
                    }
                    Body::Refused { .. } | Body::BackfilledRefused { .. } => {
                        (row, Keyspace::Dead, keys::dead_by_seq(seq), None)
                    }
                    Body::Told { .. } => (row, Keyspace::Alert, keys::alert(seq, 0), None),
                    Body::Activated { versions, .. } => (row, Keyspace::Archive, versions.0.to_vec(), None),
                    Body::Settled | Body::Erased { .. } | Body::UserErased { .. } => continue,
                });
            }
            Keyspace::Decided => {
                let Ok(decision) = decode_decision(&row.value) else {
                    continue;
                };
                let seq = decision.seq;
                wanted.push((row, Keyspace::Decision, keys::decision(decision.id), Some(seq)));
                if let Some(user) = decision.user_id.as_deref() {
                    expected.decisions_with_user += 1;
                    let key = keys::by_user(&decision.tenant, user, seq);
                    wanted.push((row, Keyspace::ByUser, key, None));
                }
            }
            Keyspace::Dead if row.key.starts_with(keys::dead_prefix()) => {
                let Ok(letter) = decode_dead_letter(&row.value) else {
                    continue;
                };
                expected.dead_letters += 1;
                wanted.push((
                    row,
                    Keyspace::Dead,
                    keys::dead_by_id(&letter.id),
                    Some(letter.seq),
                ));
            }
            Keyspace::Alert => {
                let seq = keys::read_seq(&row.key).unwrap_or_default();
                if seq >= expected.removed.journal_from {
                    wanted.push((row, Keyspace::Journal, keys::seq(seq), None));
                }
            }
            _ => {}
        }
    }
    missing(store, wanted)
}

/// What is wanted and not there. A position, if given, must be what the partner says.
fn missing<'a>(
    store: &dyn Store,
    wanted: Vec<(&'a Row, Keyspace, Vec<u8>, Option<Seq>)>,
) -> Result<Vec<(&'a Row, String)>, StoreError> {
    let mut problems = Vec::new();
    for keyspace in Keyspace::ALL {
        let here: Vec<_> = wanted.iter().filter(|wanted| wanted.1 == keyspace).collect();
        let keys: Vec<_> = here.iter().map(|wanted| wanted.2.clone()).collect();
        if keys.is_empty() {
            continue;
        }
        for (wanted, found) in here.iter().zip(store.load_many(keyspace, &keys)?) {
            let (row, _, key, seq) = wanted;
            let name = key_in_words(keyspace, key);
            match (found, seq) {
                (None, _) => {
                    problems.push((*row, format!("its row `{name}` in table `{keyspace}` is missing")));
                }
                (Some(found), Some(seq)) if keys::read_seq(&found) != Some(*seq) => problems.push((
                    *row,
                    format!("its row `{name}` in table `{keyspace}` leads to another position"),
                )),
                _ => {}
            }
        }
    }
    Ok(problems)
}

/// Every partner was found from one side; if there are as many on the other side, none is left over.
fn check_counts(report: &mut Report, expected: &Expected) {
    for (keyspace, should) in [
        (Keyspace::Decision, report.rows(Keyspace::Decided)),
        (Keyspace::ByUser, expected.decisions_with_user),
        (Keyspace::Dead, expected.dead_letters * 2),
    ] {
        let rows = report.rows(keyspace);
        if rows != should {
            report.problem(
                keyspace,
                "the table",
                format!("it has {rows} rows, but other rows lead to {should} of them"),
            );
        }
    }
}

fn key_in_words(keyspace: Keyspace, key: &[u8]) -> String {
    let seq = keys::read_seq(key).filter(|_| key.len() >= 8);
    match keyspace {
        Keyspace::Journal | Keyspace::Decided | Keyspace::Alert | Keyspace::Image => {
            seq.map_or_else(|| hex(key), |seq| format!("seq {seq}"))
        }
        Keyspace::Dead if key.starts_with(keys::dead_prefix()) => {
            keys::read_dead(key).map_or_else(|| hex(key), |seq| format!("seq {seq}"))
        }
        Keyspace::ByUser | Keyspace::User | Keyspace::Failures | Keyspace::Attempt | Keyspace::Mailbox => {
            match keys::read_tagged(key) {
                Some((tenant, _, name)) => escape(&format!("{name} of {tenant}")).into_owned(),
                None => hex(key),
            }
        }
        Keyspace::Input if is_position_key(key) => escape(&String::from_utf8_lossy(key)).into_owned(),
        Keyspace::Sink | Keyspace::Meta => escape(&String::from_utf8_lossy(key)).into_owned(),
        Keyspace::Timer => keys::read_timer(key).map_or_else(
            || hex(key),
            |(due, ..)| format!("due {}", Timestamp::from_micros(due)),
        ),
        Keyspace::Crowd => seq.map_or_else(|| hex(key), |seq| format!("image of seq {seq}")),
        Keyspace::Decision | Keyspace::Dead | Keyspace::Input | Keyspace::Archive | Keyspace::Erased => {
            hex(key)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The table, and a line for every problem.
#[must_use]
pub fn page(report: &Report, head: Seq) -> String {
    let mut out = format!("{:<10}{:>12}{:>16}\n", "table", "rows", "bytes");
    // Writing to a string cannot fail.
    for table in &report.tables {
        let _ = writeln!(
            out,
            "{:<10}{:>12}{:>16}",
            table.keyspace.name(),
            table.rows,
            table.bytes
        );
    }
    let rows: u64 = report.tables.iter().map(|table| table.rows).sum();
    let bytes: u64 = report.tables.iter().map(|table| table.bytes).sum();
    let _ = writeln!(out, "{:<10}{rows:>12}{bytes:>16}\n", "all");
    if report.is_whole() {
        let _ = writeln!(
            out,
            "every row was read and fits the others; the store ends at seq {head}"
        );
        return out;
    }
    for table in &report.tables {
        for (key, why) in &table.problems {
            let _ = writeln!(out, "wrong: table `{}`, {key}: {}", table.keyspace, escape(why));
        }
        let more = table.problem_count - table.problems.len() as u64;
        if more > 0 {
            let _ = writeln!(out, "wrong: table `{}`: {more} more", table.keyspace);
        }
    }
    let _ = writeln!(
        out,
        "the store ends at seq {head}; restore a backup, the rows above cannot be mended"
    );
    out
}
