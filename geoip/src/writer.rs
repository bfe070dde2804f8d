//! Writes small databases in the MaxMind DB format 2.0, for fixtures and for networks of one's own. Real
//! databases come from their makers; this one keeps everything in memory and stores each record once, but
//! shares nothing between different records.
//!
//! ```
//! use doorward_geoip::writer::{DatabaseWriter, Value};
//!
//! let mut writer = DatabaseWriter::new("Example-Country", 1_780_272_000);
//! writer.insert("192.0.2.0/24".parse()?, Value::map([("country_code", Value::text("DK"))]));
//! let bytes = writer.write()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;

use ipnet::IpNet;
use thiserror::Error;

/// Bits of an address in the tree; IPv4 lies in `::/96`.
const ADDRESS_BITS: u8 = 128;
/// Between tree and data (and the least value that means data).
const SEPARATOR: usize = 16;

/// Between data and metadata.
pub(crate) const METADATA_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// Why a database cannot be written.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WriteError {
    /// More than 2^28 nodes and bytes of data.
    #[error("too much data for records of 28 bits")]
    TooLarge,
}

/// A value of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// UTF-8 text.
    Text(String),
    /// 64-bit float.
    Double(f64),
    /// Unsigned, 16 bits.
    U16(u16),
    /// Unsigned, 32 bits.
    U32(u32),
    /// Unsigned, 64 bits.
    U64(u64),
    /// A flag.
    Bool(bool),
    /// Keys and values in the order written.
    Map(Vec<(String, Value)>),
    /// A list.
    Array(Vec<Value>),
}

impl Value {
    /// Text.
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// A map, in the order given.
    pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Text(text) => {
                control(out, 2, text.len());
                out.extend_from_slice(text.as_bytes());
            }
            Value::Double(number) => {
                control(out, 3, 8);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Value::U16(number) => unsigned(out, 5, u64::from(*number)),
            Value::U32(number) => unsigned(out, 6, u64::from(*number)),
            Value::U64(number) => unsigned(out, 9, *number),
            Value::Bool(flag) => control(out, 14, usize::from(*flag)),
            Value::Map(entries) => {
                control(out, 7, entries.len());
                for (key, value) in entries {
                    Value::text(key).encode(out);
                    value.encode(out);
                }
            }
            Value::Array(values) => {
                control(out, 11, values.len());
                values.iter().for_each(|value| value.encode(out));
            }
        }
    }
}

/// Type and size of a value. Types above 7 have a byte of their own; sizes from 29 on up to three.
fn control(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (first, more) = match size {
        0..29 => (size, Vec::new()),
        29..285 => (29, be_tail(size - 29, 1)),
        285..65_821 => (30, be_tail(size - 285, 2)),
        _ => (31, be_tail(size - 65_821, 3)),
    };
    let first = first as u8;
    if kind > 7 {
        out.extend_from_slice(&[first, kind - 7]);
    } else {
        out.push(kind << 5 | first);
    }
    out.extend(more);
}

fn unsigned(out: &mut Vec<u8>, kind: u8, number: u64) {
    let width = 8 - number.leading_zeros() as usize / 8;
    control(out, kind, width);
    out.extend(be_tail(number as usize, width));
}

/// The last `width` bytes of a number, most significant first.
fn be_tail(number: usize, width: usize) -> Vec<u8> {
    let bytes = (number as u64).to_be_bytes();
    bytes
        .into_iter()
        .skip(bytes.len().saturating_sub(width))
        .collect()
}

/// Where one side of a node leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Branch {
    Nothing,
    Node(usize),
    Data(usize),
}

/// Collects networks and their records, then writes them.
#[derive(Debug)]
pub struct DatabaseWriter {
    database_type: String,
    build_epoch: u64,
    entries: Vec<(IpNet, Value)>,
}

impl DatabaseWriter {
    /// A database of IPv6 and IPv4. `build_epoch` is in seconds since 1970 (UTC).
    pub fn new(database_type: &str, build_epoch: u64) -> DatabaseWriter {
        DatabaseWriter {
            database_type: database_type.to_owned(),
            build_epoch,
            entries: Vec::new(),
        }
    }

    /// Gives a network a record. Within another network the longer prefix wins, of equal ones the later.
    pub fn insert(&mut self, network: IpNet, record: Value) {
        self.entries.push((network.trunc(), record));
    }

    /// The file, the same bytes for the same networks and records. Records of the tree are of 24 bits, or
    /// of 28 if that is too few.
    pub fn write(mut self) -> Result<Vec<u8>, WriteError> {
        // Short prefixes first, so that longer ones split them.
        self.entries.sort_by_key(|(network, _)| bits_of(network).1);
        let mut data = DataSection::default();
        let mut tree = Tree::new();
        for (network, record) in &self.entries {
            let (bits, length) = bits_of(network);
            tree.insert(bits, length, Branch::Data(data.offset_of(record)));
        }
        let highest = tree.0.len() + SEPARATOR + data.bytes.len();
        let record_bits = match highest {
            0..0x100_0000 => 24,
            0x100_0000..0x1000_0000 => 28,
            _ => return Err(WriteError::TooLarge),
        };
        let mut file = tree.encode(record_bits);
        file.extend_from_slice(&[0; SEPARATOR]);
        file.extend(data.bytes);
        let metadata = Metadata {
            database_type: &self.database_type,
            build_epoch: self.build_epoch,
            ip_version: 6,
            node_count: tree.0.len() as u32,
            record_bits,
        };
        metadata.append_to(&mut file);
        Ok(file)
    }
}

