//! An image of the counters across users restores every cell that a later answer depends on.

use doorward::history::crowd_image::{ImageError, decode, encode};
use doorward::history::{Crowd, CrowdLimits, CrowdObservation, CrowdOutcome};
use doorward::keyed_hash::KeyedHash;
use proptest::prelude::*;

use crate::life::{DAY, HOUR, SECOND, START, bare, laptop, network};

/// So small that sets fill up, generations change and lists reach their ends.
const SMALL: CrowdLimits = CrowdLimits {
    sketch_lines: 1 << 4,
    window_keys: 1 << 5,
    user_keys_max: 12,
    users_max: 40,
    users_per_key_max: 5,
    networks_max: 6,
    tenants_max: 2,
};

/// What happened, and how long after the event before.
type Step = (u8, u8, u8, u8, u8, i64);

fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![
        8 => 0..5 * SECOND,
        3 => 0..20 * 60 * SECOND,
        1 => 0..2 * HOUR,
        1 => 0..9 * DAY,
    ];
    let step = (0..3u8, 0..12u8, 0..6u8, 0..4u8, 0..16u8, pause);
    proptest::collection::vec(step, 0..count)
}

fn observation((tenant, user, net, host, flags, _): Step) -> CrowdObservation {
    let outcome = CrowdOutcome {
        attempt: flags & 1 != 0,
        failure: flags & 2 != 0,
        success: flags & 4 != 0,
        granted: flags & 8 != 0,
    };
    let device = match user % 3 {
        0 => bare("Firefox", "Linux"),
        other => laptop(other.into()),
    };
    let mut network = network(net, host);
    if host == 3 {
        let ip = std::net::Ipv6Addr::new(0x2001, 0xdb8, net.into(), user.into(), 0, 0, 0, 1);
        network.ip = ip.into();
    }
    CrowdObservation::new(
        &KeyedHash::new([7; 16]),
        &format!("tenant-{tenant}"),
        (user > 0).then(|| format!("user-{user}")).as_deref(),
        &device,
        &network,
        outcome,
    )
}

fn observe(crowd: &mut Crowd, now: &mut i64, steps: &[Step]) {
    for step in steps {
        *now += step.5;
        crowd.observe(&observation(*step), *now);
    }
}

proptest! {
    #[test]
    fn what_an_image_restored_answers_like_counters_that_were_never_away(
        before in steps(120),
        after in steps(60),
    ) {
        let mut kept = Crowd::new(SMALL);
        let mut now = START;
        observe(&mut kept, &mut now, &before);
        let mut restored = decode(SMALL, &encode(&kept)).expect("its own chunks");
        prop_assert_eq!(&restored, &kept);
        for step in after {
            now += step.5;
            let seen = observation(step);
            prop_assert_eq!(restored.counts(&seen), kept.counts(&seen));
            prop_assert_eq!(restored.view(&seen, now), kept.view(&seen, now));
            restored.observe(&seen, now);
            kept.observe(&seen, now);
            prop_assert_eq!(&restored, &kept);
        }
        prop_assert_eq!(encode(&restored), encode(&kept));
    }

    #[test]
    fn damaged_chunks_are_refused_or_read_and_never_panic(
        before in steps(60),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut crowd = Crowd::new(SMALL);
        observe(&mut crowd, &mut START.clone(), &before);
        let mut chunks = encode(&crowd);
        for (chunk, at, value) in damage {
            let chunk = chunk.index(chunks.len());
            let at = at.index(chunks[chunk].len());
            chunks[chunk][at] = value;
        }
        let _ = decode(SMALL, &chunks);
    }

    #[test]
    fn any_bytes_are_refused_or_read_and_never_panic(chunks: Vec<Vec<u8>>) {
        prop_assert!(decode(SMALL, &chunks).is_err());
    }
}

/// Counters with something in every section.
fn busy() -> Crowd {
    let mut crowd = Crowd::new(SMALL);
    let steps: Vec<Step> = (0..200u8)
        .map(|step| (step % 2, step % 11, step % 6, step % 4, step % 16, 90 * SECOND))
        .collect();
    observe(&mut crowd, &mut START.clone(), &steps);
    crowd
}

#[test]
fn a_chunk_that_is_missing_cut_or_newer_is_refused() {
    let chunks = encode(&busy());
    assert!(
        chunks.len() >= 8,
        "{} chunks: some section is empty",
        chunks.len()
    );
    for missing in 0..chunks.len() {
        let mut some = chunks.clone();
        some.remove(missing);
        assert!(decode(SMALL, &some).is_err(), "without chunk {missing}");
        for length in 0..chunks[missing].len() {
            let mut cut = chunks.clone();
            cut[missing].truncate(length);
            assert!(decode(SMALL, &cut).is_err(), "chunk {missing} cut at {length}");
        }
        let mut newer = chunks.clone();
        newer[missing][0] += 1;
        let error = decode(SMALL, &newer).expect_err("another version").to_string();
        assert!(error.contains("format 2"), "{error}");
        let mut twice = chunks.clone();
        twice.insert(missing, chunks[missing].clone());
        assert!(decode(SMALL, &twice).is_err(), "chunk {missing} twice");
    }
}

#[test]
fn an_image_of_other_limits_is_refused_by_the_name_of_the_limit() {
    let chunks = encode(&busy());
    let other = CrowdLimits {
        window_keys: 1 << 6,
        ..SMALL
    };
    assert_eq!(
        decode(other, &chunks).expect_err("other limits"),
        ImageError::OtherLimits {
            name: "crowd.keys_max",
            found: 32,
            configured: 64
        }
    );
}

#[test]
fn a_hundred_thousand_addresses_fit_into_chunks_of_64_kib_and_empty_cells_cost_nothing() {
    let limits = CrowdLimits::default();
    let empty: usize = encode(&Crowd::new(limits)).iter().map(Vec::len).sum();
    assert!(empty < 100, "{empty} bytes for nothing");
    let mut crowd = Crowd::new(limits);
    let hash = KeyedHash::new([7; 16]);
    for step in 0..100_000u32 {
        let mut network = network((step >> 8) as u8, step as u8);
        network.ip = std::net::Ipv4Addr::from(0x0b00_0000 + step * 7).into();
        let outcome = CrowdOutcome {
            attempt: true,
            failure: false,
            success: true,
            granted: true,
        };
        let user = format!("user-{}", step % 30_000);
        let seen = CrowdObservation::new(
            &hash,
            "t",
            Some(&user),
            &laptop(u128::from(step % 40_000)),
            &network,
            outcome,
        );
        crowd.observe(&seen, START + i64::from(step) * SECOND / 20);
    }
    let chunks = encode(&crowd);
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    println!("100,000 addresses: {bytes} bytes in {} chunks", chunks.len());
    assert!(chunks.iter().all(|chunk| chunk.len() <= 64 * 1024));
    assert!(bytes < 12_000_000, "{bytes}");
    assert_eq!(decode(limits, &chunks).expect("its own chunks"), crowd);
}
