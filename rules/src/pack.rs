//! The rule packs that come with Doorward, embedded in the program.

use crate::diagnostic::Diagnostic;
use crate::rule_set::{RuleSet, RuleSource};

macro_rules! embed {
    ($($pack:literal: $($id:literal)*;)*) => {
        /// Path within this crate and text of every embedded rule file.
        const BUILTIN: &[(&str, &str)] = &[$($((
            concat!("packs/", $pack, "/", $id, ".toml"),
            include_str!(concat!("../packs/", $pack, "/", $id, ".toml")),
        ),)*)*];
    };
}

embed! {
    "baseline":
        "copied-device"
        "device-seen-once"
        "dormant-account"
        "factor-downgrade"
        "failures-before-success"
        "hosting-network-unseen-user"
        "impossible-travel"
        "known-device"
        "many-accounts-on-one-address"
        "network-kind"
        "new-device"
        "phishable-factor-through-proxy"
        "resembling-device"
        "second-factor-failed"
        "tor-network"
        "unfamiliar-address"
        "vouched-pair";
}

/// The embedded rule files.
#[must_use]
pub fn builtin_sources() -> Vec<RuleSource> {
    let owned = |(path, text): &(&str, &str)| RuleSource {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    BUILTIN.iter().map(owned).collect()
}

impl RuleSet {
    /// The rules that come with Doorward. Reads them anew; keep the result.
    ///
    /// # Errors
    /// None in a released program: a test holds that the embedded files are right.
    pub fn builtin() -> Result<RuleSet, Vec<Diagnostic>> {
        RuleSet::from_sources(&builtin_sources())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_of_every_pack_is_embedded() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
        let mut on_disk = BTreeSet::new();
        for pack in std::fs::read_dir(packs).unwrap() {
            let pack = pack.unwrap().path();
            if !pack.is_dir() {
                continue;
            }
            let pack_name = pack.file_name().unwrap().to_str().unwrap().to_owned();
            for file in std::fs::read_dir(pack).unwrap() {
                let file = file.unwrap().file_name().into_string().unwrap();
                if file.ends_with(".toml") {
                    on_disk.insert(format!("packs/{pack_name}/{file}"));
                }
            }
        }
        let embedded: BTreeSet<String> = BUILTIN.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, on_disk);
    }
}
