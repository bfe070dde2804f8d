//! The sequencer's three kinds of events: logins, closed attempts, and what happens to accounts. Each gives a decision
//! row, changed rows and perhaps an alert.

use crate::alerts::alert::Alert;
use crate::attempt::{self, Attempt};
use crate::enrich::EnrichedLogin;
use crate::event::{ActorKind, Outcome};
use crate::history::Maturity;
use crate::history::failures::FailedStage;
use crate::pipeline::account_step;
use crate::pipeline::batch::DecidedEvent;
use crate::pipeline::ended::{self, Ended};
use crate::pipeline::keys;
use crate::pipeline::login_step::{self, Before, LoginStep, Moment, source_of};
use crate::pipeline::ports::StoreError;
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::tell::{Telling, kind_of};
use crate::pipeline::user_rows::{UserKey, UserRows};
use crate::risk::decision::{AlertLine, Decision, DeviceVerdict};

impl Sequencer {
    /// An event of type `login`.
    pub(super) fn decide_login(
        &mut self,
        moment: Moment<'_>,
        bytes: Vec<u8>,
    ) -> Result<DecidedEvent, StoreError> {
        let login = moment.login;
        let key = UserKey::of(login);
        let mut rows = self.rows_of(key.as_ref());
        let attempt = self.open_attempt(moment, &mut rows);
        let step = login_step::take(&self.engine, moment, attempt, &rows, &self.crowd, &mut self.work);
        self.note_failure(moment, &mut rows);
        let mut alerts = Vec::new();
        if let Some(ended) = ended::by_event(moment, &step) {
            alerts.extend(self.tell(moment, &ended, &step.before, key.as_ref(), &rows)?);
            self.learn(moment, &ended, &mut rows);
        }
        self.keep_attempt(moment, &step, &mut rows);
        if let Some(observation) = &step.observation {
            self.crowd.observe(observation, moment.now);
        }
        self.put_rows(key, rows);
        Ok(self.decided(moment, bytes, Some(step), alerts))
    }

    /// `attempt.closed`: the application says how an attempt ended.
    pub(super) fn close_attempt(
        &mut self,
        moment: Moment<'_>,
        bytes: Vec<u8>,
    ) -> Result<DecidedEvent, StoreError> {
        let login = moment.login;
        let key = UserKey::of(login);
        let mut rows = self.rows_of(key.as_ref());
        let mut alerts = Vec::new();
        if let Some(attempt) = self.take_named(login, moment.now)
            && let Some(last) = attempt.last.clone()
        {
            let granted = login.event.attempt.granted == Some(true);
            let ended = ended::by_word(
                &attempt,
                &last,
                granted,
                rows.history.as_ref(),
                (moment.seq, moment.now),
            );
            let before = Before {
                source: source_of(&self.engine, login),
                maturity: crate::history::maturity(
                    rows.history.as_ref(),
                    None,
                    moment.now,
                    &self.engine.maturity,
                ),
                matched: ended.matched.clone(),
                user_kind: login.event.user.kind,
                wrong_passwords: attempt.wrong_passwords.into(),
            };
            alerts.extend(self.tell(moment, &ended, &before, key.as_ref(), &rows)?);
            self.learn(moment, &ended, &mut rows);
        }
        self.put_rows(key, rows);
        Ok(self.decided(moment, bytes, None, alerts))
    }

    /// Anything else: recorded, and what it tells of the account is kept.
    pub(super) fn take_account(&mut self, moment: Moment<'_>, bytes: Vec<u8>) -> DecidedEvent {
        let login = moment.login;
        if let Some(key) = UserKey::of(login) {
            let mut rows = self.rows_of(Some(&key));
            account_step::take(login, moment.seq, moment.now, &mut rows);
            self.put_rows(Some(key), rows);
        }
        self.decided(moment, bytes, None, Vec::new())
    }

    /// The user's rows, moved out of the cache for the time of one event.
    fn rows_of(&mut self, key: Option<&UserKey>) -> UserRows {
        let Some(key) = key else {
            return UserRows::default();
        };
        self.users.borrow_out(&key.row).unwrap_or_default()
    }

    fn put_rows(&mut self, key: Option<UserKey>, rows: UserRows) {
        let Some(key) = key else { return };
        let changed = rows.changed != crate::pipeline::user_rows::Changed::default();
        self.users
            .give_back(&key.row, rows, changed.then_some(self.batch()));
        if changed {
            self.user_keys.entry(key.row.clone()).or_insert(key);
        }
    }

