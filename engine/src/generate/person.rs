//! One person of the life: where they live, what they own, how they sign in and how often. Drawn once, before the
//! first day; what happens to them is `ordinary`.

use super::Plan;
use super::countries::{COUNTRIES, Country, FIRST_NAMES, LAST_NAMES, MAIL_DOMAINS};
use super::device::Machine;
use super::door::{CLUB, Door, PORTAL, SHOP};
use super::event_builder::EnrolledShape;
use super::networks::{Network, NetworkKind, NetworkPlan};
use super::random::Random;
use crate::event::{FactorType, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;

/// How a person proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proofs {
    /// A password and nothing else.
    PasswordOnly,
    /// A password and codes of an authenticator.
    Totp,
    /// A passkey; the password is still there.
    Passkey,
}

/// The line at home.
#[derive(Debug, Clone)]
pub struct Home {
    /// The provider's IPv4 network.
    pub network: Arc<Network>,
    /// Its IPv4 addresses, one after the other.
    pub addresses: Vec<IpAddr>,
    /// Days that an IPv4 address stays.
    pub lease_days: i64,
    /// The /56 of a line with IPv6.
    pub prefix: Option<IpAddr>,
}

/// Some days abroad.
#[derive(Debug, Clone)]
pub struct Trip {
    /// Day of the outward flight, counted from the start.
    pub first_day: i64,
    /// Day of the flight back.
    pub last_day: i64,
    /// Where they stay, in a word.
    pub scenario: &'static str,
    /// The Wi-Fi there.
    pub stay: IpAddr,
    /// A local operator, if a local SIM is used.
    pub mobile: Option<Arc<Network>>,
    /// The Wi-Fi of the plane.
    pub inflight: IpAddr,
    /// The Wi-Fi of the airport on the way home, where there is one in the plan.
    pub airport: Option<IpAddr>,
}

/// A person with an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// Pseudonymous id of the account.
    pub id: String,
    /// Mail address.
    pub mail: String,
    /// The sender's id of that contact.
    pub contact_id: String,
    /// Whether the application knows a mail address.
    pub has_contact: bool,
    /// Where they live.
    pub country: Country,
    /// The line at home.
    pub home: Home,
    /// The operator of the phone.
    pub mobile: Arc<Network>,
    /// The address of the office, for some.
    pub office: Option<IpAddr>,
    /// The café they go to, for some.
    pub cafe: Option<IpAddr>,
    /// A second home or a friend's, for some weekends.
    pub weekend: Option<IpAddr>,
    /// A VPN service, for some.
    pub vpn: Option<Arc<Network>>,
    /// A privacy relay, for some.
    pub relay: Option<Arc<Network>>,
    /// Some days abroad, for a few.
    pub trip: Option<Trip>,
    /// The devices at the start: a computer, a phone, or both, in this order.
    pub machines: Vec<Machine>,
    /// Share of logins from the phone, where there are both.
    pub phone_share: f64,
    /// Day on which a new phone replaces the old one, for a few.
    pub new_phone_day: Option<i64>,
    /// How they prove who they are.
    pub proofs: Proofs,
    /// The factors beside the password.
    pub enrolled: Vec<EnrolledShape>,
    /// The application they use.
    pub door: &'static Door,
    /// Logins a day.
    pub rate: f64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// First day on which they sign in.
    pub first_day: i64,
    /// Whether the account is made on that first day.
    pub is_new: bool,
}

impl Person {
    /// The IPv4 address at home on a day.
    #[must_use]
    pub fn home_address(&self, day: i64) -> Option<IpAddr> {
        let lease = usize::try_from(day.div_euclid(self.home.lease_days.max(1))).unwrap_or(0);
        let count = self.home.addresses.len().max(1);
        self.home.addresses.get(lease % count).copied()
    }
}

/// Draws people one by one.
pub struct Census<'a> {
    plan: &'a Plan,
    networks: &'a NetworkPlan,
}

impl<'a> Census<'a> {
    /// Of this plan, on these networks.
    pub fn new(plan: &'a Plan, networks: &'a NetworkPlan) -> Self {
        Self { plan, networks }
    }

