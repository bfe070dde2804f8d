//! The four outcomes of a condition and how they combine.
//!
//! CEL's logic with one distinction more: missing data (`no_data`) is told from error, and wins
//! over it. `false && x` is false and `true || x` is true whatever `x` is, in either order.

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A field that is needed has no data.
    NoData,
    /// A division by zero, an overflow, a result that is not finite, or a slot of the wrong type.
    Error,
}

/// A value, or why there is none.
pub type Outcome<T> = Result<T, Unknown>;

/// Both values; missing data wins over error.
#[inline]
pub fn both<A, B>(left: Outcome<A>, right: Outcome<B>) -> Outcome<(A, B)> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Unknown::NoData), _) | (_, Err(Unknown::NoData)) => Err(Unknown::NoData),
        _ => Err(Unknown::Error),
    }
}

/// Logical and; `right` is only asked if `left` does not settle it.
#[inline]
pub fn and(left: Outcome<bool>, right: impl FnOnce() -> Outcome<bool>) -> Outcome<bool> {
    if left == Ok(false) {
        return left;
    }
    match right() {
        Ok(false) => Ok(false),
        right => both(left, right).map(|_| true),
    }
}

/// Logical or; `right` is only asked if `left` does not settle it.
#[inline]
pub fn or(left: Outcome<bool>, right: impl FnOnce() -> Outcome<bool>) -> Outcome<bool> {
    if left == Ok(true) {
        return left;
    }
    match right() {
        Ok(true) => Ok(true),
        right => both(left, right).map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Outcome<bool> = Ok(true);
    const F: Outcome<bool> = Ok(false);
    const N: Outcome<bool> = Err(Unknown::NoData);
    const E: Outcome<bool> = Err(Unknown::Error);

    #[test]
    fn the_whole_table_of_and() {
        let rows = [(T, [T, F, N, E]), (F, [F, F, F, F]), (N, [N, F, N, N]), (E, [E, F, N, E])];
        for (left, expected) in rows {
            let got = [T, F, N, E].map(|right| and(left, || right));
            assert_eq!(got, expected, "{left:?} && ...");
        }
    }

    #[test]
    fn the_whole_table_of_or() {
        let rows = [(T, [T, T, T, T]), (F, [T, F, N, E]), (N, [T, N, N, N]), (E, [T, E, N, E])];
        for (left, expected) in rows {
            let got = [T, F, N, E].map(|right| or(left, || right));
            assert_eq!(got, expected, "{left:?} || ...");
        }
    }
}
