//! `[rules]`: where rule files come from. Their contents enter decisions by their own hash, not by name.

use std::path::PathBuf;

use super::kind::Folder;
use super::section::section;

section! {
    /// Rule files.
    RulesSettings in "rules" {
        /// Folder of packs; `None` = the packs inside the binary.
        folder: Option<PathBuf> = Folder, decides No;
    }
}
