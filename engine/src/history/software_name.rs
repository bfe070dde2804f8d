//! Names of browser families and operating systems, one byte each on disk for the usual ones.
//!
//! The list only grows at its end: the position of a name is part of the format.

use std::fmt;
use std::sync::Arc;

use super::limits::{TEXT_BYTES_MAX, clip};

/// Names with a code of their own; append only.
const USUAL: [&str; 58] = [
    "",
    "Chrome",
    "Firefox",
    "Safari",
    "Edge",
    "Opera",
    "Mobile Safari",
    "Chrome Mobile",
    "Chrome Mobile iOS",
    "Chrome Mobile WebView",
    "Firefox Mobile",
    "Firefox iOS",
    "Samsung Internet",
    "Edge Mobile",
    "Opera Mobile",
    "Android",
    "iOS",
    "Windows",
    "Mac OS X",
    "macOS",
    "Linux",
    "Ubuntu",
    "Chrome OS",
    "Debian",
    "Fedora",
    "iPadOS",
    "Mobile Safari UI/WKWebView",
    "IE",
    "Other",
    "Brave",
    "Vivaldi",
    "Yandex Browser",
    "UC Browser",
    "HeadlessChrome",
    "DuckDuckGo Mobile",
    "Facebook",
    "Instagram",
    "okhttp",
    "CFNetwork",
    "curl",
    "Python Requests",
    "Apache-HttpClient",
    "Go-http-client",
    "Java",
    "Electron",
    "Thunderbird",
    "Outlook",
    "Apple Mail",
    "FreeBSD",
    "Tizen",
    "KaiOS",
    "webOS",
    "Opera Mini",
    "QQ Browser",
    "MiuiBrowser",
    "Android Browser",
    "Whale",
    "Red Hat",
];

/// A family or operating system as a row keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoftwareName {
    /// Position in the list of usual names.
    Usual(u8),
    /// Any other name, clipped.
    Other(Arc<str>),
}

/// The name as the list has it, if it is a usual one that says something: the closed vocabulary for owners. Any other
/// name may be words that the client chose.
#[must_use]
pub fn usual(text: &str) -> Option<&'static str> {
    let said = !matches!(text, "" | "Other");
    USUAL.iter().copied().find(|usual| said && *usual == text)
}

impl SoftwareName {
    /// From the text of the user agent parser.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = clip(text, TEXT_BYTES_MAX);
        let code = USUAL.iter().position(|usual| *usual == text);
        code.and_then(|code| u8::try_from(code).ok())
            .map_or_else(|| Self::Other(text.into()), Self::Usual)
    }

    /// From the position in the list, if there is such a name.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        USUAL.get(usize::from(code)).map(|_| Self::Usual(code))
    }

    /// The name; empty if unknown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Usual(code) => USUAL.get(usize::from(*code)).copied().unwrap_or_default(),
            Self::Other(text) => text,
        }
    }

    /// Whether a text of the user agent parser is this name.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.as_str() == clip(text, TEXT_BYTES_MAX)
    }

    /// Whether two names contradict each other; one that is missing contradicts nothing.
    #[must_use]
    pub fn contradicts(&self, text: &str) -> bool {
        !text.is_empty() && !self.as_str().is_empty() && !self.is(text)
    }
}

impl Default for SoftwareName {
    fn default() -> Self {
        Self::Usual(0)
    }
}

impl fmt::Display for SoftwareName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_usual_name_is_listed_twice() {
        assert_eq!(USUAL.iter().collect::<BTreeSet<_>>().len(), USUAL.len());
    }

    #[test]
    fn only_names_of_the_list_are_usual() {
        assert_eq!(usual("Firefox"), Some("Firefox"));
        for text in ["", "Other", "Call-0800-555-0199", "firefox"] {
            assert_eq!(usual(text), None, "{text}");
        }
    }

    #[test]
    fn an_overlong_name_equals_itself() {
        let long = "x".repeat(300);
        assert!(SoftwareName::new(&long).is(&long));
        assert!(!SoftwareName::new("Firefox").contradicts(""));
        assert!(SoftwareName::new("Firefox").contradicts("Chrome"));
    }
}
