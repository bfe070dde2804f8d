//! Browsers and apps, and how their agents read on a day of spring 2026: frozen where the makers froze them, with
//! major versions that move on by the makers' calendars and reach each device some days late.

/// A program that people sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Browser {
    /// Google Chrome.
    Chrome,
    /// Microsoft Edge.
    Edge,
    /// Mozilla Firefox.
    Firefox,
    /// Apple Safari.
    Safari,
    /// The application's own app.
    App,
}

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// Windows 10 and 11, which agents do not tell apart.
    Windows,
    /// macOS.
    MacOs,
    /// Linux on a desktop.
    Linux,
    /// Android on a phone.
    Android,
    /// iOS on a phone.
    Ios,
}

/// A program on a system, updated some days after each release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Software {
    /// The program.
    pub browser: Browser,
    /// What it runs on.
    pub system: System,
    /// Days from a release to this device.
    pub update_lag_days: i64,
}

/// Days between releases of Chrome, Edge and Firefox.
const RELEASE_DAYS: i64 = 28;

impl Software {
    /// Major version on a day, counted from the start of the life: `base` until `first_release`, one more then and every
    /// four weeks after.
    const fn major(&self, day: i64, base: i64, first_release: i64) -> i64 {
        let since = day - self.update_lag_days - first_release;
        base + since.div_euclid(RELEASE_DAYS) + 1
    }

    /// The header `User-Agent` on this day of the life.
    #[must_use]
    pub fn agent(&self, day: i64) -> String {
        let system = self.system_text();
        match self.browser {
            Browser::Chrome => self.chromium(system, day, ""),
            Browser::Edge => {
                let suffix = format!(" Edg/{}.0.0.0", self.major(day, 145, 10));
                self.chromium(system, day, &suffix)
            }
            Browser::Firefox => {
                let major = self.major(day, 148, 22);
                format!("Mozilla/5.0 ({system}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0")
            }
            Browser::Safari => self.safari(day),
            Browser::App => {
                let minor = 12 + i64::from(day >= self.update_lag_days + 9);
                format!("Nordkonto/5.{minor} ({system})")
            }
        }
    }

    const fn system_text(&self) -> &'static str {
        match (self.system, self.browser) {
            (System::Windows, _) => "Windows NT 10.0; Win64; x64",
            (System::MacOs, Browser::Firefox) => "Macintosh; Intel Mac OS X 10.15",
            (System::MacOs, _) => "Macintosh; Intel Mac OS X 10_15_7",
            (System::Linux, _) => "X11; Linux x86_64",
            (System::Android, Browser::App) => "Linux; Android 16; Phone",
            (System::Android, Browser::Firefox) => "Android 16; Mobile",
            (System::Android, _) => "Linux; Android 10; K",
            (System::Ios, Browser::App) => "iPhone; iOS 26.3; Scale/3.00",
            (System::Ios, _) => "iPhone; CPU iPhone OS 18_7 like Mac OS X",
        }
    }

    fn chromium(&self, system: &str, day: i64, suffix: &str) -> String {
        let major = self.major(day, 145, 8);
        let mobile = if self.system == System::Android {
            " Mobile"
        } else {
            ""
        };
        format!(
            "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0{mobile} Safari/537.36{suffix}"
        )
    }

    fn safari(&self, day: i64) -> String {
        let minor = 3 + i64::from(day >= self.update_lag_days + 22);
        let system = self.system_text();
        let mobile = if self.system == System::Ios {
            " Mobile/15E148"
        } else {
            ""
        };
        format!(
            "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.{minor}{mobile} Safari/{}",
            if mobile.is_empty() { "605.1.15" } else { "604.1" }
        )
    }

    /// A TLS fingerprint, the same for all devices with this program; opaque, as it is to us.
    #[must_use]
    pub const fn ja4(&self) -> &'static str {
        match self.browser {
            Browser::Chrome | Browser::Edge => "t13d1516h2_8daaf6152771_d8a2da3f94cd",
            Browser::Firefox => "t13d1717h2_5b57614c22b0_3cbfd9057e0d",
            Browser::Safari => "t13d2013h2_a09f3c656075_7f0f34a4126d",
            Browser::App => match self.system {
                System::Ios => "t13d2014h2_a09f3c656075_e42f34c56612",
                _ => "t13d1513h2_8daaf6152771_eca864cca44a",
            },
        }
    }

    /// Whether it runs on a phone.
    #[must_use]
    pub const fn is_phone(&self) -> bool {
        matches!(self.system, System::Android | System::Ios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_only_move_forward_and_late_devices_follow_late() {
        let prompt = Software {
            browser: Browser::Chrome,
            system: System::Windows,
            update_lag_days: 0,
        };
        let late = Software {
            update_lag_days: 5,
            ..prompt
        };
        assert!(prompt.agent(7).contains("Chrome/145.0.0.0 Safari"));
        assert!(prompt.agent(8).contains("Chrome/146.0.0.0 Safari"));
        assert!(late.agent(12).contains("Chrome/145."));
        assert!(late.agent(13).contains("Chrome/146."));
        assert!(prompt.agent(36).contains("Chrome/147."));
    }

    #[test]
    fn an_edge_is_a_chromium_that_says_so() {
        let edge = Software {
            browser: Browser::Edge,
            system: System::Windows,
            update_lag_days: 0,
        };
        assert!(
            edge.agent(0)
                .ends_with("Chrome/145.0.0.0 Safari/537.36 Edg/145.0.0.0")
        );
        let phone = Software {
            browser: Browser::Safari,
            system: System::Ios,
            update_lag_days: 0,
        };
        assert!(phone.is_phone() && phone.agent(0).contains("Mobile/15E148"));
    }
}
