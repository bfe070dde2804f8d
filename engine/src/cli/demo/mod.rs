//! `doorward demo`: two weeks of made-up life with attacks in it, through the real engine.

mod outcome;
mod words;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::assemble::{Assembly, upkeep};
use super::exit::{CliError, Exit};
use super::output::print;
use super::run::{Over, file_sink, mail_sink, open_store, run_over};
use super::signals::stop_flag;
use super::stored;
use super::watch::Watch;
use crate::config::{Environment, Request, Settings, load};
use crate::generate::Plan;
use crate::io::files::SinkKind;
use crate::io::store::StoreKind;
use crate::pipeline::ports::Store;
use crate::pipeline::run::Sinks;
use crate::telemetry::metrics::Metrics;
use outcome::{Figures, attempts};
use words::Summary;
use world::World;

/// After the last event the demo lets a day pass, so that every attempt has its end.
const SETTLE: i64 = 24 * 3_600 * 1_000_000;

const EXAMPLE: &str = "Example:
  doorward demo
  doorward demo --seed 2 --data ./doorward-demo-2

Run it twice: the second time there is nothing new to decide, and it says so.";

/// Arguments of `doorward demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct DemoArgs {
    /// Which life to play; the same number plays the same life
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Folder of the store and the mails; `doorward run` does not touch it
    #[arg(long, value_name = "DIR", default_value = "./doorward-demo")]
    pub data: PathBuf,
    /// Users who live in it
    #[arg(
        long,
        value_name = "N",
        default_value_t = 400,
        value_parser = clap::value_parser!(u32).range(20..=100_000)
    )]
    pub users: u32,
    /// Days that pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = 14,
        value_parser = clap::value_parser!(u32).range(3..=365)
    )]
    pub days: u32,
}

/// Plays a life through the pipeline that `run` uses, and says what came of it.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &DemoArgs) -> Result<Exit, CliError> {
    std::fs::create_dir_all(&args.data).map_err(|source| CliError::Output {
        name: args.data.display().to_string(),
        source,
    })?;
    // The kind of the store is checked before anything is written beside it.
    let opened = open_store(&args.data, StoreKind::Demo, &Settings::default())?;
    let plan = Plan {
        seed: args.seed,
        users: args.users as usize,
        days: args.days,
        ..Plan::default()
    };
    let world = world::build(plan, &args.data)?;
    let settings = settings_of(&world)?;
    let assembly = Assembly::with_geo(&settings, world::geo()?)?;
    let store: Arc<dyn Store> = Arc::new(opened);
    let played = play(&assembly, &settings, &world, &store, &args.data)?;
    let decisions = stored::decisions(&*store)?;
    let tried = attempts(&world.life, &decisions);
    let figures = Figures::of(&tried);
    let summary = Summary {
        folder: &args.data,
        life: &world.life,
        decisions: &decisions,
        alerts: &stored::alerts(&*store)?,
        tried: &tried,
        figures: &figures,
        played: &played,
        engine: &assembly.engine,
        store: &*store,
    };
    print(&summary.text()?)?;
    Ok(if figures.broken().is_empty() {
        Exit::Done
    } else {
        Exit::CheckFailed
    })
}

/// What this start did.
pub struct Played {
    /// Events decided now.
    pub events: u64,
    /// How long it took, seconds.
    pub seconds: f64,
}

/// The demo's own configuration file and nothing else: its promise must not depend on a file that happens to be here.
fn settings_of(world: &World) -> Result<Settings, CliError> {
    let request = Request {
        file: Some(world.configuration.clone()),
        ..Request::default()
    };
    Ok(load(&request, &Environment::default())?.settings)
}

fn play(
    assembly: &Assembly,
    settings: &Settings,
    world: &World,
    store: &Arc<dyn Store>,
    data: &Path,
) -> Result<Played, CliError> {
    let bar = ProgressBar::new(world.life.events.len() as u64).with_style(style());
    let moved = bar.clone();
    let metrics = Metrics::new()?;
    let watch = Watch::new(metrics.clone()).with_each(move |_| moved.inc(1));
    let stop = stop_flag()?;
    let tenant = "default";
    let started = Instant::now();
    let counts = run_over(
        &Over {
            settle: SETTLE,
            live: false,
            assembly,
            settings,
            tenant,
            stop: &stop,
            upkeep: Some(upkeep(settings)),
            backfill: false,
        },
        Arc::clone(store),
        std::slice::from_ref(&world.events),
        |store| {
            Ok(Sinks {
                alerts: None,
                decisions: Some(file_sink(
                    store,
                    SinkKind::Decisions,
                    &data.join("decisions.ndjson"),
                )?),
                dead_letters: Some(file_sink(
                    store,
                    SinkKind::DeadLetters,
                    &data.join("dead-letters.ndjson"),
                )?),
                mail: Some(mail_sink(store, data, settings, &metrics)?),
            })
        },
        &watch,
    )?;
    bar.finish_and_clear();
    Ok(Played {
        events: counts.decided,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Drawn on standard error, and only if that is a terminal.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
