//! Settings: read from files and environment, checked once, typed from then on.
//!
//! `default-config.toml` in the crate's folder is embedded in the binary: it is the default of every setting and the
//! reference for users. A file (`--config`, else `doorward.toml` if there is one) overrides it, the environment
//! (`DOORWARD_SCORE_BASE=12` for `score.base`) overrides the file, flags override the environment. One file here is
//! one section. Only `load.rs` reads files and environment. Not here: what a setting does.

mod cross_check;
mod kind;
mod layers;
mod load;
mod problem;
mod raw;
mod section;
mod show;

mod alerts;
mod app;
mod attempt;
mod crowd;
mod doors;
mod factors;
mod files;
mod geoip;
mod kafka;
mod levels;
mod limits;
mod log;
mod mail;
mod metrics;
mod reload;
mod rules;
mod score;
mod security;
mod store;
mod tenants;
mod user;

use sha2::{Digest, Sha256};

pub use alerts::{AlertsSettings, FailedUnknown};
pub use app::{AppDefaults, AppOverrides, AppSettings, Sensitivity, Unreachable};
pub use attempt::AttemptSettings;
pub use crowd::CrowdSettings;
pub use doors::DoorsSettings;
pub use factors::FactorsSettings;
pub use files::FilesSettings;
pub use geoip::GeoipSettings;
pub use kafka::{KafkaSasl, KafkaSettings, KafkaStart, KafkaTopic, Password};
pub use levels::LevelsSettings;
pub use limits::LimitsSettings;
pub use load::{Environment, Loaded, Request, load, load_decides};
pub use log::{LogFormat, LogLevel, LogSettings};
pub use mail::MailSettings;
pub use metrics::MetricsSettings;
pub use problem::{ConfigError, Problem};
pub use raw::Origin;
pub use reload::ReloadSettings;
pub use rules::RulesSettings;
pub use score::ScoreSettings;
pub use section::Setting;
pub use security::{HashKey, SecuritySettings};
pub use show::show;
pub use store::StoreSettings;
pub use tenants::TenantsSettings;
pub use user::{UserKey, UserSettings};

use kind::{OneOf, SettingValue, named};
use section::{Decides, Reader, Section};

/// The built-in defaults, as text with comments.
pub const DEFAULTS: &str = include_str!("../../default-config.toml");

/// What the names of all our environment variables begin with.
pub const VARIABLE_PREFIX: &str = "DOORWARD_";

named! {
    /// Whether decisions are acted upon.
    Mode {
        /// Decisions count; owners are told.
        Enforce = "enforce",
        /// Decisions are made and recorded, nobody acts on them, mails to owners are held back.
        Monitor = "monitor",
        /// Events are recorded and learned; nothing is scored, nobody is told.
        Off = "off",
    }
}

const MODE: OneOf<Mode> = OneOf::names();

/// Names every section once: the struct, the table, reading and writing follow from it.
macro_rules! settings {
    ($($(#[$meta:meta])* $field:ident: $type:ty = $section:literal,)*) => {
        /// Every setting, checked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            /// Whether decisions are acted upon.
            pub mode: Mode,
            $($(#[$meta])* pub $field: $type,)*
        }

        impl Settings {
            /// The table of settings, in the order of the reference. Those of one `[app.ID]` are not in it.
            #[must_use]
            pub fn table() -> Vec<Setting> {
                let mut table = vec![Setting::new("", "mode", Decides::Yes, &MODE)];
                $(table.extend(<$type>::table());)*
                table
            }

            fn read(reader: &mut Reader<'_>) -> Option<Self> {
                let mode = reader.take("", "mode", &MODE);
                $(let $field = <$type>::read(reader);)*
                Some(Self { mode: mode?, $($field: $field?,)* })
            }

            /// Visits section, name and value in the order of the table.
            fn each(&self, visit: &mut dyn FnMut(&'static str, &'static str, &dyn SettingValue)) {
                visit("", "mode", &self.mode);
                $(self.$field.each(&mut |name, value| visit($section, name, value));)*
            }
        }
    };
}

settings! {
    /// `[score]`
    score: ScoreSettings = "score",
    /// `[levels]`
    levels: LevelsSettings = "levels",
    /// `[app]` and `[app.ID]`
    app: AppSettings = "app",
    /// `[user]`
    user: UserSettings = "user",
    /// `[factors]`
    factors: FactorsSettings = "factors",
    /// `[attempt]`
    attempt: AttemptSettings = "attempt",
    /// `[tenants]`
    tenants: TenantsSettings = "tenants",
    /// `[alerts]`
    alerts: AlertsSettings = "alerts",
    /// `[mail]`
    mail: MailSettings = "mail",
    /// `[rules]`
    rules: RulesSettings = "rules",
    /// `[geoip]`
    geoip: GeoipSettings = "geoip",
    /// `[crowd]`
    crowd: CrowdSettings = "crowd",
    /// `[store]`
    store: StoreSettings = "store",
    /// `[limits]`
    limits: LimitsSettings = "limits",
    /// `[files]`
    files: FilesSettings = "files",
    /// `[kafka]`
    kafka: KafkaSettings = "kafka",
    /// `[doors]`
    doors: DoorsSettings = "doors",
    /// `[reload]`
    reload: ReloadSettings = "reload",
    /// `[metrics]`
    metrics: MetricsSettings = "metrics",
    /// `[log]`
    log: LogSettings = "log",
    /// `[security]`
    security: SecuritySettings = "security",
}

impl Settings {
    /// The settings that can change a decision, and no others: one line `key = value` each, sorted by key. Of a secret
    /// its hash.
    #[must_use]
    pub fn decides_text(&self) -> String {
        let mut lines = Vec::new();
        let table = Self::table();
        self.each(&mut |section, name, value| {
            let decides = table
                .iter()
                .any(|row| row.decides && row.section == section && row.name == name);
            if decides {
                let key = section::full_key(section, name);
                lines.push(format!("{key} = {}\n", value.canonical()));
            }
        });
        let table = AppOverrides::table();
        for (id, app) in &self.app.overrides {
            app.each(&mut |name, value| {
                if table.iter().any(|row| row.decides && row.name == name) {
                    let key = section::application_key(id, name);
                    lines.push(format!("{key} = {}\n", value.canonical()));
                }
            });
        }
        lines.sort_unstable();
        lines.concat()
    }

    /// SHA-256 over [`Settings::decides_text`]. Equal hashes mean equal decisions, as far as the configuration is
    /// concerned (clause S11).
    #[must_use]
    pub fn decides_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"doorward configuration 1\n");
        hash.update(self.decides_text());
        hash.finalize().into()
    }
}

impl Default for Settings {
    /// The built-in defaults.
    #[expect(
        clippy::expect_used,
        reason = "the text is compiled in, and a test reads it: no input can reach this"
    )]
    fn default() -> Self {
        load::from_defaults().expect("the built-in defaults are valid")
    }
}

#[cfg(test)]
mod tests;