/// The end of every file: what the rest means.
pub(crate) struct Metadata<'a> {
    pub(crate) database_type: &'a str,
    pub(crate) build_epoch: u64,
    pub(crate) ip_version: u16,
    pub(crate) node_count: u32,
    pub(crate) record_bits: u16,
}

impl Metadata<'_> {
    /// Appends the marker and the metadata to tree and data.
    pub(crate) fn append_to(&self, file: &mut Vec<u8>) {
        let map = Value::map([
            ("binary_format_major_version", Value::U16(2)),
            ("binary_format_minor_version", Value::U16(0)),
            ("build_epoch", Value::U64(self.build_epoch)),
            ("database_type", Value::text(self.database_type)),
            (
                "description",
                Value::map([("en", Value::text(self.database_type))]),
            ),
            ("ip_version", Value::U16(self.ip_version)),
            ("languages", Value::Array(vec![Value::text("en")])),
            ("node_count", Value::U32(self.node_count)),
            ("record_size", Value::U16(self.record_bits)),
        ]);
        file.extend_from_slice(METADATA_MARKER);
        map.encode(file);
    }
}

/// The address and length of a prefix in the tree.
fn bits_of(network: &IpNet) -> (u128, u8) {
    match network {
        IpNet::V4(net) => (u128::from(net.network().to_bits()), 96 + net.prefix_len()),
        IpNet::V6(net) => (net.network().to_bits(), net.prefix_len()),
    }
}

/// Records, each once.
#[derive(Default)]
struct DataSection {
    bytes: Vec<u8>,
    known: HashMap<Vec<u8>, usize>,
}

impl DataSection {
    fn offset_of(&mut self, record: &Value) -> usize {
        let mut encoded = Vec::new();
        record.encode(&mut encoded);
        let end = self.bytes.len();
        let offset = *self.known.entry(encoded.clone()).or_insert(end);
        if offset == end {
            self.bytes.extend(encoded);
        }
        offset
    }
}

/// Nodes with a left (0) and a right (1) branch; the first is the root.
struct Tree(Vec<[Branch; 2]>);

impl Tree {
    fn new() -> Tree {
        Tree(vec![[Branch::Nothing; 2]])
    }

    fn insert(&mut self, bits: u128, length: u8, branch: Branch) {
        let mut node = 0;
        for depth in 0..length.saturating_sub(1) {
            node = self.child(node, bit(bits, depth));
        }
        match length.checked_sub(1) {
            Some(depth) => self.set(node, bit(bits, depth), branch),
            // The whole address space: both sides of the root.
            None => [false, true]
                .into_iter()
                .for_each(|side| self.set(0, side, branch)),
        }
    }

    /// The node on one side; made if there is none, with what was there before on both of its sides.
    fn child(&mut self, node: usize, right: bool) -> usize {
        let before = self.get(node, right);
        if let Branch::Node(child) = before {
            return child;
        }
        let child = self.0.len();
        self.0.push([before; 2]);
        self.set(node, right, Branch::Node(child));
        child
    }

    fn get(&self, node: usize, right: bool) -> Branch {
        self.0
            .get(node)
            .map_or(Branch::Nothing, |[zero, one]| if right { *one } else { *zero })
    }

    fn set(&mut self, node: usize, right: bool, branch: Branch) {
        if let Some([zero, one]) = self.0.get_mut(node) {
            *(if right { one } else { zero }) = branch;
        }
    }

    fn encode(&self, record_bits: u16) -> Vec<u8> {
        let nodes = self.0.len();
        let number = |branch: &Branch| match branch {
            Branch::Nothing => nodes,
            Branch::Node(node) => *node,
            Branch::Data(offset) => nodes + SEPARATOR + offset,
        };
        let mut out = Vec::with_capacity(nodes * usize::from(record_bits) / 4);
        for [zero, one] in &self.0 {
            let (zero, one) = (number(zero), number(one));
            out.extend(be_tail(zero, 3));
            if record_bits == 28 {
                // The high four bits of both records share the byte in the middle.
                out.push(((zero >> 24) as u8) << 4 | (one >> 24) as u8);
            }
            out.extend(be_tail(one, 3));
        }
        out
    }
}

/// The bit at a depth, the first being the most significant.
fn bit(bits: u128, depth: u8) -> bool {
    bits >> (ADDRESS_BITS - 1).saturating_sub(depth) & 1 == 1
}
