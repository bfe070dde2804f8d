//! Writes the stories of the tests as event files: `cargo run -p doorward --example write-stories`.

#[path = "../tests/stories/sources/mod.rs"]
mod sources;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for (folder, files) in [("events", sources::all()), ("old-logs", sources::old_logs())] {
        let folder = fixtures.join(folder);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in files {
            fs::write(folder.join(format!("{name}.ndjson")), bytes)?;
        }
    }
    Ok(())
}
