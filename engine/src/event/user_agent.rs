//! The software and device type that a user agent claims. Untrusted, like the text itself: it tells what the client
//! says, and whether it says something else than before.
//!
//! The patterns are those of uap-core (`engine/data/user-agents.md`). Matching them costs microseconds, so each worker
//! keeps a bounded cache; a result never depends on the cache.

use super::vocabulary::DeviceType;
use std::sync::Arc;
use ua_parser::{Extractor, Regexes, device, user_agent};

const PATTERNS: &str = include_str!("../../data/user-agents.json");

/// Longest name of a family, in characters: some patterns take it from the agent itself.
const FAMILY_CHARS_MAX: usize = 48;

/// Longest agent that is looked at, whatever `limits.user_agent_bytes` takes: that of its range.
const AGENT_BYTES_MAX: usize = 16 * 1024;
/// Longest agent that is remembered; what is longer is rare, and would make the memory large.
const REMEMBERED_BYTES_MAX: usize = 1024;

/// The family of what tells nothing of itself.
const UNKNOWN_FAMILY: &str = "Other";

/// What a user agent claims to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Software {
    /// Browser, app or program, such as `Chrome Mobile` or `curl`. Where no pattern knows it, the name that the agent
    /// starts with; `Other` where there is none. No control characters, at most 48 characters, but else as the client
    /// sent it.
    pub family: Arc<str>,
    /// Its major version.
    pub major: Option<u32>,
    /// Operating system, such as `Windows` or `iOS`.
    pub os: Option<Arc<str>>,
    /// Its major version, where that is a number.
    pub os_major: Option<u32>,
    /// What kind of device it runs on.
    pub device_type: DeviceType,
}

