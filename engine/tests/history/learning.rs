use doorward::enrich::device::DeviceDescriptor;
use doorward::enrich::network::NetworkFacts;
use doorward::history::account::{account_created, contact_verified};
use doorward::history::network_key::NetworkKey;
use doorward::history::{Maturity, MaturityPolicy, Trust, UserHistory, VouchEvidence, maturity, usual_level};
use proptest::prelude::*;

use crate::life::{DAY, HOUR, How, Life, PLAIN, START, laptop, network, vpn};

fn device_trust(history: &UserHistory, now: i64) -> Trust {
    history
        .device(0)
        .map_or(Trust::None, |device| device.trust(now / 1_000_000))
}

fn pair_trust(history: &UserHistory, network: &NetworkFacts, now: i64) -> Trust {
    history.pair_trust(0, NetworkKey::of(network), now)
}

const ORIGIN_BOUND: How = How {
    evidence: VouchEvidence::StepUpOriginBound,
    ..PLAIN
};
const PHISHABLE: How = How {
    evidence: VouchEvidence::StepUpPhishable,
    ..PLAIN
};

#[test]
fn a_device_settles_on_the_third_day_and_is_not_vouched_by_use_alone() {
    let mut life = Life::default();
    life.daily(0..3, &laptop(1), &network(1, 1));
    assert_eq!(
        device_trust(&life.history, START + 3 * DAY),
        Trust::Observed,
        "three days, but not 72 hours"
    );
    life.daily(3..60, &laptop(1), &network(1, 1));
    assert_eq!(device_trust(&life.history, START + 60 * DAY), Trust::Settled);
    assert_eq!(
        pair_trust(&life.history, &network(1, 1), START + 60 * DAY),
        Trust::Settled
    );
}

#[test]
fn a_factor_bound_to_origin_vouches_for_the_device_at_once_and_for_the_network_after_three_days() {
    let mut life = Life::default();
    let home = network(1, 1);
    life.login_how(START, &laptop(1), &home, ORIGIN_BOUND);
    assert_eq!(device_trust(&life.history, START), Trust::Vouched);
    assert_eq!(
        pair_trust(&life.history, &home, START + 3 * DAY - 1_000_000),
        Trust::Observed
    );
    assert_eq!(pair_trust(&life.history, &home, START + 3 * DAY), Trust::Vouched);
}

#[test]
fn a_phishable_factor_vouches_by_half_on_the_third_day_of_use() {
    let mut life = Life::default();
    let home = network(1, 1);
    life.login_how(START, &laptop(1), &home, PHISHABLE);
    life.login(START + DAY, &laptop(1), &home);
    assert!(!device_trust(&life.history, START + 90 * DAY).is_vouched());
    life.login(START + 2 * DAY, &laptop(1), &home);
    assert_eq!(device_trust(&life.history, START + 2 * DAY), Trust::VouchedHalf);
    assert_eq!(
        pair_trust(&life.history, &home, START + 2 * DAY),
        Trust::VouchedHalf
    );
}

#[test]
fn a_phishable_factor_from_a_hosting_network_or_on_a_resembling_device_vouches_nothing() {
    let mut life = Life::default();
    let odd = How {
        ordinary_network: false,
        ..PHISHABLE
    };
    for day in 0..9 {
        life.login_how(START + day * DAY, &laptop(1), &network(1, 1), odd);
    }
    assert_eq!(device_trust(&life.history, START + 9 * DAY), Trust::Settled);
    let proxy = DeviceDescriptor {
        id: Some(2),
        ..laptop(1)
    };
    life.login_how(START + 9 * DAY, &proxy, &network(1, 1), PHISHABLE);
    assert!(life.history.devices[1].credits.is_empty());
}

