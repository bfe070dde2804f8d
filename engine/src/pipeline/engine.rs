//! Everything in force that can change a decision, made once for each version of it: rules, bounds, limits, keys.
//!
//! `cli` makes it from the settings; nothing in here is read from anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorward_geoip::GeoDatabase;

use crate::alerts::budget::BudgetPolicy;
use crate::alerts::quiet::QuietPolicy;
use crate::alerts::silence::SilencePolicy;
use crate::attempt::AttemptLimits;
use crate::event::Sensitivity;
use crate::history::MaturityPolicy;
use crate::history::crowd::CrowdLimits;
use crate::keyed_hash::KeyedHash;
use crate::pipeline::versions::InForce;
use crate::risk::action::AppPolicy;
use crate::risk::decision::Mode;
use crate::risk::risk_engine::RiskEngine;

/// What the configuration says of one application; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppRules {
    /// Name for people.
    pub name: Option<Box<str>>,
    /// Way without links for mails.
    pub help_text: Option<Box<str>>,
    /// Sensitivity, which beats the event's.
    pub sensitivity: Option<Sensitivity>,
    /// Everything else.
    pub policy: AppPolicy,
}

/// Applications by id, and what holds for the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apps {
    /// Those with settings of their own.
    pub by_id: BTreeMap<Box<str>, AppRules>,
    /// All others; its sensitivity is the one that holds if the event says nothing either.
    pub others: AppRules,
    /// Sensitivity if nobody says one.
    pub sensitivity: Sensitivity,
    /// Name of the site, for events that name no application; `None`: as their source is called.
    pub site: Option<Box<str>>,
}

impl Apps {
    /// What the configuration says of an application.
    #[must_use]
    pub fn of(&self, id: Option<&str>) -> &AppRules {
        id.and_then(|id| self.by_id.get(id)).unwrap_or(&self.others)
    }

    /// The policy that counts: configured sensitivity beats the event's.
    #[must_use]
    pub fn policy(&self, id: Option<&str>, told: Option<Sensitivity>) -> AppPolicy {
        let rules = self.of(id);
        let sensitivity = rules.sensitivity.or(told).unwrap_or(self.sensitivity);
        AppPolicy {
            sensitivity,
            ..rules.policy
        }
    }
}

/// Budgets and times of alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertPolicy {
    /// When nobody is told.
    pub silence: SilencePolicy,
    /// How many mails one owner gets.
    pub budget: BudgetPolicy,
    /// When wrong passwords are told.
    pub quiet: QuietPolicy,
}

/// Rules, bounds and keys in force.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Rules and bounds of the score.
    pub risk: RiskEngine,
    /// Enforced or only recorded.
    pub mode: Mode,
    /// Keyed hashes of what senders choose.
    pub hash: KeyedHash,
    /// Applications.
    pub apps: Apps,
    /// When a history is long enough to rely on.
    pub maturity: MaturityPolicy,
    /// Bounds of attempts.
    pub attempts: AttemptLimits,
    /// Geo files, to look up again where a user was when other files said it.
    pub geo: Arc<GeoDatabase>,
    /// Bounds of the counters across users.
    pub crowd: CrowdLimits,
    /// Budgets and times of alerts.
    pub alerts: AlertPolicy,
    /// How long decisions are kept, in days: what is older cannot be told from a repeat (clause S5).
    pub decisions_days: i64,
    /// A jump of `event.time` ahead in a file by more than this wants a witness, microseconds (clause S3).
    pub time_jump: i64,
    /// Timers that may wait; with more, the first due fire early.
    pub timers_max: usize,
    /// Names all of this, with what the archive keeps of it.
    pub in_force: Arc<InForce>,
}
