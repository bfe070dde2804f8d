//! `cargo bench -p doorward-benches --bench bounds -- [NAME] [--count N]`: sizes and counts that hold whatever is sent.
//! Prints each bound and ends with exit code 1 if one is broken. Names: one-user, invented-names, lifelike.

use std::process::ExitCode;

use doorward_benches::bounds::rows::Failure;
use doorward_benches::bounds::{Bound, invented_names, lifelike, one_user};

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names with how much each takes: events, or users of the lifelike world.
const ALL: [(&str, u64); 3] = [
    ("invented-names", 1_000_000),
    ("lifelike", 5_000),
    ("one-user", 1_000_000),
];
fn check(name: &str, count: u64) -> Result<Vec<Bound>, Failure> {
    println!("\n== {name}, {count}");
    match name {
        "one-user" => one_user::check(count),
        "invented-names" => invented_names::check(count),
        "lifelike" => lifelike::check(count),
        _ => Err(format!("no bound `{name}`").into()),
    }
}

fn main() -> Result<ExitCode, Failure> {
    let (mut name, mut count) = (None, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--count" => count = Some(words.next().ok_or("`--count` needs a number")?.parse()?),
            // What `cargo bench` itself adds.
            "--bench" => {}
            _ => name = Some(word),
        }
    }
    let mut broken = 0;
    let chosen = |known: &str| name.as_deref().is_none_or(|name| name == known);
    if let Some(name) = name
        .as_deref()
        .filter(|name| ALL.iter().all(|(known, _)| known != name))
    {
        return Err(format!("no bound `{name}`").into());
    }
    for (known, usual) in ALL.into_iter().filter(|(known, _)| chosen(known)) {
        for bound in check(known, count.unwrap_or(usual))? {
            println!("{bound}");
            broken += u32::from(!bound.holds());
        }
    }
    Ok(if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
