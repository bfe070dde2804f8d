use doorward::enrich::device::DeviceDescriptor;
use doorward::history::account::{ProfileUpdate, account_created, contact_verified, profile_updated};
use doorward::history::codec::{CodecError, decode, encode};
use doorward::history::limits::{DEVICES_MAX, PAIRS_MAX, RECENT_MAX, ROW_BYTES_MAX};
use doorward::history::profile::{ContactChannel, ContactProof, RememberedContact, UserKind};
use doorward::history::{UserHistory, VouchEvidence, identify};
use proptest::prelude::*;

use crate::life::{DAY, HOUR, How, Life, PLAIN, START, bare, laptop, network, software, vpn};

fn contact(address: &str) -> RememberedContact {
    RememberedContact {
        id: "c1".into(),
        channel: ContactChannel::Email,
        address: address.into(),
        proof: ContactProof::Possession,
        proved_at: Some(START / 1_000_000),
        ..RememberedContact::default()
    }
}

fn told(history: &mut UserHistory, contacts: Vec<RememberedContact>) {
    let update = ProfileUpdate {
        created_at: Some(START - 400 * DAY),
        kind: Some(UserKind::Person),
        locale: Some("da-DK"),
        time_zone: Some("Europe/Copenhagen"),
        contacts: Some(contacts),
    };
    profile_updated(history, update);
}

/// Two devices, three networks, 60 logins in 90 days, as the bound has it.
fn typical() -> Life {
    let mut life = Life::default();
    told(&mut life.history, vec![contact("jane.doe@example.org")]);
    let phone = DeviceDescriptor {
        software: software("Mobile Safari", "iOS", 18),
        ..laptop(2)
    };
    let totp = How {
        evidence: VouchEvidence::StepUpPhishable,
        level: 2,
        ..PLAIN
    };
    for step in 0..60i64 {
        let (device, place) = match step % 4 {
            0 => (laptop(1), network(1, 10)),
            1 => (laptop(1), network(2, 20)),
            2 => (phone.clone(), network(1, 10)),
            _ => (phone.clone(), network(3, (step % 7) as u8)),
        };
        life.login_how(START + step * 36 * HOUR, &device, &place, totp);
    }
    life
}

#[test]
fn a_typical_row_is_small_and_its_bytes_give_it_back() {
    let history = typical().history;
    let bytes = encode(&history);
    println!("two devices, three networks, 60 logins: {} bytes", bytes.len());
    assert!(bytes.len() <= 750, "{} bytes", bytes.len());
    assert_eq!(decode(&bytes), Ok(history));
    let mut first = Life::default();
    first.login(START, &laptop(1), &network(1, 1));
    println!("one login: {} bytes", encode(&first.history).len());
    assert!(encode(&first.history).len() <= 200);
    assert!(encode(&UserHistory::default()).len() <= 16);
}

#[test]
fn a_row_of_a_newer_format_is_refused_with_both_versions() {
    let mut bytes = encode(&typical().history);
    bytes[0] = 9;
    assert_eq!(decode(&bytes), Err(CodecError::Newer { found: 9, known: 1 }));
    assert_eq!(decode(&[]), Err(CodecError::Short));
    assert_eq!(
        CodecError::Newer { found: 9, known: 1 }.to_string(),
        "row has format 9, this program reads up to 1"
    );
}

#[test]
fn fresh_devices_agents_and_networks_for_ever_keep_the_row_within_its_bytes() {
    let mut life = Life::default();
    let long = "x".repeat(150);
    told(
        &mut life.history,
        vec![contact(&long), contact(&long), contact(&long), contact(&long)],
    );
    for step in 0..20_000u32 {
        let device = DeviceDescriptor {
            key: Some(u128::from(step) << 64),
            software: software(
                &format!("Family {step} of a rather long name, longer than is kept"),
                &long,
                step,
            ),
            generation: Some(u64::from(step)),
            ..laptop(u128::from(step))
        };
        let mut net = network((step % 251) as u8, (step % 241) as u8);
        net.asn = (step % 3 > 0).then_some(step);
        life.login(START + i64::from(step) * 60_000_000, &device, &net);
        if step % 97 == 0 {
            assert!(encode(&life.history).len() <= ROW_BYTES_MAX);
        }
    }
    let history = &life.history;
    let bytes = encode(history);
    println!(
        "20,000 fresh devices: {} bytes, {} devices",
        bytes.len(),
        history.devices.len()
    );
    assert!(bytes.len() <= ROW_BYTES_MAX && history.devices.len() <= DEVICES_MAX);
    assert!(history.pairs.len() <= PAIRS_MAX && history.recent.len() == RECENT_MAX);
    assert_eq!(decode(&bytes).as_ref(), Ok(history));
}

