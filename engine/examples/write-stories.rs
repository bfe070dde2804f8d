//! Writes the stories of the tests as event files: `cargo run -p doorward --example write-stories`.

#[path = "../tests/stories/sources/mod.rs"]
mod sources;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/events");
    for (name, bytes) in sources::all() {
        fs::write(folder.join(format!("{name}.ndjson")), bytes)?;
    }
    Ok(())
}
