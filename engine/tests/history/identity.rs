use doorward::enrich::device::DeviceDescriptor;
use doorward::history::{DeviceMatch, DeviceState, IdentityBasis, Trust, identify};

use crate::life::{DAY, HOUR, How, Life, PLAIN, START, bare, laptop, network, software};

fn ask(life: &Life, device: &DeviceDescriptor, time: i64) -> DeviceMatch {
    identify(Some(&life.history), device, time, time)
}

fn with_generation(generation: u64) -> DeviceDescriptor {
    DeviceDescriptor {
        generation: Some(generation),
        ..laptop(1)
    }
}

#[test]
fn a_device_is_new_until_it_was_in_a_granted_login() {
    let mut life = Life::default();
    assert_eq!(identify(None, &laptop(1), START, START).state, DeviceState::New);
    assert_eq!(
        life.login(START, &laptop(1), &network(1, 1)).state,
        DeviceState::New
    );
    let known = ask(&life, &laptop(1), START + HOUR);
    assert_eq!(
        (known.state, known.basis, known.trust),
        (DeviceState::Known, IdentityBasis::Id, Trust::Observed)
    );
    assert_eq!(known.name.to_string(), "Firefox on Windows");
}

#[test]
fn a_newer_version_and_one_version_back_are_the_same_device_and_two_back_are_a_copy() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    let at = |major: u32| DeviceDescriptor {
        software: software("Firefox", "Windows", major),
        ..laptop(1)
    };
    let states = [140, 129, 128].map(|major| ask(&life, &at(major), START + DAY).state);
    assert_eq!(
        states,
        [DeviceState::Known, DeviceState::Known, DeviceState::Conflict]
    );
    assert_eq!(
        ask(&life, &at(128), START - DAY).state,
        DeviceState::Known,
        "it is an older login that comes late"
    );
}

#[test]
fn the_same_id_with_another_family_or_system_is_a_conflict() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    for (family, os) in [("Chrome", "Windows"), ("Firefox", "Linux")] {
        let copy = DeviceDescriptor {
            software: software(family, os, 130),
            ..laptop(1)
        };
        assert_eq!(ask(&life, &copy, START + DAY).state, DeviceState::Conflict);
    }
    let untold = DeviceDescriptor {
        software: Default::default(),
        ..laptop(1)
    };
    assert_eq!(
        ask(&life, &untold, START + DAY).state,
        DeviceState::Known,
        "missing software contradicts nothing"
    );
}

#[test]
fn an_older_generation_is_a_conflict_unless_the_login_itself_is_older() {
    let mut life = Life::default();
    life.login(START, &with_generation(5), &network(1, 1));
    life.login(START + DAY, &with_generation(7), &network(1, 1));
    assert_eq!(
        ask(&life, &with_generation(6), START + 2 * DAY).state,
        DeviceState::Conflict
    );
    assert_eq!(
        ask(&life, &with_generation(6), START + HOUR).state,
        DeviceState::Known
    );
    assert_eq!(
        ask(&life, &with_generation(7), START + 2 * DAY).state,
        DeviceState::Known
    );
}

#[test]
fn a_granted_conflict_changes_nothing_of_the_original_and_is_a_conflict_again() {
    let mut life = Life::default();
    life.login(START, &with_generation(7), &network(1, 1));
    let original = life.history.devices[0].clone();
    let vouching = How {
        evidence: doorward::history::VouchEvidence::StepUpOriginBound,
        ..PLAIN
    };
    for day in 1..6 {
        let time = START + day * DAY;
        assert_eq!(
            life.login_how(time, &with_generation(6), &network(2, 1), vouching)
                .state,
            DeviceState::Conflict
        );
    }
    assert_eq!(life.history.devices[0], original);
    let copy = ask(&life, &with_generation(6), START + 9 * DAY);
    assert_eq!(
        (copy.device, copy.resembled, copy.trust),
        (Some(1), Some(0), Trust::Settled)
    );
    assert!(life.history.pairs.iter().all(|pair| pair.credits.is_empty()));
    assert_eq!(
        ask(&life, &with_generation(8), START + 9 * DAY).state,
        DeviceState::Known
    );
}

#[test]
fn four_equal_attributes_on_the_same_software_resemble_and_three_do_not() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    let cleared = DeviceDescriptor {
        id: None,
        ..laptop(1)
    };
    let found = ask(&life, &cleared, START + DAY);
    assert_eq!(
        (found.state, found.resembled, found.trust),
        (DeviceState::Resembles, Some(0), Trust::None)
    );
    let unequal = [
        DeviceDescriptor {
            attributes: 1,
            ..cleared.clone()
        },
        DeviceDescriptor {
            attribute_count: 3,
            ..cleared.clone()
        },
        DeviceDescriptor {
            software: software("Firefox", "Linux", 130),
            ..cleared.clone()
        },
    ];
    for other in unequal {
        assert_eq!(ask(&life, &other, START + DAY).state, DeviceState::New);
    }
    let few = |id| DeviceDescriptor {
        id,
        attribute_count: 3,
        ..laptop(1)
    };
    let mut sparse = Life::default();
    sparse.login(START, &few(Some(1)), &network(1, 1));
    assert_eq!(ask(&sparse, &few(None), START + DAY).state, DeviceState::New);
}

