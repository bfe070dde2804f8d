//! Strangers, one kind a file. They choose among people with a past, come in the last third of the days, and act at
//! the same doors, through the same scribe: only their labels say who they are.

mod background;
mod cafe_poisoning;
mod foreign_residential;
mod naive_hosting;
mod proxy_in_the_middle;
mod second_factor_fails;
mod spray;
mod stolen_phone;
mod stuffing;
mod targeted;
mod vpn_in_country;

use super::Plan;
use super::device::Machine;
use super::door::{Asks, Door, WEBMAIL};
use super::event_builder::EnrolledShape;
use super::label::{FactorClass, Who};
use super::networks::{Network, NetworkKind, NetworkPlan};
use super::ordinary::Past;
use super::person::{Person, Proofs};
use super::random::Random;
use super::scribe::{Proven, Scribe, Try};
use crate::event::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

/// Granted logins that a victim has before the attack, at least.
pub const VICTIM_LOGINS_MIN: usize = 6;

/// A kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttackKind {
    /// A stolen password from rented servers abroad.
    NaiveHosting,
    /// A stolen password through a VPN exit in the victim's country, or near it.
    VpnInCountry,
    /// The victim's provider, town, system and browser; no cookie.
    Targeted,
    /// A home line abroad.
    ForeignResidential,
    /// A thief abroad who learned the password with the phone, and signs in on another one.
    StolenPhone,
    /// A proxy that forwards the victim's agent, attributes and code, from rented servers.
    ProxyInTheMiddle,
    /// The right password, wrong codes, then nothing.
    SecondFactorFails,
    /// One password tried on many accounts from one address; one falls.
    Spray,
    /// Leaked pairs of names and passwords from several addresses; few are right.
    Stuffing,
    /// A stranger in the café that the victim once sat in.
    CafePoisoning,
    /// Robots that try names nobody has, day and night.
    Background,
}

impl AttackKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::NaiveHosting,
        Self::VpnInCountry,
        Self::Targeted,
        Self::ForeignResidential,
        Self::StolenPhone,
        Self::ProxyInTheMiddle,
        Self::SecondFactorFails,
        Self::Spray,
        Self::Stuffing,
        Self::CafePoisoning,
        Self::Background,
    ];

    /// Its name in labels and print-outs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NaiveHosting => "naive-hosting",
            Self::VpnInCountry => "vpn-in-country",
            Self::Targeted => "targeted",
            Self::ForeignResidential => "foreign-residential",
            Self::StolenPhone => "stolen-phone",
            Self::ProxyInTheMiddle => "proxy-in-the-middle",
            Self::SecondFactorFails => "second-factor-fails",
            Self::Spray => "password-spray",
            Self::Stuffing => "credential-stuffing",
            Self::CafePoisoning => "cafe-poisoning",
            Self::Background => "background",
        }
    }
}

/// All attacks of a life.
pub fn plant(plan: &Plan, networks: &NetworkPlan, people: &[Person], pasts: &[Past], scribe: &mut Scribe) {
    let random = Random::stream(plan.seed, "attacks", 0);
    let used = Vec::new();
    let mut stage = Stage {
        plan,
        networks,
        people,
        pasts,
        scribe,
        random,
        used,
    };
    // Those who need a victim of a rare kind choose first.
    cafe_poisoning::plant(&mut stage);
    proxy_in_the_middle::plant(&mut stage);
    second_factor_fails::plant(&mut stage);
    spray::plant(&mut stage);
    stuffing::plant(&mut stage);
    targeted::plant(&mut stage);
    naive_hosting::plant(&mut stage);
    vpn_in_country::plant(&mut stage);
    foreign_residential::plant(&mut stage);
    stolen_phone::plant(&mut stage);
    background::plant(&mut stage);
}

/// What attackers find: accounts, their pasts, and networks to come from.
struct Stage<'a, 's> {
    plan: &'a Plan,
    networks: &'a NetworkPlan,
    people: &'a [Person],
    pasts: &'a [Past],
    scribe: &'s mut Scribe,
    random: Random,
    /// Ids of accounts that were attacked with a right password: each once.
    used: Vec<&'a str>,
}

/// A factor younger than a week is no step-up yet (`factors.maturity_days`).
fn is_mature(factor: &EnrolledShape, time: Timestamp) -> bool {
    factor.enrolled_at.plus_days(7) <= time
}

/// A person with enough of a past, and the moment of the attack.
#[derive(Clone, Copy)]
struct Victim<'a> {
    person: &'a Person,
    past: &'a Past,
    time: Timestamp,
}

