//! The sequencer's three kinds of events: logins, closed attempts, and what happens to accounts. Each gives a decision
//! row, changed rows and perhaps an alert.

use std::borrow::Cow;

use crate::alerts::alert::Alert;
use crate::alerts::classify::AttemptEnd;
use crate::attempt::{self, Attempt, LastScored};
use crate::enrich::EnrichedLogin;
use crate::event::{ActorKind, LoginEvent, Outcome, Timestamp};
use crate::history::device_identity::source_identity;
use crate::history::failures::FailedStage;
use crate::history::{Maturity, maturity};
use crate::pipeline::account_step;
use crate::pipeline::batch::DecidedEvent;
use crate::pipeline::ended::{self, Ended};
use crate::pipeline::fire::{device_timer, named_timer, stage_event};
use crate::pipeline::keys;
use crate::pipeline::login_step::{
    self, Before, LoginStep, Moment, address_hash, granted_later, source_of, user_kind,
};
use crate::pipeline::ports::StoreError;
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::tell::{Telling, device_key, kind_of};
use crate::pipeline::timers::TimerKind;
use crate::pipeline::user_rows::{UserKey, UserRows};
use crate::risk::decision::{AlertLine, Decision, DeviceVerdict, Mode};

impl Sequencer {
    /// An event of type `login`.
    pub(super) fn decide_login(&mut self, moment: Moment<'_>) -> Result<Box<DecidedEvent>, StoreError> {
        if !moment.login.event.is_interactive() {
            // A session that goes on by itself: it neither goes on with an attempt nor fails one.
            return Ok(self.decided(moment, None, Vec::new()));
        }
        let key = moment.user;
        let mut rows = self.rows_of(key);
        let attempt = self.open_attempt(moment, &mut rows);
        let earlier = earlier_enrolled(moment, &attempt);
        let moment = earlier.as_ref().map_or(moment, |(login, bytes)| Moment {
            login,
            bytes,
            ..moment
        });
        let mut step = login_step::take(&self.engine, moment, attempt, &rows, &self.crowd, &mut self.work);
        self.note_failure(moment, &mut rows);
        self.note_wrong_password(moment, &step, &rows)?;
        let mut alerts = Vec::new();
        if let Some(ended) = ended::by_event(moment, &step) {
            alerts.extend(self.tell(moment, &ended, &step.before, key, &rows)?);
            self.learn(&ended, &mut rows);
        }
        self.keep_attempt(moment, &mut step, &mut rows);
        if let Some(observation) = &step.observation {
            self.crowd.observe(observation, moment.now);
        }
        self.put_rows(key, rows);
        Ok(self.decided(moment, Some(step), alerts))
    }

    /// `attempt.closed`: the application says how an attempt ended.
    pub(super) fn close_attempt(&mut self, moment: Moment<'_>) -> Result<Box<DecidedEvent>, StoreError> {
        let waiting = self.take_named(moment.login);
        let Some(attempt) = waiting else {
            return Ok(self.decided(moment, None, Vec::new()));
        };
        let Some(last) = attempt.last.as_deref() else {
            return Ok(self.decided(moment, None, Vec::new()));
        };
        let end = match moment.login.event.attempt.granted {
            Some(true) => AttemptEnd::Granted,
            _ => AttemptEnd::Refused,
        };
        self.end_by_word(moment, &attempt, last, &stage_event(last), end)
    }

    /// The end of an attempt that `moment` tells of. `event` is its last scored stage.
    pub(super) fn end_by_word(
        &mut self,
        moment: Moment<'_>,
        attempt: &Attempt,
        last: &LastScored,
        event: &LoginEvent,
        end: AttemptEnd,
    ) -> Result<Box<DecidedEvent>, StoreError> {
        // The word need not name the user: the attempt does.
        let key = attempt
            .user
            .as_deref()
            .map(|user| UserKey::new(&last.tenant, user));
        if let Some(key) = &key {
            self.load_user(key)?;
        }
        let mut rows = self.rows_of(key.as_ref());
        let ended = ended::by_word(attempt, last, event, end, rows.history.as_ref(), moment);
        let before = Before {
            source: (
                source_identity(&last.device),
                address_hash(&self.engine, last.network.ip),
            ),
            maturity: maturity(
                rows.history.as_ref(),
                event.user.created_at.map(Timestamp::as_micros),
                moment.now,
                &self.engine.maturity,
            ),
            matched: ended.matched.clone(),
            user_kind: user_kind(event.user.kind, rows.history.as_ref()),
            wrong_passwords: attempt.wrong_passwords.into(),
        };
        let alerts = self.tell(moment, &ended, &before, key.as_ref(), &rows)?;
        self.learn(&ended, &mut rows);
        note_abandoned(&ended, &before, &mut rows);
        self.put_rows(key.as_ref(), rows);
        let observation = (end == AttemptEnd::Granted && event.is_interactive())
            .then(|| granted_later(&self.engine, attempt, last));
        if let Some(observation) = &observation {
            self.crowd.observe(observation, moment.now);
        }
        let mut decided = self.decided(moment, None, alerts.into_iter().collect());
        decided.observation = observation;
        Ok(decided)
    }

