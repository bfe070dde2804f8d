//! A table of ranges of addresses, searched by halving.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges in any order, which may overlap.
#[derive(Debug)]
pub(crate) struct Spans<T> {
    v4: Vec<(u32, u32, T)>,
    v6: Vec<(u128, u128, T)>,
}

/// Why a range is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoSpan {
    /// The start lies behind the end.
    Backwards,
    /// One end is IPv4, the other IPv6.
    MixedFamilies,
}

impl<T: Copy + Ord> Spans<T> {
    pub(crate) fn new() -> Self {
        Spans {
            v4: Vec::new(),
            v6: Vec::new(),
        }
    }

    /// Adds the addresses from `first` to `last`, both included.
    pub(crate) fn push(&mut self, first: IpAddr, last: IpAddr, value: T) -> Result<(), NoSpan> {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                self.v4.push((first.to_bits(), last.to_bits(), value));
            }
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                self.v6.push((first.to_bits(), last.to_bits(), value));
            }
            _ if first.is_ipv4() == last.is_ipv4() => return Err(NoSpan::Backwards),
            _ => return Err(NoSpan::MixedFamilies),
        }
        Ok(())
    }

    /// Adds the addresses of a prefix.
    pub(crate) fn push_prefix(&mut self, net: IpNet, value: T) {
        match net {
            IpNet::V4(net) => {
                let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                self.v4.push((first, last, value));
            }
            IpNet::V6(net) => {
                let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                self.v6.push((first, last, value));
            }
        }
    }

    /// Gives each address one value: of the ranges that hold it, that of the range that starts last; if
    /// several start there, of the shortest; if those are equal, the smallest value. Of prefixes, which
    /// never overlap but by lying within one another, this is the longest.
    pub(crate) fn resolve(self) -> Ranges<T> {
        let wide = |(first, last, value)| (u128::from(first), u128::from(last), value);
        // Only IPv4 bounds go in, so only such come out.
        let narrow = |(first, last, value)| (first as u32, last as u32, value);
        let v4 = flatten(self.v4.into_iter().map(wide).collect());
        Ranges {
            v4: Table(v4.into_iter().map(narrow).collect()),
            v6: Table(flatten(self.v6)),
        }
    }
}

/// A value for each of many ranges of IPv4 and IPv6 addresses that do not overlap.
#[derive(Debug)]
pub(crate) struct Ranges<T> {
    v4: Table<u32, T>,
    v6: Table<u128, T>,
}

impl<T: Copy> Ranges<T> {
    /// The value of the range that holds the address.
    pub(crate) fn get(&self, ip: IpAddr) -> Option<T> {
        match ip {
            IpAddr::V4(v4) => self.v4.get(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.get(v6.to_bits()),
        }
    }

    /// Number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.v4.0.len() + self.v6.0.len()
    }
}

/// Sorted by the first address, none overlapping.
#[derive(Debug)]
struct Table<A, T>(Vec<(A, A, T)>);

impl<A: Copy + Ord, T: Copy> Table<A, T> {
    fn get(&self, address: A) -> Option<T> {
        let behind = self.0.partition_point(|(first, _, _)| *first <= address);
        let (_, last, value) = self.0.get(behind.checked_sub(1)?)?;
        (address <= *last).then_some(*value)
    }
}

fn flatten<T: Copy + Ord>(mut spans: Vec<(u128, u128, T)>) -> Vec<(u128, u128, T)> {
    // What is pushed later counts.
    spans.sort_unstable_by_key(|(first, last, value)| (*first, Reverse(*last), Reverse(*value)));
    let mut flattener = Flattener::default();
    for (first, last, value) in spans {
        flattener.push(first, last, value);
    }
    flattener.finish()
}

/// Turns ranges, sorted by their start and overlapping at will, into ranges that do not overlap.
struct Flattener<T> {
    /// Ends and values of ranges that have started, the last started last. Some may have ended below one
    /// that has not; nothing is given out for them any more.
    open: Vec<(u128, T)>,
    /// The first address not yet given out; `None` behind the last one there is.
    next: Option<u128>,
    done: Vec<(u128, u128, T)>,
}

impl<T> Default for Flattener<T> {
    fn default() -> Self {
        Flattener {
            open: Vec::new(),
            next: Some(0),
            done: Vec::new(),
        }
    }
}

