//! The ordinary life of one person, login by login: what they do at the door and what goes wrong without anybody else.

use super::Plan;
use super::device::Machine;
use super::door::{Asks, Door, WEBMAIL};
use super::itinerary::{LocalTime, Stop, stop};
use super::label::Who;
use super::person::{Person, Proofs};
use super::random::Random;
use super::scribe::{Proven, Scribe, Try, contact};
use crate::event::{EventType, Timestamp};
use std::net::IpAddr;

/// Logins of one person are at least this far apart.
const GAP_SECONDS: i64 = 1_500;
const DAY_SECONDS: i64 = 86_400;

/// Weights of the hours of the day, by the person's own clock.
const HOURS: [f64; 24] = [
    0.8, 0.4, 0.2, 0.1, 0.1, 0.3, 1.4, 3.6, 5.2, 5.6, 5.2, 5.0, 5.2, 4.8, 4.6, 4.8, 5.2, 5.6, 6.0, 6.8, 7.4,
    6.6, 4.2, 2.0,
];

/// What is left of a person's life for those who come after: attackers choose by it, and marginals count it.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Every login that was granted, in the order of time.
    pub granted: Vec<Timestamp>,
    /// Logins from a café.
    pub cafe: Vec<(Timestamp, IpAddr)>,
    /// The devices after all changes: a computer, a phone, or both, in this order.
    pub machines: Vec<Machine>,
}

/// One person on the way through the days.
struct Days<'a> {
    plan: &'a Plan,
    person: &'a Person,
    scribe: &'a mut Scribe,
    random: Random,
    machines: Vec<Machine>,
    remembered: Vec<String>,
    has_new_phone: bool,
    past: Past,
}

/// Lives the days of this person.
pub fn live(plan: &Plan, person: &Person, number: u64, scribe: &mut Scribe) -> Past {
    let mut days = Days {
        plan,
        person,
        scribe,
        random: Random::stream(plan.seed, "days", number),
        machines: person.machines.clone(),
        remembered: Vec::new(),
        has_new_phone: false,
        past: Past::default(),
    };
    if person.is_new {
        days.create_account();
    }
    for time in days.times() {
        days.visit(time);
    }
    let machines = std::mem::take(&mut days.machines);
    Past {
        machines,
        ..days.past
    }
}

