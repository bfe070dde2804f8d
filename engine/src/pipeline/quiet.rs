//! Wrong passwords on devices that are not known, from the failure to the mail: they wait in the owner's mailbox, a
//! timer says when it was quiet for long enough, and a digest tells the rest of a day (`alerts::quiet` has the rules).

use crate::alerts::alert::{Alert, AlertTo};
use crate::alerts::budget::Mailbox;
use crate::alerts::classify::OwnerKind;
use crate::alerts::quiet::{FailedUnknown, Kept, Quiet};
use crate::alerts::silence::HeldBack;
use crate::attempt::is_wrong_password;
use crate::event::Timestamp;
use crate::history::DeviceState;
use crate::pipeline::batch::{Outcome, ToldLater};
use crate::pipeline::ended;
use crate::pipeline::fire::device_timer;
use crate::pipeline::login_step::{LoginStep, Moment};
use crate::pipeline::ports::StoreError;
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::tell::{Telling, device_key};
use crate::pipeline::timers::{Timer, TimerKind};
use crate::pipeline::user_rows::{UserKey, UserRows};
use crate::risk::decision::Mode;
use crate::risk::ids::digest_id;

/// Distinct users failed on one address within an hour, and the share of users below which got in, from which on its
/// failures are a campaign: the bounds of the rule `many-accounts-on-one-address`.
const CAMPAIGN_USERS: u32 = 10;
const CAMPAIGN_SUCCESS_SHARE: f64 = 0.2;

impl Sequencer {
    /// Keeps a wrong password of a user with a history on a device that is not known; after a right one from there, the
    /// end of that attempt tells of both.
    pub(super) fn note_wrong_password(
        &mut self,
        moment: Moment<'_>,
        step: &LoginStep,
        rows: &UserRows,
    ) -> Result<(), StoreError> {
        if self.engine.mode == Mode::Off {
            return Ok(());
        }
        let policy = self.engine.alerts.quiet;
        let event = &moment.login.event;
        let matched = &step.before.matched;
        let unknown = matched.told && matches!(matched.state, DeviceState::New | DeviceState::Conflict);
        if let Some(key) = moment.user.filter(|_| unknown && step.scored.is_some()) {
            return self.right_password_came(key, moment, step);
        }
        let wanted = policy.failed_unknown != FailedUnknown::Off
            && unknown
            && is_wrong_password(event)
            && event.is_interactive()
            && rows.history.is_some();
        let (Some(key), Some(ended)) = (moment.user.filter(|_| wanted), ended::refused(moment, step)) else {
            return Ok(());
        };
        let mut mailbox = self.mailbox(&key.row)?;
        let engine = std::sync::Arc::clone(&self.engine);
        let telling = Telling {
            engine: &engine,
            moment,
            ended: &ended,
            before: &step.before,
            history: rows.history.as_ref(),
            store_age: self.store_age(),
            campaign: false,
        };
        let (silence, facts) = telling.failure();
        let device = device_key(&engine.hash, &moment.login.device);
        let failure = Quiet {
            device,
            address: step.before.source.1,
            since: moment.now,
            due: moment.now,
            failures: 1,
            event_time: ended.time,
            decision: moment.decision,
            silence,
            source: step.observation,
            facts,
        };
        let kept = mailbox.keep_failure(failure, moment.now, &policy);
        self.set_timers(key, device, kept);
        self.put_mailbox(key, mailbox);
        Ok(())
    }

    fn right_password_came(
        &mut self,
        key: &UserKey,
        moment: Moment<'_>,
        step: &LoginStep,
    ) -> Result<(), StoreError> {
        let mut mailbox = self.mailbox(&key.row)?;
        if mailbox.has_quiet() {
            let device = device_key(&self.engine.hash, &moment.login.device);
            self.fold_failures(&mut mailbox, key, device, step.before.source.1);
            self.put_mailbox(key, mailbox);
        }
        Ok(())
    }

    fn set_timers(&mut self, key: &UserKey, device: u128, kept: Kept) {
        if let Some((before, due)) = kept.quiet {
            if let Some(before) = before {
                self.timers
                    .cancel(&device_timer(TimerKind::Quiet, key, device, before));
            }
            self.timers.set(device_timer(TimerKind::Quiet, key, device, due));
        }
        if let Some(due) = kept.digest {
            self.timers.set(digest_timer(key, due));
        }
    }

    /// Another mail tells of what waited for this device or address, and of how many there were.
    pub(super) fn fold_failures(
        &mut self,
        mailbox: &mut Mailbox,
        key: &UserKey,
        device: u128,
        address: u128,
    ) {
        for quiet in mailbox.fold_failures(device, address) {
            self.timers
                .cancel(&device_timer(TimerKind::Quiet, key, quiet.device, quiet.due));
        }
    }

    /// A mail was held back that the owner would have had: a digest says so at the end of the day.
    pub(super) fn digest_later(&mut self, mailbox: &mut Mailbox, key: &UserKey, alert: &Alert) {
        let owed = matches!(alert.held_back, Some(HeldBack::Budget));
        let Some(facts) = alert.mail.clone().filter(|_| owed) else {
            return;
        };
        let begun = mailbox.begin_digest(alert.decision, alert.event_time, facts, 0, alert.created);
        if let Some(due) = begun {
            self.timers.set(digest_timer(key, due));
        }
    }

