use doorward::enrich::network::NetworkFacts;
use doorward::history::familiarity::{LevelCount, points};
use doorward::history::{CrowdCounts, Familiarity, KnownAt, familiarity};
use proptest::prelude::*;

use crate::life::{DAY, Life, START, laptop, network};

const EVERYONE: CrowdCounts = CrowdCounts {
    address: 20,
    prefix: 60,
    wide: 0,
    asn: 3_000,
    country: 9_000,
    total_of_family: 10_000,
    distinct_of_family: 4_000,
    total: 10_000,
};
const NOBODY_HERE: CrowdCounts = CrowdCounts {
    address: 0,
    prefix: 0,
    asn: 0,
    country: 0,
    ..EVERYONE
};

/// No assertion holds of it.
const NOT_TOLD: Familiarity = Familiarity {
    points: f64::NAN,
    known_at: KnownAt::None,
    user_logins_from_network: f64::NAN,
    user_logins: f64::NAN,
    share_of_everyone: f64::NAN,
    n: f64::NAN,
};

fn at(life: &Life, network: &NetworkFacts, everyone: &CrowdCounts, now: i64) -> Familiarity {
    familiarity(&life.history, everyone, network, now).unwrap_or(NOT_TOLD)
}

/// Forty logins of one moment after four days that settle the pair, weighed at that moment.
fn forty_logins() -> Life {
    let mut life = Life::default();
    for _ in 0..40 {
        life.login(START, &laptop(1), &network(1, 1));
    }
    life
}

#[test]
fn forty_logins_and_a_new_network_in_a_new_country_give_16_13() {
    let life = forty_logins();
    let mut abroad = network(9, 1);
    abroad.country = Some(*b"ES");
    let found = at(&life, &abroad, &NOBODY_HERE, START);
    assert!(
        (found.points - 10.0 * 41f64.log10()).abs() < 1e-6,
        "{}",
        found.points
    );
    assert_eq!((found.points * 100.0).round(), 1_613.0);
    assert_eq!(found.known_at, KnownAt::None);
}

#[test]
fn home_is_familiar_and_a_neighbour_in_the_same_network_less_so() {
    let life = forty_logins();
    let home = at(&life, &network(1, 1), &EVERYONE, START);
    assert_eq!(home.known_at, KnownAt::Address);
    assert!(home.points < -5.0, "{}", home.points);
    let mut street = network(1, 1);
    street.ip = "198.51.100.7".parse().expect("an address");
    let neighbour = at(&life, &street, &EVERYONE, START);
    assert_eq!(neighbour.known_at, KnownAt::Asn);
    assert!(
        neighbour.points > home.points && neighbour.points < 0.0,
        "{}",
        neighbour.points
    );
    assert!((neighbour.user_logins_from_network - 40.0).abs() < 1e-6);
    assert!((neighbour.share_of_everyone - 0.3).abs() < 1e-9);
}

#[test]
fn a_private_address_is_no_data_and_a_user_without_logins_scores_nothing() {
    let mut private = network(1, 1);
    private.class = doorward::enrich::network::NetworkClass::Private;
    assert_eq!(
        familiarity(&forty_logins().history, &EVERYONE, &private, START),
        None
    );
    assert_eq!(at(&Life::default(), &network(1, 1), &EVERYONE, START).points, 0.0);
}

#[test]
fn a_stranger_with_the_other_address_family_is_not_free() {
    let life = forty_logins();
    let mut abroad = network(9, 1);
    abroad.ip = "2001:db8:7::1".parse().expect("an address");
    abroad.country = Some(*b"ES");
    assert!(at(&life, &abroad, &NOBODY_HERE, START).points > 16.0);
}

#[test]
fn once_in_a_cafe_changes_the_score_there_by_less_than_a_point() {
    let mut without = Life::default();
    without.daily(0..40, &laptop(1), &network(1, 1));
    let mut with = Life::default();
    with.daily(0..40, &laptop(1), &network(1, 1));
    with.login(START + 40 * DAY, &laptop(1), &network(7, 1));
    let now = START + 45 * DAY;
    let stranger = network(7, 9);
    let difference =
        at(&with, &stranger, &EVERYONE, now).points - at(&without, &stranger, &EVERYONE, now).points;
    assert!(difference.abs() < 1.0, "{difference}");
}

