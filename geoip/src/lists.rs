//! Text files that say what a prefix or an autonomous system is used for. The crate's front page has the form.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::error::{LineProblem, LoadError, shown};
use crate::network_kind::NetworkKind;
use crate::ranges::{Ranges, Spans};
use crate::scalar::asn_from_text;
use crate::source::{Source, SourceKind};

/// All lists together; which file an entry came from makes no difference.
#[derive(Debug)]
pub(crate) struct NetworkLists {
    prefixes: Ranges<NetworkKind>,
    systems: BTreeMap<u32, NetworkKind>,
}

impl NetworkLists {
    /// Reads all files, and counts the entries of each. The first line that does not fit refuses them.
    pub(crate) fn load(sources: &[Source]) -> Result<(NetworkLists, Vec<u64>), LoadError> {
        let mut reading = Reading {
            prefixes: Spans::new(),
            systems: BTreeMap::new(),
        };
        let mut counts = Vec::new();
        for source in sources {
            let count = reading.file(source)?;
            if count == 0 {
                return Err(LoadError::Empty {
                    file: source.name.clone(),
                    expected: SourceKind::List,
                });
            }
            counts.push(count);
        }
        let prefixes = reading.prefixes.resolve();
        Ok((
            NetworkLists {
                prefixes,
                systems: reading.systems,
            },
            counts,
        ))
    }

    /// The kind of the longest listed prefix that holds the address.
    pub(crate) fn by_prefix(&self, ip: IpAddr) -> Option<NetworkKind> {
        self.prefixes.get(ip)
    }

    /// The kind of a listed autonomous system.
    pub(crate) fn by_asn(&self, asn: u32) -> Option<NetworkKind> {
        self.systems.get(&asn).copied()
    }
}

struct Reading {
    prefixes: Spans<NetworkKind>,
    systems: BTreeMap<u32, NetworkKind>,
}

