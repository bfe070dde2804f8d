//! From texts to merged entries: which keys exist, what was meant by those that do not.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::app::{self, AppOverrides};
use super::problem::Problem;
use super::raw::{Entry, Origin, Raw};
use super::section::{Entries, Setting, full_key};
use super::{Settings, VARIABLE_PREFIX};

/// The most syntax errors of one file that are told.
const SYNTAX_PROBLEMS_MAX: usize = 10;

/// A document and the name it is told by; `None` = the built-in defaults.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) path: Option<&'a Path>,
    pub(super) folder: &'a Path,
}

impl Document<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let Some(path) = self.path else {
            return Origin::Default;
        };
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Origin::File {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }

    fn entry(&self, key: &Spanned<impl Sized>, value: &Spanned<DeValue<'_>>) -> Entry {
        Entry {
            raw: Raw::from_toml(value.get_ref()),
            otherwise: None,
            origin: self.origin(key.span().start),
            folder: self.folder.to_owned(),
        }
    }
}

/// Entries of all layers read so far, later ones in place of earlier ones, and what is wrong.
pub(super) struct Layers {
    pub(super) entries: Entries,
    pub(super) problems: Vec<Problem>,
    table: Vec<Setting>,
    app_table: Vec<Setting>,
}

impl Layers {
    pub(super) fn new() -> Self {
        Self {
            entries: Entries::default(),
            problems: Vec::new(),
            table: Settings::table(),
            app_table: AppOverrides::table(),
        }
    }

    /// The rows of the table of settings.
    pub(super) fn table(&self) -> &[Setting] {
        &self.table
    }

    /// Lays a TOML document over what is there. A document with a fault in its syntax changes nothing.
    pub(super) fn add_document(&mut self, document: &Document<'_>) {
        let (root, errors) = DeTable::parse_recoverable(document.text);
        if errors.is_empty() {
            self.add_root(document, root.get_ref());
            return;
        }
        for error in errors.iter().take(SYNTAX_PROBLEMS_MAX) {
            self.problems.push(Problem::NotToml {
                origin: document.origin(error.span().map_or(0, |span| span.start)),
                message: error.message().replace('\n', ", "),
            });
        }
    }

