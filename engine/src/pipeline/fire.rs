//! What happens when a timer fires: attempts that nobody finished end, as events of our own (clause S8).
//!
//! An application that was told to let somebody in, and says nothing more, has let them in: `attempt.closed`, granted.
//! Anything else that had the right password was given up: `login`, abandoned. Without a right password an attempt ends
//! without a word.

use crate::alerts::classify::AttemptEnd;
use crate::attempt::{Attempt, LastScored};
use crate::enrich::EnrichedLogin;
use crate::event::{
    EventType, Limits, LoginEvent, OWN_SOURCE, Outcome as EventOutcome, Timestamp, parse_own,
};
use crate::pipeline::batch::Outcome;
use crate::pipeline::faults::Point;
use crate::pipeline::login_step::Moment;
use crate::pipeline::ports::{Keyspace, StoreError};
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::timers::{Timer, TimerKind};
use crate::pipeline::user_rows::{UserKey, UserRows, decode_attempt};
use crate::risk::ids::{OwnEnd, decision_id, own_event_id};

/// Bytes of a device at the end of a timer's key.
const DEVICE_BYTES: usize = 16;

impl Sequencer {
    /// Fires what is due up to `now`, in its order.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn fire_due(&mut self, now: i64) -> Result<(), StoreError> {
        while let Some(timer) = self.timers.pop(now) {
            self.faults.pass(Point::Timer);
            // One that fires early because there are too many does not move the clock ahead of its records.
            let at = timer.due.min(now);
            match timer.kind {
                TimerKind::Attempt => self.end_named(&timer, at)?,
                TimerKind::Unnamed => self.end_unnamed(&timer, at)?,
                TimerKind::Quiet => self.tell_quiet(&timer, at)?,
                TimerKind::Digest => self.tell_digest(&timer, at)?,
            }
        }
        Ok(())
    }

    fn end_named(&mut self, timer: &Timer, at: i64) -> Result<(), StoreError> {
        self.load_attempt(&timer.key)?;
        let batch = self.batch();
        let attempt = self.attempts.change(&timer.key, batch).and_then(Option::take);
        attempt.map_or(Ok(()), |attempt| self.end_alone(attempt, at))
    }

    fn end_unnamed(&mut self, timer: &Timer, at: i64) -> Result<(), StoreError> {
        let Some((row, device)) = timer.key.split_last_chunk::<DEVICE_BYTES>() else {
            return Ok(());
        };
        let Some(key) = UserKey::of_row(row) else {
            return Ok(());
        };
        self.load_user(&key)?;
        let mut rows = self.rows_of(Some(&key));
        let attempt = rows.take_unnamed(u128::from_be_bytes(*device));
        self.put_rows(Some(&key), rows);
        attempt.map_or(Ok(()), |attempt| self.end_alone(attempt, at))
    }

    /// Attempts that had to make room, or had all the stages they may have, end now.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn end_those_without_room(&mut self) -> Result<(), StoreError> {
        while let Some(attempt) = self.without_room.pop() {
            let now = self.clock().unwrap_or_default();
            self.end_alone(attempt, now)?;
        }
        Ok(())
    }

    /// Ends an attempt that has no further event of its sender.
    fn end_alone(&mut self, attempt: Box<Attempt>, at: i64) -> Result<(), StoreError> {
        let Some(last) = attempt.last.as_deref().filter(|_| attempt.right_password) else {
            return Ok(());
        };
        let end = match attempt.granted_at {
            Some(granted) if granted <= at => AttemptEnd::Granted,
            _ => AttemptEnd::Abandoned,
        };
        let user = attempt
            .user
            .as_deref()
            .map(|user| UserKey::new(&last.tenant, user));
        if let Some(key) = &user {
            self.load_user(key)?;
        }
        self.begin_record(at);
        let login = own_login(&attempt, last, end, at);
        let event = stage_event(last);
        let moment = Moment {
            login: &login,
            user: user.as_ref(),
            seq: self.head(),
            decision: decision_id(&login.tenant, OWN_SOURCE, &login.event.id, 0),
            now: self.clock().unwrap_or(at),
            bytes: &[],
            backfill: self.backfilling,
        };
        let mut decided = self.end_by_word(moment, &attempt, last, &event, end)?;
        decided.bytes = own_bytes(&login);
        decided.own = true;
        self.push(Outcome::Decided(decided));
        Ok(())
    }

    /// Makes sure that an attempt's row is in memory.
    pub(super) fn load_attempt(&mut self, key: &[u8]) -> Result<(), StoreError> {
        if self.attempts.need(key) {
            return Ok(());
        }
        let row = self
            .store
            .load_many(Keyspace::Attempt, &[key.to_vec()])?
            .pop()
            .flatten();
        let attempt = row.as_deref().map(decode_attempt).transpose()?;
        self.attempts.fill(key.to_vec(), attempt.map(Box::new));
        Ok(())
    }

    /// Makes sure that a user's rows are in memory.
    pub(super) fn load_user(&mut self, key: &UserKey) -> Result<(), StoreError> {
        if self.users.need(&key.row) {
            return Ok(());
        }
        self.load_users(std::slice::from_ref(key))
    }
}

