//! Reads rules, lists, geo files and settings again while `run` goes on: at SIGHUP, and when a file has changed.
//!
//! What is read is checked as a whole. Sound, it goes to the deciding thread, which puts it in force between two
//! batches; broken, what was in force stays, and each broken file is told in one line. Not here: what is in force, which
//! is `pipeline/reload.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use doorward_geoip::GeoDatabase;
use doorward_rules::RuleSet;

use super::assemble::Assembly;
use super::exit::CliError;
use super::sources;
use crate::config::{Environment, MailSettings, Request, Settings, load};
use crate::event::UserAgentParser;
use crate::pipeline::reload::{Reloads, Version};
use crate::risk::decision::Id;
use crate::telemetry::metrics::Metrics;

/// How often the thread looks whether it was asked, or should end.
const LOOK: Duration = Duration::from_millis(50);

/// What came of reading everything again.
pub enum Reread {
    /// Nothing that can change a decision is different.
    Same,
    /// Something is.
    Other(Box<Version>),
    /// At least one file is broken: one line each.
    Broken(Vec<String>),
}

/// Reads everything again. Its settings are those in force.
pub struct Reloader {
    request: Request,
    /// The configuration file, if one is read.
    file: Option<PathBuf>,
    settings: Settings,
    tenant: String,
    versions: Id,
    agents: Arc<UserAgentParser>,
}

/// When each file was changed and how long it is.
type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

impl Reloader {
    /// Begins with what is in force. `file` is the configuration that was read.
    #[must_use]
    pub fn new(
        (request, file): (Request, Option<PathBuf>),
        settings: Settings,
        tenant: &str,
        assembly: &Assembly,
    ) -> Self {
        Self {
            request,
            file,
            settings,
            tenant: tenant.to_owned(),
            versions: assembly.engine.in_force.versions,
            agents: assembly.enricher.agents(),
        }
    }

    /// Reads and checks everything.
    pub fn read(&mut self) -> Reread {
        let settings = match load(&self.request, &Environment::of_process()) {
            Ok(loaded) => self.taken_over(loaded.settings),
            Err(error) => return Reread::Broken(vec![self.broken_configuration(&error.to_string())]),
        };
        let (rules, geo) = match read_files(&settings) {
            Ok(read) => read,
            Err(lines) => return Reread::Broken(lines),
        };
        let assembly = Assembly::from_parts(&settings, rules, geo, Arc::clone(&self.agents));
        let versions = assembly.engine.in_force.versions;
        let door = assembly.file_door(&settings, &self.tenant);
        self.settings = settings;
        if versions == self.versions {
            return Reread::Same;
        }
        self.versions = versions;
        Reread::Other(Box::new(Version {
            engine: assembly.engine,
            door,
        }))
    }

    /// The settings that a running process can take over; the others stay as they are until it is started again.
    fn taken_over(&self, read: Settings) -> Settings {
        let old = self.settings.clone();
        let new = Settings {
            crowd: old.crowd,
            store: old.store,
            limits: old.limits,
            files: old.files,
            doors: old.doors,
            kafka: old.kafka,
            metrics: old.metrics,
            log: old.log,
            reload: old.reload,
            security: old.security,
            mail: MailSettings {
                age_max_hours: read.mail.age_max_hours,
                ..old.mail
            },
            ..read.clone()
        };
        let mut waiting: Vec<&str> = Vec::new();
        for (section, differs) in [
            ("crowd", read.crowd != new.crowd),
            ("store", read.store != new.store),
            ("limits", read.limits != new.limits),
            ("files", read.files != new.files),
            ("doors", read.doors != new.doors),
            ("kafka", read.kafka != new.kafka),
            ("metrics", read.metrics != new.metrics),
            ("log", read.log != new.log),
            ("reload", read.reload != new.reload),
            ("security", read.security != new.security),
            ("mail.from", read.mail.from != new.mail.from),
            ("mail.site_name", read.mail.site_name != new.mail.site_name),
        ] {
            if differs {
                waiting.push(section);
            }
        }
        if !waiting.is_empty() {
            let settings = waiting.join(", ");
            tracing::warn!(settings, "these settings are taken over at the next start");
        }
        new
    }

    fn broken_configuration(&self, problems: &str) -> String {
        let file = self.file.as_ref().map_or_else(
            || "the configuration".to_owned(),
            |file| format!("`{}`", file.display()),
        );
        one_line(&file, problems.lines())
    }

    /// The files that are read, as they are now.
    fn stamps(&self) -> Stamps {
        let geo = &self.settings.geoip;
        let folder = self.settings.rules.folder.as_deref();
        // A folder that cannot be read is told when it is read as a whole.
        let rules = folder.and_then(|folder| sources::rule_files(folder).ok());
        let files = self.file.iter().cloned().chain(rules.unwrap_or_default());
        let geo = [&geo.city, &geo.asn, &geo.anonymous, &geo.lists]
            .into_iter()
            .flatten();
        files
            .chain(geo.cloned())
            .map(|path| {
                let stamp = fs::metadata(&path)
                    .and_then(|about| Ok((about.modified()?, about.len())))
                    .ok();
                (path, stamp)
            })
            .collect()
    }
}

