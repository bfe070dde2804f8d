//! A generated life: the same for the same seed, in order, readable by the parser, silent about what it is, and with
//! every kind of attack that the demo promises.

#![expect(clippy::unwrap_used, reason = "a life that cannot be made fails the test")]

use doorward::event::{Limits, Outcome, parse};
use doorward::generate::networks::NetworkPlan;
use doorward::generate::{AttackKind, FactorClass, GenerateError, GeneratedEvent, Life, Plan, USERS_MAX};
use std::collections::{BTreeMap, BTreeSet};

fn life(seed: u64) -> Life {
    Life::new(Plan {
        seed,
        ..Plan::default()
    })
    .unwrap()
}

fn small(seed: u64) -> Life {
    Life::new(Plan {
        seed,
        users: 60,
        days: 9,
        ..Plan::default()
    })
    .unwrap()
}

/// The last event of each attempt.
fn attempts(life: &Life) -> BTreeMap<u64, &GeneratedEvent> {
    life.events
        .iter()
        .map(|event| (event.label.attempt, event))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_people() {
    let (one, again, other) = (small(1), small(1), small(2));
    assert_eq!(one.events, again.events);
    let ids = |life: &Life| {
        life.people
            .iter()
            .map(|it| it.id.clone())
            .collect::<BTreeSet<_>>()
    };
    assert!(ids(&one).is_disjoint(&ids(&other)));
}

#[test]
fn every_line_is_taken_by_the_parser_and_says_what_the_generator_meant() {
    for event in &life(1).events {
        let parsed = parse(&event.bytes, &Limits::DEFAULT)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&event.bytes)));
        assert_eq!(*parsed.id, *event.id);
        assert_eq!(parsed.time, event.time);
        assert_eq!(parsed.user.id.as_deref(), event.label.user.as_deref());
        assert!(event.bytes.len() < 4_096);
    }
}

#[test]
fn events_stand_in_order_of_time_with_ids_of_their_own_inside_the_days() {
    let plan = Plan::default();
    let life = life(1);
    assert!(life.events.is_sorted_by_key(|event| event.time));
    let ids: BTreeSet<_> = life.events.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), life.events.len());
    let end = plan.start.plus_days(i64::from(plan.days)).plus_seconds(3_600);
    assert!(
        life.events
            .iter()
            .all(|event| plan.start <= event.time && event.time < end)
    );
}

#[test]
fn no_line_says_what_it_is() {
    let mut words: Vec<&str> = AttackKind::ALL.iter().map(|kind| kind.name()).collect();
    words.extend([
        "attack", "takeover", "victim", "stranger", "planted", "label", "scenario", "stolen",
    ]);
    words.extend([
        "spray", "stuffing", "phish", "proxy", "fraud", "robot", "bot/", "hosting", "typo",
    ]);
    words.extend(["\"owner\"", "private-window", "cleared", "new-phone"]);
    // The one honest use of such a word: a property of a factor, sent for owners and strangers alike.
    let known = "phishing_resistant";
    for event in &life(2).events {
        let text = String::from_utf8(event.bytes.clone())
            .unwrap()
            .to_lowercase()
            .replace(known, "");
        for word in &words {
            assert!(!text.contains(word), "`{word}` in {text}");
        }
    }
}

#[test]
fn every_address_is_one_of_the_test_networks() {
    let networks = NetworkPlan::embedded().unwrap();
    for event in &life(3).events {
        let address = parse(&event.bytes, &Limits::DEFAULT).unwrap().client.ip.unwrap();
        assert!(networks.find(address).is_some(), "{address}");
    }
}

#[test]
fn every_class_and_kind_of_attack_is_there_for_the_seeds_of_the_demo() {
    for seed in 1..=4 {
        let marginals = life(seed).describe();
        for class in [FactorClass::Enrolled, FactorClass::Unknown, FactorClass::None] {
            assert!(
                marginals.planted.get(&class).is_some_and(|count| *count >= 5),
                "{seed}: {marginals}"
            );
        }
        for kind in AttackKind::ALL {
            let (all, planted) = marginals.attacks.get(&kind).copied().unwrap_or_default();
            assert!(all > 0, "{seed}: {kind:?}");
            assert_eq!(planted > 0, kind != AttackKind::Background, "{seed}: {kind:?}");
        }
    }
}

