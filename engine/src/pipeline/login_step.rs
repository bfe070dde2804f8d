//! One login, from the enriched event to its score: attempt, device, familiarity, signals, rules. Pure but for the rows
//! that are handed in; nothing is learned here.

use std::net::IpAddr;

use doorward_rules::Slots;

use crate::attempt::{self, Attempt, AttemptLimits, End, EventBytes, LastScored};
use crate::enrich::EnrichedLogin;
use crate::enrich::network::NetworkFacts;
use crate::event::{EventType, UserKind};
use crate::history::crowd::{Crowd, CrowdObservation, CrowdOutcome};
use crate::history::device_identity::source_identity;
use crate::history::familiarity::familiarity;
use crate::history::network_key::NetworkKey;
use crate::history::{DeviceMatch, Maturity, Trust, UserHistory, identify, maturity, profile, usual_level};
use crate::keyed_hash::domain;
use crate::pipeline::engine::Engine;
use crate::pipeline::ports::Seq;
use crate::pipeline::user_rows::{UserKey, UserRows};
use crate::risk::action::AppPolicy;
use crate::risk::decision::{Action, DeviceState, Id, Level, Mode, Scored};
use crate::risk::risk_engine::{Judgement, RiskInput, Scratch};
use crate::risk::step_up::{FactorFacts, enrolled_max};
use crate::signals::{self, LastPlaceNow, LoginContext, Zones};

/// The event and its place in the journal.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The event.
    pub login: &'a EnrichedLogin,
    /// Key of the rows of its user, if it names one.
    pub user: Option<&'a UserKey>,
    /// Its position.
    pub seq: Seq,
    /// Its decision's id.
    pub decision: Id,
    /// Doorward's clock.
    pub now: i64,
    /// The event as it came in.
    pub bytes: &'a [u8],
    /// Whether it was read in from old logs, or a timer fired among such.
    pub backfill: bool,
}

/// What the history says before this event.
#[derive(Debug, Clone)]
pub struct Before {
    /// How much is known of the user.
    pub maturity: Maturity,
    /// The device against those known.
    pub matched: DeviceMatch,
    /// Whose account it is: what the event says, else what is remembered.
    pub user_kind: UserKind,
    /// Keyed identity of the device (0 if it shows none) and address among the user's failures.
    pub source: (u128, u128),
    /// Wrong passwords of this user from the same device or address shortly before.
    pub wrong_passwords: u32,
}

/// What came of a login.
#[derive(Debug)]
pub struct LoginStep {
    /// What the history said before.
    pub before: Before,
    /// The attempt with this event in it.
    pub attempt: Box<Attempt>,
    /// Whether the attempt ends with this event.
    pub end: Option<End>,
    /// Action, levels, ledger; `None` if the event is not scored.
    pub scored: Option<Scored>,
    /// Level that the attempt has proven; 1 for what nobody would score.
    pub achieved: Level,
    /// Whether a line of attack evidence was true.
    pub attack_fired: bool,
    /// Fields as the rules saw them, encoded.
    pub slots: Vec<u8>,
    /// Inputs that were missing.
    pub degraded: Vec<Box<str>>,
    /// What the counters across users see of it.
    pub observation: Option<CrowdObservation>,
}

/// Space used again from login to login.
#[derive(Debug, Default)]
pub struct Workspace {
    scratch: Scratch,
    slots: Slots,
    zones: Zones,
}

/// Keyed identity of a login's source among the user's failures: device (0 if it shows none) and address.
#[must_use]
pub fn source_of(engine: &Engine, login: &EnrichedLogin) -> (u128, u128) {
    let address = login
        .network
        .as_ref()
        .map_or(0, |network| address_hash(engine, network.ip));
    (source_identity(&login.device), address)
}

/// Keyed hash of an address, or of the /64 of an IPv6 address: a customer has all the rest of it.
#[must_use]
pub fn address_hash(engine: &Engine, ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => engine.hash.wide(domain::ADDRESS, &[&ip.octets()]),
        IpAddr::V6(ip) => engine
            .hash
            .wide(domain::ADDRESS, &[&(ip.to_bits() >> 64).to_be_bytes()]),
    }
}