impl Reading {
    fn file(&mut self, source: &Source) -> Result<u64, LoadError> {
        let mut kind = None;
        let mut count = 0;
        for (index, line) in source.bytes.split(|byte| *byte == b'\n').enumerate() {
            let at = |problem: LineProblem| problem.at(&source.name, index + 1);
            let line = std::str::from_utf8(line).map_err(|_| at(LineProblem::NotText))?;
            let line = line.split_once('#').map_or(line, |(entry, _)| entry);
            let line = line.trim_start_matches('\u{feff}').trim();
            if let Some((key, value)) = line.split_once('=') {
                kind = Some(parse_kind(line, key, value).map_err(at)?);
            } else if !line.is_empty() {
                let kind = kind.ok_or(LineProblem::NoKind).map_err(at)?;
                self.entry(line, kind).map_err(at)?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn entry(&mut self, entry: &str, kind: NetworkKind) -> Result<(), LineProblem> {
        if entry
            .get(..2)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("as"))
        {
            let asn = asn_from_text(entry).ok_or_else(|| LineProblem::NotAnAsn(shown(entry)))?;
            let known = self.systems.entry(asn).or_insert(kind);
            *known = kind.min(*known);
        } else {
            self.prefixes.push_prefix(parse_prefix(entry)?, kind);
        }
        Ok(())
    }
}

fn parse_kind(line: &str, key: &str, value: &str) -> Result<NetworkKind, LineProblem> {
    if key.trim() != "kind" {
        return Err(LineProblem::NotAnEntry(shown(line)));
    }
    NetworkKind::from_name(value.trim()).ok_or_else(|| LineProblem::UnknownKind(shown(value.trim())))
}

fn parse_prefix(entry: &str) -> Result<IpNet, LineProblem> {
    let net = entry
        .parse::<IpNet>()
        .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    let net = net.map_err(|_| LineProblem::NotAnEntry(shown(entry)))?;
    if net != net.trunc() {
        return Err(LineProblem::HostBits {
            given: shown(entry),
            meant: net.trunc().to_string(),
        });
    }
    Ok(unmapped(net))
}

/// Prefixes of IPv4 mapped into IPv6 count as IPv4, as look-ups do.
fn unmapped(net: IpNet) -> IpNet {
    match (net.network().to_canonical(), net.prefix_len().checked_sub(96)) {
        (IpAddr::V4(v4), Some(len)) if matches!(net, IpNet::V6(_)) => {
            Ipv4Net::new(v4, len).map_or(net, IpNet::V4)
        }
        _ => net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "test.list".into(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn load(texts: &[&str]) -> NetworkLists {
        NetworkLists::load(&texts.iter().map(|text| source(text)).collect::<Vec<_>>())
            .unwrap()
            .0
    }

    #[test]
    fn the_longest_prefix_wins_whatever_the_order() {
        let list = "kind = tor # exits\n203.0.113.7\nkind=hosting\n203.0.113.0/24\n2001:db8::/32\nas64500\n";
        let lists = load(&[list]);
        let kind = |ip: &str| lists.by_prefix(ip.parse().unwrap());
        assert_eq!(kind("203.0.113.7"), Some(NetworkKind::Tor));
        assert_eq!(kind("203.0.113.8"), Some(NetworkKind::Hosting));
        assert_eq!(kind("2001:db8::1"), Some(NetworkKind::Hosting));
        assert_eq!(kind("203.0.114.0"), None);
        assert_eq!(
            [lists.by_asn(64500), lists.by_asn(64501)],
            [Some(NetworkKind::Hosting), None]
        );
    }

    #[test]
    fn of_equal_entries_the_kind_that_says_most_wins_in_any_order() {
        let (hosting, vpn) = (
            "kind = hosting\n192.0.2.0/24\nAS64500\n",
            "kind = vpn\n192.0.2.0/24\nAS64500\n",
        );
        for texts in [[hosting, vpn], [vpn, hosting]] {
            let lists = load(&texts);
            assert_eq!(
                lists.by_prefix("192.0.2.1".parse().unwrap()),
                Some(NetworkKind::Vpn)
            );
            assert_eq!(lists.by_asn(64500), Some(NetworkKind::Vpn));
        }
    }

    #[test]
    fn mapped_prefixes_count_as_ipv4() {
        let lists = load(&["kind = relay\n::ffff:192.0.2.0/120\n"]);
        assert_eq!(
            lists.by_prefix("192.0.2.1".parse().unwrap()),
            Some(NetworkKind::Relay)
        );
    }

    #[test]
    fn a_line_that_does_not_fit_is_named_with_what_was_expected() {
        let table = [
            (
                "192.0.2.0/24",
                "no kind yet; expected a line such as `kind = vpn` before the first entry",
            ),
            (
                "kind = proxy",
                "`proxy` is not a kind of network; expected tor, vpn, relay, hosting, satellite or mobile",
            ),
            (
                "kind = vpn\n192.0.2.1/24",
                "`192.0.2.1/24` has bits set behind its length; did you mean `192.0.2.0/24`?",
            ),
            (
                "kind = vpn\nAS0",
                "`AS0` is not an AS number; expected 1 to 4294967295, with or without `AS` in front",
            ),
            (
                "kind = vpn\nexample.org",
                "`example.org` is neither a prefix (`203.0.113.0/24`), an address, an AS number (`AS64500`) nor `kind = ...`",
            ),
            (
                "kin = vpn",
                "`kin = vpn` is neither a prefix (`203.0.113.0/24`), an address, an AS number (`AS64500`) nor `kind = ...`",
            ),
        ];
        for (text, problem) in table {
            let error = NetworkLists::load(&[source(text)]).unwrap_err();
            let line = text.lines().count();
            assert_eq!(error.to_string(), format!("`test.list`, line {line}: {problem}"));
        }
        let error = NetworkLists::load(&[source("kind = vpn\n")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`test.list` was given as `lists`, but holds nothing"
        );
    }
}
