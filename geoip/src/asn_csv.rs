//! Text files of ranges: `start,end,asn,organisation`. The crate's front page has the whole form.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::{LineProblem, LoadError, shown};
use crate::location::clean;
use crate::ranges::{NoSpan, Ranges, Spans};
use crate::scalar::asn_from_text;
use crate::source::{Source, SourceKind};

/// The ranges of one file, each with the place of its owner in `owners`.
#[derive(Debug)]
pub(crate) struct AsnRanges {
    ranges: Ranges<u32>,
    owners: Vec<(u32, Option<Arc<str>>)>,
}

impl AsnRanges {
    /// Reads a whole file; the first line that does not fit refuses it.
    pub(crate) fn load(source: &Source) -> Result<AsnRanges, LoadError> {
        let mut reading = Reading::default();
        for (index, line) in source.bytes.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            reading
                .line(line, number)
                .map_err(|problem| problem.at(&source.name, number))?;
        }
        let ranges = reading.ranges.resolve();
        if ranges.len() == 0 {
            return Err(LoadError::Empty {
                file: source.name.clone(),
                expected: SourceKind::Asn,
            });
        }
        Ok(AsnRanges {
            ranges,
            owners: reading.owners,
        })
    }

    /// Number and owner of the autonomous system that holds the address.
    pub(crate) fn get(&self, ip: IpAddr) -> Option<(u32, Option<Arc<str>>)> {
        self.owners.get(self.ranges.get(ip)? as usize).cloned()
    }

    /// Number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }
}

struct Reading {
    ranges: Spans<u32>,
    owners: Vec<(u32, Option<Arc<str>>)>,
    known: HashMap<(u32, String), u32>,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            ranges: Spans::new(),
            owners: Vec::new(),
            known: HashMap::new(),
        }
    }
}

impl Reading {
    fn line(&mut self, line: &[u8], number: usize) -> Result<(), LineProblem> {
        let line = std::str::from_utf8(line).map_err(|_| LineProblem::NotText)?;
        let line = if number == 1 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        }
        .trim();
        let is_heading = number == 1 && line.starts_with("start");
        if line.is_empty() || line.starts_with('#') || is_heading {
            return Ok(());
        }
        let mut fields = Fields(Some(line));
        let mut required = || fields.next_field()?.ok_or(LineProblem::MissingField);
        let (start, end, asn) = (required()?, required()?, required()?);
        let organisation = fields.next_field()?.unwrap_or_default();
        if matches!(asn.as_str(), "0" | "AS0") {
            return Ok(());
        }
        let asn = asn_from_text(&asn).ok_or_else(|| LineProblem::NotAnAsn(shown(&asn)))?;
        let (start, end) = (address(&start)?, address(&end)?);
        let owner = self.owner(asn, organisation);
        self.ranges.push(start, end, owner).map_err(|error| match error {
            NoSpan::Backwards => LineProblem::Backwards,
            NoSpan::MixedFamilies => LineProblem::MixedFamilies,
        })
    }

    /// The place of an owner in the table; each name is kept once.
    fn owner(&mut self, asn: u32, organisation: String) -> u32 {
        let next = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        *self
            .known
            .entry((asn, organisation))
            .or_insert_with_key(|(_, organisation)| {
                let name = Some(organisation.trim())
                    .filter(|name| !name.is_empty())
                    .map(clean);
                self.owners.push((asn, name));
                next
            })
    }
}

/// An address, or its number in decimal. IPv4 mapped into IPv6 counts as IPv4, as look-ups do.
fn address(text: &str) -> Result<IpAddr, LineProblem> {
    as_written(text.trim()).map(|address| address.to_canonical())
}

fn as_written(text: &str) -> Result<IpAddr, LineProblem> {
    let number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse::<u128>().ok())
        .flatten();
    match number {
        Some(bits) => {
            Ok(u32::try_from(bits).map_or_else(|_| IpAddr::V6(bits.into()), |bits| IpAddr::V4(bits.into())))
        }
        None => text.parse().map_err(|_| LineProblem::NotAnAddress(shown(text))),
    }
}

/// What is left of a line; `None` behind its last field.
struct Fields<'a>(Option<&'a str>);

impl Fields<'_> {
    /// The next field without its quotes (RFC 4180, but for line breaks within quotes).
    fn next_field(&mut self) -> Result<Option<String>, LineProblem> {
        let Some(rest) = self.0 else { return Ok(None) };
        let Some(quoted) = rest.trim_start().strip_prefix('"') else {
            let (field, rest) = rest
                .split_once(',')
                .map_or((rest, None), |(field, rest)| (field, Some(rest)));
            self.0 = rest;
            return Ok(Some(field.trim().to_owned()));
        };
        let (field, rest) = unquote(quoted).ok_or(LineProblem::BrokenQuote)?;
        let rest = rest.trim_start();
        self.0 = match rest.strip_prefix(',') {
            Some(next) => Some(next),
            None if rest.is_empty() => None,
            None => return Err(LineProblem::BrokenQuote),
        };
        Ok(Some(field))
    }
}

