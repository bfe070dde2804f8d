//! Timers of a store (clause S8): they fire in the order of due time, kind and key, in a new process too.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::ports::{Batch, Store as _};
use doorward::pipeline::timers::{Timer, TimerKind, Timers};

fn timer(due: i64, key: u8) -> Timer {
    Timer {
        due,
        kind: TimerKind::Attempt,
        key: vec![key],
    }
}

fn stored(timers: &mut Timers, store: &MemoryStore) {
    let mut changes = Vec::new();
    timers.drain_changed(&mut changes);
    let batch = Batch {
        expected_head: 0,
        new_head: 0,
        changes,
    };
    store.commit(batch).expect("an empty store");
}

#[test]
fn they_fire_in_the_order_of_due_kind_and_key_also_after_a_restart() {
    let store = MemoryStore::new();
    let mut timers = Timers::open(&store, 100).expect("empty");
    for timer in [timer(5, 2), timer(-5, 9), timer(5, 1), timer(70, 1)] {
        timers.set(timer);
    }
    stored(&mut timers, &store);
    let mut again = Timers::open(&store, 100).expect("own rows");
    for opened in [&mut timers, &mut again] {
        let fired: Vec<Timer> = std::iter::from_fn(|| opened.pop(50)).collect();
        assert_eq!(fired, [timer(-5, 9), timer(5, 1), timer(5, 2)]);
    }
    stored(&mut again, &store);
    assert_eq!(Timers::open(&store, 100).expect("own rows").len(), 1);
}

#[test]
fn what_was_taken_back_never_fires() {
    let store = MemoryStore::new();
    let mut timers = Timers::open(&store, 100).expect("empty");
    timers.set(timer(1, 1));
    stored(&mut timers, &store);
    timers.cancel(&timer(1, 1));
    timers.cancel(&timer(2, 2));
    assert_eq!(timers.pop(9), None);
    stored(&mut timers, &store);
    assert!(Timers::open(&store, 100).expect("own rows").is_empty());
}

#[test]
fn one_too_many_makes_the_first_due_fire_early() {
    let mut timers = Timers::open(&MemoryStore::new(), 2).expect("empty");
    for due in [30, 10, 20] {
        timers.set(timer(due, 0));
    }
    assert_eq!(timers.pop(0), Some(timer(10, 0)));
    assert_eq!(timers.pop(0), None);
}
