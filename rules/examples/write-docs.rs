//! Writes the generated pages: `docs/fields.md`, `docs/rules.md` and the table of the pack's README.
//! With `--check` it writes nothing and fails if a page is out of date.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use doorward_rules::RuleSet;
use doorward_rules::render::{fields_page, replace_table, rules_page, rules_table};

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match pages().and_then(|pages| pages.iter().try_for_each(|page| settle(page, check))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn pages() -> Result<Vec<(PathBuf, String)>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = RuleSet::builtin().map_err(|faults| {
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n\n")
    })?;
    let readme = root.join("packs/baseline/README.md");
    let written = fs::read_to_string(&readme).map_err(|error| error.to_string())?;
    let table = rules_table(&rules, "packs/baseline/");
    let readme_text = replace_table(&written, &table)
        .ok_or_else(|| format!("{} has no place for the table", readme.display()))?;
    Ok(vec![
        (root.join("docs/fields.md"), fields_page()),
        (root.join("docs/rules.md"), rules_page(&rules)),
        (readme, readme_text),
    ])
}

fn settle((path, text): &(PathBuf, String), check: bool) -> Result<(), String> {
    if !check {
        return fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    }
    match fs::read_to_string(path) {
        Ok(written) if written == *text => Ok(()),
        _ => Err(format!(
            "{} is out of date; run the example without --check",
            path.display()
        )),
    }
}