impl Days<'_> {
    /// The moments at which they sign in, far enough apart, after the account was made and before the end.
    fn times(&mut self) -> Vec<Timestamp> {
        let mut times = Vec::new();
        for day in self.person.first_day..i64::from(self.plan.days) {
            let weekend = day.rem_euclid(7) >= 5;
            let mean = self.person.rate * if weekend { 0.75 } else { 1.1 };
            for _ in 0..self.random.poisson(mean) {
                times.push(self.moment(day));
            }
        }
        times.sort_unstable();
        let end = self.plan.start.plus_days(i64::from(self.plan.days));
        let begin = if self.person.is_new {
            self.person.created_at.plus_seconds(7_200)
        } else {
            self.plan.start
        };
        let mut last = Timestamp::MIN;
        times.retain(|time| {
            let keep = *time >= begin && *time < end && time.seconds_since(last) >= GAP_SECONDS as f64;
            if keep {
                last = *time;
            }
            keep
        });
        times
    }

    fn moment(&mut self, day: i64) -> Timestamp {
        let hours: Vec<(i64, f64)> = (0..).zip(HOURS).collect();
        let hour = self.random.weighted(&hours).copied().unwrap_or(12);
        let ms = hour * 3_600_000 + self.random.between(0, 3_599_999);
        let local = self.plan.start.plus_days(day).plus_ms(ms);
        local.plus_seconds(-self.person.country.offset_minutes * 60)
    }

    fn local(&self, time: Timestamp) -> LocalTime {
        let shifted = time.plus_seconds(self.person.country.offset_minutes * 60);
        let seconds = shifted.seconds_since(self.plan.start);
        let day = libm::floor(seconds / DAY_SECONDS as f64) as i64;
        let hour = (seconds - (day * DAY_SECONDS) as f64) / 3_600.0;
        LocalTime {
            day,
            hour,
            weekend: day.rem_euclid(7) >= 5,
        }
    }

    /// The account is made and its mail address confirmed, from the device that is used first.
    fn create_account(&mut self) {
        let (person, time) = (self.person, self.person.created_at);
        let Some(machine) = self.machines.last() else {
            return;
        };
        let Some(address) = person.home_address(person.first_day) else {
            return;
        };
        let device = machine.shape(person.first_day);
        let a_try = self
            .scribe
            .begin(person, person.door, device, address, Who::Owner, "new-account");
        self.scribe
            .account_event(&a_try, time, EventType::AccountCreated, |event| {
                event
                    .set("user.created_at", time.to_string())
                    .set("user.locale", person.country.locale)
            });
        let proven = Proven::Password;
        self.scribe.granted(
            &a_try,
            time.plus_seconds(self.random.between(20, 90)),
            proven,
            false,
        );
        self.past.granted.push(time.plus_seconds(90));
        let confirmed = time.plus_seconds(self.random.between(120, 2_400));
        self.scribe
            .account_event(&a_try, confirmed, EventType::ContactVerified, |event| {
                event
                    .contacts(vec![contact(person)])
                    .set("contact", contact(person))
            });
    }

    /// One login.
    fn visit(&mut self, time: Timestamp) {
        let local = self.local(time);
        let Some(stop) = stop(self.person, &mut self.random, local) else {
            return;
        };
        let index = if self.machines.len() > 1 {
            usize::from(stop.phone)
        } else {
            0
        };
        let change = self.change_of_device(index, local.day);
        let private = change.is_none() && self.random.chance(0.012);
        let Some(machine) = self.machines.get(index) else {
            return;
        };
        let device = if private {
            machine.private_window(local.day)
        } else {
            machine.shape(local.day)
        };
        let is_remembered = device.id.as_ref().is_some_and(|id| self.remembered.contains(id));
        let remembers = is_remembered && !stop.asks_again;
        let door = self.door(remembers, &stop);
        let scenario = if private {
            "private-window"
        } else {
            change.unwrap_or(stop.scenario)
        };
        let a_try = self
            .scribe
            .begin(self.person, door, device, stop.address, Who::Owner, scenario);
        self.sign_in(&a_try, time, remembers, &stop);
    }

    /// A new phone replaces the old one on its day; cookies are cleared now and then.
    fn change_of_device(&mut self, index: usize, day: i64) -> Option<&'static str> {
        let machine = self.machines.get_mut(index)?;
        let country = self.person.country;
        let due = self.person.new_phone_day.is_some_and(|change| change <= day);
        if due && !self.has_new_phone && machine.software.is_phone() {
            *machine = Machine::phone(&mut self.random, country.locale, country.time_zone);
            self.has_new_phone = true;
            return Some("new-phone");
        }
        self.random.chance(0.008).then(|| {
            machine.clear_cookies(&mut self.random);
            "cleared-cookies"
        })
    }

    /// The weak door now and then, from the known places only.
    fn door(&mut self, remembers: bool, stop: &Stop) -> &'static Door {
        let usual = remembers && matches!(stop.scenario, "home" | "office" | "mobile");
        let weak = self.random.chance(0.06);
        if usual && weak && self.person.door.tells_enrolled {
            &WEBMAIL
        } else {
            self.person.door
        }
    }

    fn sign_in(&mut self, a_try: &Try<'_>, time: Timestamp, remembers: bool, stop: &Stop) {
        let mut now = time;
        if self.random.chance(0.004) {
            now = self.forgotten(a_try, now);
        } else if self.random.chance(0.08) {
            let typos = [(1, 75.0), (2, 17.0), (3, 8.0)];
            for _ in 0..self.random.weighted(&typos).copied().unwrap_or(1) {
                self.scribe.wrong_password(a_try, now);
                now = self.later(now, 6, 30);
            }
        }
        if self.random.chance(0.002) {
            return self.scribe.refused(a_try, now);
        }
        let proven = self.proof(a_try.door, remembers, stop);
        let final_only = remembers || a_try.door.tells_enrolled && self.random.chance(0.3);
        if proven == Proven::Both && !final_only {
            self.scribe.partial(a_try, now);
            now = self.later(now, 8, 40);
            if self.random.chance(0.012) {
                return self.scribe.abandoned(a_try, now);
            }
            if self.random.chance(0.02) {
                self.scribe.second_wrong(a_try, now);
                now = self.later(now, 8, 30);
            }
        }
        self.is_in(a_try, now, proven, stop);
    }

    /// What is asked, and what is given.
    fn proof(&mut self, door: &Door, remembers: bool, stop: &Stop) -> Proven {
        let at_home = matches!(stop.scenario, "home" | "office");
        match (self.person.proofs, door.asks) {
            (Proofs::PasswordOnly, _) | (_, Asks::Never) => Proven::Password,
            (Proofs::Passkey, _) if remembers && at_home && self.random.chance(0.15) => Proven::Password,
            (Proofs::Passkey, _) => Proven::Passkey,
            (Proofs::Totp, Asks::UnknownDevice) if remembers => Proven::Remembered,
            (Proofs::Totp, _) => Proven::Both,
        }
    }

    fn is_in(&mut self, a_try: &Try<'_>, time: Timestamp, proven: Proven, stop: &Stop) {
        let introduce = self.past.granted.is_empty() && !self.person.is_new;
        self.scribe.granted(a_try, time, proven, introduce);
        self.past.granted.push(time);
        if stop.scenario == "cafe" {
            self.past.cafe.push((time, stop.address));
        }
        let id = a_try.device.id.as_ref();
        let new = id.filter(|id| !self.remembered.contains(id));
        self.remembered.extend(new.cloned());
    }

    /// Wrong three times, a mail with a link, a new password.
    fn forgotten(&mut self, a_try: &Try<'_>, time: Timestamp) -> Timestamp {
        let mut now = time;
        for _ in 0..3 {
            self.scribe.wrong_password(a_try, now);
            now = self.later(now, 8, 40);
        }
        for step in [
            EventType::RecoveryRequested,
            EventType::RecoveryCompleted,
            EventType::PasswordChanged,
        ] {
            self.scribe.account_event(a_try, now, step, |event| event);
            now = self.later(now, 20, 120);
        }
        now
    }

    fn later(&mut self, time: Timestamp, least: i64, most: i64) -> Timestamp {
        time.plus_ms(self.random.between(least * 1_000, most * 1_000))
    }
}