/// Decides one event of type `login`.
pub fn take(
    engine: &Engine,
    moment: Moment<'_>,
    mut attempt: Box<Attempt>,
    rows: &UserRows,
    crowd: &Crowd,
    work: &mut Workspace,
) -> LoginStep {
    let login = moment.login;
    let history = rows.history.as_ref();
    let before = look_back(engine, moment, rows);
    let first_stage = attempt.stages == 0;
    attempt.user = attempt.user.take().or_else(|| login.user.clone());
    let end = attempt.take(&login.event);
    let mut step = LoginStep {
        before,
        attempt,
        end,
        scored: None,
        achieved: Level::One,
        attack_fired: false,
        slots: Vec::new(),
        degraded: degraded(login),
        observation: observe(engine, login, end, first_stage),
    };
    if let Some(network) = login
        .network
        .as_ref()
        .filter(|_| attempt::is_scored(&login.event))
    {
        step.achieved = step
            .attempt
            .proven
            .level(engine.risk.factor_policy().hwk_origin_bound);
        let scoring = Scoring {
            engine,
            moment,
            network,
            history,
            rows,
            crowd,
        };
        let judgement = (engine.mode != Mode::Off).then(|| scoring.run(&step, work));
        step.remember(moment, network, judgement, engine.attempts, work);
    }
    step
}

fn look_back(engine: &Engine, moment: Moment<'_>, rows: &UserRows) -> Before {
    let event = &moment.login.event;
    let history = rows.history.as_ref();
    let time = event.time.as_micros();
    let source = source_of(engine, moment.login);
    let (device, address) = source;
    Before {
        source,
        maturity: maturity(
            history,
            event.user.created_at.map(crate::event::Timestamp::as_micros),
            moment.now,
            &engine.maturity,
        ),
        matched: identify(history, &moment.login.device, time, moment.now),
        user_kind: user_kind(event.user.kind, history),
        wrong_passwords: rows.failures.same_source_30m(device, address, time),
    }
}

/// What the event says, else what the account was said to be before, else a person's.
pub(super) fn user_kind(told: Option<UserKind>, history: Option<&UserHistory>) -> UserKind {
    told.unwrap_or_else(|| match history.map(|history| history.profile.kind) {
        Some(profile::UserKind::Shared) => UserKind::Shared,
        Some(profile::UserKind::Service) => UserKind::Service,
        Some(profile::UserKind::Agent) => UserKind::Agent,
        Some(profile::UserKind::Person) | None => UserKind::Person,
    })
}

/// What an event tells the counters across users. An attempt counts once, with its first stage.
fn observe(
    engine: &Engine,
    login: &EnrichedLogin,
    end: Option<End>,
    first_stage: bool,
) -> Option<CrowdObservation> {
    let network = login.network.as_ref()?;
    if !login.event.is_interactive() {
        return None;
    }
    let granted = end == Some(End::Granted);
    let outcome = CrowdOutcome {
        attempt: first_stage,
        failure: login.event.outcome == Some(crate::event::Outcome::Failure),
        success: granted,
        granted,
    };
    let user = login.user.as_deref().or(login.event.user.name_hash.as_deref());
    Some(CrowdObservation::new(
        &engine.hash,
        &login.tenant,
        user,
        &login.device,
        network,
        outcome,
    ))
}

/// What the counters across users see of an attempt that is granted after its last stage: its try was counted then.
pub(super) fn granted_later(engine: &Engine, attempt: &Attempt, last: &LastScored) -> CrowdObservation {
    let outcome = CrowdOutcome {
        attempt: false,
        failure: false,
        success: true,
        granted: true,
    };
    let user = attempt.user.as_deref();
    CrowdObservation::new(
        &engine.hash,
        &last.tenant,
        user,
        &last.device,
        &last.network,
        outcome,
    )
}

/// Inputs without which some rules answer `no_data`, sorted.
fn degraded(login: &EnrichedLogin) -> Vec<Box<str>> {
    let network = login.network.as_ref();
    let missing = [
        (!told_methods(login), "auth.methods"),
        (login.event.client.user_agent.is_none(), "client.user_agent"),
        (
            network.is_some_and(|network| network.asn.is_none()),
            "network.asn",
        ),
        (
            network.is_some_and(|network| network.country.is_none()),
            "network.country",
        ),
    ];
    missing
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name.into())
        .collect()
}

fn told_methods(login: &EnrichedLogin) -> bool {
    let event = &login.event;
    let nothing_to_tell = event.event_type != EventType::Login || !attempt::is_scored(event);
    nothing_to_tell || !event.auth.factors.is_empty() || !event.auth.methods.is_empty()
}

struct Scoring<'a> {
    engine: &'a Engine,
    moment: Moment<'a>,
    network: &'a NetworkFacts,
    history: Option<&'a UserHistory>,
    rows: &'a UserRows,
    crowd: &'a Crowd,
}