/// The embedded patterns are not usable: a mistake in the file, found by the tests.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// No JSON of the right form.
    #[error("the embedded patterns of user agents do not read: {0}")]
    Form(#[from] serde_json::Error),
    /// An expression that does not compile.
    #[error("the embedded patterns of user agents do not compile: {0}")]
    Compile(#[from] ua_parser::Error),
}

/// The compiled patterns. About 0.1 s to make and 20 MB, so one a process, shared by all workers.
pub struct UserAgentParser {
    patterns: Extractor<'static>,
}

impl UserAgentParser {
    /// Compiles the embedded patterns.
    pub fn new() -> Result<Self, PatternError> {
        let patterns: Regexes<'static> = serde_json::from_str(PATTERNS)?;
        Ok(Self {
            patterns: Extractor::try_from(patterns)?,
        })
    }

    /// What this agent claims to be. An agent of more than 16 KiB is not looked at.
    pub fn parse(&self, agent: &str) -> Software {
        if agent.len() > AGENT_BYTES_MAX {
            return unknown();
        }
        let (software, os, device) = self.patterns.extract(agent);
        let (family, major) = family_and_major(software.as_ref(), agent);
        let os_name = os
            .as_ref()
            .map(|os| &*os.os)
            .filter(|os| *os != UNKNOWN_FAMILY)
            .map(clean);
        let device_type = device_type(agent, os_name.as_deref(), device.as_ref());
        Software {
            family: family.into(),
            major,
            os_major: os.as_ref().and_then(|os| leading_number(os.major.as_deref()?)),
            os: os_name.map(Arc::from),
            device_type,
        }
    }
}

fn unknown() -> Software {
    Software {
        family: UNKNOWN_FAMILY.into(),
        major: None,
        os: None,
        os_major: None,
        device_type: DeviceType::Other,
    }
}

/// From the patterns, or else from the product that the agent starts with: an application's own program is rarely in
/// the patterns, and two of them must not look alike.
fn family_and_major(found: Option<&user_agent::ValueRef<'_>>, agent: &str) -> (String, Option<u32>) {
    if let Some(found) = found.filter(|found| *found.family != *UNKNOWN_FAMILY) {
        let family = clean(&found.family);
        if !family.is_empty() {
            return (family, found.major.and_then(leading_number));
        }
    }
    let product = agent.split_whitespace().next().unwrap_or_default();
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    match clean(name) {
        name if name.is_empty() || name == "Mozilla" => (UNKNOWN_FAMILY.to_owned(), None),
        name => (name, leading_number(version)),
    }
}

fn clean(name: &str) -> String {
    let shown = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(FAMILY_CHARS_MAX)
        .collect::<String>();
    shown.trim().to_owned()
}

fn leading_number(version: &str) -> Option<u32> {
    let digits = version
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(version.len());
    version.get(..digits)?.parse().ok()
}

/// Words that only television sets and their boxes send.
const TV_WORDS: &[&str] = &[
    "smarttv",
    "smart-tv",
    "hbbtv",
    "appletv",
    "apple tv",
    "googletv",
    "android tv",
    "bravia",
    "; aft",
    "crkey",
    "roku",
    "web0s",
    "netcast",
    "tvos",
];

fn device_type(agent: &str, os: Option<&str>, device: Option<&device::ValueRef<'_>>) -> DeviceType {
    let agent = agent.to_ascii_lowercase();
    let has = |word: &str| agent.contains(word);
    if device.is_some_and(|device| device.device == "Spider") {
        return DeviceType::Robot;
    }
    if TV_WORDS.iter().any(|word| has(word)) {
        return DeviceType::Tv;
    }
    match os.unwrap_or_default() {
        "iOS" if has("ipad") => DeviceType::Tablet,
        "iOS" | "Windows Phone" | "Windows Mobile" | "KaiOS" | "BlackBerry OS" | "Firefox OS" => {
            DeviceType::Mobile
        }
        // The convention of Chrome and Firefox: an Android phone says `Mobile`, a tablet does not. Programs that are
        // no browsers follow no convention, and most of them run on phones.
        "Android" if has("mozilla/") && !has("mobile") => DeviceType::Tablet,
        "Android" => DeviceType::Mobile,
        "Windows" | "Mac OS X" | "Linux" | "Chrome OS" | "Ubuntu" | "Fedora" | "Debian" | "Red Hat"
        | "SUSE" | "Arch Linux" | "Gentoo" | "Mint" | "FreeBSD" | "OpenBSD" | "NetBSD" | "Solaris" => {
            DeviceType::Desktop
        }
        _ => DeviceType::Other,
    }
}

/// The parser with a bounded memory of what it said. One a worker: nothing is locked.
pub struct UserAgentCache {
    parser: Arc<UserAgentParser>,
    known: quick_cache::unsync::Cache<Box<str>, Arc<Software>>,
}

impl UserAgentCache {
    /// Remembers about `capacity` agents, each of at most 1 KiB.
    pub fn new(parser: Arc<UserAgentParser>, capacity: usize) -> Self {
        Self {
            parser,
            known: quick_cache::unsync::Cache::new(capacity),
        }
    }

    /// What this agent claims to be.
    pub fn get(&mut self, agent: &str) -> Arc<Software> {
        if agent.len() > REMEMBERED_BYTES_MAX {
            return Arc::new(self.parser.parse(agent));
        }
        if let Some(software) = self.known.get(agent) {
            return Arc::clone(software);
        }
        let software = Arc::new(self.parser.parse(agent));
        self.known.insert(agent.into(), Arc::clone(&software));
        software
    }

    /// How many agents are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static PARSER: LazyLock<Arc<UserAgentParser>> =
        LazyLock::new(|| Arc::new(UserAgentParser::new().unwrap()));

    #[test]
    fn software_of_known_agents() {
        let shown = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
        for case in include_str!("testdata/user_agents.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (wanted, agent) = case.rsplit_once('|').unwrap();
            let found = PARSER.parse(agent.trim());
            let (major, os_major) = (shown(found.major), shown(found.os_major));
            let os = found.os.as_deref().unwrap_or("-");
            let line = format!(
                "{} | {major} | {os} | {os_major} | {}",
                found.family, found.device_type
            );
            assert_eq!(line, wanted.trim(), "{agent}");
        }
    }

    #[test]
    fn a_family_taken_from_the_agent_is_cut() {
        let found = PARSER.parse(&format!("{}/1", "Ab\u{7}".repeat(100)));
        assert_eq!(found.family.chars().count(), FAMILY_CHARS_MAX);
        assert!(!found.family.contains('\u{7}'));
    }

    #[test]
    fn an_agent_beyond_the_limit_is_not_looked_at() {
        let agent = format!("curl/8.5.0 {}", "a".repeat(AGENT_BYTES_MAX));
        let mut cache = UserAgentCache::new(Arc::clone(&PARSER), 4);
        assert_eq!(*cache.get(&agent), unknown());
        assert_eq!(PARSER.parse(&agent), unknown());
        assert!(cache.is_empty());
    }

    #[test]
    fn a_long_agent_is_looked_at_each_time_and_not_remembered() {
        let agent = format!("curl/8.5.0 {}", "a".repeat(REMEMBERED_BYTES_MAX));
        let mut cache = UserAgentCache::new(Arc::clone(&PARSER), 4);
        assert_eq!(&*cache.get(&agent).family, "curl");
        assert!(cache.is_empty());
    }

    #[test]
    fn the_cache_is_bounded_and_changes_nothing() {
        let mut cache = UserAgentCache::new(Arc::clone(&PARSER), 8);
        for round in 0..2 {
            for version in 0..100 {
                let agent = format!("curl/{version}.{round}");
                assert_eq!(*cache.get(&agent), PARSER.parse(&agent));
            }
        }
        assert!(cache.len() <= 8);
    }
}
