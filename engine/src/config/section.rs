//! How a section is declared: struct, table of settings, reading and writing from one list of fields.

use super::kind::{Kind, SettingValue};
use super::problem::Problem;
use super::raw::Entry;
use std::collections::BTreeMap;

/// One row of the table of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Section, empty for the top level.
    pub section: &'static str,
    /// Name inside the section.
    pub name: &'static str,
    /// Whether it can change a decision, and so belongs to [`super::Settings::decides_hash`].
    pub decides: bool,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What is allowed, to follow "must be".
    pub allowed: String,
}

impl Setting {
    pub(super) fn new(section: &'static str, name: &'static str, decides: Decides, kind: &impl Kind) -> Self {
        Self {
            section,
            name,
            decides: matches!(decides, Decides::Yes),
            secret: kind.secret(),
            allowed: kind.allowed(),
        }
    }

    /// `section.name`, or the name alone at the top level.
    #[must_use]
    pub fn key(&self) -> String {
        full_key(self.section, self.name)
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        let key = self.key().to_ascii_uppercase().replace('.', "_");
        format!("{}{key}", super::VARIABLE_PREFIX)
    }
}

pub(super) fn full_key(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// Whether a setting can change a decision.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decides {
    Yes,
    No,
}

/// A group of settings that are read, listed and written together.
pub(super) trait Section: Sized {
    /// The rows of the table of settings.
    fn table() -> Vec<Setting>;

    /// The typed values, or `None` after noting every problem.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Visits every value in the order of the table.
    fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn SettingValue));
}

/// Merged raw values: by full key, and by application and name.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) settings: BTreeMap<String, Entry>,
    pub(super) applications: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// Hands out typed values and collects what is wrong with the others.
pub(super) struct Reader<'a> {
    pub(super) entries: &'a Entries,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn take<K: Kind>(&mut self, section: &str, name: &str, kind: &K) -> Option<K::Value> {
        let key = full_key(section, name);
        let Some(entry) = self.entries.settings.get(&key) else {
            self.problems.push(Problem::Missing { key });
            return None;
        };
        parse(entry, key, kind)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }

    /// A setting of one application: absent is fine.
    pub(super) fn take_of_application<K: Kind>(
        &mut self,
        id: &str,
        name: &str,
        kind: &K,
    ) -> Option<K::Value> {
        let entry = self.entries.applications.get(id)?.get(name)?;
        let key = application_key(id, name);
        parse(entry, key, kind)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }
}

/// `app.ID.name`, the id quoted where TOML wants it.
pub(super) fn application_key(id: &str, name: &str) -> String {
    format!("app.{}.{name}", super::raw::bare_or_quoted(id))
}

fn parse<K: Kind>(entry: &Entry, key: String, kind: &K) -> Result<K::Value, Problem> {
    let otherwise = || kind.parse(entry.otherwise.as_ref()?, &entry.folder);
    kind.parse(&entry.raw, &entry.folder)
        .or_else(otherwise)
        .ok_or_else(|| Problem::NotAllowed {
            origin: entry.origin.clone(),
            key,
            found: if kind.secret() {
                "not a key".to_owned()
            } else {
                format!("`{}`", entry.otherwise.as_ref().unwrap_or(&entry.raw))
            },
            allowed: kind.allowed(),
        })
}

/// Declares a section: `field: Type = kind, decides Yes|No;`.
macro_rules! section {
    (
        $(#[$meta:meta])*
        $name:ident in $section:literal {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $kind:expr, decides $decides:ident;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::config::section::Section for $name {
            fn table() -> Vec<$crate::config::section::Setting> {
                use $crate::config::section::{Decides, Setting};
                vec![$(Setting::new($section, stringify!($field), Decides::$decides, &$kind),)*]
            }

            fn read(reader: &mut $crate::config::section::Reader<'_>) -> Option<Self> {
                $(let $field: Option<$type> = reader.take($section, stringify!($field), &$kind);)*
                Some(Self { $($field: $field?,)* })
            }

            fn each(
                &self,
                visit: &mut dyn FnMut(&'static str, &dyn $crate::config::kind::SettingValue),
            ) {
                $(visit(stringify!($field), &self.$field);)*
            }
        }
    };
}
pub(super) use section;
