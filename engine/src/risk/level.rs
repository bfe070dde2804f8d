//! What an attempt has proven: the factors that succeeded, and the level they reach together.
//!
//! A remembered device or session is no factor and adds nothing. Names of methods are those of RFC 8176.

use serde::{Deserialize, Serialize};

use super::decision::Level;
use crate::event::{
    AuthMethod, Category, EnrolledFactor, FactorResult, FactorType, LoginEvent, Outcome, UsedFactor,
};

/// Factors of one attempt that are remembered by id; more of them count, but cannot be told apart any more.
const USED_MAX: usize = 16;

/// Which of know, have and are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories(u8);

impl Categories {
    /// None.
    pub const NONE: Self = Self(0);
    /// Something known.
    pub const KNOW: Self = Self(1);
    /// Something had.
    pub const HAVE: Self = Self(2);
    /// Something about the body.
    pub const ARE: Self = Self(4);

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it adds nothing to `other`.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn of_list(list: &[Category]) -> Self {
        list.iter().fold(Self::NONE, |all, category| {
            all.and(match category {
                Category::Know => Self::KNOW,
                Category::Have => Self::HAVE,
                Category::Are => Self::ARE,
            })
        })
    }

    /// What a factor of this type checks as a rule. Questions about a person and what another party vouches for count
    /// as nothing.
    #[must_use]
    pub const fn usual(factor: FactorType) -> Self {
        match factor {
            FactorType::Password | FactorType::AppPassword => Self::KNOW,
            FactorType::Passkey
            | FactorType::SecurityKey
            | FactorType::Totp
            | FactorType::Hotp
            | FactorType::Sms
            | FactorType::Voice
            | FactorType::EmailCode
            | FactorType::MagicLink
            | FactorType::Push
            | FactorType::PushNumber
            | FactorType::Qr
            | FactorType::Smartcard
            | FactorType::Cert
            | FactorType::RecoveryCode
            | FactorType::ActivationCode => Self::HAVE,
            FactorType::Kba | FactorType::Federated => Self::NONE,
        }
    }

    /// What an enrolled factor checks: as told, or as usual for its type.
    #[must_use]
    pub fn of_enrolled(factor: &EnrolledFactor) -> Self {
        let usual = Self::usual(factor.factor_type);
        match &factor.categories {
            Some(told) if usual != Self::NONE && !told.is_empty() => Self::of_list(told),
            _ => usual,
        }
    }
}

/// How strongly a proof is bound to the page it was given to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Binding {
    /// Can be typed into, or approved for, a page that forwards it.
    #[default]
    None,
    /// A key of some hardware or a client certificate; bound to origin only where the configuration says so.
    Key,
    /// Bound to origin, reaches level 3 beside a second category.
    Origin,
    /// Bound to origin and checked the person too: level 3 alone.
    OriginAndPerson,
}

impl Binding {
    /// Of a factor by type; `person_checked`: the authenticator verified its user.
    #[must_use]
    pub const fn of(factor: FactorType, person_checked: bool) -> Self {
        match factor {
            FactorType::Smartcard => Self::OriginAndPerson,
            FactorType::Passkey | FactorType::SecurityKey if person_checked => Self::OriginAndPerson,
            FactorType::Passkey | FactorType::SecurityKey => Self::Origin,
            FactorType::Cert => Self::Key,
            _ => Self::None,
        }
    }
}

/// The one table of levels: what `categories` reach with a proof bound like `binding` among them.
#[must_use]
pub const fn level_of(categories: Categories, binding: Binding, hwk_origin_bound: bool) -> Level {
    let two = categories.count() >= 2;
    match binding {
        Binding::OriginAndPerson => Level::Three,
        Binding::Origin if two => Level::Three,
        Binding::Key if two && hwk_origin_bound => Level::Three,
        _ if two => Level::Two,
        _ => Level::One,
    }
}

/// What was proven so far in one attempt, stage after stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    categories: Categories,
    binding: Binding,
    several: bool,
    told: bool,
    used: Vec<Box<str>>,
}