impl<'a> Stage<'a, '_> {
    /// Attacks of each kind: six, fewer where there are few people.
    fn count(&self) -> usize {
        (self.people.len() / 60).clamp(1, 6)
    }

    /// A moment in the last third of the days, leaving the last hours for what follows.
    fn time(&mut self) -> Timestamp {
        let whole = i64::from(self.plan.days) * 86_400;
        let seconds = self.random.between(whole * 2 / 3, whole - 10_800);
        self.plan
            .start
            .plus_seconds(seconds)
            .plus_ms(self.random.between(0, 999))
    }

    /// Day of the life, counted from the start.
    fn day(&self, time: Timestamp) -> i64 {
        time.day() - self.plan.start.day()
    }

    /// A victim of the class whose turn it is, or of any class if there is none left; nobody twice.
    fn victim(
        &mut self,
        turn: usize,
        fits: impl Fn(&Person, &Past, Timestamp) -> bool,
    ) -> Option<Victim<'a>> {
        let classes = [FactorClass::Enrolled, FactorClass::Unknown, FactorClass::None];
        let class = classes.get(turn % classes.len()).copied();
        let time = self.time();
        let (people, pasts, used) = (self.people, self.pasts, &self.used);
        let able = people.iter().zip(pasts).filter(|(person, past)| {
            let logins = past.granted.iter().filter(|granted| **granted < time).count();
            // Without a further factor all that can be done is to tell the owner, which takes an address.
            let can_be_told = person.has_contact || !person.enrolled.is_empty();
            let can_be_asked = person.enrolled.iter().all(|factor| is_mature(factor, time));
            logins >= VICTIM_LOGINS_MIN
                && can_be_told
                && can_be_asked
                && !used.contains(&person.id.as_str())
                && fits(person, past, time)
        });
        let able: Vec<_> = able.collect();
        let of_class = |(person, _): &&(&Person, &Past)| Some(FactorClass::of(person.door, person)) == class;
        let wanted: Vec<_> = able.iter().filter(of_class).copied().collect();
        let pool = if wanted.is_empty() { able } else { wanted };
        let (person, past) = *self.random.pick(&pool)?;
        self.used.push(&person.id);
        Some(Victim { person, past, time })
    }

    /// A victim of whom nothing but a past is needed.
    fn any_victim(&mut self, turn: usize) -> Option<Victim<'a>> {
        self.victim(turn, |_, _, _| true)
    }

    /// A network to come from.
    fn network(&mut self, kind: NetworkKind, test: impl Fn(&Network) -> bool) -> Option<Arc<Network>> {
        self.networks.draw(kind, &mut self.random, test)
    }

    /// A computer that is not the victim's, nor looks like it in all attributes.
    fn computer(&mut self, victim: Option<&Past>, locale: &str, time_zone: &str) -> Machine {
        let machine = Machine::computer(&mut self.random, locale, time_zone);
        let mut owned = victim.iter().flat_map(|past| &past.machines);
        if owned.any(|own| own.attributes == machine.attributes) {
            return machine.alike(&mut self.random, locale, time_zone);
        }
        machine
    }

    /// The application where the password is tried: mostly the victim's usual one, at times the weak one beside it.
    fn door(&mut self, person: &'a Person) -> &'a Door {
        if person.door.tells_enrolled && self.random.chance(0.3) {
            &WEBMAIL
        } else {
            person.door
        }
    }

    /// Begins a try with a right password. Half of the strangers come without any cookie, half with a fresh one.
    fn begin(&mut self, victim: Victim<'a>, machine: &Machine, address: IpAddr, kind: AttackKind) -> Try<'a> {
        let door = self.door(victim.person);
        self.begin_at(door, victim, machine, address, kind)
    }

    /// The same at a given door.
    fn begin_at(
        &mut self,
        door: &'a Door,
        victim: Victim<'a>,
        machine: &Machine,
        address: IpAddr,
        kind: AttackKind,
    ) -> Try<'a> {
        let day = self.day(victim.time);
        let with_cookie = self.random.chance(0.5);
        let device = if with_cookie {
            machine.shape(day)
        } else {
            machine.private_window(day)
        };
        let who = Who::Attacker(kind);
        self.scribe
            .begin(victim.person, door, device, address, who, kind.name())
            .planted()
    }

    /// Some wrong passwords at times, then the right one, and whatever the application makes of it.
    fn with_right_password(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let mut now = time;
        if self.random.chance(0.2) {
            self.scribe.wrong_password(a_try, now);
            now = now.plus_ms(self.random.between(4_000, 20_000));
        }
        if a_try.person.proofs == Proofs::PasswordOnly || a_try.door.asks == Asks::Never {
            return self.scribe.granted(a_try, now, Proven::Password, false);
        }
        self.scribe.partial(a_try, now);
        let codes = if a_try.person.proofs == Proofs::Totp {
            self.random.between(0, 2)
        } else {
            0
        };
        self.wrong_codes(a_try, now, codes);
    }

    /// So many wrong codes, then the page is left, which not every application notices.
    fn wrong_codes(&mut self, a_try: &Try<'_>, time: Timestamp, codes: i64) {
        let mut now = time;
        for _ in 0..codes {
            now = now.plus_ms(self.random.between(9_000, 45_000));
            self.scribe.second_wrong(a_try, now);
        }
        if self.random.chance(0.7) {
            let left = now.plus_ms(self.random.between(30_000, 300_000));
            self.scribe.abandoned(a_try, left);
        }
    }
}
