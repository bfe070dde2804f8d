//! Who is told at the end of an attempt: facts are gathered here, `alerts` decides.

use doorward_rules::Points;

use crate::alerts::alert::{Alert, AlertTo, LastSignIn, MailFacts, Proof, SecondFactor, device_words};
use crate::alerts::budget::Mailbox;
use crate::alerts::classify::{AttemptEnd, AttemptFacts, OwnerKind, classify};
use crate::alerts::contact::mail_contact;
use crate::alerts::place::Place;
use crate::alerts::silence::{HeldBack, SilenceFacts, silence};
use crate::attempt::proven::Proven;
use crate::enrich::device::DeviceDescriptor;
use crate::event::{AuthMethod, Contact, FactorResult, FailureReason, LoginEvent, Outcome};
use crate::history::software_name::{SoftwareName, usual};
use crate::history::{DeviceState, UserHistory};
use crate::keyed_hash::{KeyedHash, domain};
use crate::pipeline::account_step::to_event_contact;
use crate::pipeline::ended::Ended;
use crate::pipeline::engine::Engine;
use crate::pipeline::login_step::{Before, Moment};

/// Of what the owner is to be told at this end, if of anything.
#[must_use]
pub fn kind_of(ended: &Ended<'_>) -> Option<OwnerKind> {
    classify(&AttemptFacts {
        end: ended.end,
        right_password: ended.attempt.right_password,
        second_factor_failed: ended.attempt.second_factor_failed,
        turned_away: ended.turned_away(),
        device: ended.matched.told.then_some(ended.matched.state),
        attack_fired: ended.attack_fired,
        score: Points::from_hundredths(ended.sum_hundredths),
    })
}

/// What "the same device" is for the budget: id or key, else family and operating system.
pub(super) fn device_key(hash: &KeyedHash, device: &DeviceDescriptor) -> u128 {
    device.key.or(device.id).unwrap_or_else(|| {
        let software = &device.software;
        hash.wide(
            domain::SOFTWARE,
            &[software.family.as_bytes(), software.os.as_bytes()],
        )
    })
}

/// Everything an alert is made of.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Rules and bounds in force.
    pub engine: &'a Engine,
    /// The event that ended the attempt.
    pub moment: Moment<'a>,
    /// The end.
    pub ended: &'a Ended<'a>,
    /// What the history said before.
    pub before: &'a Before,
    /// The history before this login is learned.
    pub history: Option<&'a UserHistory>,
    /// `clock` less the store's first `now`, microseconds.
    pub store_age: i64,
    /// Whether the login's source takes part in a campaign.
    pub campaign: bool,
}