    /// Anything else: recorded, and what it tells of the account is kept.
    pub(super) fn take_account(&mut self, moment: Moment<'_>) -> Box<DecidedEvent> {
        let login = moment.login;
        if let Some(key) = moment.user {
            let mut rows = self.rows_of(Some(key));
            account_step::take(login, moment.seq, moment.now, &mut rows);
            self.put_rows(Some(key), rows);
        }
        self.decided(moment, None, Vec::new())
    }

    /// The user's rows, moved out of the cache for the time of one event.
    pub(super) fn rows_of(&mut self, key: Option<&UserKey>) -> Box<UserRows> {
        let Some(key) = key else {
            return Box::default();
        };
        self.users.borrow_out(&key.row).unwrap_or_default()
    }

    pub(super) fn put_rows(&mut self, key: Option<&UserKey>, rows: Box<UserRows>) {
        let Some(key) = key else { return };
        let changed = rows.changed != crate::pipeline::user_rows::Changed::default();
        self.users
            .give_back(&key.row, rows, changed.then_some(self.batch()));
    }

    /// The attempt that this event belongs to, taken from where it waited, or a new one.
    fn open_attempt(&mut self, moment: Moment<'_>, rows: &mut UserRows) -> Box<Attempt> {
        let waiting = match &moment.login.event.attempt.id {
            Some(_) => self.take_named(moment.login),
            None => self.take_unnamed(moment, rows),
        };
        match waiting {
            Some(attempt) if attempt.is_open(moment.now, self.engine.attempts) => attempt,
            spent => {
                // It had all the stages it may have: what follows is another try.
                self.without_room.extend(spent);
                Box::new(Attempt::starting(moment.now))
            }
        }
    }

    fn take_named(&mut self, login: &EnrichedLogin) -> Option<Box<Attempt>> {
        let key = keys::attempt(&login.tenant, login.event.attempt.id.as_deref()?);
        let batch = self.batch();
        let waiting = self.attempts.get(&key)?.as_ref()?;
        if let (Some(known), Some(user)) = (&waiting.user, &login.user)
            && known != user
        {
            return None;
        }
        let attempt = self.attempts.change(&key, batch)?.take()?;
        self.timers
            .cancel(&named_timer(&key, attempt.due(self.engine.attempts)));
        Some(attempt)
    }

    /// A `partial` without an id waits for the same device of the same user. A wrong password does not belong to it.
    fn take_unnamed(&mut self, moment: Moment<'_>, rows: &mut UserRows) -> Option<Box<Attempt>> {
        if rows.unnamed.is_empty() || attempt::is_wrong_password(&moment.login.event) {
            return None;
        }
        let (identity, _) = source_of(&self.engine, moment.login);
        let device = rows.unnamed_of(identity, &moment.login.device)?;
        let attempt = rows.take_unnamed(device)?;
        self.cancel_unnamed(moment.user?, device, &attempt);
        Some(attempt)
    }

    fn cancel_unnamed(&mut self, user: &UserKey, device: u128, attempt: &Attempt) {
        let due = attempt.due(self.engine.attempts);
        self.timers
            .cancel(&device_timer(TimerKind::Unnamed, user, device, due));
    }

    /// Lets an attempt that goes on wait for its next event: it moves out of the step.
    fn keep_attempt(&mut self, moment: Moment<'_>, step: &mut LoginStep, rows: &mut UserRows) {
        // Attackers invent names: wrong passwords for them leave no row behind.
        let invented = !step.attempt.right_password && rows.history.is_none();
        let Some(user) = moment.user.filter(|_| step.end.is_none() && !invented) else {
            return;
        };
        let login = moment.login;
        let due = step.attempt.due(self.engine.attempts);
        if let Some(id) = login.event.attempt.id.as_deref() {
            let key = keys::attempt(&login.tenant, id);
            let batch = self.batch();
            self.attempts.fill(key.clone(), None);
            if let Some(row) = self.attempts.change(&key, batch) {
                // Two users under one id. The older attempt ends here, so that each has its end.
                if let Some(others) = row.replace(std::mem::take(&mut step.attempt)) {
                    let due = others.due(self.engine.attempts);
                    self.timers.cancel(&named_timer(&key, due));
                    self.without_room.push(others);
                }
                self.timers.set(named_timer(&key, due));
            }
        } else {
            let (device, _) = step.before.source;
            if let Some((evicted, attempt)) = rows.keep_unnamed(device, std::mem::take(&mut step.attempt)) {
                self.cancel_unnamed(user, evicted, &attempt);
                self.without_room.push(attempt);
            }
            self.timers
                .set(device_timer(TimerKind::Unnamed, user, device, due));
        }
    }