#[test]
fn a_vouched_device_takes_its_credit_to_a_new_network_in_three_days_of_use() {
    let mut life = Life::default();
    life.login_how(START, &laptop(1), &network(1, 1), ORIGIN_BOUND);
    let hotel = network(2, 1);
    for day in 1..3 {
        life.login(START + day * DAY, &laptop(1), &hotel);
        assert_eq!(
            pair_trust(&life.history, &hotel, START + 9 * DAY),
            Trust::Observed
        );
    }
    life.login(START + 3 * DAY, &laptop(1), &hotel);
    assert_eq!(pair_trust(&life.history, &hotel, START + 3 * DAY), Trust::Vouched);
    let pair = &life.history.pairs[1];
    assert_eq!(
        pair.credits.full.map(|credit| credit.seq),
        Some(2),
        "the login that began it"
    );
}

#[test]
fn credit_does_not_belong_to_the_network() {
    let mut life = Life::default();
    let home = network(1, 1);
    for day in 0..9 {
        life.login_how(START + day * DAY, &laptop(1), &home, ORIGIN_BOUND);
    }
    life.login(START + 9 * DAY, &laptop(2), &home);
    assert_eq!(
        life.history
            .pair_trust(1, NetworkKey::of(&home), START + 10 * DAY),
        Trust::Observed
    );
}

#[test]
fn a_login_granted_against_advice_is_seen_and_earns_nothing() {
    let mut life = Life::default();
    let ignored = How {
        against_advice: true,
        ..ORIGIN_BOUND
    };
    life.login_how(START, &laptop(1), &network(1, 1), ignored);
    assert_eq!(device_trust(&life.history, START + 9 * DAY), Trust::Observed);
    assert!(life.history.devices[0].credits.is_empty());
}

#[test]
fn the_device_of_the_account_is_vouched_three_days_after_a_contact_is_verified_from_it() {
    let home = network(1, 1);
    let check = |life: &Life| {
        let verified = START + HOUR;
        assert_eq!(
            device_trust(&life.history, verified + 3 * DAY - 1_000_000),
            Trust::Observed
        );
        assert_eq!(device_trust(&life.history, verified + 3 * DAY), Trust::Vouched);
        assert_eq!(
            pair_trust(&life.history, &home, verified + 3 * DAY),
            Trust::Vouched
        );
    };
    let mut verified_first = Life::default();
    account_created(&mut verified_first.history, &laptop(1), START);
    contact_verified(
        &mut verified_first.history,
        &laptop(1),
        Some(&home),
        7,
        START + HOUR,
    );
    verified_first.login(START + 2 * HOUR, &laptop(1), &home);
    check(&verified_first);
    let mut login_first = Life::default();
    account_created(&mut login_first.history, &laptop(1), START);
    login_first.login(START, &laptop(1), &home);
    contact_verified(&mut login_first.history, &laptop(1), Some(&home), 7, START + HOUR);
    check(&login_first);
    let mut elsewhere = Life::default();
    account_created(&mut elsewhere.history, &laptop(1), START);
    elsewhere.login(START, &laptop(1), &home);
    contact_verified(&mut elsewhere.history, &laptop(2), Some(&home), 7, START + HOUR);
    assert_eq!(device_trust(&elsewhere.history, START + 9 * DAY), Trust::Observed);
}

/// Maturity by the built-in policy.
fn matured(history: Option<&UserHistory>, created_at: Option<i64>, now: i64) -> Maturity {
    maturity(history, created_at, now, &MaturityPolicy::default())
}

#[test]
fn an_account_without_a_granted_login_has_a_profile_and_nothing_else() {
    let mut history = UserHistory::default();
    account_created(&mut history, &laptop(1), START);
    assert!(history.devices.is_empty() && history.pairs.is_empty());
    assert_eq!(matured(Some(&history), None, START + DAY), Maturity::New);
    assert_eq!(matured(Some(&history), None, START + 2 * DAY), Maturity::Unseen);
    assert_eq!(matured(None, Some(START), START + HOUR), Maturity::New);
    assert_eq!(matured(None, None, START), Maturity::Unseen);
}

#[test]
fn five_logins_and_fourteen_days_make_a_user_mature() {
    let mut life = Life::default();
    life.daily(0..4, &laptop(1), &network(1, 1));
    let at = |life: &Life, day: i64| matured(Some(&life.history), None, START + day * DAY);
    assert_eq!(at(&life, 20), Maturity::Learning);
    life.daily(4..5, &laptop(1), &network(1, 1));
    assert_eq!(
        (at(&life, 13), at(&life, 14)),
        (Maturity::Learning, Maturity::Mature)
    );
    life.history.lapsed = true;
    assert_eq!(at(&life, 14), Maturity::Lapsed);
}

