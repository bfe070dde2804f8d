//! `engine/docs/events.md` says what the code does. `DOORWARD_WRITE_DOCS=1 cargo test` writes it again.

#[test]
fn events_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md");
    let wanted = doorward::event::reference();
    if std::env::var_os("DOORWARD_WRITE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == wanted,
        "{path} is out of date: run the tests once with DOORWARD_WRITE_DOCS=1"
    );
}