    /// The person of this number; `None` if the plan has no network to live on.
    #[must_use]
    pub fn person(&self, number: u64) -> Option<Person> {
        let mut random = Random::stream(self.plan.seed, "person", number);
        let country = *random.weighted(&COUNTRIES)?;
        let home = self.home(&mut random, country.code)?;
        let mobile = self
            .networks
            .draw(NetworkKind::Mobile, &mut random, |it| it.country == country.code)?;
        let proofs = draw_proofs(&mut random);
        let door = if random.chance(0.2) {
            &CLUB
        } else if random.chance(0.5) {
            &PORTAL
        } else {
            &SHOP
        };
        let (is_new, first_day) = self.first_day(&mut random);
        let created_at = self.created_at(&mut random, is_new, first_day);
        let machines = machines(&mut random, &country);
        let mail = self.mail(&mut random, number);
        Some(Person {
            id: format!("u-{}", random.hex(12)),
            mail,
            contact_id: format!("c-{}", random.hex(8)),
            has_contact: random.chance(0.93),
            office: self.office(&mut random, &home),
            cafe: self.cafe(&mut random, &home),
            weekend: self.weekend(&mut random, &home),
            vpn: self.vpn(&mut random, country.code),
            relay: self.relay(&mut random, country.code, &machines),
            trip: self.trip(&mut random, country.code),
            phone_share: 0.35 + 0.45 * random.unit(),
            new_phone_day: random.chance(0.03).then(|| random.between(4, self.last_day())),
            enrolled: enrolled(&mut random, proofs, created_at, self.plan.start),
            rate: (0.65 * libm::exp(0.8 * random.normal())).clamp(0.12, 6.0),
            country,
            home,
            mobile,
            machines,
            proofs,
            door,
            created_at,
            first_day,
            is_new,
        })
    }

    fn last_day(&self) -> i64 {
        i64::from(self.plan.days).saturating_sub(1)
    }

    fn home(&self, random: &mut Random, country: &str) -> Option<Home> {
        let network = self
            .networks
            .draw(NetworkKind::Residential, random, |it| it.country == country)?;
        let moves = random.chance(0.3);
        let lease_days = if moves {
            random.between(2, 7)
        } else {
            i64::from(self.plan.days)
        };
        let leases = self.last_day() / lease_days.max(1) + 1;
        let addresses = (0..leases).map(|_| network.any_host(random)).collect();
        let v6 = self.networks.v6_of(&network).filter(|_| random.chance(0.45));
        let prefix = v6.map(|v6| v6.own_prefix(random));
        Some(Home {
            network,
            addresses,
            lease_days,
            prefix,
        })
    }

    /// Four in five are there from the start, some come back late, some accounts are made on the way.
    fn first_day(&self, random: &mut Random) -> (bool, i64) {
        let is_new = random.chance(0.05);
        let is_late = random.chance(0.12);
        let day = if is_new || is_late {
            random.between(1, (self.last_day() - 1).max(1))
        } else {
            0
        };
        (is_new, day)
    }

    fn created_at(&self, random: &mut Random, is_new: bool, first_day: i64) -> Timestamp {
        let noon = self
            .plan
            .start
            .plus_days(first_day)
            .plus_seconds(random.between(32_000, 66_000));
        if is_new {
            noon
        } else {
            noon.plus_days(-random.between(40, 3_000))
        }
    }