    /// The attempt that this event belongs to, taken from where it waited, or a new one.
    fn open_attempt(&mut self, moment: Moment<'_>, rows: &mut UserRows) -> Attempt {
        let waiting = match &moment.login.event.attempt.id {
            Some(_) => self.take_named(moment.login, moment.now),
            None => self.take_unnamed(moment, rows),
        };
        waiting.unwrap_or_else(|| Attempt::starting(moment.now))
    }

    fn take_named(&mut self, login: &EnrichedLogin, now: i64) -> Option<Attempt> {
        let key = keys::attempt(&login.tenant, login.event.attempt.id.as_deref()?);
        let batch = self.batch();
        let waiting = self.attempts.get(&key)?.as_ref()?;
        if let (Some(known), Some(user)) = (&waiting.user, &login.user)
            && known != user
        {
            return None;
        }
        let attempt = self.attempts.change(&key, batch)?.take()?;
        attempt.is_open(now, self.engine.attempts).then_some(attempt)
    }

    /// A `partial` without an id waits for the same device of the same user. A wrong password does not belong to it.
    fn take_unnamed(&self, moment: Moment<'_>, rows: &mut UserRows) -> Option<Attempt> {
        if rows.unnamed.is_empty() || attempt::is_wrong_password(&moment.login.event) {
            return None;
        }
        let (device, _) = source_of(&self.engine, moment.login);
        let attempt = rows.take_unnamed(device)?;
        attempt
            .is_open(moment.now, self.engine.attempts)
            .then_some(attempt)
    }

    fn keep_attempt(&mut self, moment: Moment<'_>, step: &LoginStep, rows: &mut UserRows) {
        if step.end.is_some() {
            return;
        }
        let login = moment.login;
        if let Some(id) = login.event.attempt.id.as_deref() {
            let key = keys::attempt(&login.tenant, id);
            let batch = self.batch();
            self.attempts.fill(key.clone(), None);
            if let Some(row) = self.attempts.change(&key, batch) {
                *row = Some(step.attempt.clone());
            }
        } else if login.user.is_some() {
            let (device, _) = step.before.source;
            rows.keep_unnamed(device, step.attempt.clone());
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
        if rows.history.is_none() {
            return;
        }
        let (device, address) = source_of(&self.engine, moment.login);
        rows.failures.add(event.time.as_micros(), stage, device, address);
        rows.changed.failures = true;
    }

    /// A granted login of the owner's teaches; one by somebody else, or a silent one, does not.
    fn learn(&self, moment: Moment<'_>, ended: &Ended<'_>, rows: &mut UserRows) {
        let event = &moment.login.event;
        let by_owner = event.actor.kind == ActorKind::User && event.is_interactive();
        if ended.end != crate::alerts::classify::AttemptEnd::Granted
            || !by_owner
            || moment.login.user.is_none()
        {
            return;
        }
        let history = rows.history.get_or_insert_default();
        ended.learn(history, &self.engine.hash);
        rows.changed.history = true;
        account_step::remember_profile(moment.login, rows);
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
        if !moment.login.event.is_interactive() {
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
        let alert = telling.alert(kind, &mut mailbox);
        let batch = self.batch();
        if let Some(row) = self.mailboxes.change(&key.row, batch) {
            *row = mailbox;
        }
        Ok(Some(alert))
    }

    fn decided(
        &self,
        moment: Moment<'_>,
        bytes: Vec<u8>,
        step: Option<LoginStep>,
        alerts: Vec<Alert>,
    ) -> DecidedEvent {
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
            tenant: (*moment.login.tenant).into(),
            user_id: moment.login.user.clone(),
            event_type: event.event_type.as_str().into(),
            outcome: event.outcome.map(Outcome::as_str).map(Into::into),
            time: event.time.as_micros(),
            now: moment.now,
            seq: moment.seq,
            scored,
            alerts: lines,
            device,
            maturity,
            degraded,
            versions: self.engine.versions,
            final_verdict: true,
            mode: self.engine.mode,
            slots,
        };
        DecidedEvent {
            bytes,
            observation,
            decision,
            alerts,
        }
    }
}

fn seen(step: &LoginStep) -> (Maturity, DeviceVerdict) {
    let matched = &step.before.matched;
    let verdict = DeviceVerdict {
        state: matched.state,
        name: matched.name.to_string().into(),
    };
    (step.before.maturity, verdict)
}
