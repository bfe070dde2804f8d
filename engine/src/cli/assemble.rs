//! Puts an engine together from settings, rules and geo files: the same one for every command that decides.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorward_geoip::GeoDatabase;
use doorward_rules::{Points, RuleSet};

use super::exit::CliError;
use super::sources;
use crate::alerts::budget::BudgetPolicy;
use crate::alerts::quiet::{FailedUnknown, QuietPolicy};
use crate::alerts::silence::SilencePolicy;
use crate::attempt::AttemptLimits;
use crate::config::{self, Settings, UserKey};
use crate::enrich::Enricher;
use crate::event::{Limits, Sensitivity, UserAgentParser, UserKeyPolicy};
use crate::history::MaturityPolicy;
use crate::history::crowd::CrowdLimits;
use crate::keyed_hash::KeyedHash;
use crate::pipeline::crowd_image::ImagePolicy;
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::engine::{AlertPolicy, AppRules, Apps, Engine};
use crate::pipeline::run::{BatchLimits, RunLimits, Upkeep};
use crate::pipeline::versions::InForce;
use crate::risk::action::AppPolicy;
use crate::risk::decision::{Action, Mode};
use crate::risk::risk_engine::RiskEngine;
use crate::risk::score::ScorePolicy;
use crate::risk::step_up::FactorPolicy;

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
const MINUTE_MICROS: i64 = 60_000_000;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// An engine and what its doors need.
#[derive(Clone)]
pub struct Assembly {
    /// Everything that decides.
    pub engine: Arc<Engine>,
    /// Looks up device, network and place.
    pub enricher: Enricher,
}

impl Assembly {
    /// From settings, and the rules and geo files that they name.
    ///
    /// # Errors
    /// When a file cannot be read or is refused.
    pub fn from_settings(settings: &Settings) -> Result<Self, CliError> {
        Self::with_geo(settings, sources::geo(&settings.geoip)?)
    }

    /// From settings and the rules that they name, with other geo databases.
    ///
    /// # Errors
    /// When rules cannot be read or are refused.
    pub fn with_geo(settings: &Settings, geo: GeoDatabase) -> Result<Self, CliError> {
        let rules = sources::rules(settings.rules.folder.as_deref())?;
        let agents = UserAgentParser::new().map_err(|error| CliError::Internal(error.to_string()))?;
        Ok(Self::from_parts(settings, rules, geo, Arc::new(agents)))
    }

    /// From what was read already.
    #[must_use]
    pub fn from_parts(
        settings: &Settings,
        rules: RuleSet,
        geo: GeoDatabase,
        agents: Arc<UserAgentParser>,
    ) -> Self {
        let rules = Arc::new(rules);
        let hash = KeyedHash::new(settings.security.hash_key.reveal());
        let geo = Arc::new(geo);
        let engine = engine(settings, rules, Arc::clone(&geo), hash);
        let enricher = Enricher::new(
            hash,
            user_key_policy(settings),
            geo,
            agents,
            settings.geoip.cache_entries,
        );
        Self {
            engine: Arc::new(engine),
            enricher,
        }
    }

    /// What a door for files lets in. `tenant` is that of events which name none.
    #[must_use]
    pub fn file_door(&self, settings: &Settings, tenant: &str) -> DoorPolicy {
        let future_minutes = i64::from(settings.files.future_minutes);
        DoorPolicy {
            limits: event_limits(settings),
            enricher: self.enricher.clone(),
            tenant: tenant.into(),
            tenants: settings
                .tenants
                .allowed
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
            latest: Arc::new(move || wall_clock_micros().saturating_add(future_minutes * MINUTE_MICROS)),
            future_minutes,
            arrival: None,
            backfill: false,
            versions: self.engine.in_force.versions,
            scopes: Arc::default(),
        }
    }
}

impl Assembly {
    /// The same for lines that happen as they arrive.
    #[must_use]
    pub fn live_door(&self, settings: &Settings, tenant: &str) -> DoorPolicy {
        DoorPolicy {
            arrival: Some(Arc::new(wall_clock_micros)),
            ..self.file_door(settings, tenant)
        }
    }
}

/// When two spellings of a user's id are one user.
#[must_use]
pub const fn user_key_policy(settings: &Settings) -> UserKeyPolicy {
    match settings.user.key {
        UserKey::Exact => UserKeyPolicy::Exact,
        UserKey::TrimLowercase => UserKeyPolicy::TrimLowercase,
    }
}

/// How large an event may be.
#[must_use]
pub const fn event_limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        event_bytes: limits.event_bytes,
        user_agent_bytes: limits.user_agent_bytes,
        id_bytes: limits.id_bytes,
        depth: limits.depth,
    }
}

/// Sizes of queues, batches and caches.
#[must_use]
pub fn run_limits(settings: &Settings) -> RunLimits {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = match settings.doors.threads {
        0 => cores.saturating_sub(1).max(1),
        threads => threads,
    };
    RunLimits {
        workers,
        queue_lines: settings.doors.queue_events,
        queue_bytes: settings.doors.queue_bytes,
        batch: BatchLimits {
            records: settings.doors.batch_records,
            bytes: settings.doors.batch_bytes,
            age: Duration::from_millis(settings.doors.batch_ms),
        },
        rows_kept: settings.store.user_cache,
    }
}