impl Telling<'_> {
    /// Makes the alert and notes it in the mailbox.
    #[must_use]
    pub fn alert(&self, kind: OwnerKind, mailbox: &mut Mailbox) -> Alert {
        let contacts = self.contacts();
        let address = mail_contact(&contacts).and_then(|contact| contact.address.clone());
        let device = self.told_device();
        let held_back = self
            .silence(address.is_some())
            .or_else(|| mailbox.refusal(kind, device, self.moment.now, &self.engine.alerts.budget));
        let held_back_before = match held_back {
            Some(why) => {
                mailbox.hold_back(why);
                0
            }
            None => mailbox.send(kind, device, self.moment.now),
        };
        let tenant = &self.moment.login.tenant;
        let decision = self.moment.decision;
        Alert {
            id: Alert::id_of(tenant, kind.as_str(), AlertTo::Owner, decision),
            kind: kind.as_str().into(),
            to: AlertTo::Owner,
            tenant: (**tenant).into(),
            user_id: self.ended.attempt.user.clone(),
            seq: self.moment.seq,
            created: self.moment.now,
            event_time: self.ended.time,
            decision,
            held_back,
            mail: Some(self.facts(kind, address.unwrap_or_default(), held_back_before)),
        }
    }

    /// Why a wrong password is not told, apart from budgets, and what the mail about it says.
    #[must_use]
    pub fn failure(&self) -> (Option<HeldBack>, MailFacts) {
        let contacts = self.contacts();
        let address = mail_contact(&contacts).and_then(|contact| contact.address.clone());
        let silence = self.silence(address.is_some());
        let kind = OwnerKind::WrongPasswordUnknownDevice;
        (silence, self.facts(kind, address.unwrap_or_default(), 0))
    }

    /// What "the same device" is for mails that were sent: of a copy, not the one that it is a copy of.
    fn told_device(&self) -> u128 {
        let device = self.ended.device;
        let key = device_key(&self.engine.hash, device);
        if self.ended.matched.state != DeviceState::Conflict {
            return key;
        }
        let generation = device.generation.unwrap_or_default().to_be_bytes();
        let software = &device.software;
        self.engine.hash.wide(
            domain::SOFTWARE,
            &[
                &key.to_be_bytes(),
                software.family.as_bytes(),
                software.os.as_bytes(),
                &generation,
            ],
        )
    }

    /// Contacts of the event, else those remembered.
    fn contacts(&self) -> Vec<Contact> {
        match &self.ended.event.user.contacts {
            Some(told) => told.to_vec(),
            None => self
                .history
                .map(|history| history.profile.contacts.iter().map(to_event_contact).collect())
                .unwrap_or_default(),
        }
    }

    fn silence(&self, has_address: bool) -> Option<HeldBack> {
        let event = self.ended.event;
        silence(
            &SilenceFacts {
                user_kind: self.before.user_kind,
                actor: event.actor.kind,
                maturity: self.before.maturity,
                attack_fired: self.ended.attack_fired,
                late_by: self.moment.now.saturating_sub(self.ended.time),
                store_age: self.store_age,
                has_address,
                campaign: self.campaign,
                drift: false,
                backfill: self.moment.backfill,
                mode: self.engine.mode,
            },
            &self.engine.alerts.silence,
        )
    }

    fn facts(&self, kind: OwnerKind, address: Box<str>, held_back_before: u32) -> MailFacts {
        let event = self.ended.event;
        let profile = self.history.map(|history| &history.profile);
        let app = event.app.id.as_deref();
        let rules = self.engine.apps.of(app);
        let told = |told: Option<&str>, kept: Option<&str>| told.or(kept).map(Into::into);
        let software = &self.ended.device.software;
        MailFacts {
            kind,
            account: if address.is_empty() {
                self.ended.attempt.user.clone().unwrap_or_default()
            } else {
                address.clone()
            },
            address,
            application: self.application(),
            help_text: rules.help_text.clone().unwrap_or_default(),
            locale: told(
                event.user.locale.as_deref(),
                profile.and_then(|known| known.locale.as_deref()),
            ),
            time_zone: told(
                event.user.time_zone.as_deref(),
                profile.and_then(|known| known.time_zone.as_deref()),
            ),
            device_family: usual(&software.family).unwrap_or_default().into(),
            device_os: usual(&software.os).unwrap_or_default().into(),
            device_state: self.ended.matched.state,
            place: Place::of(self.ended.network),
            proven: proven(&self.ended.attempt.proven, event),
            second_factor: self.second_factor(),
            wrong_passwords: self
                .before
                .wrong_passwords
                .max(self.ended.attempt.wrong_passwords.into()),
            last_sign_in: self.last_sign_in(),
            phishing_possible: self.phishing_possible(),
            held_back_before,
        }
    }

    /// What people call the place of the login: the application, else the site, else who sent the event.
    fn application(&self) -> Box<str> {
        let event = self.ended.event;
        let apps = &self.engine.apps;
        let app = event.app.id.as_deref();
        let configured = apps.of(app).name.as_deref();
        configured
            .or(app)
            .or(apps.site.as_deref())
            .unwrap_or(&event.source)
            .into()
    }

    fn second_factor(&self) -> SecondFactor {
        let event = self.ended.event;
        let denied = event.reason == Some(FailureReason::PushDenied)
            || event
                .auth
                .factors
                .iter()
                .any(|factor| factor.result == Some(FactorResult::Denied));
        match self.ended.end {
            _ if denied => SecondFactor::Denied,
            AttemptEnd::Abandoned if !self.ended.turned_away() => SecondFactor::Abandoned,
            _ if self.ended.attempt.second_factor_failed && self.ended.end != AttemptEnd::Granted => {
                SecondFactor::Failed
            }
            _ if self.ended.attempt.proven.has_second_factor() => SecondFactor::Passed,
            _ => SecondFactor::NotAsked,
        }
    }

    fn last_sign_in(&self) -> Option<LastSignIn> {
        let history = self.history?;
        let last = history.recent.last()?;
        let device = last.device.and_then(|index| history.device(index));
        Some(LastSignIn {
            time: crate::history::time::micros(last.time),
            device: device
                .map(|device| {
                    let name = |software: &SoftwareName| usual(software.as_str()).unwrap_or_default();
                    device_words(name(&device.family), name(&device.os)).into()
                })
                .unwrap_or_default(),
        })
    }

    /// A look-alike or a second factor that can be typed into a page in between.
    fn phishing_possible(&self) -> bool {
        let hwk = self.engine.risk.factor_policy().hwk_origin_bound;
        self.ended.matched.state == crate::risk::decision::DeviceState::Resembles
            || self.ended.attempt.proven.second_factor_phishable(hwk) == Some(true)
    }
}

/// Codes of what all stages of the attempt proved, sorted; methods that name no factor are those of its last stage.
fn proven(proven: &Proven, event: &LoginEvent) -> Vec<u8> {
    let of_factors = proven.types().map(Proof::Factor);
    let told = event.auth.factors.iter().any(|factor| match factor.result {
        Some(result) => result == FactorResult::Success,
        None => event.outcome == Some(Outcome::Success),
    });
    // Successful factors win over methods, here as for the level.
    let methods = event.auth.methods.iter().filter(|_| !told);
    let of_methods = methods.filter_map(|method| Proof::of_method(*method));
    let mut codes: Vec<u8> = of_factors.chain(of_methods).map(Proof::code).collect();
    codes.sort_unstable();
    codes.dedup();
    // "Several" adds nothing beside the two that it is about.
    if codes.len() > 2 {
        codes.retain(|code| *code != Proof::Method(AuthMethod::Mfa).code());
    }
    codes
}