/// Timer of an attempt that waits under its id.
pub(super) fn named_timer(attempt_key: &[u8], due: i64) -> Timer {
    Timer {
        due,
        kind: TimerKind::Attempt,
        key: attempt_key.to_vec(),
    }
}

/// Timer of something about a device of a user.
pub(super) fn device_timer(kind: TimerKind, user: &UserKey, device: u128, due: i64) -> Timer {
    Timer {
        due,
        kind,
        key: [user.row.as_slice(), &device.to_be_bytes()].concat(),
    }
}

/// What the sender told with the last scored stage. It was read once, so it can be read again, unless limits shrank.
pub(super) fn stage_event(last: &LastScored) -> LoginEvent {
    parse_own(&last.event.0, &Limits::LARGEST).unwrap_or_else(|_| {
        let time = Timestamp::from_micros(last.time);
        LoginEvent::new("", "", EventType::Login, time)
    })
}

/// The event of our own that ends an attempt.
fn own_login(attempt: &Attempt, last: &LastScored, end: AttemptEnd, at: i64) -> EnrichedLogin {
    let granted = end == AttemptEnd::Granted;
    let (event_type, own_end) = if granted {
        (EventType::AttemptClosed, OwnEnd::Granted)
    } else {
        (EventType::Login, OwnEnd::Abandoned)
    };
    let id = own_event_id(&last.tenant, &attempt.first.source, &attempt.first.id, own_end);
    let time = Timestamp::from_micros(at);
    let mut event = LoginEvent::new(&id.to_string(), OWN_SOURCE, event_type, time);
    event.attempt.id.clone_from(&attempt.id);
    event.attempt.granted = granted.then_some(true);
    event.outcome = (!granted).then_some(EventOutcome::Abandoned);
    EnrichedLogin {
        event,
        tenant: last.tenant.clone(),
        user: attempt.user.clone(),
        device: last.device.clone(),
        network: Some(last.network.clone()),
    }
}

/// The same as the journal keeps it.
fn own_bytes(login: &EnrichedLogin) -> Vec<u8> {
    let event = &login.event;
    let json = serde_json::json!({
        "id": event.id,
        "source": event.source,
        "type": event.event_type.as_str(),
        "time": event.time.to_string(),
        "tenant": &*login.tenant,
        "user": { "id": login.user },
        "client": { "ip": login.network.as_ref().map(|network| network.ip) },
        "outcome": event.outcome.map(EventOutcome::as_str),
        "attempt": { "id": event.attempt.id, "granted": event.attempt.granted },
    });
    json.to_string().into_bytes()
}

impl UserRows {
    /// Keeps an attempt open, and returns the one that had to make room.
    pub(super) fn keep_unnamed(
        &mut self,
        device: u128,
        attempt: Box<Attempt>,
    ) -> Option<(u128, Box<Attempt>)> {
        let full = self.unnamed.len() >= crate::pipeline::user_rows::UNNAMED_MAX;
        let evicted = full.then(|| self.unnamed.remove(0));
        self.unnamed.push((device, attempt));
        self.changed.unnamed = true;
        evicted
    }
}
