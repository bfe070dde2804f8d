//! The end of an attempt: what is learned from it and who is told. One value, made from the event that ended it, or
//! from its last scored stage if a later word (`attempt.closed`) did.

use crate::alerts::classify::AttemptEnd;
use crate::attempt::{Attempt, End, LastScored};
use crate::enrich::device::DeviceDescriptor;
use crate::enrich::network::{NetworkFacts, NetworkKind};
use crate::event::{LoginEvent, Outcome};
use crate::history::{
    DeviceMatch, DeviceState, GrantedLogin, Late, Trust, UserHistory, VouchEvidence, identify, learn,
};
use crate::keyed_hash::KeyedHash;
use crate::pipeline::login_step::{LoginStep, Moment};
use crate::pipeline::ports::Seq;
use crate::risk::decision::{Action, Id, Level};

/// An attempt that has just ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// How.
    pub end: AttemptEnd,
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Device of its last stage.
    pub device: &'a DeviceDescriptor,
    /// Network of its last stage.
    pub network: &'a NetworkFacts,
    /// The device against those known before.
    pub matched: DeviceMatch,
    /// `event.time` of its last stage, microseconds since the epoch.
    pub time: i64,
    /// Doorward's clock at the end.
    pub now: i64,
    /// Position of the record that ended it.
    pub seq: Seq,
    /// Decision on its last scored stage.
    pub decision: Id,
    /// Action of that decision, if there was one.
    pub action: Option<Action>,
    /// Sum of its ledger in hundredths.
    pub sum_hundredths: i32,
    /// Whether a line of attack evidence was true.
    pub attack_fired: bool,
    /// Level proven.
    pub achieved: Level,
    /// Its last stage, as the application told it.
    pub event: &'a LoginEvent,
    /// Whether it was read in from old logs.
    pub backfill: bool,
}

/// The end that this event is, if it is one with an address.
#[must_use]
pub fn by_event<'a>(moment: Moment<'a>, step: &'a LoginStep) -> Option<Ended<'a>> {
    let end = match (step.end?, moment.login.event.outcome) {
        (End::Granted, _) => AttemptEnd::Granted,
        (End::Refused, Some(Outcome::Abandoned)) => AttemptEnd::Abandoned,
        (End::Refused, _) => AttemptEnd::Refused,
    };
    with_end(moment, step, end)
}

/// The same as if the attempt ended here, refused.
#[must_use]
pub fn refused<'a>(moment: Moment<'a>, step: &'a LoginStep) -> Option<Ended<'a>> {
    with_end(moment, step, AttemptEnd::Refused)
}

fn with_end<'a>(moment: Moment<'a>, step: &'a LoginStep, end: AttemptEnd) -> Option<Ended<'a>> {
    let scored = step.scored.as_ref();
    Some(Ended {
        end,
        attempt: &step.attempt,
        device: &moment.login.device,
        network: moment.login.network.as_ref()?,
        matched: step.before.matched.clone(),
        time: moment.login.event.time.as_micros(),
        now: moment.now,
        seq: moment.seq,
        decision: moment.decision,
        action: scored.map(|scored| scored.action),
        sum_hundredths: scored.map_or(0, |scored| scored.sum.hundredths()),
        attack_fired: step.attack_fired,
        achieved: step.achieved,
        event: &moment.login.event,
        backfill: moment.backfill,
    })
}

/// The end that a later word, or a timer, puts to an attempt whose last scored stage is known. `event` is that stage.
#[must_use]
pub fn by_word<'a>(
    attempt: &'a Attempt,
    last: &'a LastScored,
    event: &'a LoginEvent,
    end: AttemptEnd,
    history: Option<&UserHistory>,
    moment: Moment<'_>,
) -> Ended<'a> {
    Ended {
        end,
        attempt,
        device: &last.device,
        network: &last.network,
        matched: identify(history, &last.device, last.time, moment.now),
        time: last.time,
        now: moment.now,
        seq: moment.seq,
        decision: last.decision,
        action: Some(last.action),
        sum_hundredths: last.sum_hundredths,
        attack_fired: last.attack_fired,
        achieved: Level::from_number(last.achieved).unwrap_or(Level::One),
        event,
        backfill: moment.backfill,
    }
}

impl Ended<'_> {
    /// Whether they got in although we advised otherwise: observed, never vouched.
    #[must_use]
    pub fn against_advice(&self) -> bool {
        self.end == AttemptEnd::Granted && self.action.is_some_and(|action| action != Action::Allow)
    }

    /// Whether our answer was deny or hold: then nobody was asked for a second step.
    #[must_use]
    pub fn turned_away(&self) -> bool {
        matches!(self.action, Some(Action::Deny | Action::Hold))
    }

    /// Learns a granted login; anything else teaches nothing.
    pub fn learn(&self, history: &mut UserHistory, hash: &KeyedHash) {
        if self.end != AttemptEnd::Granted {
            return;
        }
        let evidence = self.evidence(history, hash);
        learn(
            history,
            &GrantedLogin {
                seq: self.seq,
                time: self.time,
                now: self.now,
                // Old logs are late by the clock of a store that lives already; their own days are what counts.
                late: if self.backfill {
                    Late::InTime
                } else {
                    Late::of(self.time, self.now)
                },
                device: self.device,
                matched: &self.matched,
                network: self.network,
                level: self.achieved.number(),
                asked: self.attempt.asked,
                evidence,
                ordinary_network: is_ordinary(self.network.kind),
                against_advice: self.against_advice(),
                backfill: self.backfill,
            },
        );
    }

    /// Which row of the table of trust a passed step-up is ("Trust of a pair" in the scoring documentation).
    fn evidence(&self, history: &UserHistory, hash: &KeyedHash) -> VouchEvidence {
        match self.achieved {
            Level::One => VouchEvidence::None,
            Level::Three => VouchEvidence::StepUpOriginBound,
            // What can be forwarded is no better for where it lives, if the page may stand on the network between.
            Level::Two
                if is_ordinary(self.network.kind) && self.lives_on_other_vouched_device(history, hash) =>
            {
                VouchEvidence::StepUpOtherVouchedDevice
            }
            Level::Two => VouchEvidence::StepUpPhishable,
        }
    }

    fn lives_on_other_vouched_device(&self, history: &UserHistory, hash: &KeyedHash) -> bool {
        let used = self.attempt.proven.used();
        let enrolled = self.event.auth.enrolled.as_deref().unwrap_or_default();
        enrolled
            .iter()
            .filter(|factor| used.contains(&factor.id))
            .filter_map(|factor| factor.lives_on.as_deref())
            .map(|device| hash.device_id(device))
            .any(|device| Some(device) != self.device.id && is_vouched(history, device, self.now))
    }

    /// Whether the device is one that the user was seen with, undisputed.
    #[must_use]
    pub fn device_is_known(&self) -> bool {
        self.matched.state == DeviceState::Known
    }
}

fn is_vouched(history: &UserHistory, id: u128, now: i64) -> bool {
    let now = crate::history::time::seconds(now);
    history
        .devices
        .iter()
        .any(|device| device.id == Some(id) && device.trust(now) >= Trust::VouchedHalf)
}

/// Networks on which a factor that can be forwarded still vouches. A relay is no anonymiser.
fn is_ordinary(kind: Option<NetworkKind>) -> bool {
    !matches!(
        kind,
        Some(NetworkKind::Hosting | NetworkKind::Vpn | NetworkKind::Tor)
    )
}
