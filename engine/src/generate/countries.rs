//! Where people live, and what follows from it: language, time zone, names. One dominant country and a long tail.

/// A country of the network plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// Usual language and region, BCP 47.
    pub locale: &'static str,
    /// IANA time zone.
    pub time_zone: &'static str,
    /// Minutes east of UTC in the winter; good enough for hours of the day.
    pub offset_minutes: i64,
}

const fn country(
    code: &'static str,
    locale: &'static str,
    time_zone: &'static str,
    offset_minutes: i64,
) -> Country {
    Country {
        code,
        locale,
        time_zone,
        offset_minutes,
    }
}

/// Countries with their share of the people, in percent.
pub const COUNTRIES: [(Country, f64); 15] = [
    (country("DK", "da-DK", "Europe/Copenhagen", 60), 62.0),
    (country("SE", "sv-SE", "Europe/Stockholm", 60), 9.0),
    (country("NO", "nb-NO", "Europe/Oslo", 60), 7.0),
    (country("DE", "de-DE", "Europe/Berlin", 60), 7.0),
    (country("PL", "pl-PL", "Europe/Warsaw", 60), 4.0),
    (country("CZ", "cs-CZ", "Europe/Prague", 60), 2.5),
    (country("ES", "es-ES", "Europe/Madrid", 60), 2.0),
    (country("GB", "en-GB", "Europe/London", 0), 2.0),
    (country("FR", "fr-FR", "Europe/Paris", 60), 1.5),
    (country("NL", "nl-NL", "Europe/Amsterdam", 60), 1.0),
    (country("IS", "is-IS", "Atlantic/Reykjavik", 0), 0.6),
    (country("US", "en-US", "America/New_York", -300), 0.6),
    (country("BR", "pt-BR", "America/Sao_Paulo", -180), 0.4),
    (country("ID", "id-ID", "Asia/Jakarta", 420), 0.2),
    (country("NG", "en-NG", "Africa/Lagos", 60), 0.2),
];

/// First names for mail addresses.
pub const FIRST_NAMES: [&str; 32] = [
    "anna", "bent", "clara", "david", "emma", "finn", "grethe", "hanna", "ida", "jens", "karen", "lars",
    "maja", "niels", "olga", "peter", "rikke", "signe", "tomas", "ulla", "viktor", "wanda", "yasmin", "zoe",
    "amir", "britta", "carlos", "dorte", "elif", "freja", "gustav", "helle",
];

/// Last names for mail addresses.
pub const LAST_NAMES: [&str; 32] = [
    "andersen",
    "berg",
    "christensen",
    "dahl",
    "eriksen",
    "frank",
    "garcia",
    "holm",
    "iversen",
    "jensen",
    "kowalski",
    "lund",
    "madsen",
    "nielsen",
    "olsen",
    "pedersen",
    "quist",
    "rasmussen",
    "schmidt",
    "thomsen",
    "ulriksen",
    "vestergaard",
    "winther",
    "novak",
    "moller",
    "svensson",
    "hansen",
    "bruun",
    "kjaer",
    "lind",
    "poulsen",
    "toft",
];

/// Domains for mail addresses, all reserved for examples (RFC 2606).
pub const MAIL_DOMAINS: [&str; 3] = ["example.org", "example.com", "example.net"];