impl Proven {
    /// What one event proves. Successful `auth.factors` win; else `auth.methods` count. `enrolled` says what a factor
    /// that is named by id really checks.
    #[must_use]
    pub fn of(event: &LoginEvent, enrolled: Option<&[EnrolledFactor]>) -> Self {
        let mut proven = Self {
            told: !event.auth.factors.is_empty() || !event.auth.methods.is_empty(),
            ..Self::default()
        };
        let mut any = false;
        for factor in event
            .auth
            .factors
            .iter()
            .filter(|factor| succeeded(factor, event.outcome))
        {
            any = true;
            proven.add_factor(factor, enrolled.unwrap_or_default());
        }
        if !any {
            event
                .auth
                .methods
                .iter()
                .for_each(|method| proven.add_method(*method));
        }
        proven
    }

    /// Adds what an earlier or later stage of the same attempt proved.
    pub fn add(&mut self, other: &Self) {
        self.categories = self.categories.and(other.categories);
        self.binding = self.binding.max(other.binding);
        self.several |= other.several;
        self.told |= other.told;
        for id in &other.used {
            self.remember(id);
        }
    }

    /// The level reached. `hwk_origin_bound`: whether keys of hardware (hwk, pop, client certificates) count as bound
    /// to origin beside a second category.
    #[must_use]
    pub const fn level(&self, hwk_origin_bound: bool) -> Level {
        match level_of(self.categories, self.binding, hwk_origin_bound) {
            Level::One if self.several => Level::Two,
            level => level,
        }
    }

    /// Whether the application told anything of how the person signed in; if not, `auth.methods` is degraded.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        self.told
    }

    /// Categories proven. A scored login without a word about its factors had at least the right password.
    #[must_use]
    pub const fn categories(&self) -> Categories {
        if self.told {
            self.categories
        } else {
            Categories::KNOW
        }
    }

    /// Ids of the enrolled factors that succeeded.
    #[must_use]
    pub fn used(&self) -> &[Box<str>] {
        &self.used
    }

    /// Whether more than one factor succeeded, or one that checks the person as well.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.several || self.categories.count() >= 2 || self.binding == Binding::OriginAndPerson
    }

    /// Whether the second factor that succeeded could have been forwarded by a page in between; `None` without one.
    #[must_use]
    pub fn second_factor_phishable(&self, hwk_origin_bound: bool) -> Option<bool> {
        let bound_from = if hwk_origin_bound {
            Binding::Key
        } else {
            Binding::Origin
        };
        self.has_second_factor().then_some(self.binding < bound_from)
    }

    fn add_factor(&mut self, factor: &UsedFactor, enrolled: &[EnrolledFactor]) {
        let known = factor
            .factor_id
            .as_deref()
            .and_then(|id| enrolled.iter().find(|enrolled| *enrolled.id == *id));
        let categories = known.map_or_else(|| Categories::usual(factor.method), Categories::of_enrolled);
        let checked = factor.user_verification.unwrap_or(categories.count() >= 2);
        // A key that was touched without its PIN shows only that it is there.
        let unlocked = factor.user_verification != Some(false);
        self.categories = self.categories.and(if unlocked {
            categories
        } else {
            Categories::usual(factor.method)
        });
        self.binding = self.binding.max(Binding::of(factor.method, checked));
        if let Some(id) = &factor.factor_id {
            self.remember(id);
        }
    }

    fn add_method(&mut self, method: AuthMethod) {
        let (categories, binding) = match method {
            AuthMethod::Pwd | AuthMethod::Pin => (Categories::KNOW, Binding::None),
            AuthMethod::Otp | AuthMethod::Sms | AuthMethod::Tel | AuthMethod::Swk => {
                (Categories::HAVE, Binding::None)
            }
            AuthMethod::Hwk | AuthMethod::Pop => (Categories::HAVE, Binding::Key),
            AuthMethod::Sc => (Categories::HAVE, Binding::OriginAndPerson),
            AuthMethod::Fpt | AuthMethod::Face | AuthMethod::Iris | AuthMethod::Retina | AuthMethod::Vbm => {
                (Categories::ARE, Binding::None)
            }
            AuthMethod::Kba
            | AuthMethod::Geo
            | AuthMethod::Rba
            | AuthMethod::Mca
            | AuthMethod::Mfa
            | AuthMethod::User
            | AuthMethod::Wia
            | AuthMethod::Federated
            | AuthMethod::Other => (Categories::NONE, Binding::None),
        };
        self.categories = self.categories.and(categories);
        self.binding = self.binding.max(binding);
        self.several |= method == AuthMethod::Mfa;
    }

    fn remember(&mut self, id: &str) {
        if self.used.len() < USED_MAX && !self.used.iter().any(|known| **known == *id) {
            self.used.push(id.into());
        }
    }
}

