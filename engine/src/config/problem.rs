//! What can be wrong with a configuration: every case names the place and what to write instead.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::raw::Origin;

/// One thing that is wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A configuration file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A configuration file is larger than any configuration is.
    #[error("{}: is larger than {bytes_max} bytes, which no configuration is", path.display())]
    TooLarge {
        /// The file as it was named.
        path: PathBuf,
        /// The largest that is read.
        bytes_max: u64,
    },
    /// A configuration file is no UTF-8 text.
    #[error("{}: is not UTF-8 text", path.display())]
    NotText {
        /// The file as it was named.
        path: PathBuf,
    },
    /// A configuration file is no TOML.
    #[error("{origin}: is not TOML: {message}")]
    NotToml {
        /// Where.
        origin: Origin,
        /// What the TOML parser says.
        message: String,
    },
    /// A section or key that does not exist.
    #[error("{origin}: unknown {what} `{key}`{}", meant(.suggestion.as_deref()))]
    Unknown {
        /// Where.
        origin: Origin,
        /// `section` or `setting`.
        what: &'static str,
        /// As it was written.
        key: String,
        /// The nearest that exists.
        suggestion: Option<String>,
    },
    /// A section that was written as a value.
    #[error("{origin}: `{key}` is a section: write `[{key}]` and its settings below it")]
    NotASection {
        /// Where.
        origin: Origin,
        /// The section.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: `{key}` is {found}, but must be {allowed}")]
    NotAllowed {
        /// Where.
        origin: Origin,
        /// The setting.
        key: String,
        /// The value as it was written, in backticks; never a secret.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// A value that does not go with another setting.
    #[error("{origin}: `{key}` is {found}, but must be {allowed}")]
    Conflict {
        /// Where.
        origin: Origin,
        /// The setting.
        key: String,
        /// Its value.
        found: String,
        /// What the other setting demands.
        allowed: String,
    },
    /// A reference to a secret that leads nowhere.
    #[error("{origin}: `{key}` refers to {target}, which {reason}")]
    Reference {
        /// Where.
        origin: Origin,
        /// The setting.
        key: String,
        /// The file or variable, in backticks.
        target: String,
        /// Why there is nothing to be had from it.
        reason: String,
    },
    /// A file or folder that a setting names and that cannot be read.
    #[error("{origin}: `{key}` names `{}`, which cannot be read: {source}", path.display())]
    MissingFile {
        /// Where.
        origin: Origin,
        /// The setting.
        key: String,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A setting without a value. Only a broken built-in default can cause it.
    #[error("`{key}` has no default: this is a fault of the program")]
    Missing {
        /// The setting.
        key: String,
    },
}

impl Problem {
    /// Where it is, if it is inside of something that could be read.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::NotToml { origin, .. }
            | Self::Unknown { origin, .. }
            | Self::NotASection { origin, .. }
            | Self::NotAllowed { origin, .. }
            | Self::Conflict { origin, .. }
            | Self::Reference { origin, .. }
            | Self::MissingFile { origin, .. } => Some(origin),
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::NotText { .. } | Self::Missing { .. } => {
                None
            }
        }
    }
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// All that is wrong with a configuration, in the order of the layers, a file from top to bottom; never empty.
#[derive(Debug, Error)]
pub struct ConfigError {
    /// The problems.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    /// One problem a line, without a final line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