    fn mail(&self, random: &mut Random, number: u64) -> String {
        let mut word = |words: &[&'static str]| random.pick(words).copied().unwrap_or("kim");
        let (first, last, domain) = (word(&FIRST_NAMES), word(&LAST_NAMES), word(&MAIL_DOMAINS));
        format!("{first}.{last}{number}@{domain}")
    }

    /// The one office of the plan, its people in its city, all behind two addresses.
    fn office(&self, random: &mut Random, home: &Home) -> Option<IpAddr> {
        let same_city = |it: &Network| it.city == home.network.city && it.country == home.network.country;
        let office = self.networks.draw(NetworkKind::Office, random, same_city)?;
        let address = office.host(random.below(2));
        random.chance(0.28).then_some(address)
    }

    /// One of three cafés in the own city, each behind one address.
    fn cafe(&self, random: &mut Random, home: &Home) -> Option<IpAddr> {
        let same_city = |it: &Network| it.city == home.network.city && it.country == home.network.country;
        let cafe = self.networks.draw(NetworkKind::Cafe, random, same_city)?;
        let address = cafe.host(random.below(3));
        random.chance(0.3).then_some(address)
    }

    fn weekend(&self, random: &mut Random, home: &Home) -> Option<IpAddr> {
        let elsewhere = |it: &Network| it.country == home.network.country && it.city != home.network.city;
        let place = self.networks.draw(NetworkKind::Residential, random, elsewhere)?;
        let address = place.any_host(random);
        (home.network.country == "DK" && random.chance(0.1)).then_some(address)
    }

    /// Mostly an exit in the own country where there is one.
    fn vpn(&self, random: &mut Random, country: &str) -> Option<Arc<Network>> {
        if !random.chance(0.04) {
            return None;
        }
        let near = self
            .networks
            .draw(NetworkKind::Vpn, random, |it| it.country == country);
        let any = self.networks.draw(NetworkKind::Vpn, random, |_| true);
        if random.chance(0.6) { near.or(any) } else { any }
    }

    /// Comes with Safari, keeps the country.
    fn relay(&self, random: &mut Random, country: &str, machines: &[Machine]) -> Option<Arc<Network>> {
        let has_safari = machines
            .iter()
            .any(|machine| machine.software.browser == super::software::Browser::Safari);
        let relay = self
            .networks
            .draw(NetworkKind::Relay, random, |it| it.country == country);
        relay.filter(|_| has_safari && random.chance(0.03))
    }

    /// To a hotel, or to friends in the town of the airport.
    fn trip(&self, random: &mut Random, country: &str) -> Option<Trip> {
        let airport = self
            .networks
            .draw(NetworkKind::Airport, random, |it| it.country != country);
        let airport = airport.filter(|_| random.chance(0.3));
        let (scenario, network) = match &airport {
            Some(airport) => {
                let there = |it: &Network| it.city == airport.city && it.country == airport.country;
                (
                    "friends-abroad",
                    self.networks.draw(NetworkKind::Residential, random, there)?,
                )
            }
            None => (
                "hotel",
                self.networks
                    .draw(NetworkKind::Hotel, random, |it| it.country != country)?,
            ),
        };
        let plane = self
            .networks
            .draw(NetworkKind::Satellite, random, |it| it.city.is_none())?;
        let mobile = self
            .networks
            .draw(NetworkKind::Mobile, random, |it| it.country == network.country);
        let first_day = random.between(3, (self.last_day() - 4).max(3));
        let trip = Trip {
            first_day,
            last_day: first_day + random.between(2, 6),
            scenario,
            stay: network.any_host(random),
            mobile: mobile.filter(|_| random.chance(0.5)),
            inflight: plane.any_host(random),
            airport: airport.map(|airport| airport.any_host(random)),
        };
        random.chance(0.05).then_some(trip)
    }
}

/// 30 % password only, 55 % codes, 15 % passkeys.
fn draw_proofs(random: &mut Random) -> Proofs {
    match random.unit() {
        share if share < 0.30 => Proofs::PasswordOnly,
        share if share < 0.85 => Proofs::Totp,
        _ => Proofs::Passkey,
    }
}

fn machines(random: &mut Random, country: &Country) -> Vec<Machine> {
    let computer = Machine::computer(random, country.locale, country.time_zone);
    let phone = Machine::phone(random, country.locale, country.time_zone);
    match random.unit() {
        share if share < 0.10 => vec![computer],
        share if share < 0.40 => vec![phone],
        _ => vec![computer, phone],
    }
}

fn enrolled(
    random: &mut Random,
    proofs: Proofs,
    created_at: Timestamp,
    start: Timestamp,
) -> Vec<EnrolledShape> {
    let kind = match proofs {
        Proofs::PasswordOnly => return Vec::new(),
        Proofs::Totp => FactorType::Totp,
        Proofs::Passkey => FactorType::Passkey,
    };
    let age_days = start.days_since(created_at).max(0.0) as i64;
    let enrolled_at = created_at.plus_days(random.between(0, (age_days - 30).max(0)));
    vec![EnrolledShape {
        id: format!("f-{}", random.hex(10)),
        kind,
        enrolled_at,
    }]
}
