//! `cargo bench -p doorward-benches -- [--users N] [--events N] [--runs N] [--stage NAME] [--once]`: the price of a
//! login stage by stage, median of some runs. `--once` runs one stage once and prints nothing: for counting instructions.

use doorward_benches::stages::Stage;
use doorward_benches::timing::{Runs, time};
use doorward_benches::world::{Failure, Size, World};

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Args {
    users: u64,
    events: usize,
    runs: usize,
    stage: Option<Stage>,
    once: bool,
}

fn args() -> Result<Args, Failure> {
    let mut args = Args {
        users: 100_000,
        events: 50_000,
        runs: 5,
        stage: None,
        once: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--users" => args.users = value()?.parse()?,
            "--events" => args.events = value()?.parse()?,
            "--runs" => args.runs = value()?.parse()?,
            "--stage" => {
                let name = value()?;
                args.stage = Some(Stage::from_name(&name).ok_or_else(|| format!("no stage `{name}`"))?);
            }
            "--once" => args.once = true,
            // What `cargo bench` itself adds.
            "--bench" => {}
            _ => return Err(format!("`{word}` is not known").into()),
        }
    }
    Ok(args)
}

fn main() -> Result<(), Failure> {
    let args = args()?;
    let mut world = World::new(Size::of(args.users))?;
    if args.once {
        let lines = world.next_lines(args.events);
        return args.stage.unwrap_or(Stage::Whole).run(&mut world, lines);
    }
    println!(
        "{} users with histories, {} events, {} runs",
        args.users, args.events, args.runs
    );
    println!(
        "{:<8} {:>12} {:>12} {:>12}   events/s",
        "stage", "fastest ns", "median ns", "slowest ns"
    );
    for stage in Stage::ALL
        .into_iter()
        .skip(1)
        .filter(|stage| args.stage.is_none_or(|wanted| wanted == *stage))
    {
        let mut times = Vec::with_capacity(args.runs);
        for _ in 0..args.runs {
            let lines = world.next_lines(args.events);
            let mut result = Ok(());
            times.push(time(|| result = stage.run(&mut world, lines)));
            result?;
        }
        let (fastest, median, slowest) = Runs::new(times, args.events).nanos();
        println!(
            "{:<8} {fastest:>12.0} {median:>12.0} {slowest:>12.0}   {:.0}",
            stage.name(),
            1e9 / median
        );
    }
    Ok(())
}