/// Rules and geo files, or a line for each broken one.
fn read_files(settings: &Settings) -> Result<(RuleSet, GeoDatabase), Vec<String>> {
    let rules = match settings.rules.folder.as_deref() {
        None => sources::rules(None).map_err(|error| vec![told(&error)]),
        Some(folder) => match sources::rule_sources(folder) {
            Err(error) => Err(vec![told(&error)]),
            Ok(files) => RuleSet::from_sources(&files).map_err(|faults| {
                let mut by_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for fault in &faults {
                    let place = format!("line {}: {}", fault.line, fault.message);
                    by_file.entry(&fault.path).or_default().push(place);
                }
                let lines = by_file.iter();
                lines
                    .map(|(path, faults)| one_line(&format!("`{path}`"), faults.iter().map(String::as_str)))
                    .collect()
            }),
        },
    };
    let geo = sources::geo(&settings.geoip).map_err(|error| told(&error));
    match (rules, geo) {
        (Ok(rules), Ok(geo)) => Ok((rules, geo)),
        (rules, geo) => Err(rules.err().into_iter().flatten().chain(geo.err()).collect()),
    }
}

/// An error on one line.
fn told(error: &CliError) -> String {
    match error {
        CliError::FilesRefused { what, problems } => one_line(what, problems.iter().map(String::as_str)),
        other => other.to_string(),
    }
}

fn one_line<'a>(what: &str, mut problems: impl Iterator<Item = &'a str>) -> String {
    let first = problems.next().unwrap_or("it cannot be used");
    match problems.count() {
        0 => format!("{what}: {first}"),
        more => format!("{what}: {first}; and {more} more"),
    }
}

/// The thread that reads again; it ends with this.
pub struct Watching {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    /// Starts it. `asked` is set by SIGHUP.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        reloader: Reloader,
        asked: Arc<AtomicBool>,
        metrics: Metrics,
    ) -> Result<(Self, Reloads), CliError> {
        let over = Arc::new(AtomicBool::new(false));
        let (versions, reloads) = channel();
        let seconds = reloader.settings.reload.watch_seconds;
        tracing::debug!("rules, lists, geo files and settings are looked at every {seconds} s");
        let mut thread = Thread {
            seen: reloader.stamps(),
            changed: None,
            reloader,
            metrics,
            versions,
        };
        let ended = Arc::clone(&over);
        let every = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        let thread = std::thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || thread.run(&asked, &ended, every))
            .map_err(|error| CliError::Internal(format!("files cannot be watched: {error}")))?;
        let thread = Some(thread);
        Ok((Self { over, thread }, reloads))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic was told by the hook, and the run is over.
            let _ = thread.join();
        }
    }
}

struct Thread {
    reloader: Reloader,
    /// The files as they were when they were read.
    seen: Stamps,
    /// The files as they were at the last look, if that was another way: they may still be written to.
    changed: Option<Stamps>,
    metrics: Metrics,
    versions: Sender<Version>,
}

impl Thread {
    fn run(&mut self, asked: &AtomicBool, over: &AtomicBool, every: Option<Duration>) {
        let mut looked = Instant::now();
        while !over.load(Ordering::Relaxed) {
            if asked.swap(false, Ordering::Relaxed) {
                self.seen = self.reloader.stamps();
                self.read();
            } else if every.is_some_and(|every| looked.elapsed() >= every) {
                looked = Instant::now();
                if self.has_changed() {
                    self.read();
                }
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether files are other ones than those that were read, and two looks found the same: nobody writes to them.
    fn has_changed(&mut self) -> bool {
        let now = self.reloader.stamps();
        if now == self.seen {
            self.changed = None;
            return false;
        }
        let still = self.changed.as_ref() == Some(&now);
        self.changed = (!still).then(|| now.clone());
        if still {
            self.seen = now;
        }
        still
    }

    fn read(&mut self) {
        match self.reloader.read() {
            Reread::Same => {
                self.metrics.reloads.inc("same");
                tracing::info!("files were read again: nothing that can change a decision is different");
            }
            Reread::Other(version) => {
                self.metrics.reloads.inc("taken");
                let versions = version.engine.in_force.versions.to_string();
                // Nobody listens any more only if the run is over.
                let _ = self.versions.send(*version);
                tracing::info!(
                    versions,
                    "files were read again, and are in force from the next batch on"
                );
            }
            Reread::Broken(lines) => {
                self.metrics.reloads.inc("broken");
                for line in lines {
                    tracing::warn!("what was in force stays, as a file is broken: {line}");
                }
            }
        }
    }
}
