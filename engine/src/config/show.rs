//! Writes settings as TOML that can be read again, without comments of the reference and without secrets.

use std::collections::BTreeMap;

use super::Settings;
use super::kind::SettingValue;
use super::raw::{Origin, bare_or_quoted};
use super::section::{application_key, full_key};

/// The settings as TOML. With `origins` each line says in a comment where its value was written. A secret is a
/// comment, so that the text loads as a configuration (then with the default in the secret's place).
#[must_use]
pub fn show(settings: &Settings, origins: Option<&BTreeMap<String, Origin>>) -> String {
    let mut out = String::new();
    let mut section_now = "";
    settings.each(&mut |section, name, value| {
        if section != section_now {
            out.push_str(&format!("\n[{section}]\n"));
            section_now = section;
        }
        let origin = origins.and_then(|origins| origins.get(&full_key(section, name)));
        line(&mut out, name, value, origin);
    });
    for (id, app) in &settings.app.overrides {
        out.push_str(&format!("\n[app.{}]\n", bare_or_quoted(id)));
        app.each(&mut |name, value| {
            let origin = origins.and_then(|origins| origins.get(&application_key(id, name)));
            line(&mut out, name, value, origin);
        });
    }
    out
}

fn line(out: &mut String, name: &str, value: &dyn SettingValue, origin: Option<&Origin>) {
    match value.toml() {
        Some(toml) => out.push_str(&format!("{name} = {toml}")),
        None => out.push_str(&format!("# {name} = (secret)")),
    }
    if let Some(origin) = origin {
        let origin = origin.to_string();
        out.push_str(&format!("  # {}", crate::telemetry::escape::escape(&origin)));
    }
    out.push('\n');
}
