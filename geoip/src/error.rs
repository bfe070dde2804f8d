//! Why a file was refused. The texts are for the person who configured the file.

use thiserror::Error;

use crate::source::SourceKind;

/// A file that cannot be used. The database that was in use before stays in use.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Not a MaxMind file, cut short, or damaged.
    #[error("`{file}` is not a sound MaxMind database: {reason}")]
    Broken {
        /// Name of the file.
        file: String,
        /// What is wrong, as the reader of the format says it.
        reason: String,
    },
    /// A sound file that was given for something it does not hold.
    #[error("`{file}` ({database_type}) was given as `{expected}`, but holds no {}", expected.content())]
    WrongContent {
        /// Name of the file.
        file: String,
        /// What the file calls itself.
        database_type: String,
        /// What it was given for.
        expected: SourceKind,
    },
    /// A line of a text file that cannot be read.
    #[error("`{file}`, line {line}: {problem}")]
    Line {
        /// Name of the file.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// A text file without a single entry.
    #[error("`{file}` was given as `{expected}`, but holds nothing")]
    Empty {
        /// Name of the file.
        file: String,
        /// What it was given for.
        expected: SourceKind,
    },
}

/// What is wrong with one line of a text file.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LineProblem {
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// Fewer than the three fields needed.
    #[error("expected `start,end,asn,organisation`")]
    MissingField,
    /// A quoted field without its closing quote, or with text behind it.
    #[error("a quoted field does not end where the next comma is")]
    BrokenQuote,
    /// Neither an address nor its number.
    #[error("`{0}` is not an address")]
    NotAnAddress(String),
    /// Not a number of an autonomous system.
    #[error("`{0}` is not an AS number; expected 1 to 4294967295, with or without `AS` in front")]
    NotAnAsn(String),
    /// One end IPv4, the other IPv6.
    #[error("the range starts with IPv4 and ends with IPv6 or the other way round")]
    MixedFamilies,
    /// Start behind end.
    #[error("the range starts behind its end")]
    Backwards,
    /// Not a line of a list of networks.
    #[error(
        "`{0}` is neither a prefix (`203.0.113.0/24`), an address, an AS number (`AS64500`) nor `kind = ...`"
    )]
    NotAnEntry(String),
    /// A prefix with bits set behind its length.
    #[error("`{given}` has bits set behind its length; did you mean `{meant}`?")]
    HostBits {
        /// As written.
        given: String,
        /// The network it lies in.
        meant: String,
    },
    /// A kind nobody knows.
    #[error("`{0}` is not a kind of network; expected tor, vpn, relay, hosting, satellite or mobile")]
    UnknownKind(String),
    /// An entry before the first `kind = ...`.
    #[error("no kind yet; expected a line such as `kind = vpn` before the first entry")]
    NoKind,
}

impl LineProblem {
    /// The problem at its place. `line` counts from 1.
    pub(crate) fn at(self, file: &str, line: usize) -> LoadError {
        LoadError::Line {
            file: file.to_owned(),
            line,
            problem: self,
        }
    }
}

/// A word of a file as messages show it: at most 60 characters.
pub(crate) fn shown(word: &str) -> String {
    let mut short: String = word.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    short
}