/// The text up to the closing quote, two quotes being one, and what follows.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('"')?;
        field.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                field.push('"');
                rest = behind;
            }
            None => return Some((field, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<AsnRanges, LoadError> {
        AsnRanges::load(&Source {
            name: "asn.csv".into(),
            bytes: text.as_bytes().to_vec(),
        })
    }

    fn get(table: &AsnRanges, ip: &str) -> Option<(u32, Option<String>)> {
        table
            .get(ip.parse().unwrap())
            .map(|(asn, name)| (asn, name.map(|name| name.to_string())))
    }

    #[test]
    fn ranges_of_both_families_with_quotes_and_heading() {
        let table = load(concat!(
            "\u{feff}start,end,asn,organisation\r\n",
            "192.0.2.0,192.0.2.255,64500,\"Umbra, \"\"the\"\" VPN\"\r\n",
            "\r\n# a comment\n",
            "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,AS65536,Costa\n",
            "3325256704,3325256719,64501\n",
            "42541956123769884636017138956568135816,42541956123769884636017138956568135817,64502,Numbers\n",
            "198.51.101.0,198.51.101.255,0,Not routed\n",
        ));
        let table = table.unwrap();
        assert_eq!(table.len(), 4);
        assert_eq!(
            get(&table, "192.0.2.255"),
            Some((64500, Some("Umbra, \"the\" VPN".into())))
        );
        assert_eq!(
            get(&table, "2001:db8::7"),
            None.or(Some((65536, Some("Costa".into()))))
        );
        assert_eq!(get(&table, "198.51.100.0"), Some((64501, None)));
        assert_eq!(get(&table, "198.51.101.0"), None);
        assert_eq!(get(&table, "192.0.3.0"), None);
    }

    #[test]
    fn mapped_ranges_count_as_ipv4() {
        for line in [
            "::ffff:198.18.0.0,::ffff:198.18.255.255,64500,\"X\"",
            "281474004811776,281474004877311,64500,X",
            "::ffff:198.18.0.0,198.18.255.255,64500,X",
        ] {
            let table = load(line).unwrap();
            assert_eq!(
                get(&table, "198.18.7.7"),
                Some((64500, Some("X".into()))),
                "{line}"
            );
            assert_eq!(get(&table, "198.19.0.0"), None, "{line}");
        }
    }

    #[test]
    fn a_line_that_does_not_fit_is_named() {
        let good = "192.0.2.0,192.0.2.9,64500,A\n";
        let table = [
            ("192.0.2.10,192.0.2.12", "expected `start,end,asn,organisation`"),
            ("192.0.2.300,192.0.2.12,1,B", "`192.0.2.300` is not an address"),
            (",192.0.2.12,1,B", "`` is not an address"),
            ("192.0.2.12,192.0.2.11,1,B", "the range starts behind its end"),
            (
                "192.0.2.12,2001:db8::,1,B",
                "the range starts with IPv4 and ends with IPv6 or the other way round",
            ),
            (
                "192.0.2.10,192.0.2.11,1,\"B",
                "a quoted field does not end where the next comma is",
            ),
            (
                "\"192.0.2.10\"x,192.0.2.11,1,B",
                "a quoted field does not end where the next comma is",
            ),
        ];
        for (line, problem) in table {
            let error = load(&format!("{good}{line}\n")).unwrap_err();
            assert_eq!(error.to_string(), format!("`asn.csv`, line 2: {problem}"));
        }
        let error = load("192.0.2.0,192.0.2.9,AS-7,A").unwrap_err().to_string();
        assert!(
            error.starts_with("`asn.csv`, line 1: `AS-7` is not an AS number"),
            "{error}"
        );
    }

    #[test]
    fn of_overlapping_ranges_the_one_that_starts_last_counts() {
        let table = load(
            "192.0.2.0,192.0.2.9,1,A\n192.0.2.5,192.0.2.12,2,B\n192.0.2.6,192.0.2.6,3,C\n192.0.2.6,192.0.2.6,4,D\n",
        );
        let table = table.unwrap();
        let asns =
            [4, 5, 6, 7, 12].map(|last| table.get(IpAddr::from([192, 0, 2, last])).map(|(asn, _)| asn));
        assert_eq!(asns, [Some(1), Some(2), Some(3), Some(2), Some(2)]);
    }

    #[test]
    fn bytes_that_are_no_text_and_empty_files_are_refused() {
        let bytes = b"192.0.2.0,192.0.2.9,64500,\xff\xfe\n".to_vec();
        let error = AsnRanges::load(&Source {
            name: "asn.csv".into(),
            bytes,
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "`asn.csv`, line 1: not UTF-8 text");
        for empty in ["", "\n\n", "# nothing\n", "start,end,asn\n"] {
            assert_eq!(
                load(empty).unwrap_err().to_string(),
                "`asn.csv` was given as `asn`, but holds nothing"
            );
        }
    }
}
