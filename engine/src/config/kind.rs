//! Kinds of values: what a setting may be, in code and in words.
//!
//! A kind turns a raw value into a typed one or refuses it; nothing is checked again afterwards. Not for rules
//! between two settings: those are in `cross_check.rs`.

use std::fmt::Display;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use doorward_rules::Points;

use super::raw::{Raw, quoted};

/// What a setting may be.
pub(super) trait Kind {
    /// The type it is read into.
    type Value: SettingValue;

    /// The value, or `None` if `raw` is not one. Relative paths start from `folder`.
    fn parse(&self, raw: &Raw, folder: &Path) -> Option<Self::Value>;

    /// What is allowed, to follow "must be".
    fn allowed(&self) -> String;

    /// Whether the value must never be shown, and may be given by reference.
    fn secret(&self) -> bool {
        false
    }
}

/// A typed value that can be written down again.
pub(super) trait SettingValue {
    /// As TOML, or `None` for what is never shown.
    fn toml(&self) -> Option<String>;

    /// The form that enters the configuration's hash: equal exactly when the values are.
    fn canonical(&self) -> String {
        self.toml().unwrap_or_default()
    }
}

/// Points with two decimals, bounds in whole points.
pub(super) struct PointsBetween(pub(super) i32, pub(super) i32);

impl Kind for PointsBetween {
    type Value = Points;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<Points> {
        let (Raw::Whole(text) | Raw::Decimal(text)) = raw else {
            return None;
        };
        let points: Points = text.parse().ok()?;
        let bounds = self.0.checked_mul(100)?..=self.1.checked_mul(100)?;
        bounds.contains(&points.hundredths()).then_some(points)
    }

    fn allowed(&self) -> String {
        format!("points from {} to {}, with at most two decimals", self.0, self.1)
    }
}

impl SettingValue for Points {
    fn toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A whole number from `min` to `max` of some unit.
pub(super) struct Whole<T> {
    min: i64,
    max: i64,
    unit: &'static str,
    number: PhantomData<T>,
}

impl<T> Whole<T> {
    pub(super) const fn of(min: i64, max: i64, unit: &'static str) -> Self {
        Self {
            min,
            max,
            unit,
            number: PhantomData,
        }
    }
}

impl<T: TryFrom<i64> + SettingValue> Kind for Whole<T> {
    type Value = T;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<T> {
        let Raw::Whole(text) = raw else { return None };
        let number: i64 = text.parse().ok()?;
        (self.min..=self.max)
            .contains(&number)
            .then(|| T::try_from(number).ok())
            .flatten()
    }

    fn allowed(&self) -> String {
        format!("a whole number from {} to {} ({})", self.min, self.max, self.unit)
    }
}

/// Numbers and flags are written as Rust writes them.
macro_rules! shown_as_is {
    ($($number:ty),*) => { $(impl SettingValue for $number {
        fn toml(&self) -> Option<String> {
            Some(self.to_string())
        }
    })* };
}
shown_as_is!(u32, u64, usize, bool);

/// `true` or `false`.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<bool> {
        match raw {
            Raw::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "`true` or `false`".to_owned()
    }
}

/// A type with a few named values.
pub(super) trait Named: Copy + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

/// One of the names of `T`.
pub(super) struct OneOf<T>(PhantomData<T>);

impl<T> OneOf<T> {
    pub(super) const fn names() -> Self {
        Self(PhantomData)
    }
}

impl<T: Named + SettingValue> Kind for OneOf<T> {
    type Value = T;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<T> {
        let Raw::Text(text) = raw else { return None };
        T::ALL.iter().copied().find(|value| value.name() == text)
    }

    fn allowed(&self) -> String {
        let names: Vec<_> = T::ALL.iter().map(|value| format!("`{}`", value.name())).collect();
        format!("one of {}", names.join(", "))
    }
}

/// Declares an enum whose variants have names in configuration files.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// The name in configuration files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl $crate::config::kind::Named for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn name(self) -> &'static str {
                Self::name(self)
            }
        }

        impl $crate::config::kind::SettingValue for $name {
            fn toml(&self) -> Option<String> {
                Some(format!("\"{}\"", Self::name(*self)))
            }
        }
    };
}
pub(super) use named;

/// One line of text, at most `bytes_max` long. Empty = none.
pub(super) struct Line {
    pub(super) bytes_max: usize,
}

