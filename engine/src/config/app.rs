//! `[app]` and `[app.ID]`: what is special about an application.
//!
//! The environment sets the values for all applications only; those of one application are set in a file.

use std::collections::BTreeMap;

use doorward_rules::Points;

use super::kind::{Line, OneOf, PointsBetween, SettingValue, named};
use super::section::{Reader, Section, Setting, section};

named! {
    /// How much a wrong login costs; `high` raises the required level by one.
    Sensitivity {
        /// Little to lose.
        Low = "low",
        /// The usual.
        Normal = "normal",
        /// One level more is required.
        High = "high",
    }
}

named! {
    /// What happens when no enrolled factor reaches the required level and no attack line speaks against the login.
    Unreachable {
        /// Let in, and tell the owner where a rule says so.
        Allow = "allow",
        /// The owner must approve first.
        Hold = "hold",
        /// Turn away.
        Deny = "deny",
    }
}

section! {
    /// Values for every application that does not say otherwise.
    AppDefaults in "app" {
        /// Sensitivity when neither the application's section nor the event says one.
        sensitivity: Sensitivity = OneOf::<Sensitivity>::names(), decides Yes;
        /// What happens when no factor reaches the required level.
        unreachable: Unreachable = OneOf::<Unreachable>::names(), decides Yes;
        /// What a mail tells the owner to do without a link. Empty = a general sentence.
        help_text: String = HELP_TEXT, decides No;
    }
}

const HELP_TEXT: Line = Line { bytes_max: 500 };
const NAME: Line = Line { bytes_max: 100 };
const BASE: PointsBetween = PointsBetween(0, 100);
const SENSITIVITY: OneOf<Sensitivity> = OneOf::names();
const UNREACHABLE: OneOf<Unreachable> = OneOf::names();

/// Longest id of an application, in bytes.
pub(super) const ID_BYTES_MAX: usize = 256;

/// What one `[app.ID]` says; `None` = as for every application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppOverrides {
    /// Name that people know it by.
    pub name: Option<String>,
    /// Beats the event's.
    pub sensitivity: Option<Sensitivity>,
    /// Instead of `score.base`.
    pub base: Option<Points>,
    /// Instead of `app.unreachable`.
    pub unreachable: Option<Unreachable>,
    /// Instead of `app.help_text`.
    pub help_text: Option<String>,
}

impl AppOverrides {
    /// The settings of one `[app.ID]`; `section` is left empty.
    pub(super) fn table() -> Vec<Setting> {
        use super::section::Decides::{No, Yes};
        vec![
            Setting::new("", "name", No, &NAME),
            Setting::new("", "sensitivity", Yes, &SENSITIVITY),
            Setting::new("", "base", Yes, &BASE),
            Setting::new("", "unreachable", Yes, &UNREACHABLE),
            Setting::new("", "help_text", No, &HELP_TEXT),
        ]
    }

    fn read(reader: &mut Reader<'_>, id: &str) -> Self {
        Self {
            name: reader.take_of_application(id, "name", &NAME),
            sensitivity: reader.take_of_application(id, "sensitivity", &SENSITIVITY),
            base: reader.take_of_application(id, "base", &BASE),
            unreachable: reader.take_of_application(id, "unreachable", &UNREACHABLE),
            help_text: reader.take_of_application(id, "help_text", &HELP_TEXT),
        }
    }

    pub(super) fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn SettingValue)) {
        fn some(
            name: &'static str,
            value: Option<&impl SettingValue>,
            visit: &mut dyn FnMut(&'static str, &dyn SettingValue),
        ) {
            if let Some(value) = value {
                visit(name, value);
            }
        }
        some("name", self.name.as_ref(), visit);
        some("sensitivity", self.sensitivity.as_ref(), visit);
        some("base", self.base.as_ref(), visit);
        some("unreachable", self.unreachable.as_ref(), visit);
        some("help_text", self.help_text.as_ref(), visit);
    }
}

/// `[app]` and every `[app.ID]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    /// For every application.
    pub defaults: AppDefaults,
    /// By `app.id`.
    pub overrides: BTreeMap<String, AppOverrides>,
}

impl AppSettings {
    /// The name of an application for people: the configured one, else its id.
    #[must_use]
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.of(id).and_then(|app| app.name.as_deref()).unwrap_or(id)
    }

    /// The sensitivity that counts: the application's, else the event's, else the default.
    #[must_use]
    pub fn sensitivity(&self, id: &str, told: Option<Sensitivity>) -> Sensitivity {
        self.of(id)
            .and_then(|app| app.sensitivity)
            .or(told)
            .unwrap_or(self.defaults.sensitivity)
    }

    /// The application's own prior, if it has one; else `score.base` counts.
    #[must_use]
    pub fn base(&self, id: &str) -> Option<Points> {
        self.of(id)?.base
    }

    /// What happens when no factor reaches the required level.
    #[must_use]
    pub fn unreachable(&self, id: &str) -> Unreachable {
        self.of(id)
            .and_then(|app| app.unreachable)
            .unwrap_or(self.defaults.unreachable)
    }

    /// What a mail tells the owner to do without a link; empty = a general sentence.
    #[must_use]
    pub fn help_text(&self, id: &str) -> &str {
        self.of(id)
            .and_then(|app| app.help_text.as_deref())
            .unwrap_or(&self.defaults.help_text)
    }

    fn of(&self, id: &str) -> Option<&AppOverrides> {
        self.overrides.get(id)
    }
}

impl Section for AppSettings {
    fn table() -> Vec<Setting> {
        AppDefaults::table()
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let ids: Vec<String> = reader.entries.applications.keys().cloned().collect();
        let overrides = ids
            .into_iter()
            .map(|id| {
                let app = AppOverrides::read(reader, &id);
                (id, app)
            })
            .collect();
        Some(Self {
            defaults: AppDefaults::read(reader)?,
            overrides,
        })
    }

    fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn SettingValue)) {
        self.defaults.each(visit);
    }
}
