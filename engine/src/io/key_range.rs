//! The range of keys that a scan visits.

use std::ops::Bound;

/// Lower and upper bound of the keys that start with a prefix.
pub(crate) type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Keys with `from <= key` that start with `prefix`, or `None` where there can be none.
pub(crate) fn starting_with(prefix: &[u8], from: &[u8]) -> Option<KeyRange> {
    let lower = if from <= prefix {
        prefix
    } else if from.starts_with(prefix) {
        from
    } else {
        return None;
    };
    Some((Bound::Included(lower.to_vec()), end_of(prefix)))
}

/// First key behind all that start with `prefix`.
fn end_of(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ops::RangeBounds;

    #[test]
    fn a_prefix_of_highest_bytes_has_no_end() {
        assert_eq!(end_of(&[0xFF, 0xFF]), Bound::Unbounded);
        assert_eq!(end_of(&[1, 0xFF]), Bound::Excluded(vec![2]));
    }

    proptest! {
        #[test]
        fn holds_exactly_the_keys_asked_for(
            prefix in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..3),
            from in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..4),
            key in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..4),
        ) {
            let wanted = key.starts_with(&prefix) && key >= from;
            let held = starting_with(&prefix, &from).is_some_and(|range| range.contains(&key));
            prop_assert_eq!(held, wanted);
        }
    }
}