    fn add_root(&mut self, document: &Document<'_>, root: &DeTable<'_>) {
        // The parser hands keys out sorted; problems are told from top to bottom.
        let mut pairs: Vec<_> = root.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let name = key.get_ref().as_ref();
            if self.has("", name) {
                let entry = document.entry(key, value);
                self.entries.settings.insert(name.to_owned(), entry);
            } else if !self.table.iter().any(|row| row.section == name) {
                self.unknown_at_the_top(document.origin(key.span().start), name, value.get_ref());
            } else if let DeValue::Table(section) = value.get_ref() {
                self.add_section(document, name, section);
            } else {
                self.problems.push(Problem::NotASection {
                    origin: document.origin(key.span().start),
                    key: name.to_owned(),
                });
            }
        }
    }

    fn add_section(&mut self, document: &Document<'_>, section: &str, table: &DeTable<'_>) {
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let name = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(application) if section == "app" => {
                    self.add_application(document, key, application);
                }
                _ if self.has(section, name) => {
                    let entry = document.entry(key, value);
                    let key = full_key(section, name);
                    self.entries.settings.insert(key, entry);
                }
                _ => {
                    let origin = document.origin(key.span().start);
                    let key = full_key(section, name);
                    self.unknown_setting(origin, key);
                }
            }
        }
    }

    fn add_application(
        &mut self,
        document: &Document<'_>,
        id: &Spanned<std::borrow::Cow<'_, str>>,
        table: &DeTable<'_>,
    ) {
        let name = id.get_ref().as_ref();
        let fits = !name.is_empty() && name.len() <= app::ID_BYTES_MAX;
        if !fits || !super::kind::is_one_line(name) {
            self.problems.push(Problem::NotAllowed {
                origin: document.origin(id.span().start),
                key: "app.ID".to_owned(),
                found: format!("`{}`", super::raw::quoted(name)),
                allowed: format!("an id of 1 to {} bytes on one line", app::ID_BYTES_MAX),
            });
            return;
        }
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let mut known = BTreeMap::new();
        for (key, value) in pairs {
            let setting = key.get_ref().as_ref();
            if self.app_table.iter().any(|row| row.name == setting) {
                known.insert(setting.to_owned(), document.entry(key, value));
            } else {
                let names = self.app_table.iter().map(|row| row.name.to_owned());
                let suggestion =
                    nearest(setting, names).map(|near| super::section::application_key(name, &near));
                self.problems.push(Problem::Unknown {
                    origin: document.origin(key.span().start),
                    what: "setting",
                    key: super::section::application_key(name, setting),
                    suggestion,
                });
            }
        }
        let application = self.entries.applications.entry(name.to_owned());
        application.or_default().extend(known);
    }

    /// Lays one environment variable over what is there. `name` begins with [`VARIABLE_PREFIX`].
    pub(super) fn add_variable(&mut self, name: &str, value: &OsStr, folder: &Path) {
        let origin = Origin::Environment(name.to_owned());
        let Some(row) = self.table.iter().find(|row| row.variable() == name) else {
            // Without the prefix, which is the same in all and would make anything look near.
            let rest = |name: &str| name.trim_start_matches(VARIABLE_PREFIX).to_owned();
            let names = self.table.iter().map(|row| rest(&row.variable()));
            let near = nearest(&rest(name), names.chain(["CONFIG".to_owned()]));
            let suggestion = near.map(|near| format!("{VARIABLE_PREFIX}{near}"));
            self.problems.push(Problem::Unknown {
                origin,
                what: "variable",
                key: name.to_owned(),
                suggestion,
            });
            return;
        };
        let Some(value) = value.to_str() else {
            self.problems.push(Problem::NotAllowed {
                origin,
                key: row.key(),
                found: "not UTF-8 text".to_owned(),
                allowed: row.allowed.clone(),
            });
            return;
        };
        let (raw, otherwise) = readings_of_variable(value);
        let entry = Entry {
            raw,
            otherwise,
            origin,
            folder: folder.to_owned(),
        };
        self.entries.settings.insert(row.key(), entry);
    }

    /// Lays the value of a flag over what is there. `key` is a setting.
    pub(super) fn add_flag(&mut self, flag: &'static str, key: &str, value: &str, folder: &Path) {
        let entry = Entry {
            raw: Raw::Text(value.to_owned()),
            otherwise: None,
            origin: Origin::Flag(flag),
            folder: folder.to_owned(),
        };
        self.entries.settings.insert(key.to_owned(), entry);
    }

    /// Puts a default back in the place of a value that was refused already.
    pub(super) fn restore_default(&mut self, key: &str, defaults: &Document<'_>) {
        let mut fresh = Self::new();
        fresh.add_document(defaults);
        if let Some(entry) = fresh.entries.settings.remove(key) {
            self.entries.settings.insert(key.to_owned(), entry);
        }
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.table
            .iter()
            .any(|row| row.section == section && row.name == name)
    }

    fn unknown_at_the_top(&mut self, origin: Origin, name: &str, value: &DeValue<'_>) {
        if !matches!(value, DeValue::Table(_)) {
            self.unknown_setting(origin, name.to_owned());
            return;
        }
        let sections = self.table.iter().map(|row| row.section.to_owned());
        let suggestion = nearest(name, sections.filter(|section| !section.is_empty()));
        self.problems.push(Problem::Unknown {
            origin,
            what: "section",
            key: name.to_owned(),
            suggestion,
        });
    }

    fn unknown_setting(&mut self, origin: Origin, key: String) {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", &key));
        let here = self.table.iter().filter(|row| row.section == section);
        let suggestion = nearest(name, here.map(|row| row.name.to_owned()))
            .map(|near| full_key(section, &near))
            .or_else(|| self.same_name_elsewhere(name))
            .or_else(|| nearest(&key, self.table.iter().map(Setting::key)));
        self.problems.push(Problem::Unknown {
            origin,
            what: "setting",
            key,
            suggestion,
        });
    }

    /// A setting written under the wrong section.
    fn same_name_elsewhere(&self, name: &str) -> Option<String> {
        let mut rows = self.table.iter().filter(|row| row.name == name);
        let first = rows.next()?;
        rows.next().is_none().then(|| first.key())
    }
}

/// The readings of a variable. Lists and tables are TOML; anything else is text as it stands, so that nobody has to
/// quote inside a shell's quotes, and perhaps a number or a flag.
fn readings_of_variable(text: &str) -> (Raw, Option<Raw>) {
    let plain = Raw::Text(text.to_owned());
    let Ok(value) = DeValue::parse(text) else {
        return (plain, None);
    };
    match value.get_ref() {
        DeValue::Array(_) | DeValue::Table(_) => (Raw::from_toml(value.get_ref()), None),
        DeValue::String(_) | DeValue::Datetime(_) => (plain, None),
        _ => (plain, Some(Raw::from_toml(value.get_ref()))),
    }
}

/// The nearest name by Damerau-Levenshtein distance, if it is near: a third of its length at most.
fn nearest(written: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::damerau_levenshtein(written, &name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}
