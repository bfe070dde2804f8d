//! Devices: what a browser or app shows of itself when somebody signs in with it.

use super::random::Random;
use super::software::{Browser, Software, System};
use crate::event::DeviceKind;

/// What one event shows of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceShape {
    /// First-party cookie or instance of the app; `None` in a private window.
    pub id: Option<String>,
    /// Browser or app.
    pub kind: DeviceKind,
    /// The header `User-Agent`.
    pub agent: String,
    /// The header `Accept-Language`.
    pub accept_language: String,
    /// TLS fingerprint, where the sender's edge takes it.
    pub ja4: Option<String>,
    /// What the application collects, by name.
    pub attributes: Vec<(String, String)>,
}

/// A device that somebody owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The first-party cookie it carries now.
    pub id: String,
    /// What runs on it.
    pub software: Software,
    /// Language of the person, such as `da-DK`.
    pub locale: String,
    /// What the application collects, by name.
    pub attributes: Vec<(String, String)>,
}

const DESKTOP_SCREENS: [(&str, f64); 6] = [
    ("1920x1080", 40.0),
    ("2560x1440", 18.0),
    ("1536x864", 16.0),
    ("1366x768", 10.0),
    ("3440x1440", 8.0),
    ("3840x2160", 8.0),
];
const MAC_SCREENS: [(&str, f64); 5] = [
    ("1512x982", 30.0),
    ("1470x956", 30.0),
    ("1728x1117", 18.0),
    ("1440x900", 12.0),
    ("2560x1440", 10.0),
];
const ANDROID_SCREENS: [(&str, f64); 5] = [
    ("412x915", 32.0),
    ("384x832", 24.0),
    ("360x780", 20.0),
    ("393x873", 16.0),
    ("448x998", 8.0),
];
const IPHONE_SCREENS: [(&str, f64); 4] = [
    ("393x852", 40.0),
    ("402x874", 26.0),
    ("390x844", 22.0),
    ("430x932", 12.0),
];
const MEMORIES: [(&str, f64); 3] = [("8", 60.0), ("16", 25.0), ("4", 15.0)];
const CORES: [(&str, f64); 5] = [("8", 40.0), ("4", 20.0), ("12", 18.0), ("16", 14.0), ("6", 8.0)];

impl Machine {
    /// A computer, as the market has it.
    pub fn computer(random: &mut Random, locale: &str, time_zone: &str) -> Self {
        let systems = [
            (System::Windows, 62.0),
            (System::MacOs, 30.0),
            (System::Linux, 8.0),
        ];
        let system = random.weighted(&systems).copied().unwrap_or(System::Windows);
        let browsers: &[(Browser, f64)] = match system {
            System::MacOs => &[
                (Browser::Safari, 50.0),
                (Browser::Chrome, 42.0),
                (Browser::Firefox, 8.0),
            ],
            System::Linux => &[(Browser::Firefox, 60.0), (Browser::Chrome, 40.0)],
            _ => &[
                (Browser::Chrome, 60.0),
                (Browser::Edge, 25.0),
                (Browser::Firefox, 15.0),
            ],
        };
        let browser = random.weighted(browsers).copied().unwrap_or(Browser::Chrome);
        Self::with_software(random, browser, system, locale, time_zone)
    }

    /// A phone, as the market has it: in a browser or in the application's own app.
    pub fn phone(random: &mut Random, locale: &str, time_zone: &str) -> Self {
        let system = if random.chance(0.58) {
            System::Ios
        } else {
            System::Android
        };
        let browser = match system {
            _ if random.chance(0.28) => Browser::App,
            System::Ios => Browser::Safari,
            _ => Browser::Chrome,
        };
        Self::with_software(random, browser, system, locale, time_zone)
    }

    /// Any machine with this program on this system.
    pub fn with_software(
        random: &mut Random,
        browser: Browser,
        system: System,
        locale: &str,
        time_zone: &str,
    ) -> Self {
        let update_lag_days = random.between(0, 6);
        let software = Software {
            browser,
            system,
            update_lag_days,
        };
        let attributes = attributes(random, system, locale, time_zone);
        Self {
            id: random.hex(32),
            software,
            locale: locale.to_owned(),
            attributes,
        }
    }

    /// Somebody else's machine with the same program on the same system: it differs in at least one attribute.
    pub fn alike(&self, random: &mut Random, locale: &str, time_zone: &str) -> Self {
        let Software { browser, system, .. } = self.software;
        let mut other = Self::with_software(random, browser, system, locale, time_zone);
        if other.attributes == self.attributes {
            for (name, value) in &mut other.attributes {
                if name == "screen" {
                    value.push_str("@1.25");
                }
            }
        }
        other
    }

    /// What it shows on this day of the life.
    #[must_use]
    pub fn shape(&self, day: i64) -> DeviceShape {
        let (language, _) = self.locale.split_once('-').unwrap_or((&self.locale, ""));
        let is_app = self.software.browser == Browser::App;
        DeviceShape {
            id: Some(self.id.clone()),
            kind: if is_app {
                DeviceKind::App
            } else {
                DeviceKind::Browser
            },
            agent: self.software.agent(day),
            accept_language: format!("{},{language};q=0.9,en;q=0.7", self.locale),
            ja4: Some(self.software.ja4().to_owned()),
            attributes: self.attributes.clone(),
        }
    }

    /// What it shows in a private window: the same, but for the cookie.
    #[must_use]
    pub fn private_window(&self, day: i64) -> DeviceShape {
        DeviceShape {
            id: None,
            ..self.shape(day)
        }
    }

    /// From now on it carries another cookie.
    pub fn clear_cookies(&mut self, random: &mut Random) {
        self.id = random.hex(32);
    }
}

fn attributes(random: &mut Random, system: System, locale: &str, time_zone: &str) -> Vec<(String, String)> {
    let (screens, platform): (&[(&str, f64)], &str) = match system {
        System::Windows => (&DESKTOP_SCREENS, "Win32"),
        System::Linux => (&DESKTOP_SCREENS, "Linux x86_64"),
        System::MacOs => (&MAC_SCREENS, "MacIntel"),
        System::Android => (&ANDROID_SCREENS, "Linux armv81"),
        System::Ios => (&IPHONE_SCREENS, "iPhone"),
    };
    let mut draw = |items: &[(&str, f64)]| random.weighted(items).map_or("", |item| item).to_owned();
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("screen", draw(screens)),
        pair("platform", platform.to_owned()),
        pair("language", locale.to_owned()),
        pair("time_zone", time_zone.to_owned()),
        pair("memory_gb", draw(&MEMORIES)),
        pair("cores", draw(&CORES)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_alike_shares_software_but_not_all_attributes() {
        let mut random = Random::new(9);
        for _ in 0..300 {
            let own = Machine::phone(&mut random, "da-DK", "Europe/Copenhagen");
            let other = own.alike(&mut random, "da-DK", "Europe/Copenhagen");
            assert_eq!(
                (own.software.browser, own.software.system),
                (other.software.browser, other.software.system)
            );
            assert_ne!(own.attributes, other.attributes);
            assert_ne!(own.id, other.id);
        }
    }

    #[test]
    fn a_private_window_hides_the_cookie_only() {
        let mut random = Random::new(2);
        let machine = Machine::computer(&mut random, "da-DK", "Europe/Copenhagen");
        let (open, private) = (machine.shape(3), machine.private_window(3));
        assert_eq!(private.id, None);
        assert_eq!(
            DeviceShape {
                id: open.id.clone(),
                ..private
            },
            open
        );
        assert!(open.attributes.len() >= 4);
    }
}