#[test]
fn victims_have_a_past_and_strangers_come_in_the_last_third() {
    let plan = Plan::default();
    for seed in 1..=4 {
        let life = life(seed);
        let mut granted: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        let mut victims = BTreeSet::new();
        for event in &life.events {
            let Some(user) = event.label.user.as_deref() else {
                continue;
            };
            let parsed = parse(&event.bytes, &Limits::DEFAULT).unwrap();
            if event.label.who.is_owner() && parsed.outcome == Some(Outcome::Success) {
                granted.entry(user).or_default().insert(event.label.attempt);
            }
            if event.label.planted_takeover && victims.insert((user, event.label.attempt)) {
                let logins = granted.get(user).map_or(0, BTreeSet::len);
                assert!(
                    logins >= 6,
                    "{seed}: {user} has {logins} before {}",
                    event.label.scenario
                );
                assert!(event.time.days_since(plan.start) > f64::from(plan.days) * 2.0 / 3.0 - 0.01);
            }
        }
        let users: BTreeSet<_> = victims.iter().map(|(user, _)| user).collect();
        assert_eq!(
            users.len(),
            victims.len(),
            "nobody is attacked twice with a right password"
        );
    }
}

#[test]
fn strangers_never_carry_the_victims_cookie() {
    for seed in 1..=4 {
        let life = life(seed);
        let mut own: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut strange = Vec::new();
        for event in &life.events {
            let parsed = parse(&event.bytes, &Limits::DEFAULT).unwrap();
            let (Some(user), Some(id)) = (parsed.user.id, parsed.device.id) else {
                continue;
            };
            if event.label.who.is_owner() {
                own.entry(user.into()).or_default().insert(id.into());
            } else {
                strange.push((user, id));
            }
        }
        assert!(!strange.is_empty());
        for (user, id) in strange {
            assert!(!own.get(&*user).is_some_and(|ids| ids.contains(&*id)));
        }
    }
}

#[test]
fn a_life_is_about_as_common_as_life_is() {
    for seed in 1..=4 {
        let marginals = life(seed).describe();
        assert_eq!(marginals.users, 400);
        assert!((3_000..8_000).contains(&marginals.owner_attempts), "{marginals}");
        assert!((0.5..0.75).contains(&marginals.phone_share), "{marginals}");
        assert!((0.06..0.11).contains(&marginals.typo_share), "{marginals}");
        let (country, count) = marginals.countries[0];
        assert!(country == "DK" && count > 200, "{marginals}");
        assert!(marginals.countries.len() >= 8, "{marginals}");
        let there: BTreeSet<_> = marginals.scenarios.iter().map(|(name, _)| *name).collect();
        for wanted in [
            "home",
            "mobile",
            "office",
            "cafe",
            "hotel",
            "vpn-day",
            "relay",
            "private-window",
        ] {
            assert!(there.contains(wanted), "{wanted}: {marginals}");
        }
    }
}

#[test]
fn all_events_of_an_attempt_carry_one_label() {
    let life = life(4);
    let last = attempts(&life);
    for event in &life.events {
        assert_eq!(event.label, last[&event.label.attempt].label);
    }
}

#[test]
fn a_plan_out_of_bounds_is_refused() {
    let plan = Plan::default();
    assert_eq!(
        Life::new(Plan { users: 0, ..plan }).unwrap_err(),
        GenerateError::Users(0)
    );
    let many = USERS_MAX + 1;
    assert_eq!(
        Life::new(Plan { users: many, ..plan }).unwrap_err(),
        GenerateError::Users(many)
    );
    assert_eq!(
        Life::new(Plan { days: 0, ..plan }).unwrap_err(),
        GenerateError::Days(0)
    );
    let text = Life::new(Plan { days: 9_999, ..plan }).unwrap_err().to_string();
    assert_eq!(text, "`days` is 9999, it must be 1 to 366");
    assert!(
        Life::new(Plan {
            users: 1,
            days: 1,
            ..plan
        })
        .is_ok()
    );
}
