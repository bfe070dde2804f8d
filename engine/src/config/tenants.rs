//! `[tenants]`: who may be named in an event.

use super::kind::NameList;
use super::section::section;

section! {
    /// Tenants.
    TenantsSettings in "tenants" {
        /// Tenants that events may name, sorted; a foreign one is refused.
        allowed: Vec<String> = NameList { names_max: 10_000, bytes_max: 256 }, decides Yes;
    }
}