#[test]
fn the_usual_level_is_that_of_most_logins_in_90_days() {
    let mut life = Life::default();
    let two = How { level: 2, ..PLAIN };
    life.daily(0..3, &laptop(1), &network(1, 1));
    for day in 95..99 {
        life.login_how(START + day * DAY, &laptop(1), &network(1, 1), two);
    }
    assert_eq!(usual_level(&life.history, START + 99 * DAY), Some(2));
    assert_eq!(usual_level(&life.history, START + 250 * DAY), None);
    assert_eq!(
        life.history.days_since_last_granted(START + 128 * DAY),
        Some(30.0)
    );
}

#[test]
fn a_vpn_never_becomes_the_last_place() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    life.login(START + HOUR, &laptop(1), &vpn(9));
    let last = life.history.last_place.as_ref().expect("home is a place");
    assert_eq!((last.time, last.asn), (START / 1_000_000, Some(64_501)));
    assert!((last.place().latitude - 56.0).abs() < 1e-9);
}

#[test]
fn a_late_login_never_moves_the_last_place_or_last_seen_back() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    let late = How {
        late_by: 3 * HOUR,
        ..PLAIN
    };
    life.login_how(START - 2 * HOUR, &laptop(1), &network(2, 1), late);
    assert_eq!(
        life.history.last_place.as_ref().and_then(|last| last.asn),
        Some(64_501)
    );
    assert_eq!(life.history.last_granted(), Some(START));
    assert_eq!(life.history.granted.count, 2);
}

#[test]
fn a_login_more_than_a_day_late_counts_but_settles_and_vouches_nothing() {
    let mut life = Life::default();
    let very_late = How {
        late_by: 24 * HOUR + 1,
        ..ORIGIN_BOUND
    };
    for day in 0..9 {
        life.login_how(START + day * DAY, &laptop(1), &network(1, 1), very_late);
    }
    assert_eq!(device_trust(&life.history, START + 20 * DAY), Trust::Observed);
    assert_eq!(life.history.granted.count, 9);
    assert!(life.history.last_place.is_none() && life.history.places.is_empty());
}

#[test]
fn old_logs_vouch_for_a_device_and_its_network_on_the_third_distinct_day() {
    let mut life = Life::default();
    let home = network(1, 1);
    let logged = How {
        backfill: true,
        ..PLAIN
    };
    life.login_how(START, &laptop(1), &home, logged);
    life.login_how(START + HOUR, &laptop(1), &home, logged);
    life.login_how(START + DAY, &laptop(1), &home, logged);
    assert!(!device_trust(&life.history, START + DAY).is_vouched());
    life.login_how(START + 2 * DAY, &laptop(1), &home, logged);
    assert_eq!(device_trust(&life.history, START + 2 * DAY), Trust::Vouched);
    assert_eq!(pair_trust(&life.history, &home, START + 2 * DAY), Trust::Vouched);
}

#[test]
fn two_days_in_old_logs_and_one_of_today_vouch_for_nothing() {
    let mut life = Life::default();
    let home = network(1, 1);
    let logged = How {
        backfill: true,
        ..PLAIN
    };
    for day in 0..2 {
        life.login_how(START + day * DAY, &laptop(1), &home, logged);
    }
    life.daily(2..9, &laptop(1), &home);
    assert_eq!(device_trust(&life.history, START + 9 * DAY), Trust::Settled);
}

#[test]
fn three_networks_on_three_days_of_old_logs_vouch_for_nothing_nor_does_what_went_against_advice() {
    let mut life = Life::default();
    let logged = How {
        backfill: true,
        ..PLAIN
    };
    for day in 0..3 {
        life.login_how(
            START + i64::from(day) * DAY,
            &laptop(1),
            &network(day + 1, 1),
            logged,
        );
    }
    assert!(!device_trust(&life.history, START + 9 * DAY).is_vouched());
    let mut life = Life::default();
    let ignored = How {
        against_advice: true,
        ..logged
    };
    for day in 0..9 {
        life.login_how(START + day * DAY, &laptop(1), &network(1, 1), ignored);
    }
    assert_eq!(device_trust(&life.history, START + 9 * DAY), Trust::Settled);
}