impl<T: Copy> Flattener<T> {
    fn push(&mut self, first: u128, last: u128, value: T) {
        while let Some((open_last, open_value)) = self.open.pop_if(|(open_last, _)| *open_last < first) {
            self.emit_to(open_last, open_value);
        }
        if let Some((_, outer)) = self.open.last().copied()
            && let Some(before) = first.checked_sub(1)
        {
            self.emit_to(before, outer);
        }
        self.next = Some(first);
        self.open.push((last, value));
    }

    fn emit_to(&mut self, last: u128, value: T) {
        if let Some(first) = self.next.filter(|first| *first <= last) {
            self.done.push((first, last, value));
            self.next = last.checked_add(1);
        }
    }

    fn finish(mut self) -> Vec<(u128, u128, T)> {
        while let Some((last, value)) = self.open.pop() {
            self.emit_to(last, value);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v4(bits: u32) -> IpAddr {
        IpAddr::V4(bits.into())
    }

    #[test]
    fn both_ends_belong_to_a_range_and_gaps_to_none() {
        let mut spans = Spans::new();
        spans.push(v4(20), v4(30), 'b').unwrap();
        spans.push(v4(10), v4(10), 'a').unwrap();
        let all = |bits: u128| IpAddr::V6(bits.into());
        spans.push(all(0), all(u128::MAX), 'c').unwrap();
        let ranges = spans.resolve();
        let get = |bits| ranges.get(v4(bits));
        assert_eq!([get(9), get(10), get(11), get(19)], [None, Some('a'), None, None]);
        assert_eq!(
            [get(20), get(30), get(31), get(u32::MAX)],
            [Some('b'), Some('b'), None, None]
        );
        assert_eq!(ranges.get(all(u128::MAX)), Some('c'));
        assert_eq!(ranges.len(), 3);
    }

    #[test]
    fn ends_must_be_in_order_and_of_one_family() {
        let mut spans = Spans::new();
        assert_eq!(spans.push(v4(2), v4(1), ()), Err(NoSpan::Backwards));
        assert_eq!(
            spans.push(v4(2), IpAddr::V6(3.into()), ()),
            Err(NoSpan::MixedFamilies)
        );
    }

    #[test]
    fn the_whole_address_space_may_be_listed() {
        let nets = ["::/0", "8000::/1", "ffff::/16", "0.0.0.0/0", "255.255.255.255/32"];
        let mut spans = Spans::new();
        for (net, value) in nets.iter().zip(1..) {
            spans.push_prefix(net.parse().unwrap(), value);
        }
        let ranges = spans.resolve();
        let get = |ip: &str| ranges.get(ip.parse().unwrap());
        assert_eq!(
            [get("::"), get("8000::"), get("fffe::")],
            [Some(1), Some(2), Some(2)]
        );
        assert_eq!([get("ffff::"), get("255.255.255.254")], [Some(3), Some(4)]);
        assert_eq!(get("255.255.255.255"), Some(5));
    }

    proptest! {
        #[test]
        fn of_overlapping_ranges_the_one_that_starts_last_counts(
            given in prop::collection::vec((0u32..40, 0u32..20, 0u8..4), 0..30),
        ) {
            let mut spans = Spans::new();
            for (first, len, value) in &given {
                spans.push(v4(*first), v4(first + len), *value).unwrap();
            }
            let ranges = spans.resolve();
            for bits in 0..70 {
                let holding = given.iter().filter(|(first, len, _)| (*first..=first + len).contains(&bits));
                let counts = holding.min_by_key(|(first, len, value)| (Reverse(*first), *len, *value));
                prop_assert_eq!(ranges.get(v4(bits)), counts.map(|(_, _, value)| *value));
            }
        }

        #[test]
        fn of_prefixes_the_longest_counts(
            given in prop::collection::vec((0u32..64, 26u8..=32, 0u8..4), 0..30),
        ) {
            let nets: Vec<(IpNet, u8)> = given
                .into_iter()
                .map(|(bits, len, value)| (IpNet::new(v4(bits), len).unwrap().trunc(), value))
                .collect();
            let mut spans = Spans::new();
            for (net, value) in &nets {
                spans.push_prefix(*net, *value);
            }
            let ranges = spans.resolve();
            for bits in 0..70 {
                let holding = nets.iter().filter(|(net, _)| net.contains(&v4(bits)));
                let longest = holding.max_by_key(|(net, value)| (net.prefix_len(), Reverse(*value)));
                prop_assert_eq!(ranges.get(v4(bits)), longest.map(|(_, value)| *value));
            }
        }
    }
}