impl Kind for Line {
    type Value = String;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<String> {
        match raw {
            Raw::Text(text) if text.len() <= self.bytes_max && is_one_line(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        format!(
            "text on one line, at most {} bytes, without control characters",
            self.bytes_max
        )
    }
}

impl SettingValue for String {
    fn toml(&self) -> Option<String> {
        Some(quoted(self))
    }
}

pub(super) fn is_one_line(text: &str) -> bool {
    !text.chars().any(crate::telemetry::escape::is_unsafe)
}

/// A plain mail address, without a display name.
pub(super) struct MailAddress;

impl Kind for MailAddress {
    type Value = String;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<String> {
        let Raw::Text(text) = raw else { return None };
        let (local, domain) = text.split_once('@')?;
        let plain = |part: &str| {
            let fits = !part.is_empty() && part.len() <= 190;
            fits && part
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"@<>()[],;:\\\"".contains(&byte))
        };
        (plain(local) && plain(domain)).then(|| text.clone())
    }

    fn allowed(&self) -> String {
        "a mail address such as `doorward@example.org`, without a name around it".to_owned()
    }
}

/// A list of names, or one; at least one, none twice.
pub(super) struct NameList {
    pub(super) names_max: usize,
    pub(super) bytes_max: usize,
}

impl Kind for NameList {
    type Value = Vec<String>;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<Vec<String>> {
        let mut names = texts(raw)?;
        let fits = |name: &String| !name.is_empty() && name.len() <= self.bytes_max && is_one_line(name);
        if names.is_empty() || names.len() > self.names_max || !names.iter().all(fits) {
            return None;
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        (names.len() == count).then_some(names)
    }

    fn allowed(&self) -> String {
        format!(
            "a name or a list of 1 to {} different names, each at most {} bytes",
            self.names_max, self.bytes_max
        )
    }
}

impl SettingValue for Vec<String> {
    fn toml(&self) -> Option<String> {
        let items: Vec<_> = self.iter().map(|item| quoted(item)).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// A list of files, or one; `""` and `[]` = none.
pub(super) struct FileList;

impl Kind for FileList {
    type Value = Vec<PathBuf>;

    fn parse(&self, raw: &Raw, folder: &Path) -> Option<Vec<PathBuf>> {
        let texts = match raw {
            Raw::Text(text) if text.is_empty() => return Some(Vec::new()),
            _ => texts(raw)?,
        };
        let fits = |text: &String| !text.is_empty() && !text.contains('\0');
        (texts.len() <= 64 && texts.iter().all(fits))
            .then(|| texts.iter().map(|text| folder.join(text)).collect())
    }

    fn allowed(&self) -> String {
        "a file or a list of at most 64 files".to_owned()
    }
}

impl SettingValue for Vec<PathBuf> {
    fn toml(&self) -> Option<String> {
        let items: Vec<_> = self.iter().map(|item| quoted(&item.to_string_lossy())).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// A text or a list of texts.
fn texts(raw: &Raw) -> Option<Vec<String>> {
    match raw {
        Raw::Text(text) => Some(vec![text.clone()]),
        Raw::List(items) => items
            .iter()
            .map(|item| match item {
                Raw::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// A folder; `""` = none.
pub(super) struct Folder;

impl Kind for Folder {
    type Value = Option<PathBuf>;

    fn parse(&self, raw: &Raw, folder: &Path) -> Option<Option<PathBuf>> {
        match raw {
            Raw::Text(text) if text.contains('\0') => None,
            Raw::Text(text) => Some((!text.is_empty()).then(|| folder.join(text))),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "a folder, or `\"\"` for none".to_owned()
    }
}

impl SettingValue for Option<PathBuf> {
    fn toml(&self) -> Option<String> {
        let text = self.as_deref().map(Path::to_string_lossy);
        Some(quoted(&text.unwrap_or_default()))
    }
}

/// An address and port to listen on; `""` = none.
pub(super) struct Listen;

impl Kind for Listen {
    type Value = Option<SocketAddr>;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<Option<SocketAddr>> {
        match raw {
            Raw::Text(text) if text.is_empty() => Some(None),
            Raw::Text(text) => text.parse().ok().map(Some),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "an IP address and port such as `127.0.0.1:9464` or `[::1]:9464`, or `\"\"` for none".to_owned()
    }
}

impl SettingValue for Option<SocketAddr> {
    fn toml(&self) -> Option<String> {
        Some(shown_or_empty(self.as_ref()))
    }
}

fn shown_or_empty(value: Option<&impl Display>) -> String {
    quoted(&value.map(ToString::to_string).unwrap_or_default())
}
