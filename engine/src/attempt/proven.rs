//! What an attempt has proven: the factors that succeeded, and the level they reach together.
//!
//! A remembered device or session is no factor and adds nothing. Names of methods are those of RFC 8176.

use serde::{Deserialize, Serialize};

use super::failed_second_factor;
use crate::event::{
    AuthMethod, Category, EnrolledFactor, FactorResult, FactorType, LoginEvent, Outcome, Stage, UsedFactor,
};
use crate::terms::Level;

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
    types: u32,
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
        let vouched_for = |method: &AuthMethod| matches!(method, AuthMethod::Wia | AuthMethod::Federated);
        let some = any || proven.categories != Categories::NONE || event.auth.methods.iter().any(vouched_for);
        if proven.told && implies_password(event, some) {
            proven.categories = proven.categories.and(Categories::KNOW);
            if event.outcome != Some(Outcome::Success) {
                // Where they are in, nobody said what let them in first.
                proven.types |= bit(FactorType::Password);
            }
        }
        proven
    }

    /// Adds what an earlier or later stage of the same attempt proved.
    pub fn add(&mut self, other: &Self) {
        self.categories = self.categories.and(other.categories);
        self.binding = self.binding.max(other.binding);
        self.several |= other.several;
        self.told |= other.told;
        self.types |= other.types;
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

    /// Types of the factors that succeeded, in the order of their codes; those of methods as far as they name one.
    pub fn types(&self) -> impl Iterator<Item = FactorType> + '_ {
        FactorType::ALL
            .iter()
            .copied()
            .filter(|factor| self.types & bit(*factor) != 0)
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
        self.types |= bit(factor.method);
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
        self.types |= type_of(method).map_or(0, bit);
    }

    fn remember(&mut self, id: &str) {
        if self.used.len() < USED_MAX && !self.used.iter().any(|known| **known == *id) {
            self.used.push(id.into());
        }
    }
}

/// The type that a method of RFC 8176 surely names.
const fn type_of(method: AuthMethod) -> Option<FactorType> {
    match method {
        AuthMethod::Pwd => Some(FactorType::Password),
        AuthMethod::Sms => Some(FactorType::Sms),
        AuthMethod::Tel => Some(FactorType::Voice),
        AuthMethod::Sc => Some(FactorType::Smartcard),
        AuthMethod::Kba => Some(FactorType::Kba),
        AuthMethod::Federated => Some(FactorType::Federated),
        _ => None,
    }
}

const fn bit(factor: FactorType) -> u32 {
    1 << (factor.code() % 32)
}

/// Whether the right password, or what stands for it, came before what the event tells of: the table of outcomes says so
/// of each stage behind the first one, and of every outcome that is scored. `some`: it tells of something that was
/// proven, which is then the first factor itself.
fn implies_password(event: &LoginEvent, some: bool) -> bool {
    match (event.stage, event.outcome) {
        (Stage::Identifier, _) | (_, None) => false,
        (Stage::SecondFactor, _) => true,
        (_, Some(Outcome::Failure)) => failed_second_factor(event) && !some,
        _ => !some,
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
mod tests;
