//! What a database is made from, and what it says about itself.

use std::fmt;

/// One file: its bytes, and the name it goes by in messages (usually its path).
#[derive(Debug, Clone)]
pub struct Source {
    /// How messages call the file.
    pub name: String,
    /// The whole content.
    pub bytes: Vec<u8>,
}

/// All files of a database, each sort in the order in which it is asked. All may be empty: then only the
/// class of an address is known.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Places and countries: MaxMind files, nested or flat.
    pub city: Vec<Source>,
    /// Autonomous systems: MaxMind files or text files of ranges.
    pub asn: Vec<Source>,
    /// Flags of anonymisers and hosting: MaxMind files.
    pub anonymous: Vec<Source>,
    /// Text files of prefixes and AS numbers with a kind.
    pub lists: Vec<Source>,
}

/// What a file was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Places and countries.
    City,
    /// Autonomous systems.
    Asn,
    /// Flags of anonymisers and hosting.
    Anonymous,
    /// Prefixes and AS numbers with a kind.
    List,
}

impl SourceKind {
    /// The word used in configuration and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::City => "city",
            SourceKind::Asn => "asn",
            SourceKind::Anonymous => "anonymous",
            SourceKind::List => "lists",
        }
    }

    /// What such a file is expected to hold, in words.
    pub(crate) fn content(self) -> &'static str {
        match self {
            SourceKind::City => "countries or places",
            SourceKind::Asn => "numbers of autonomous systems",
            SourceKind::Anonymous => "flags of anonymous networks",
            SourceKind::List => "prefixes and AS numbers",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One loaded file, for people who ask what is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// What the file was given for.
    pub kind: SourceKind,
    /// The name it was given with.
    pub name: String,
    /// What it calls itself (`GeoLite2-City`), or `csv of ranges`, `list of networks`.
    pub database_type: String,
    /// When it was built, in seconds since 1970 (UTC); text files do not say.
    pub built_at: Option<u64>,
    /// 4 or 6 (which covers both) for a MaxMind file; text files hold either.
    pub ip_version: Option<u16>,
    /// Nodes of the search tree, or ranges, or listed prefixes and AS numbers.
    pub entries: u64,
    /// Size of the file in bytes.
    pub size: u64,
}
