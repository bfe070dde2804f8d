//! A table of ranges of addresses that do not overlap, searched by halving.

use std::net::IpAddr;

use ipnet::IpNet;

/// Two ranges of one table share an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// Line of the range that starts first.
    pub(crate) first: usize,
    /// Line of the range that starts within it.
    pub(crate) second: usize,
}

/// A value for each of many ranges of IPv4 and IPv6 addresses.
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

/// Ranges in any order, each with the line it came from.
#[derive(Debug)]
pub(crate) struct RangesBuilder<T> {
    v4: Vec<Row<u32, T>>,
    v6: Vec<Row<u128, T>>,
}

#[derive(Debug)]
struct Row<A, T> {
    first: A,
    last: A,
    value: T,
    line: usize,
}

impl<T: Copy> RangesBuilder<T> {
    pub(crate) fn new() -> Self {
        RangesBuilder {
            v4: Vec::new(),
            v6: Vec::new(),
        }
    }

    /// Adds the addresses from `first` to `last`, both included.
    pub(crate) fn push_v4(&mut self, first: u32, last: u32, value: T, line: usize) {
        self.v4.push(Row {
            first,
            last,
            value,
            line,
        });
    }

    /// Adds the addresses from `first` to `last`, both included.
    pub(crate) fn push_v6(&mut self, first: u128, last: u128, value: T, line: usize) {
        self.v6.push(Row {
            first,
            last,
            value,
            line,
        });
    }

    /// The table, unless two ranges overlap.
    pub(crate) fn build(self) -> Result<Ranges<T>, Overlap> {
        Ok(Ranges {
            v4: Table::new(self.v4)?,
            v6: Table::new(self.v6)?,
        })
    }
}

/// Sorted by the first address, none overlapping.
#[derive(Debug)]
struct Table<A, T>(Vec<(A, A, T)>);

impl<A: Copy + Ord, T: Copy> Table<A, T> {
    fn new(mut rows: Vec<Row<A, T>>) -> Result<Self, Overlap> {
        rows.sort_by_key(|row| (row.first, row.line));
        for (row, next) in rows.iter().zip(rows.iter().skip(1)) {
            if next.first <= row.last {
                return Err(Overlap {
                    first: row.line,
                    second: next.line,
                });
            }
        }
        Ok(Table(
            rows.into_iter()
                .map(|row| (row.first, row.last, row.value))
                .collect(),
        ))
    }

    fn get(&self, address: A) -> Option<T> {
        let behind = self.0.partition_point(|(first, _, _)| *first <= address);
        let (_, last, value) = self.0.get(behind.checked_sub(1)?)?;
        (address <= *last).then_some(*value)
    }
}

/// A table in which each address has the value of the longest prefix it lies in. Of equal prefixes the
/// smaller value counts.
pub(crate) fn longest_prefix_wins<T: Copy + Ord>(mut prefixes: Vec<(IpNet, T)>) -> Ranges<T> {
    prefixes.sort_by_key(|(net, value)| (net.network(), net.prefix_len(), *value));
    prefixes.dedup_by_key(|(net, _)| *net);
    let (mut v4, mut v6) = (Flattener::default(), Flattener::default());
    for (net, value) in prefixes {
        match net {
            IpNet::V4(net) => {
                v4.push(
                    u128::from(net.network().to_bits()),
                    u128::from(net.broadcast().to_bits()),
                    value,
                );
            }
            IpNet::V6(net) => v6.push(net.network().to_bits(), net.broadcast().to_bits(), value),
        }
    }
    // Only IPv4 bounds were pushed, so they fit.
    let narrow = |(first, last, value)| (first as u32, last as u32, value);
    Ranges {
        v4: Table(v4.finish().into_iter().map(narrow).collect()),
        v6: Table(v6.finish()),
    }
}

/// Turns prefixes, sorted and nested at will, into ranges that do not overlap.
struct Flattener<T> {
    /// Prefixes that hold `next`, the longest last.
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
        while let Some((open_last, open_value)) =
            self.open.pop_if(|(open_last, _)| *open_last < first)
        {
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

    #[test]
    fn both_ends_belong_to_a_range_and_gaps_to_none() {
        let mut builder = RangesBuilder::new();
        builder.push_v4(20, 30, 'b', 1);
        builder.push_v4(10, 10, 'a', 2);
        builder.push_v6(0, u128::MAX, 'c', 3);
        let ranges = builder.build().unwrap();
        let v4 = |bits: u32| ranges.get(IpAddr::V4(bits.into()));
        assert_eq!(
            [v4(9), v4(10), v4(11), v4(19)],
            [None, Some('a'), None, None]
        );
        assert_eq!(
            [v4(20), v4(30), v4(31), v4(u32::MAX)],
            [Some('b'), Some('b'), None, None]
        );
        assert_eq!(ranges.get(IpAddr::V6(u128::MAX.into())), Some('c'));
        assert_eq!(ranges.len(), 3);
    }

    #[test]
    fn an_overlap_names_both_lines() {
        let mut builder = RangesBuilder::new();
        builder.push_v4(30, 40, (), 1);
        builder.push_v4(10, 30, (), 2);
        assert_eq!(
            builder.build().unwrap_err(),
            Overlap {
                first: 2,
                second: 1
            }
        );
    }

    #[test]
    fn the_whole_address_space_may_be_listed() {
        let nets = [
            "::/0",
            "8000::/1",
            "ffff::/16",
            "0.0.0.0/0",
            "255.255.255.255/32",
        ];
        let ranges = longest_prefix_wins(
            nets.iter()
                .map(|net| net.parse().unwrap())
                .zip(1..)
                .collect(),
        );
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
        fn the_table_answers_as_a_search_through_all_prefixes(
            nets in prop::collection::vec((0u32..64, 26u8..=32, 0u8..4), 0..30),
        ) {
            let nets: Vec<(IpNet, u8)> = nets
                .into_iter()
                .map(|(bits, len, value)| (IpNet::new(IpAddr::V4(bits.into()), len).unwrap().trunc(), value))
                .collect();
            let ranges = longest_prefix_wins(nets.clone());
            for bits in 0u32..70 {
                let ip = IpAddr::V4(bits.into());
                let holding = nets.iter().filter(|(net, _)| net.contains(&ip));
                let longest = holding.max_by_key(|(net, value)| (net.prefix_len(), std::cmp::Reverse(*value)));
                prop_assert_eq!(ranges.get(ip), longest.map(|(_, value)| *value));
            }
        }
    }
}
