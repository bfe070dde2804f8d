//! Where a person is when they sign in, with what, and which address that gives. Places follow one another as fast as
//! people travel: nobody signs in from two towns within minutes, unless through a gateway that stands elsewhere.

use super::networks::{Network, with_suffix};
use super::person::{Person, Trip};
use super::random::Random;
use std::net::IpAddr;

/// A moment in a person's own day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalTime {
    /// Day counted from the start, by the person's clock.
    pub day: i64,
    /// Hour of the day, 0 to 24.
    pub hour: f64,
    /// Whether it is Saturday or Sunday; day 0 is a Monday.
    pub weekend: bool,
}

/// What is drawn for one login before anything is typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// Where, in a word.
    pub scenario: &'static str,
    /// The address there.
    pub address: IpAddr,
    /// Whether it is the phone; the computer otherwise.
    pub phone: bool,
    /// Whether an application that remembers the device asks again: the country is another than usual, or the address
    /// is a VPN's.
    pub asks_again: bool,
}

/// Where this person is at this time; `None` if they are on the way and cannot sign in.
pub fn stop(person: &Person, random: &mut Random, time: LocalTime) -> Option<Stop> {
    if let Some(trip) = person.trip.as_ref().filter(|trip| on_trip(trip, time.day)) {
        return abroad(person, trip, random, time);
    }
    let phone = random.chance(person.phone_share);
    let at = |scenario, address| {
        Some(Stop {
            scenario,
            address,
            phone,
            asks_again: false,
        })
    };
    let working = !time.weekend && (8.0..17.0).contains(&time.hour);
    if let Some(office) = person.office.filter(|_| working && !phone) {
        return at("office", office);
    }
    if let Some(cafe) = person
        .cafe
        .filter(|_| (10.0..16.0).contains(&time.hour) && random.chance(0.3))
    {
        return at("cafe", cafe);
    }
    if let Some(weekend) = person.weekend.filter(|_| time.weekend) {
        match time.hour {
            hour if (10.5..18.0).contains(&hour) => return at("weekend", weekend),
            hour if (8.0..20.5).contains(&hour) => return None,
            _ => {}
        }
    }
    through_others(person, random, phone, time.day).or_else(|| {
        let out = !time.weekend && working || random.chance(0.25);
        if phone && out {
            return at("mobile", gateway(&person.mobile, random));
        }
        at("home", home(person, random, time.day, phone)?)
    })
}

/// A VPN on some days, on the computer; a relay on most.
fn through_others(person: &Person, random: &mut Random, phone: bool, day: i64) -> Option<Stop> {
    let vpn_day = Random::stream(
        person.created_at.as_micros().unsigned_abs(),
        "vpn day",
        day.unsigned_abs(),
    )
    .chance(0.3);
    let (scenario, network) = match (&person.vpn, &person.relay) {
        (Some(vpn), _) if vpn_day && !phone => ("vpn-day", vpn),
        (_, Some(relay)) if random.chance(0.7) => ("relay", relay),
        _ => return None,
    };
    let asks_again = scenario == "vpn-day" || network.country != person.country.code;
    Some(Stop {
        scenario,
        address: network.any_host(random),
        phone,
        asks_again,
    })
}

const fn on_trip(trip: &Trip, day: i64) -> bool {
    trip.first_day <= day && day <= trip.last_day
}

/// The flight leaves at nine and arrives before three; back, it leaves at two and ends at home before nine.
fn abroad(person: &Person, trip: &Trip, random: &mut Random, time: LocalTime) -> Option<Stop> {
    let phone = random.chance(person.phone_share);
    let at = |scenario, address, phone| {
        Some(Stop {
            scenario,
            address,
            phone,
            asks_again: true,
        })
    };
    let flying_out = time.day == trip.first_day && time.hour < 15.0;
    let flying_back = time.day == trip.last_day && time.hour >= 12.0;
    match time.hour {
        hour if flying_out && hour < 6.0 => home(person, random, time.day, phone).map(|address| Stop {
            scenario: "home",
            address,
            phone,
            asks_again: false,
        }),
        hour if flying_out && (9.5..12.5).contains(&hour) => at("inflight", trip.inflight, phone),
        hour if flying_back && (12.5..13.5).contains(&hour) => {
            trip.airport.and_then(|airport| at("airport", airport, phone))
        }
        hour if flying_back && (14.5..17.5).contains(&hour) => at("inflight", trip.inflight, phone),
        hour if flying_back && hour >= 21.0 => home(person, random, time.day, phone).map(|address| Stop {
            scenario: "home",
            address,
            phone,
            asks_again: false,
        }),
        _ if flying_out || flying_back => None,
        _ => match &trip.mobile {
            Some(mobile) if phone && random.chance(0.5) => at("mobile-abroad", gateway(mobile, random), true),
            _ => at(trip.scenario, trip.stay, phone),
        },
    }
}

/// The line at home: IPv6 mostly where there is one, with a suffix that each device changes daily.
fn home(person: &Person, random: &mut Random, day: i64, phone: bool) -> Option<IpAddr> {
    match person.home.prefix.filter(|_| random.chance(0.7)) {
        Some(prefix) => {
            let seed = person.created_at.as_micros().unsigned_abs() ^ u64::from(phone);
            let suffix = Random::stream(seed, "suffix", day.unsigned_abs()).next_u64();
            Some(with_suffix(prefix, suffix))
        }
        None => person.home_address(day),
    }
}

/// One of the operator's shared addresses, another one each time.
fn gateway(mobile: &Network, random: &mut Random) -> IpAddr {
    mobile.host(random.below(48))
}