/// A factor without a result succeeded if the login did; before that, a password did, as only then are we asked.
fn succeeded(factor: &UsedFactor, outcome: Option<Outcome>) -> bool {
    match factor.result {
        Some(result) => result == FactorResult::Success,
        None => match outcome {
            Some(Outcome::Success) => true,
            Some(Outcome::Pending | Outcome::Partial | Outcome::Refused | Outcome::Abandoned) => {
                factor.method == FactorType::Password
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, Timestamp, Vocabulary};

    fn login() -> LoginEvent {
        let mut event = LoginEvent::new(
            "1",
            "shop",
            EventType::Login,
            Timestamp::from_seconds(1_780_000_000),
        );
        event.outcome = Some(Outcome::Success);
        event
    }

    fn used(method: FactorType, user_verification: Option<bool>) -> UsedFactor {
        UsedFactor {
            method,
            factor_id: None,
            result: Some(FactorResult::Success),
            at: None,
            challenged_at: None,
            aaguid: None,
            synced: None,
            transport: None,
            user_verification,
        }
    }

    fn by_factors(factors: &[UsedFactor]) -> Level {
        let mut event = login();
        event.auth.factors = factors.into();
        Proven::of(&event, None).level(false)
    }

    fn by_methods(names: &[&str], hwk_origin_bound: bool) -> Level {
        let mut event = login();
        event.auth.methods = names
            .iter()
            .map(|name| AuthMethod::from_name(name).unwrap())
            .collect();
        Proven::of(&event, None).level(hwk_origin_bound)
    }

    /// Every factor: level alone, and beside a password.
    #[test]
    fn the_whole_table_of_factors() {
        use FactorType::*;
        use Level::{One, Three, Two};
        let table = [
            (Password, One, One),
            (Passkey, One, Three),
            (SecurityKey, One, Three),
            (Totp, One, Two),
            (Hotp, One, Two),
            (Sms, One, Two),
            (Voice, One, Two),
            (EmailCode, One, Two),
            (MagicLink, One, Two),
            (Push, One, Two),
            (PushNumber, One, Two),
            (Qr, One, Two),
            (Smartcard, Three, Three),
            (Cert, One, Two),
            (RecoveryCode, One, Two),
            (ActivationCode, One, Two),
            (AppPassword, One, One),
            (Kba, One, One),
            (Federated, One, One),
        ];
        assert_eq!(table.len(), FactorType::ALL.len());
        for (method, alone, beside) in table {
            assert_eq!(by_factors(&[used(method, None)]), alone, "{method} alone");
            let pair = [used(Password, None), used(method, None)];
            assert_eq!(by_factors(&pair), beside, "{method} beside a password");
        }
    }

    #[test]
    fn a_key_that_verified_its_user_is_level_three_alone() {
        for method in [FactorType::Passkey, FactorType::SecurityKey] {
            assert_eq!(by_factors(&[used(method, Some(true))]), Level::Three);
            assert_eq!(by_factors(&[used(method, Some(false))]), Level::One);
            let two_keys = [used(method, None), used(FactorType::Totp, None)];
            assert_eq!(by_factors(&two_keys), Level::One, "both are had");
        }
        assert_eq!(by_factors(&[used(FactorType::Totp, Some(true))]), Level::One);
    }

    /// Every name of RFC 8176 and those beyond: level alone, beside `pwd`, and beside `pwd` with `hwk_origin_bound`.
    #[test]
    fn the_whole_table_of_methods() {
        let table = [
            ("face", 1, 2, 2),
            ("fpt", 1, 2, 2),
            ("geo", 1, 1, 1),
            ("hwk", 1, 2, 3),
            ("iris", 1, 2, 2),
            ("kba", 1, 1, 1),
            ("mca", 1, 1, 1),
            ("mfa", 2, 2, 2),
            ("otp", 1, 2, 2),
            ("pin", 1, 1, 1),
            ("pop", 1, 2, 3),
            ("pwd", 1, 1, 1),
            ("rba", 1, 1, 1),
            ("retina", 1, 2, 2),
            ("sc", 3, 3, 3),
            ("sms", 1, 2, 2),
            ("swk", 1, 2, 2),
            ("tel", 1, 2, 2),
            ("user", 1, 1, 1),
            ("vbm", 1, 2, 2),
            ("wia", 1, 1, 1),
            ("federated", 1, 1, 1),
            ("other", 1, 1, 1),
        ];
        assert_eq!(table.len(), AuthMethod::ALL.len());
        for (name, alone, beside, with_hwk) in table {
            assert_eq!(by_methods(&[name], false).number(), alone, "{name}");
            assert_eq!(by_methods(&["pwd", name], false).number(), beside, "pwd {name}");
            assert_eq!(by_methods(&["pwd", name], true).number(), with_hwk, "pwd {name}");
        }
        assert_eq!(by_methods(&["hwk"], true), Level::One, "nothing beside it");
    }

    #[test]
    fn factors_that_succeeded_win_over_methods() {
        let mut event = login();
        event.auth.factors = [used(FactorType::Password, None)].into();
        event.auth.methods = [AuthMethod::Mfa].into();
        assert_eq!(Proven::of(&event, None).level(false), Level::One);
        event.auth.factors[0].result = Some(FactorResult::Failure);
        assert_eq!(Proven::of(&event, None).level(false), Level::Two);
    }

    #[test]
    fn nothing_told_is_level_one_and_says_so() {
        let mut event = login();
        event.auth.remembered = Some(true);
        let proven = Proven::of(&event, None);
        assert_eq!((proven.level(false), proven.is_told()), (Level::One, false));
        assert_eq!(proven.categories(), Categories::KNOW);
        event.auth.methods = [AuthMethod::Kba].into();
        assert!(Proven::of(&event, None).is_told());
    }

    #[test]
    fn a_factor_without_result_follows_the_outcome() {
        let mut event = login();
        event.auth.factors = [used(FactorType::Password, None), used(FactorType::Totp, None)].into();
        for factor in &mut event.auth.factors {
            factor.result = None;
        }
        assert_eq!(Proven::of(&event, None).level(false), Level::Two);
        event.outcome = Some(Outcome::Partial);
        assert_eq!(Proven::of(&event, None).level(false), Level::One);
        event.outcome = Some(Outcome::Failure);
        assert_eq!(Proven::of(&event, None).categories(), Categories::NONE);
    }

    #[test]
    fn stages_of_one_attempt_add_up() {
        let mut event = login();
        event.auth.factors = [used(FactorType::Password, None)].into();
        let mut proven = Proven::of(&event, None);
        assert_eq!(proven.second_factor_phishable(false), None);
        event.auth.factors = [used(FactorType::Totp, None)].into();
        proven.add(&Proven::of(&event, None));
        assert_eq!(
            (proven.level(false), proven.second_factor_phishable(false)),
            (Level::Two, Some(true))
        );
        event.auth.factors = [used(FactorType::SecurityKey, None)].into();
        proven.add(&Proven::of(&event, None));
        assert_eq!(
            (proven.level(false), proven.second_factor_phishable(false)),
            (Level::Three, Some(false))
        );
    }

    #[test]
    fn an_enrolled_factor_counts_for_what_it_really_checks() {
        let enrolled = [EnrolledFactor {
            id: "app".into(),
            factor_type: FactorType::Totp,
            categories: Some([Category::Know, Category::Have].into()),
            enrolled_at: None,
            verified_at: None,
            phishing_resistant: None,
            lives_on: None,
            contact: None,
            sync_account: None,
            code_space: None,
            valid_at_once: None,
            enrolled_level: None,
            enrolled_session: None,
        }];
        let mut event = login();
        let mut factor = used(FactorType::Totp, None);
        factor.factor_id = Some("app".into());
        event.auth.factors = [factor].into();
        let proven = Proven::of(&event, Some(&enrolled));
        assert_eq!(proven.level(false), Level::Two);
        assert_eq!(proven.used(), ["app".into()]);
    }
}
