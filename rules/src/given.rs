//! Logins for tests: named base logins, and the values a test gives on top of one.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Fault};
use crate::field_faults::{domain_fault, named_field};
use crate::schema::{Field, FieldType};
use crate::slots::{Slot, Slots};
use crate::toml_text::{SourceFile, kind};

/// The base login of a test that names none.
pub const ORDINARY_LOGIN: &str = "owner-at-home";
/// What a test writes to take a value away.
pub const NO_DATA_WORD: &str = "no_data";
/// Where the base logins are written down.
pub const BASE_LOGINS_PATH: &str = "packs/base-logins.toml";
const BASE_LOGINS: &str = include_str!("../packs/base-logins.toml");

/// The named base logins.
pub struct BaseLogins {
    logins: BTreeMap<String, Slots>,
}

impl BaseLogins {
    /// Reads those that come with this crate.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        Self::read(BASE_LOGINS_PATH, BASE_LOGINS)
    }

    fn read(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut file = SourceFile::new(path, text);
        let mut logins = BTreeMap::new();
        for (name, values) in file.parse().unwrap_or_default() {
            let mut slots = Slots::new();
            read_given(&mut file, &values, &mut slots);
            logins.insert(name.into_inner().into_owned(), slots);
        }
        if !logins.contains_key(ORDINARY_LOGIN) {
            file.fault(
                0..0,
                Fault::new(format!("there is no base login `{ORDINARY_LOGIN}`")),
            );
        }
        if file.faults.is_empty() {
            Ok(BaseLogins { logins })
        } else {
            Err(file.faults)
        }
    }

    /// A copy of the base login of this name.
    pub fn get(&self, name: &str) -> Option<Slots> {
        self.logins.get(name).cloned()
    }

    /// A copy of the base login of tests that name none.
    pub fn ordinary(&self) -> Slots {
        self.get(ORDINARY_LOGIN).unwrap_or_default()
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.logins.keys().map(String::as_str)
    }
}

/// Sets the values of a `given` table; `device.state` may be one key or a table in a table.
pub fn read_given(file: &mut SourceFile<'_>, given: &Spanned<DeValue<'_>>, slots: &mut Slots) {
    match given.get_ref() {
        DeValue::Table(table) => read_table(file, "", table, slots),
        other => {
            let fault = Fault::new(format!("`given` is a table, this is {}", kind(other)));
            file.fault(
                given.span(),
                fault.help("for example `given = { device.state = \"new\" }`"),
            );
        }
    }
}

fn read_table(file: &mut SourceFile<'_>, prefix: &str, table: &DeTable<'_>, slots: &mut Slots) {
    for (key, value) in table {
        let name = match prefix {
            "" => key.get_ref().to_string(),
            _ => format!("{prefix}.{}", key.get_ref()),
        };
        match (named_field(&name), value.get_ref()) {
            (Ok(field), _) => read_value(file, field, value, slots),
            (Err(_), DeValue::Table(table)) => read_table(file, &name, table, slots),
            (Err(fault), _) => file.fault(key.span(), fault),
        }
    }
}

fn read_value(file: &mut SourceFile<'_>, field: Field, value: &Spanned<DeValue<'_>>, slots: &mut Slots) {
    match (field.field_type(), value.get_ref()) {
        (_, DeValue::String(word)) if word == NO_DATA_WORD => slots.unset(field),
        (FieldType::Bool, DeValue::Boolean(truth)) => slots.set_bool(field, *truth),
        (FieldType::Int, DeValue::Integer(number)) => {
            match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => slots.set_int(field, number),
                Err(_) => file.fault(value.span(), Fault::new("the number does not fit into 64 bits")),
            }
        }
        (FieldType::Float, DeValue::Integer(_) | DeValue::Float(_)) => match float(value.get_ref()) {
            Some(number) => slots.set(field, Slot::Float(number)),
            None => file.fault(value.span(), Fault::new("this is no finite number")),
        },
        (FieldType::Text, DeValue::String(text)) => match domain_fault(field, text) {
            Some(fault) => file.fault(value.span(), fault),
            None => slots.set_owned(field, text.as_ref()),
        },
        (wanted, found) => {
            let message = format!("`{field}` is of type {wanted}, this is {}", kind(found));
            file.fault(value.span(), Fault::new(message));
        }
    }
}

fn float(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => return None,
    };
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_logins_are_right() {
        let bases = BaseLogins::builtin().ok().unwrap();
        assert_eq!(bases.ordinary().get(Field::DeviceState).as_str(), Some("known"));
        assert_eq!(bases.get("nothing-known"), Some(Slots::new()));
    }

    #[test]
    fn values_are_checked_against_the_fields() {
        let text = "[owner-at-home]\ndevice.state = 'nwe'\nuser.logins = 'x'\nuser.lgins = 1\n\
            travel.speed_kmh = inf\nnetwork.asn = 'no_data'\n\"app.id\" = 'shop'\nuser.days_since_last_login = 3";
        let faults = BaseLogins::read("b.toml", text).err().unwrap();
        let shown: Vec<_> = faults.iter().map(|f| (f.line, f.message.as_str())).collect();
        assert_eq!(
            shown,
            [
                (2, "`device.state` is never `nwe`"),
                (5, "this is no finite number"),
                (4, "unknown field `user.lgins`"),
                (3, "`user.logins` is of type int, this is a text"),
            ]
        );
    }
}