    /// Failures are kept only for users with a history: attackers invent names.
    fn note_failure(&self, moment: Moment<'_>, rows: &mut UserRows) {
        let event = &moment.login.event;
        let stage = match (
            attempt::is_wrong_password(event),
            attempt::failed_second_factor(event),
        ) {
            (true, _) => FailedStage::FirstFactor,
            (_, true) => FailedStage::SecondFactor,
            _ => return,
        };
        // What others do for the owner, or wrongly in the owner's name, is not the owner's.
        if rows.history.is_none() || event.actor.kind != ActorKind::User {
            return;
        }
        let (device, address) = source_of(&self.engine, moment.login);
        rows.failures.add(event.time.as_micros(), stage, device, address);
        rows.changed.failures = true;
    }

    /// A granted login of the owner's teaches; one by somebody else, or a silent one, does not.
    fn learn(&self, ended: &Ended<'_>, rows: &mut UserRows) {
        let event = ended.event;
        let by_owner = event.actor.kind == ActorKind::User && event.is_interactive();
        if ended.end != AttemptEnd::Granted || !by_owner || ended.attempt.user.is_none() {
            return;
        }
        let history = rows.history.get_or_insert_default();
        ended.learn(history, &self.engine.hash);
        rows.changed.history = true;
        account_step::remember_profile(&event.user, rows);
    }

    fn tell(
        &mut self,
        moment: Moment<'_>,
        ended: &Ended<'_>,
        before: &Before,
        key: Option<&UserKey>,
        rows: &UserRows,
    ) -> Result<Option<Alert>, StoreError> {
        let (Some(kind), Some(key)) = (kind_of(ended), key) else {
            return Ok(None);
        };
        if !ended.event.is_interactive() || self.engine.mode == Mode::Off {
            return Ok(None);
        }
        let mut mailbox = self.mailbox(&key.row)?;
        let engine = std::sync::Arc::clone(&self.engine);
        let telling = Telling {
            engine: &engine,
            moment,
            ended,
            before,
            history: rows.history.as_ref(),
            store_age: self.store_age(),
            campaign: false,
        };
        self.fold_failures(
            &mut mailbox,
            key,
            device_key(&engine.hash, ended.device),
            before.source.1,
        );
        let alert = telling.alert(kind, &mut mailbox);
        self.digest_later(&mut mailbox, key, &alert);
        let batch = self.batch();
        if let Some(row) = self.mailboxes.change(&key.row, batch) {
            *row = mailbox;
        }
        Ok(Some(alert))
    }

    fn decided(&self, moment: Moment<'_>, step: Option<LoginStep>, alerts: Vec<Alert>) -> Box<DecidedEvent> {
        let event = &moment.login.event;
        let lines: Vec<AlertLine> = alerts.iter().map(Alert::line).collect();
        let (maturity, device) = step.as_ref().map(seen).unzip();
        let observation = step.as_ref().and_then(|step| step.observation);
        let step = step.map(|step| (step.scored, step.degraded, step.slots));
        let (scored, degraded, slots) = step.unwrap_or_default();
        let decision = Decision {
            id: moment.decision,
            revision: 0,
            event_id: event.id.clone(),
            source: event.source.clone(),
            tenant: moment.login.tenant.clone(),
            user_id: moment.login.user.clone(),
            event_type: Cow::Borrowed(event.event_type.as_str()),
            outcome: event.outcome.map(Outcome::as_str).map(Cow::Borrowed),
            time: event.time.as_micros(),
            now: moment.now,
            seq: moment.seq,
            scored,
            alerts: lines,
            device: device.flatten(),
            maturity,
            degraded,
            versions: self.engine.in_force.versions,
            final_verdict: true,
            mode: self.engine.mode,
            slots,
        };
        Box::new(DecidedEvent {
            bytes: Vec::new(),
            own: false,
            backfill: moment.backfill,
            observation,
            decision,
            alerts,
        })
    }
}

/// A second step that nobody finished is a second factor not passed, as when the application says so itself.
fn note_abandoned(ended: &Ended<'_>, before: &Before, rows: &mut UserRows) {
    let noted = ended.attempt.second_factor_failed || ended.turned_away();
    if ended.end != AttemptEnd::Abandoned || noted || rows.history.is_none() {
        return;
    }
    let (device, address) = before.source;
    rows.failures
        .add(ended.time, FailedStage::SecondFactor, device, address);
    rows.changed.failures = true;
}

/// The login and its bytes with the factors that an earlier stage of the attempt told, if this one tells none.
fn earlier_enrolled(moment: Moment<'_>, attempt: &Attempt) -> Option<(EnrichedLogin, Vec<u8>)> {
    let last = attempt.last.as_deref()?;
    if moment.login.event.auth.enrolled.is_some() || !last.event.tells_enrolled() {
        return None;
    }
    let mut login = moment.login.clone();
    login.event.auth.enrolled = stage_event(last).auth.enrolled;
    let bytes = last.event.lend_enrolled(moment.bytes)?;
    Some((login, bytes))
}

/// How much is known of the user, and of the device unless nothing was told of it.
fn seen(step: &LoginStep) -> (Maturity, Option<DeviceVerdict>) {
    let matched = &step.before.matched;
    let verdict = matched.told.then(|| DeviceVerdict {
        state: matched.state,
        name: matched.name.text(),
    });
    (step.before.maturity, verdict)
}