impl Scoring<'_> {
    fn run(&self, step: &LoginStep, work: &mut Workspace) -> Judgement {
        let login = self.moment.login;
        let event = &login.event;
        let policy = self
            .engine
            .apps
            .policy(event.app.id.as_deref(), event.app.sensitivity);
        let factors = self.engine.risk.factor_policy();
        let usual = self
            .history
            .and_then(|history| usual_level(history, self.moment.now));
        let enrolled = event.auth.enrolled.as_deref();
        let proven = &step.attempt.proven;
        let none = CrowdOutcome {
            attempt: false,
            failure: false,
            success: false,
            granted: false,
        };
        let observation = step
            .observation
            .map(|observation| observation.with(none))
            .unwrap_or_default();
        let (source_device, source_address) = step.before.source;
        let last_place = self.last_place();
        let context = LoginContext {
            login,
            network: self.network,
            history: self.history,
            failures: &self.rows.failures,
            source_device,
            source_address,
            attempt: &step.attempt,
            matched: &step.before.matched,
            pair_trust: self.pair_trust(&step.before.matched),
            maturity: step.before.maturity,
            user_kind: step.before.user_kind,
            familiarity: self.history.and_then(|history| {
                familiarity(
                    history,
                    &self.crowd.counts(&observation),
                    self.network,
                    self.moment.now,
                )
            }),
            crowd: &self.crowd.view(&observation, self.moment.now),
            proven,
            achieved: proven.level(factors.hwk_origin_bound).number(),
            usual,
            enrolled_max: enrolled.map(|enrolled| enrolled_max(enrolled, event.time, factors)),
            last_place: last_place.as_ref(),
            sensitivity: policy.sensitivity,
            hwk_origin_bound: factors.hwk_origin_bound,
            now: self.moment.now,
            zones: &work.zones,
        };
        signals::read_all(&context, &mut work.slots);
        let input = self.input(step, &policy, usual);
        self.engine.risk.decide(&work.slots, &input, &mut work.scratch)
    }

    /// Where the user was last, by the geo files of this login: at a new epoch the place is looked up again.
    fn last_place(&self) -> Option<LastPlaceNow> {
        let last = self.history?.last_place.as_ref()?;
        let epoch = self.network.geo_epoch;
        if last.geo_epoch == epoch || self.engine.geo.epoch() != epoch {
            return Some(LastPlaceNow {
                time: last.time,
                place: last.place(),
                kind: last.kind,
                comparable: last.geo_epoch == epoch,
            });
        }
        let found = NetworkFacts::new(last.prefix, &self.engine.geo.lookup(last.prefix), epoch);
        Some(LastPlaceNow {
            time: last.time,
            place: found.place?,
            // Lists of parts of the /24 or /48 do not show by its first address.
            kind: found.kind.or(last.kind),
            comparable: true,
        })
    }

    fn pair_trust(&self, matched: &DeviceMatch) -> Trust {
        let (Some(history), Some(device)) = (self.history, matched.device) else {
            return Trust::None;
        };
        history.pair_trust(device, NetworkKey::of(self.network), self.moment.now)
    }

    fn input<'b>(&'b self, step: &'b LoginStep, app: &'b AppPolicy, usual: Option<u8>) -> RiskInput<'b> {
        let event = &self.moment.login.event;
        let unknown = step.before.matched.state != DeviceState::Known;
        RiskInput {
            user_kind: step.before.user_kind,
            maturity: step.before.maturity,
            app,
            factors: FactorFacts {
                enrolled: event.auth.enrolled.as_deref(),
                proven: &step.attempt.proven,
                time: event.time,
                suspect_device: event.device.id.as_deref().filter(|_| unknown),
                session: event.session.id.as_deref(),
                taints: &[],
            },
            usual: usual.and_then(Level::from_number),
            excepted: &[],
        }
    }
}

impl LoginStep {
    fn remember(
        &mut self,
        moment: Moment<'_>,
        network: &NetworkFacts,
        judgement: Option<Judgement>,
        limits: AttemptLimits,
        work: &Workspace,
    ) {
        self.attack_fired = judgement
            .as_ref()
            .is_some_and(|judgement| judgement.totals.attack_fired);
        let scored = judgement.map(|judgement| judgement.scored);
        // Where nothing is scored nobody advises against it: whoever asks us lets them in.
        let action = scored.as_ref().map_or(Action::Allow, |scored| scored.action);
        self.attempt.asked |= matches!(action, Action::StepUp | Action::Hold);
        if self.end.is_none() {
            let allowed = action == Action::Allow;
            self.attempt
                .wait_for_grant(&moment.login.event, allowed, moment.now, limits);
            self.attempt.last = Some(Box::new(LastScored {
                seq: moment.seq,
                decision: moment.decision,
                action,
                sum_hundredths: scored.as_ref().map_or(0, |scored| scored.sum.hundredths()),
                attack_fired: self.attack_fired,
                achieved: self.achieved.number(),
                time: moment.login.event.time.as_micros(),
                device: moment.login.device.clone(),
                network: network.clone(),
                tenant: moment.login.tenant.clone(),
                event: EventBytes(moment.bytes.into()),
            }));
        }
        if scored.is_some() {
            work.slots.encode(&mut self.slots);
        }
        self.scored = scored;
    }
}