#[test]
fn what_was_forgotten_at_the_finest_level_still_counts_in_the_total() {
    let mut life = Life::default();
    for step in 0..200i64 {
        life.login(START + step * 60_000_000, &laptop(1), &network(1, step as u8));
    }
    let now = START + 200 * 60_000_000;
    let found = at(&life, &network(1, 250), &EVERYONE, now);
    assert!((found.n - 200.0).abs() < 1.0, "{}", found.n);
}

fn level() -> impl Strategy<Value = (f64, f64, u64)> {
    (0.0f64..60.0, 0.0f64..200.0, 0u64..100_000)
}

const L_TAU: [(f64, f64); 4] = [(0.40, 0.0), (0.15, 0.0), (0.33, 0.15), (0.10, 0.30)];

/// Nested as counts are: what is known finely is known coarsely, and everyone's counts grow.
fn nested(raw: &[(f64, f64, u64)]) -> Vec<LevelCount> {
    let mut user: f64 = 0.0;
    let mut everyone: u64 = 0;
    let mut levels = Vec::new();
    for ((weight, tau), (more_user, more_total, more_everyone)) in L_TAU.into_iter().zip(raw) {
        user += more_user;
        everyone += more_everyone;
        levels.push(LevelCount {
            weight,
            tau,
            user,
            total: user + more_total,
            everyone,
        });
    }
    levels
}

proptest! {
    #[test]
    fn knowing_less_never_scores_lower(
        raw in proptest::collection::vec(level(), 4),
        forgotten in 0usize..5,
        less in 0.0f64..1.0,
        px in 1e-9f64..0.5,
    ) {
        let levels = nested(&raw);
        let before = points(&levels, 40.0, px);
        let mut fewer = levels.clone();
        for level in fewer.iter_mut().take(forgotten) {
            level.user = 0.0;
        }
        prop_assert!(points(&fewer, 40.0, px) >= before - 1e-9);
        let mut weaker = levels;
        for level in weaker.iter_mut().take(forgotten) {
            level.user *= less;
        }
        prop_assert!(points(&weaker, 40.0, px) >= before - 1e-9);
    }

    #[test]
    fn rarer_infrastructure_that_the_user_does_not_know_never_scores_lower(
        raw in proptest::collection::vec(level(), 4),
        known_from in 1usize..5,
        common in 1u64..1_000,
        rarer in 0u64..1_000,
    ) {
        let rarer = rarer.min(common);
        let at = |count: u64| {
            let mut levels = nested(&raw);
            for level in levels.iter_mut().take(known_from) {
                level.user = 0.0;
                level.everyone = count;
            }
            for level in levels.iter_mut().skip(known_from) {
                level.everyone = level.everyone.max(common);
            }
            points(&levels, 40.0, (count as f64 + 0.5) / 150_000.0)
        };
        prop_assert!(at(rarer) >= at(common) - 1e-9, "{} {}", at(rarer), at(common));
    }

    #[test]
    fn points_are_finite_for_any_input(
        raw in proptest::collection::vec((any::<f64>(), any::<f64>(), any::<u64>()), 0..6),
        total in any::<f64>(),
        px in any::<f64>(),
    ) {
        let levels: Vec<LevelCount> = raw
            .into_iter()
            .map(|(user, total, everyone)| LevelCount { weight: 0.3, tau: 0.1, user, total, everyone })
            .collect();
        let points = points(&levels, total, px);
        prop_assert!((-12.0..=18.0).contains(&points), "{points}");
    }

    #[test]
    fn familiarity_is_finite_for_any_counts_and_any_time(
        counts in any::<[u64; 8]>(),
        now in any::<i64>(),
    ) {
        let [address, prefix, wide, asn, country, total_of_family, distinct_of_family, total] = counts;
        let everyone = CrowdCounts { address, prefix, wide, asn, country, total_of_family, distinct_of_family, total };
        let found = at(&forty_logins(), &network(1, 1), &everyone, now);
        prop_assert!(found.points.is_finite() && found.share_of_everyone <= 1.0);
    }
}