#[test]
fn cleared_cookies_make_a_device_of_their_own_under_the_same_name_and_without_trust() {
    let mut life = Life::default();
    life.daily(0..6, &laptop(1), &network(1, 1));
    let renewed = DeviceDescriptor {
        id: Some(2),
        ..laptop(1)
    };
    assert_eq!(
        life.login(START + 7 * DAY, &renewed, &network(1, 1)).state,
        DeviceState::Resembles
    );
    let found = ask(&life, &renewed, START + 8 * DAY);
    assert_eq!(
        (found.state, found.device, found.trust),
        (DeviceState::Known, Some(1), Trust::Observed)
    );
    assert_eq!(found.name, life.history.devices[0].name());
}

#[test]
fn two_devices_of_one_kind_are_told_apart_by_a_number() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    life.login(START, &laptop(2), &network(1, 1));
    assert_eq!(
        life.history.devices[1].name().to_string(),
        "Firefox on Windows (2)"
    );
}

#[test]
fn without_any_ids_family_and_system_are_the_device_and_settle_but_are_never_vouched() {
    let mut life = Life::default();
    let phone = bare("Mobile Safari", "iOS");
    let vouching = How {
        evidence: doorward::history::VouchEvidence::StepUpOriginBound,
        ..PLAIN
    };
    for day in 0..8 {
        life.login_how(START + day * DAY, &phone, &network(1, 1), vouching);
    }
    let found = ask(&life, &phone, START + 8 * DAY);
    assert_eq!(
        (found.state, found.basis, found.trust),
        (DeviceState::Known, IdentityBasis::Agent, Trust::Settled)
    );
    assert_eq!(
        ask(&life, &bare("Chrome", "Windows"), START + 8 * DAY).state,
        DeviceState::New
    );
}

#[test]
fn a_user_whose_logins_carry_ids_meets_a_bare_login_as_new_each_time() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    for day in 1..6 {
        let found = life.login(START + day * DAY, &bare("Firefox", "Windows"), &network(1, 1));
        assert_eq!(
            (found.state, found.basis, found.trust),
            (DeviceState::New, IdentityBasis::None, Trust::None)
        );
    }
    assert_eq!(
        life.history.devices.len(),
        2,
        "all of them are one device in the list"
    );
    assert!(
        life.history.devices[1].seen.days.is_none(),
        "and it does not settle"
    );
}

#[test]
fn a_proven_key_is_known_whatever_the_cookie_says() {
    let keyed = |id: u128| DeviceDescriptor {
        key: Some(99),
        ..laptop(id)
    };
    let mut life = Life::default();
    life.login(START, &keyed(1), &network(1, 1));
    let found = ask(&life, &keyed(2), START + DAY);
    assert_eq!(
        (found.state, found.basis),
        (DeviceState::Known, IdentityBasis::Key)
    );
}

#[test]
fn a_device_unseen_for_180_days_is_forgotten_before_and_after_the_row_is_written() {
    let mut life = Life::default();
    life.login(START, &laptop(1), &network(1, 1));
    assert_eq!(
        ask(&life, &laptop(1), START + 180 * DAY).state,
        DeviceState::Known
    );
    let later = START + 181 * DAY;
    assert_eq!(ask(&life, &laptop(1), later).state, DeviceState::New);
    life.login(later, &laptop(2), &network(1, 1));
    assert_eq!((life.history.devices.len(), life.history.pairs.len()), (1, 1));
}

#[test]
fn a_login_that_tells_neither_id_nor_software_says_so() {
    let life = Life::default();
    assert!(!ask(&life, &DeviceDescriptor::default(), START).told);
    assert!(ask(&life, &laptop(1), START).told);
}

#[test]
fn whoever_hides_what_the_owner_always_shows_is_new() {
    let nothing = DeviceDescriptor::default();
    let bare_agent = DeviceDescriptor {
        software: software("Firefox", "Windows", 130),
        ..nothing.clone()
    };
    for shown in [laptop(1), bare_agent] {
        let mut life = Life::default();
        life.login(START, &shown, &network(1, 1));
        let found = ask(&life, &nothing, START + DAY);
        assert_eq!((found.state, found.told), (DeviceState::New, true));
    }
    let mut life = Life::default();
    life.login(START, &nothing, &network(1, 1));
    let found = ask(&life, &nothing, START + DAY);
    assert!(
        !found.told && found.device.is_none(),
        "two logins that tell nothing have nothing in common"
    );
}
