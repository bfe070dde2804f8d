use doorward::history::crowd::Window;
use doorward::history::{Crowd, CrowdCounts, CrowdKey, CrowdLimits, CrowdObservation, CrowdOutcome};
use doorward::keyed_hash::KeyedHash;

use crate::life::{HOUR, SECOND, START, laptop, network};

const FAILURE: CrowdOutcome = CrowdOutcome {
    attempt: true,
    failure: true,
    success: false,
    granted: false,
};
const SUCCESS: CrowdOutcome = CrowdOutcome {
    attempt: true,
    failure: false,
    success: true,
    granted: true,
};

fn small() -> Crowd {
    Crowd::new(CrowdLimits {
        sketch_lines: 1 << 12,
        window_keys: 1 << 12,
        ..CrowdLimits::default()
    })
}

fn seen(tenant: &str, user: &str, net: u8, host: u8, outcome: CrowdOutcome) -> CrowdObservation {
    let hash = KeyedHash::new([7; 16]);
    CrowdObservation::new(
        &hash,
        tenant,
        Some(user),
        &laptop(1),
        &network(net, host),
        outcome,
    )
}

#[test]
fn ten_users_who_failed_on_one_address_are_counted_before_the_eleventh_is_decided() {
    let mut crowd = small();
    for user in 0..10 {
        let observation = seen("t", &format!("user-{user}"), 1, 1, FAILURE);
        assert_eq!(crowd.view(&observation, START).address_users.failed, user);
        crowd.observe(&observation, START);
    }
    let hit = seen("t", "victim", 1, 1, SUCCESS);
    let view = crowd.view(&hit, START + 50 * 60 * SECOND);
    assert_eq!((view.address_users.failed, view.address.failures), (10, 10));
    assert_eq!(view.address_users.success_share(), Some(0.0));
    assert_eq!(view.prefix_users.failed, 10);
    assert_eq!(crowd.view(&hit, START + HOUR).address_users.failed, 0);
}

#[test]
fn an_office_on_monday_has_a_high_share_of_success() {
    let mut crowd = small();
    for user in 0..30 {
        let name = format!("user-{user}");
        if user % 3 == 0 {
            crowd.observe(&seen("t", &name, 1, 1, FAILURE), START);
        }
        crowd.observe(&seen("t", &name, 1, 1, SUCCESS), START + SECOND);
    }
    let view = crowd.view(&seen("t", "next", 1, 1, SUCCESS), START + 2 * SECOND);
    assert_eq!(
        (view.address_users.failed, view.address_users.success_share()),
        (10, Some(1.0))
    );
}

#[test]
fn tenants_never_see_each_others_crowd() {
    let mut crowd = small();
    for user in 0..20 {
        let name = format!("user-{user}");
        crowd.observe(&seen("one", &name, 1, 1, FAILURE), START);
        crowd.observe(&seen("one", &name, 1, 1, SUCCESS), START);
    }
    let other = seen("two", "user-1", 1, 1, SUCCESS);
    assert_eq!(crowd.counts(&other), CrowdCounts::default());
    assert_eq!(crowd.view(&other, START).address.attempts, 0);
    assert_eq!(
        crowd.view(&other, START).asn.map(|counts| counts.attempts),
        Some(0)
    );
}

#[test]
fn only_granted_logins_make_an_address_usual_for_everybody() {
    let mut crowd = small();
    for user in 0..7u8 {
        crowd.observe(&seen("t", "a", 1, user, SUCCESS), START);
        crowd.observe(&seen("t", "a", 1, user, FAILURE), START);
        crowd.observe(&seen("t", "a", 2, 1, FAILURE), START);
    }
    let counts = crowd.counts(&seen("t", "a", 1, 1, SUCCESS));
    assert_eq!(
        counts,
        CrowdCounts {
            address: 1,
            prefix: 7,
            wide: 0,
            asn: 7,
            country: 7,
            total_of_family: 7,
            distinct_of_family: 7,
            total: 7,
        }
    );
    assert_eq!(crowd.counts(&seen("t", "a", 2, 1, SUCCESS)).asn, 0);
}

#[test]
fn an_observation_read_back_from_its_bytes_folds_to_the_same_counters() {
    let mut kept = small();
    let mut folded = small();
    let mut bytes_most = 0;
    for step in 0..5_000u32 {
        let outcome = if step % 3 == 0 { FAILURE } else { SUCCESS };
        let observation = seen(
            "t",
            &format!("user-{}", step % 400),
            (step % 50) as u8,
            (step % 9) as u8,
            outcome,
        );
        let bytes = postcard::to_allocvec(&observation).expect("an observation has bytes");
        bytes_most = bytes_most.max(bytes.len());
        let read: CrowdObservation = postcard::from_bytes(&bytes).expect("its own bytes");
        let now = START + i64::from(step) * SECOND;
        kept.observe(&observation, now);
        folded.observe(&read, now);
        assert_eq!(kept.view(&observation, now), folded.view(&read, now));
        assert_eq!(kept.counts(&observation), folded.counts(&read));
    }
    println!("an observation has at most {bytes_most} bytes");
    assert!(bytes_most <= 75);
}

#[test]
fn counters_of_fresh_users_and_addresses_stay_within_their_limits() {
    let limits = CrowdLimits {
        sketch_lines: 1 << 8,
        window_keys: 1 << 8,
        user_keys_max: 500,
        users_max: 1_000,
        users_per_key_max: 16,
        networks_max: 100,
        tenants_max: 4,
    };
    let mut crowd = Crowd::new(limits);
    for step in 0..20_000u32 {
        let tenant = format!("tenant-{}", step % 10);
        let observation = seen(
            &tenant,
            &format!("user-{step}"),
            (step % 250) as u8,
            (step % 241) as u8,
            FAILURE,
        );
        crowd.observe(&observation, START + i64::from(step) * SECOND);
        crowd.observe(&observation.with(SUCCESS), START + i64::from(step) * SECOND);
        assert!(crowd.user_keys() <= 500);
    }
    let tenth = seen("tenant-9", "user", 1, 1, SUCCESS);
    assert_eq!(
        crowd.counts(&tenth).total,
        0,
        "a tenant above the limit is not counted"
    );
}

#[test]
fn a_window_of_a_day_remembers_what_the_hour_forgot() {
    let mut crowd = small();
    let observation = seen("t", "a", 1, 1, FAILURE);
    crowd.observe(&observation, START);
    let later = START + 3 * HOUR;
    let failures = |window| {
        crowd
            .window(CrowdKey::Address, &observation, window, later)
            .map(|counts| counts.failures)
    };
    assert_eq!(
        (
            failures(Window::Hour),
            failures(Window::Day),
            failures(Window::Week)
        ),
        (Some(0), Some(1), Some(1))
    );
}