#[test]
fn a_flood_of_fresh_devices_does_not_push_out_the_owners_vouched_one() {
    let mut life = Life::default();
    let vouching = How {
        evidence: VouchEvidence::StepUpOriginBound,
        ..PLAIN
    };
    for day in 0..5 {
        life.login_how(START + day * DAY, &laptop(1), &network(1, 1), vouching);
    }
    for step in 0..500i64 {
        let stranger = laptop(1_000 + step as u128);
        life.login(
            START + 6 * DAY + step * 60_000_000,
            &stranger,
            &network((step % 200) as u8 + 2, 1),
        );
    }
    let now = START + 7 * DAY;
    assert!(
        identify(Some(&life.history), &laptop(1), now, now)
            .trust
            .is_vouched()
    );
}

#[derive(Debug, Clone)]
struct Step {
    hours: i64,
    device: u8,
    net: u8,
    host: u8,
    how: u8,
}

fn step() -> impl Strategy<Value = Step> {
    (0i64..40, 0u8..24, 0u8..40, 0u8..8, 0u8..64).prop_map(|(hours, device, net, host, how)| Step {
        hours,
        device,
        net,
        host,
        how,
    })
}

fn device_of(step: &Step) -> DeviceDescriptor {
    match step.device {
        0..=2 => bare(
            ["Chrome", "Odd Browser"]
                .get(usize::from(step.device))
                .copied()
                .unwrap_or("Firefox"),
            "Windows",
        ),
        device => DeviceDescriptor {
            key: (step.how & 8 != 0).then_some(u128::from(device)),
            generation: (step.how & 16 != 0).then_some(u64::from(step.host)),
            software: software(
                if step.how & 1 == 0 { "Firefox" } else { "Chrome" },
                "Linux",
                u32::from(step.host),
            ),
            ..laptop(u128::from(device))
        },
    }
}

fn network_of(step: &Step) -> doorward::enrich::network::NetworkFacts {
    let mut net = if step.how & 32 == 0 {
        network(step.net, step.host)
    } else {
        vpn(step.net)
    };
    if step.net.is_multiple_of(3) {
        net.ip = std::net::Ipv6Addr::new(0x2001, 0xdb8, step.net.into(), step.host.into(), 0, 0, 0, 1).into();
    }
    if step.net.is_multiple_of(7) {
        net.asn = None;
    }
    if step.net == 11 {
        net.class = doorward::enrich::network::NetworkClass::Private;
    }
    net
}

fn play(steps: &[Step], mut each: impl FnMut(&mut Life)) -> Life {
    let mut life = Life::default();
    account_created(&mut life.history, &laptop(5), START);
    told(&mut life.history, vec![contact("a@example.org")]);
    let mut time = START;
    for step in steps {
        time += step.hours * HOUR;
        let how = How {
            evidence: match step.how & 3 {
                0 => VouchEvidence::None,
                1 => VouchEvidence::StepUpPhishable,
                2 => VouchEvidence::StepUpOriginBound,
                _ => VouchEvidence::StepUpOtherVouchedDevice,
            },
            asked: step.how & 4 != 0,
            late_by: if step.host == 7 { 26 * HOUR } else { 0 },
            ..PLAIN
        };
        let (device, net) = (device_of(step), network_of(step));
        if step.how == 9 {
            contact_verified(&mut life.history, &device, Some(&net), 3, time);
        }
        life.login_how(time, &device, &net, how);
        each(&mut life);
    }
    life
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_row_that_is_written_and_read_after_every_login_is_the_row_that_stayed_in_memory(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let kept = play(&steps, |_| ()).history;
        let read = play(&steps, |life| {
            let bytes = encode(&life.history);
            assert!(bytes.len() <= ROW_BYTES_MAX);
            life.history = decode(&bytes).expect("a row decodes from its own bytes");
        });
        prop_assert_eq!(encode(&kept), encode(&read.history));
        prop_assert_eq!(kept, read.history);
    }

    #[test]
    fn damaged_bytes_never_panic(
        steps in proptest::collection::vec(step(), 1..30),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&play(&steps, |_| ()).history);
        let place = at.index(bytes.len());
        bytes[place] = value;
        if let Ok(history) = decode(&bytes) {
            let life = identify(Some(&history), &laptop(1), START, START);
            prop_assert!(life.device.is_none_or(|index| history.device(index).is_some()));
        }
        let end = cut.index(bytes.len());
        if value % 2 == 0 {
            prop_assert!(decode(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn any_bytes_at_all_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut row = bytes;
        if let Some(first) = row.first_mut() {
            *first = 1;
        }
        let _answer = decode(&row);
    }
}
