//! Settings that bound memory, threads and batches. No decision may depend on them, so the bound itself is looked at.

use std::time::Duration;

use doorward::cli::assemble::{Assembly, run_limits, upkeep};
use doorward::cli::run::store_options;
use doorward::config::{Environment, Request, Settings, load};

fn settings(key: &str, value: &str) -> Settings {
    let variable = (format!("DOORWARD_{key}"), value.to_owned());
    load(&Request::default(), &Environment::from_iter([variable]))
        .unwrap()
        .settings
}

#[test]
fn each_size_reaches_what_it_bounds() {
    let limits = |key, value| run_limits(&settings(key, value));
    assert_eq!(limits("DOORS_THREADS", "3").workers, 3);
    assert_eq!(limits("DOORS_QUEUE_EVENTS", "1").queue_lines, 1);
    assert_eq!(limits("DOORS_QUEUE_BYTES", "65536").queue_bytes, 65_536);
    assert_eq!(limits("DOORS_BATCH_RECORDS", "5").batch.records, 5);
    assert_eq!(limits("DOORS_BATCH_BYTES", "1").batch.bytes, 1);
    assert_eq!(limits("DOORS_BATCH_MS", "0").batch.age, Duration::ZERO);
    let assembly = Assembly::from_settings(&settings("LIMITS_TIMERS", "1024")).unwrap();
    assert_eq!(assembly.engine.timers_max, 1_024);
    assert_eq!(limits("STORE_USER_CACHE", "7").rows_kept, 7);
    assert_eq!(upkeep(&settings("STORE_JOURNAL_DAYS", "1")).journal_days, 1);
    assert_eq!(
        store_options(&settings("STORE_CACHE_MIB", "65")).cache_bytes,
        65 << 20
    );
}

#[test]
fn a_worker_remembers_as_many_lookups_as_the_setting_says() {
    let settings = settings("GEOIP_CACHE_ENTRIES", "8");
    let assembly = Assembly::from_settings(&settings).unwrap();
    let door = assembly.file_door(&settings, "default");
    let mut caches = assembly.enricher.caches();
    for index in 0..100 {
        let line = format!(
            r#"{{"id":"{index}","source":"s","type":"login","time":"2026-01-05T00:00:00Z","user":{{"id":"u"}},
                "outcome":"success","client":{{"ip":"198.18.0.{index}","user_agent":"curl/{index}"}}}}"#
        );
        door.content(line.as_bytes(), &mut caches).unwrap();
    }
    assert!((1..=8).contains(&caches.agents()), "{}", caches.agents());
}
