//! When two spellings of a user id are one user.
//!
//! Many doors take `JOHN` and `john ` for the same account while their logs carry what was typed. Whoever keeps them
//! apart gives an attacker a fresh history, and fresh counters of guesses, with every spelling.

use std::borrow::Cow;

/// How a tenant's user ids are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserKeyPolicy {
    /// As sent: for ids that a program makes.
    #[default]
    Exact,
    /// Without white space around, and in Unicode lower case: for ids that people type.
    TrimLowercase,
}

impl UserKeyPolicy {
    /// The form of the id that keys are made of. The same for every spelling, and for its own result.
    pub fn canonical<'a>(self, user_id: &'a str) -> Cow<'a, str> {
        match self {
            Self::Exact => Cow::Borrowed(user_id),
            Self::TrimLowercase => lower_case(user_id.trim()),
        }
    }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return Cow::Borrowed(text);
    }
    // Letter by letter: `str::to_lowercase` gives a sigma at the end of a word another form than elsewhere, and so
    // would give one name two keys. Somebody may type that other form, too.
    let letters = text.chars().flat_map(char::to_lowercase);
    Cow::Owned(
        letters
            .map(|letter| if letter == 'ς' { 'σ' } else { letter })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_user_meet_only_by_policy() {
        let trimmed = UserKeyPolicy::TrimLowercase;
        for spelling in ["john", "JOHN", " John\t", "john\u{a0}"] {
            assert_eq!(trimmed.canonical(spelling), "john");
            assert_eq!(UserKeyPolicy::Exact.canonical(spelling), spelling);
        }
        assert_eq!(trimmed.canonical("ŁÓDŹ"), "łódź");
        assert_eq!(trimmed.canonical("ΟΔΥΣΣΕΥΣ"), trimmed.canonical("οδυσσευσ"));
        assert_eq!(trimmed.canonical("ΣΊΣΥΦΟΣ"), trimmed.canonical("σίσυφος"));
        assert_eq!(trimmed.canonical("Σίσυφος"), "σίσυφοσ");
    }

    proptest! {
        #[test]
        fn a_canonical_id_stays_as_it_is(id in "\\PC{0,20}") {
            let once = UserKeyPolicy::TrimLowercase.canonical(&id).into_owned();
            prop_assert_eq!(UserKeyPolicy::TrimLowercase.canonical(&once), once.as_str());
        }
    }
}
