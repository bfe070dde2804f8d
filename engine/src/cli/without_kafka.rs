//! In the place of the Kafka door in a binary that was built without it: says which feature to add.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::exit::CliError;
use crate::config::Settings;
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::messages::MessageSource;
use crate::pipeline::ports::{Sink, Store};
use crate::telemetry::metrics::Metrics;

/// None without Kafka.
#[derive(Debug, Clone, Default, Args)]
pub struct KafkaArgs {}

/// What goes to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// Decisions.
    Decisions,
    /// Alerts, due and held back.
    Alerts,
    /// Refused messages.
    DeadLetters,
}

/// What the command has ready when it opens the door.
pub struct Ready<'a> {
    /// Settings.
    pub settings: &'a Settings,
    /// Tenant of events that name none.
    pub tenant: &'a str,
    /// Where positions are.
    pub store: &'a Arc<dyn Store>,
    /// Figures.
    pub metrics: &'a Metrics,
    /// Set when the run was asked to stop.
    pub stop: &'a Arc<AtomicBool>,
    /// Topics that are published to.
    pub outlets: &'a [Outlet],
}

/// No door: there is no value of it.
pub enum Door {}

/// None, unless the settings name brokers.
///
/// # Errors
/// [`CliError::Usage`] when they do.
pub fn open(_: &KafkaArgs, ready: &Ready<'_>) -> Result<Option<Door>, CliError> {
    if ready.settings.kafka.brokers.is_empty() {
        return Ok(None);
    }
    Err(CliError::Usage(
        "`kafka.brokers` needs a binary with the feature `kafka`: cargo build --release --features kafka"
            .to_owned(),
    ))
}

impl Door {
    /// Never called.
    pub fn sources(&mut self) -> Vec<Box<dyn MessageSource>> {
        match *self {}
    }

    /// Never called.
    pub fn close(self) {
        match self {}
    }

    /// Never called.
    #[must_use]
    pub fn policy(&self, _: DoorPolicy) -> DoorPolicy {
        match *self {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn sink(&self, _: &dyn Store, _: Outlet) -> Result<Box<dyn Sink>, CliError> {
        match *self {}
    }
}

/// The topic of an outlet; empty = none.
#[must_use]
pub fn topic_of(settings: &Settings, outlet: Outlet) -> &str {
    match outlet {
        Outlet::Decisions => &settings.kafka.decisions,
        Outlet::Alerts => &settings.kafka.alerts,
        Outlet::DeadLetters => &settings.kafka.dead_letters,
    }
}
