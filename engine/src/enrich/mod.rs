//! What can be said of one event without any history: device, network, place. Missing stays missing.
//!
//! Runs in the doors' threads; nothing is shared but the databases and patterns, and nothing here depends on the order
//! of events. An enriched event carries the geo epoch it was looked up in.

pub mod device;
pub mod network;

use std::borrow::Cow;
use std::sync::Arc;

use doorward_geoip::{GeoDatabase, LookupCache};

use crate::event::{LoginEvent, UserAgentCache, UserAgentParser, UserKeyPolicy};
use crate::keyed_hash::{KeyedHash, domain};
use device::{DeviceDescriptor, SoftwareFacts};
use network::NetworkFacts;

/// An event with all that is known of it before any history is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrichedLogin {
    /// The event as it came in.
    pub event: LoginEvent,
    /// Tenant: the event's, else the door's.
    pub tenant: Arc<str>,
    /// The user's id in the form that keys are made of.
    pub user: Option<Box<str>>,
    /// The device that the event shows.
    pub device: DeviceDescriptor,
    /// Network and place; `None` if the event has no address.
    pub network: Option<NetworkFacts>,
}

/// What enrichment needs and shares between threads.
#[derive(Clone)]
pub struct Enricher {
    hash: KeyedHash,
    user_key: UserKeyPolicy,
    geo: Arc<GeoDatabase>,
    agents: Arc<UserAgentParser>,
    cache_entries: usize,
}

/// Bounded caches of one worker. A result never depends on them.
pub struct EnrichCaches {
    geo: LookupCache,
    agents: UserAgentCache,
}

impl EnrichCaches {
    /// How many user agents are remembered; never more than the bound.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.agents.len()
    }
}

impl Enricher {
    /// From the databases and patterns in force. `cache_entries` bounds each cache of each worker.
    #[must_use]
    pub fn new(
        hash: KeyedHash,
        user_key: UserKeyPolicy,
        geo: Arc<GeoDatabase>,
        agents: Arc<UserAgentParser>,
        cache_entries: usize,
    ) -> Self {
        Self {
            hash,
            user_key,
            geo,
            agents,
            cache_entries,
        }
    }

    /// Caches for one more worker.
    #[must_use]
    pub fn caches(&self) -> EnrichCaches {
        EnrichCaches {
            geo: LookupCache::new(self.cache_entries),
            agents: UserAgentCache::new(Arc::clone(&self.agents), self.cache_entries),
        }
    }

    /// The patterns of user agents, which belong to the program.
    #[must_use]
    pub fn agents(&self) -> Arc<UserAgentParser> {
        Arc::clone(&self.agents)
    }

    /// Epoch of the geo databases in force.
    #[must_use]
    pub fn geo_epoch(&self) -> u64 {
        self.geo.epoch()
    }

    /// Looks everything up.
    #[must_use]
    pub fn enrich(&self, event: LoginEvent, tenant: Arc<str>, caches: &mut EnrichCaches) -> EnrichedLogin {
        let user = event
            .user
            .id
            .as_deref()
            .map(|id| match self.user_key.canonical(id) {
                Cow::Borrowed(same) => Box::from(same),
                Cow::Owned(changed) => changed.into_boxed_str(),
            });
        let network = event
            .client
            .ip
            .map(|ip| NetworkFacts::new(ip, &caches.geo.get(&self.geo, ip), self.geo.epoch()));
        let device = self.describe(&event, caches);
        EnrichedLogin {
            event,
            tenant,
            user,
            device,
            network,
        }
    }

    fn describe(&self, event: &LoginEvent, caches: &mut EnrichCaches) -> DeviceDescriptor {
        let device = &event.device;
        let proved = device.key.as_ref().filter(|key| key.proved);
        let agent = event.client.user_agent.as_deref();
        DeviceDescriptor {
            id: device.id.as_deref().map(|id| self.hash.device_id(id)),
            key: proved.map(|key| self.hash.wide(domain::DEVICE_KEY, &[key.thumbprint.as_bytes()])),
            generation: device.generation,
            software: agent
                .map(|agent| software_facts(&caches.agents.get(agent)))
                .unwrap_or_default(),
            agent: agent.map_or(0, |agent| self.hash.short(domain::AGENT, &[agent.as_bytes()])),
            attribute_count: u16::try_from(device.attributes.len()).unwrap_or(u16::MAX),
            attributes: self.hash_attributes(event),
        }
    }

    /// One hash over all attributes; [`TextMap`](crate::event::TextMap) keeps them sorted by name.
    fn hash_attributes(&self, event: &LoginEvent) -> u128 {
        let attributes = &event.device.attributes;
        if attributes.is_empty() {
            return 0;
        }
        let mut parts = Vec::with_capacity(attributes.len() * 2);
        for (name, value) in attributes.iter() {
            parts.push(name.as_bytes());
            parts.push(value.as_bytes());
        }
        self.hash.wide(domain::ATTRIBUTES, &parts)
    }
}

fn software_facts(software: &crate::event::Software) -> SoftwareFacts {
    SoftwareFacts {
        family: Arc::clone(&software.family),
        major: software.major,
        os: software.os.clone().unwrap_or_default(),
        device_type: software.device_type,
    }
}
