//! `doorward explain`: one decision, line by line, for a person.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use doorward_rules::RuleSet;

use super::admin::here_or_there;
use super::assemble::{Assembly, score_policy};
use super::exit::{CliError, Exit};
use super::explanation::{ExplainInput, Shown, render};
use super::output::print;
use super::run::{Over, run_over};
use super::signals::stop_flag;
use super::stored;
use super::watch::Watch;
use crate::config::{self, Settings};
use crate::io::admin::Request;
use crate::io::memory::store::MemoryStore;
use crate::io::store::{FjallStore, StoreOptions};
use crate::pipeline::batch::decode_decision;
use crate::pipeline::engine::Engine;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Store};
use crate::pipeline::run::Sinks;
use crate::pipeline::versions;
use crate::risk::decision::Decision;
use crate::risk::ids::decision_id;
use crate::risk::score::ScorePolicy;
use crate::telemetry::metrics::Metrics;

const EXAMPLE: &str = "Example:
  doorward explain --events logins.ndjson --id login-1
  doorward explain --data ./doorward-data --id login-1 --width 100";

/// Arguments of `doorward explain`.
#[derive(Debug, Clone, Args, serde::Deserialize)]
#[command(after_help = EXAMPLE)]
#[command(group(ArgGroup::new("from").required(true).args(["events", "data"])))]
pub struct ExplainArgs {
    #[serde(skip)]
    /// Event file to replay; several are merged by time
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    #[serde(skip)]
    /// Folder of the store that holds the decision
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Id of the event
    #[arg(long, value_name = "EVENT_ID")]
    pub id: String,
    /// Source of the event, where several sources use this id
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Tenant of the event
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
    /// Columns of the output [default: those of the terminal, else 100]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// Logins in the strip.
const STRIP: usize = 20;
/// Columns if nobody says how many.
const WIDTH: usize = 100;

/// Explains one decision.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &ExplainArgs, settings: &Settings) -> Result<Exit, CliError> {
    let assembly = Assembly::from_settings(settings)?;
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let here =
        |store: &dyn Store| print(&explained(args, store, &assembly.engine, colour)?).map(|()| Exit::Done);
    let Some(folder) = &args.data else {
        return here(&*replayed(args, settings, &assembly)?);
    };
    let request = || Request {
        command: "explain".to_owned(),
        args: serde_json::json!({
            "id": args.id,
            "source": args.source,
            "tenant": args.tenant,
            "width": args.width,
        }),
    };
    let opened = FjallStore::open_existing(folder, &StoreOptions::default());
    here_or_there(folder, opened, request, |store| here(&store))
}

/// The page on the decision that the arguments name.
///
/// # Errors
/// When there is none, or the store fails.
pub fn explained(
    args: &ExplainArgs,
    store: &dyn Store,
    engine: &Engine,
    colour: bool,
) -> Result<String, CliError> {
    let decision = find(args, store)?;
    let width = args
        .width
        .map_or(WIDTH, |width| usize::from(width.clamp(60, 400)));
    page(&decision, engine, store, width, colour)
}

/// The events decided in memory, as `replay` does.
fn replayed(
    args: &ExplainArgs,
    settings: &Settings,
    assembly: &Assembly,
) -> Result<Arc<dyn Store>, CliError> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let stop = stop_flag()?;
    let watch = Watch::new(Metrics::new()?);
    let over = Over {
        assembly,
        settings,
        tenant: &args.tenant,
        stop: &stop,
        settle: 0,
        live: false,
        upkeep: None,
        backfill: false,
    };
    run_over(
        &over,
        Arc::clone(&store),
        &args.events,
        |_| Ok(Sinks::default()),
        &watch,
    )?;
    Ok(store)
}

/// The decision on the event of this id. Several sources may use one id; then the user must say which.
fn find(args: &ExplainArgs, store: &dyn Store) -> Result<Decision, CliError> {
    if let Some(source) = &args.source {
        let id = decision_id(&args.tenant, source, &args.id, 0);
        let row = store
            .load_many(Keyspace::Decision, &[keys::decision(id)])?
            .pop()
            .flatten();
        let seq = row.and_then(|row| keys::read_seq(&row));
        let found = seq
            .map(|seq| stored::decision_at(store, seq))
            .transpose()?
            .flatten();
        return found.ok_or_else(|| not_found(args));
    }
    let mut found = Vec::new();
    stored::each_row(store, Keyspace::Decided, &[], |row| {
        let decision = decode_decision(&row.value)?;
        if *decision.event_id == *args.id && *decision.tenant == *args.tenant {
            found.push(decision);
        }
        Ok(())
    })?;
    match found.len() {
        0 => Err(not_found(args)),
        1 => found.pop().ok_or_else(|| not_found(args)),
        _ => {
            let sources: Vec<String> = found
                .iter()
                .map(|decision| format!("`{}`", decision.source))
                .collect();
            let id = &args.id;
            let text = format!(
                "event `{id}` came from {}: say which with `--source`",
                sources.join(" and ")
            );
            Err(CliError::Usage(text))
        }
    }
}

fn not_found(args: &ExplainArgs) -> CliError {
    CliError::Usage(format!(
        "there is no decision on an event `{}` of tenant `{}`",
        args.id, args.tenant
    ))
}

/// Rules and bounds that the decision was made with, if others are in force now and the archive has them.
fn of_its_day(
    decision: &Decision,
    engine: &Engine,
    store: &dyn Store,
) -> Result<Option<(RuleSet, ScorePolicy)>, CliError> {
    if decision.versions == engine.in_force.versions {
        return Ok(None);
    }
    let Some(archived) = versions::archived(store, decision.versions)? else {
        return Ok(None);
    };
    let (Some(rules), Some(settings)) = (archived.rules, archived.settings) else {
        return Ok(None);
    };
    let settings = config::load_decides(&settings)?;
    Ok(Some((rules, score_policy(&settings))))
}

/// The page on one decision, with the rules and bounds of its day if the archive has them.
///
/// # Errors
/// When the store fails.
pub fn page(
    decision: &Decision,
    engine: &Engine,
    store: &dyn Store,
    width: usize,
    colour: bool,
) -> Result<String, CliError> {
    let user = decision.user_id.as_deref();
    let strip = match user {
        Some(user) => {
            let up_to = (STRIP, engine.attempts.open_micros);
            stored::last_logins(store, (&decision.tenant, user), decision.seq, up_to)?
        }
        None => Vec::new(),
    };
    let event = stored::event_at(store, decision.seq)?;
    let later = stored::later_alerts(store, decision)?;
    let of_its_day = of_its_day(decision, engine, store)?;
    let (rules, policy) = match &of_its_day {
        Some((rules, policy)) => (rules, policy),
        None => (engine.risk.rules(), engine.risk.score_policy()),
    };
    let input = ExplainInput {
        decision,
        rules,
        policy,
        versions: match of_its_day {
            _ if decision.versions == engine.in_force.versions => Shown::InForce,
            Some(_) => Shown::OfItsDay,
            None => Shown::NotOfItsDay,
        },
        counterfactual: None,
        event: event.as_ref(),
        later: &later,
        strip: &strip,
        colour,
    };
    Ok(render(&input, width))
}