    /// It has been quiet for long enough.
    pub(super) fn tell_quiet(&mut self, timer: &Timer, at: i64) -> Result<(), StoreError> {
        let Some((row, device)) = timer.key.split_last_chunk::<16>() else {
            return Ok(());
        };
        let Some(key) = UserKey::of_row(row) else {
            return Ok(());
        };
        let device = u128::from_be_bytes(*device);
        let mut mailbox = self.mailbox(&key.row)?;
        let Some(quiet) = mailbox.take_quiet(device, timer.due) else {
            return Ok(());
        };
        // What still waited when the engine was switched off is dropped.
        if self.engine.mode == Mode::Off {
            self.put_mailbox(&key, mailbox);
            return Ok(());
        }
        let kind = OwnerKind::WrongPasswordUnknownDevice;
        let campaign = self.is_campaign(&quiet, at).then_some(HeldBack::Campaign);
        let budget = &self.engine.alerts.budget;
        let held_back = quiet
            .silence
            .or(self.backfilled())
            .or(campaign)
            .or_else(|| mailbox.refusal(kind, device, at, budget));
        let mut facts = quiet.facts;
        facts.wrong_passwords = quiet.failures;
        facts.held_back_before = settle(&mut mailbox, held_back, kind, device, at);
        self.begin_record(at);
        let (tenant, user) = key.names();
        let alert = Alert {
            id: Alert::id_of(&tenant, kind.as_str(), AlertTo::Owner, quiet.decision),
            kind: kind.as_str().into(),
            to: AlertTo::Owner,
            tenant,
            user_id: Some(user),
            seq: self.head(),
            created: at,
            event_time: quiet.event_time,
            decision: quiet.decision,
            held_back,
            mail: Some(facts),
        };
        self.digest_later(&mut mailbox, &key, &alert);
        self.put_mailbox(&key, mailbox);
        self.push(Outcome::Told(Box::new(ToldLater { alert, now: at })));
        Ok(())
    }

    /// The day is over: one mail for what was held back of it.
    pub(super) fn tell_digest(&mut self, timer: &Timer, at: i64) -> Result<(), StoreError> {
        let Some(key) = UserKey::of_row(&timer.key) else {
            return Ok(());
        };
        let mut mailbox = self.mailbox(&key.row)?;
        let digest = mailbox.take_digest();
        let told = self.engine.mode != Mode::Off;
        let Some(digest) = digest.filter(|digest| told && (digest.failures > 0 || mailbox.owed() > 0)) else {
            self.put_mailbox(&key, mailbox);
            return Ok(());
        };
        let kind = OwnerKind::Digest;
        let budget = &self.engine.alerts.budget;
        let held_back = self.backfilled().or_else(|| mailbox.refusal(kind, 0, at, budget));
        let mut facts = digest.facts;
        facts.kind = kind;
        facts.wrong_passwords = digest.failures;
        facts.held_back_before = settle(&mut mailbox, held_back, kind, 0, at);
        self.begin_record(at);
        let (tenant, user) = key.names();
        let alert = Alert {
            id: digest_id(&tenant, &user, Timestamp::from_micros(digest.due)),
            kind: kind.as_str().into(),
            to: AlertTo::Owner,
            tenant,
            user_id: Some(user),
            seq: self.head(),
            created: at,
            event_time: digest.event_time,
            decision: digest.decision,
            held_back,
            mail: Some(facts),
        };
        self.put_mailbox(&key, mailbox);
        self.push(Outcome::Told(Box::new(ToldLater { alert, now: at })));
        Ok(())
    }

    /// While old logs are read in nobody is told of anything.
    fn backfilled(&self) -> Option<HeldBack> {
        self.backfilling.then_some(HeldBack::Backfill)
    }

    fn is_campaign(&self, quiet: &Quiet, at: i64) -> bool {
        // The hour in which they failed, not the one that ended since.
        let moment = quiet.due.min(at).saturating_sub(self.engine.alerts.quiet.quiet);
        quiet.source.is_some_and(|source| {
            let seen = self.crowd.view(&source, moment).address_users;
            seen.failed >= CAMPAIGN_USERS
                && seen
                    .success_share()
                    .is_some_and(|share| share < CAMPAIGN_SUCCESS_SHARE)
        })
    }

    fn put_mailbox(&mut self, key: &UserKey, mailbox: Mailbox) {
        let batch = self.batch();
        if let Some(row) = self.mailboxes.change(&key.row, batch) {
            *row = mailbox;
        }
    }
}

/// Notes what becomes of a mail; how many were held back before it, if it goes out.
fn settle(mailbox: &mut Mailbox, held_back: Option<HeldBack>, kind: OwnerKind, device: u128, at: i64) -> u32 {
    match held_back {
        Some(why) => {
            mailbox.hold_back(why);
            0
        }
        None => mailbox.send(kind, device, at),
    }
}

fn digest_timer(key: &UserKey, due: i64) -> Timer {
    Timer {
        due,
        kind: TimerKind::Digest,
        key: key.row.clone(),
    }
}