#[test]
fn a_jump_between_two_places_of_settled_pairs_is_nothing_new() {
    let mut life = Life::default();
    let (home, work, cafe) = (network(1, 1), network(4, 1), network(8, 1));
    for day in 0..5 {
        life.login(START + day * DAY, &laptop(1), &home);
        life.login(START + day * DAY + HOUR, &laptop(1), &work);
    }
    life.login(START + 5 * DAY, &laptop(1), &cafe);
    let place = |network: &NetworkFacts| network.place.clone().expect("every network here has a place");
    let knows = |a, b| life.history.knows_places(&place(a), &place(b), START + 6 * DAY);
    assert!(knows(&home, &work) && knows(&work, &home));
    assert!(
        !knows(&home, &cafe),
        "once in a café does not make its city known"
    );
}

/// What must not depend on the order of logins.
fn unordered(history: &UserHistory) -> Vec<String> {
    let id = |index: u8| history.device(index).and_then(|device| device.id);
    let mut lines: Vec<String> = Vec::new();
    for device in &history.devices {
        lines.push(format!(
            "device {:?} {:?} {:?} {:?}",
            device.id, device.seen, device.major, device.family
        ));
    }
    for pair in &history.pairs {
        lines.push(format!(
            "pair {:?} {:?} {:?}",
            id(pair.device),
            pair.network,
            pair.seen
        ));
    }
    for login in &history.recent {
        lines.push(format!(
            "login {} {:?} {:?}",
            login.time,
            login.device.and_then(id),
            login.asn
        ));
    }
    for place in &history.places {
        let Some(pair) = history.pairs.get(usize::from(place.pair)) else {
            continue;
        };
        lines.push(format!(
            "place {:?} {:?} {} {}",
            id(pair.device),
            pair.network,
            place.cell,
            place.last
        ));
    }
    lines.push(format!(
        "granted {:?} {:?}",
        history.granted,
        history.last_place.as_ref().map(|last| last.time)
    ));
    lines.sort();
    lines
}

fn weights(history: &UserHistory) -> Vec<(String, f64)> {
    let mut weights: Vec<(String, f64)> = Vec::new();
    for cell in &history.cells {
        let Some(pair) = history.pairs.get(usize::from(cell.pair)) else {
            continue;
        };
        let device = history.device(pair.device).and_then(|device| device.id);
        let name = format!("{device:?} {:?} {:?} {}", pair.network, cell.level, cell.value);
        weights.push((name, cell.logins.raw()));
    }
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    weights
}

proptest! {
    #[test]
    fn sets_counts_and_last_seen_do_not_depend_on_the_order_of_logins(
        mut logins in proptest::collection::vec((0i64..60 * 24, 1u128..4, 1u8..5), 1..20),
        seed in any::<u64>(),
    ) {
        logins.sort_unstable();
        logins.dedup_by_key(|login| login.0);
        let play = |logins: &[(i64, u128, u8)]| {
            let mut life = Life::default();
            for (hour, device, net) in logins {
                life.login(START + hour * HOUR, &laptop(*device), &network(*net, (*hour % 5) as u8));
            }
            life.history
        };
        let mut shuffled = logins.clone();
        let mut state = seed;
        for end in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(end, (state >> 33) as usize % (end + 1));
        }
        let (ordered, other) = (play(&logins), play(&shuffled));
        prop_assert_eq!(unordered(&ordered), unordered(&other));
        let (one, two) = (weights(&ordered), weights(&other));
        prop_assert_eq!(one.len(), two.len());
        for (a, b) in one.iter().zip(&two) {
            prop_assert_eq!(&a.0, &b.0);
            prop_assert!((a.1 - b.1).abs() <= 1e-6 * a.1, "{} {} {}", a.0, a.1, b.1);
        }
    }
}