/// What is done for later runs over a store that lasts.
#[must_use]
pub fn upkeep(settings: &Settings) -> Upkeep {
    Upkeep {
        images: ImagePolicy::default(),
        journal_days: i64::from(settings.store.journal_days),
    }
}

fn engine(settings: &Settings, rules: Arc<RuleSet>, geo: Arc<GeoDatabase>, hash: KeyedHash) -> Engine {
    let in_force = InForce::new(&rules, &geo, (&settings.decides_text(), settings.decides_hash()));
    Engine {
        risk: RiskEngine::new(rules, score_policy(settings), factor_policy(settings)),
        mode: match settings.mode {
            config::Mode::Enforce => Mode::Enforce,
            config::Mode::Monitor => Mode::Monitor,
            config::Mode::Off => Mode::Off,
        },
        hash,
        apps: apps(settings),
        maturity: MaturityPolicy {
            logins_min: settings.user.learning_logins.into(),
            age_min: i64::from(settings.user.learning_days) * DAY_SECONDS,
            new_max: i64::from(settings.user.new_account_hours) * HOUR_SECONDS,
        },
        attempts: AttemptLimits {
            stages_max: u8::try_from(settings.attempt.stages_max).unwrap_or(u8::MAX),
            open_micros: i64::from(settings.attempt.open_minutes) * MINUTE_MICROS,
            granted_micros: i64::from(settings.attempt.granted_seconds) * 1_000_000,
        },
        crowd: CrowdLimits {
            sketch_lines: settings.crowd.sketch_lines,
            window_keys: settings.crowd.keys_max,
            users_per_key_max: settings.crowd.users_per_key_max,
            ..CrowdLimits::default()
        },
        alerts: AlertPolicy {
            silence: SilencePolicy {
                age_max: i64::from(settings.mail.age_max_hours) * HOUR_MICROS,
                new_store: i64::from(settings.alerts.new_store_days) * DAY_MICROS,
            },
            quiet: QuietPolicy {
                failed_unknown: match settings.alerts.failed_unknown {
                    config::FailedUnknown::First => FailedUnknown::First,
                    config::FailedUnknown::Each => FailedUnknown::Each,
                    config::FailedUnknown::Digest => FailedUnknown::Digest,
                    config::FailedUnknown::Off => FailedUnknown::Off,
                },
                quiet: i64::from(settings.alerts.quiet_minutes) * MINUTE_MICROS,
            },
            budget: BudgetPolicy {
                hourly_max: settings.alerts.user_per_hour as usize,
                daily_max: settings.alerts.user_per_day as usize,
                same_kind: i64::from(settings.alerts.same_kind_hours) * HOUR_MICROS,
            },
        },
        timers_max: settings.limits.timers,
        decisions_days: i64::from(settings.store.decisions_days),
        time_jump: i64::from(settings.files.time_jump_hours) * HOUR_MICROS,
        geo,
        in_force: Arc::new(in_force),
    }
}

/// Bounds of the score from the settings.
#[must_use]
pub fn score_policy(settings: &Settings) -> ScorePolicy {
    let score = &settings.score;
    ScorePolicy {
        base: score.base,
        level2_from: score.level2_from,
        level3_from: score.level3_from,
        deny_from: score.deny_from,
        newness_cap: score.newness_cap,
        trust_cap: Points::from_hundredths(-score.trust_cap.hundredths()),
    }
}

fn factor_policy(settings: &Settings) -> FactorPolicy {
    FactorPolicy {
        maturity_days: i64::from(settings.factors.maturity_days),
        hwk_origin_bound: settings.levels.hwk_origin_bound,
    }
}

fn apps(settings: &Settings) -> Apps {
    let app = &settings.app;
    let rules = |id: Option<&str>, sensitivity: Option<config::Sensitivity>| AppRules {
        name: id.map(|id| app.name(id).into()),
        help_text: Some(app.help_text(id.unwrap_or_default()).into()),
        sensitivity: sensitivity.map(to_event),
        policy: AppPolicy {
            base: id.and_then(|id| app.base(id)),
            sensitivity: to_event(app.defaults.sensitivity),
            unreachable: match app.unreachable(id.unwrap_or_default()) {
                config::Unreachable::Allow => Action::Allow,
                config::Unreachable::Hold => Action::Hold,
                config::Unreachable::Deny => Action::Deny,
            },
        },
    };
    let others = AppRules {
        name: None,
        ..rules(None, None)
    };
    let by_id = app
        .overrides
        .iter()
        .map(|(id, own)| (id.as_str().into(), rules(Some(id), own.sensitivity)))
        .collect();
    Apps {
        by_id,
        others,
        sensitivity: to_event(app.defaults.sensitivity),
        site: site(&settings.mail.site_name),
    }
}

/// The name of the site, if it has one: who signs in does not sign in to Doorward.
fn site(name: &str) -> Option<Box<str>> {
    let given = !matches!(name.trim(), "" | "Doorward");
    given.then(|| name.into())
}

fn to_event(sensitivity: config::Sensitivity) -> Sensitivity {
    match sensitivity {
        config::Sensitivity::Low => Sensitivity::Low,
        config::Sensitivity::Normal => Sensitivity::Normal,
        config::Sensitivity::High => Sensitivity::High,
    }
}

/// The wall clock: only to refuse what claims to come from the future.
pub fn wall_clock_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
