//! A rule: what it looks for, what it is worth, and everything said about it.
//!
//! Reading one from a file is in `rule_file.rs`; whether its tests hold is in `rule_test.rs`.

use std::fmt;

use crate::compile::Condition;
use crate::evaluate::Unknown;
use crate::points::Points;
use crate::schema::Field;
use crate::slots::Slots;
use crate::template::Template;

/// Declares a closed list of words as an enum with `as_str`, `parse`, `WORDS` and `Display`.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
        }

        impl $name {
            /// Every word, in the order of declaration.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word rule files and ledgers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// The value this word stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($name::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How far a rule has come. Only `stable` and `deprecated` rules count.
    Status {
        /// Being written; evaluated beside, without effect.
        Experimental = "experimental",
        /// Tried on live logins; evaluated beside, without effect.
        Shadow = "shadow",
        /// Counts.
        Stable = "stable",
        /// Still counts, but is going to be removed.
        Deprecated = "deprecated",
    }
}

words! {
    /// What kind of evidence a rule gives; caps and actions depend on it.
    Evidence {
        /// Something this user never did before.
        Newness = "newness",
        /// Something attackers do and owners do not.
        Attack = "attack",
        /// Something only the owner has.
        Trust = "trust",
        /// How well the login is protected.
        Posture = "posture",
    }
}

words! {
    /// The fact a rule looks at. Of one group only the line with the most points counts.
    Group {
        /// The device and its software.
        Device = "device",
        /// How usual the network is for the user.
        Network = "network",
        /// What kind of network it is.
        NetworkKind = "network-kind",
        /// Movement between logins.
        Travel = "travel",
        /// The hour and day.
        Time = "time",
        /// The password or other credential.
        Credentials = "credentials",
        /// Tries of one account.
        Guessing = "guessing",
        /// Tries of many accounts.
        Crowd = "crowd",
        /// A session taken over or relayed.
        Session = "session",
        /// Second factors.
        Factors = "factors",
        /// The account's age and use.
        Account = "account",
        /// Software that signs in for a person.
        Agent = "agent",
    }
}

words! {
    /// What Doorward tells an application to do.
    Action {
        /// Let in.
        Allow = "allow",
        /// Ask for a further proof.
        StepUp = "step_up",
        /// Wait until the owner approves from somewhere else.
        Hold = "hold",
        /// Turn away.
        Deny = "deny",
    }
}

words! {
    /// Type of an authentication factor, as events name it.
    FactorType {
        /// A password.
        Password = "password",
        /// A passkey.
        Passkey = "passkey",
        /// A security key.
        SecurityKey = "security_key",
        /// A code that changes with time (RFC 6238).
        Totp = "totp",
        /// A code that changes with use (RFC 4226).
        Hotp = "hotp",
        /// A code by text message.
        Sms = "sms",
        /// A code by telephone call.
        Voice = "voice",
        /// A code by mail.
        EmailCode = "email_code",
        /// A link by mail.
        MagicLink = "magic_link",
        /// A prompt to approve.
        Push = "push",
        /// A prompt that asks for a number shown.
        PushNumber = "push_number",
        /// A QR code.
        Qr = "qr",
        /// A smart card.
        Smartcard = "smartcard",
        /// A certificate.
        Cert = "cert",
        /// A recovery code.
        RecoveryCode = "recovery_code",
        /// An activation code.
        ActivationCode = "activation_code",
        /// A password for one application.
        AppPassword = "app_password",
        /// Answers to questions.
        Kba = "kba",
        /// A login at another provider.
        Federated = "federated",
    }
}

/// The least a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// A level of proof: 2 or 3.
    Level(u8),
    /// The owner's approval from somewhere else.
    Hold,
    /// Nothing is enough.
    Deny,
}

/// What a rule does when it fires, besides its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but its points.
    Points,
    /// The login needs at least this.
    AtLeast(Floor),
    /// The action is at most this.
    AtMost(Action),
    /// Factors of this type prove nothing until they are renewed.
    Taint(FactorType),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Points => f.write_str("points"),
            Effect::AtLeast(Floor::Level(level)) => write!(f, "at_least:{level}"),
            Effect::AtLeast(Floor::Hold) => f.write_str("at_least:hold"),
            Effect::AtLeast(Floor::Deny) => f.write_str("at_least:deny"),
            Effect::AtMost(action) => write!(f, "at_most:{action}"),
            Effect::Taint(factor) => write!(f, "taint:{factor}"),
        }
    }
}

/// Where the points come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basis {
    /// Judgement.
    Assumed,
    /// Labelled logins: how many, and the 95 % interval of the points.
    Measured {
        /// Number of labelled logins.
        n: u64,
        /// Lower end of the interval.
        low: Points,
        /// Upper end of the interval.
        high: Points,
    },
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Assumed => f.write_str("assumed"),
            Basis::Measured { n, low, high } => write!(f, "measured({n}, {low} to {high})"),
        }
    }
}

/// For which logins a rule is meant; an empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Values of `app.id`.
    pub applications: Vec<String>,
    /// Values of `login.tenant`.
    pub tenants: Vec<String>,
    /// Values of `user.kind`.
    pub user_kinds: Vec<String>,
}

impl Scope {
    /// Whether a login is in it. What is not known to be in a named scope is outside.
    #[must_use]
    #[inline]
    pub fn contains(&self, slots: &Slots) -> bool {
        self.is_everything() || self.names(slots)
    }

    /// Whether it names nothing, as most scopes do.
    #[inline]
    fn is_everything(&self) -> bool {
        self.applications.is_empty() && self.tenants.is_empty() && self.user_kinds.is_empty()
    }

    fn names(&self, slots: &Slots) -> bool {
        [
            (&self.applications, Field::AppId),
            (&self.tenants, Field::LoginTenant),
            (&self.user_kinds, Field::UserKind),
        ]
        .into_iter()
        .all(|(named, field)| {
            named.is_empty()
                || slots
                    .get(field)
                    .as_str()
                    .is_some_and(|value| named.iter().any(|n| n == value))
        })
    }
}

/// One step of graded points: the first whose condition holds counts.
#[derive(Debug)]
pub struct Step {
    /// When it counts.
    pub when: Condition,
    /// What it is worth.
    pub points: Points,
}

/// How many points a rule gives when its condition holds.
#[derive(Debug)]
pub enum Worth {
    /// None; the rule has another effect.
    Nothing,
    /// Always the same.
    Fixed(Points),
    /// The value of a field, rounded to two decimals; values of the wrong sign for the rule's
    /// evidence count as nothing.
    Signal(Field),
    /// Graded; if no step holds the rule is not applicable.
    Steps(Vec<Step>),
}

/// One rule. Everything in it comes from one file.
#[derive(Debug)]
pub struct Rule {
    /// The name of the pattern, equal to the file's name.
    pub id: String,
    /// One line that says what the rule looks for.
    pub title: String,
    /// How far the rule has come.
    pub status: Status,
    /// What kind of evidence it gives.
    pub evidence: Evidence,
    /// What it does besides points.
    pub effect: Effect,
    /// What its points are worth.
    pub worth: Worth,
    /// Where its points come from.
    pub basis: Basis,
    /// The fact it looks at.
    pub group: Group,
    /// For which logins it is meant.
    pub scope: Scope,
    /// MITRE ATT&CK techniques and other tags.
    pub tags: Vec<String>,
    /// When it holds; a rule without condition always does.
    pub when: Option<Condition>,
    /// The sentence of the ledger.
    pub text: Template,
    /// Why the pattern matters.
    pub why: String,
    /// When owners show it too.
    pub false_positives: String,
    /// What an analyst does about it.
    pub response: String,
    /// Papers, standards, reports.
    pub references: Vec<String>,
    /// Who keeps the rule.
    pub owner: String,
    /// Its tests.
    pub tests: Vec<RuleTest>,
    /// The path of its file.
    pub path: String,
    /// Every field it reads, in order: conditions, points, text.
    pub fields: Vec<Field>,
    /// The text of its file, with `\n` line ends.
    pub source: String,
}

/// What a rule says about one login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, and is worth this much (nothing, for rules with another effect).
    Fired(Points),
    /// It does not hold, or is not meant for this login.
    NotApplicable,
    /// It cannot say, because data is missing.
    NoData,
    /// It cannot say, because its condition has no value (division by zero, overflow).
    Error,
}

impl Rule {
    /// Evaluates the rule, whatever its status. Does not allocate.
    #[must_use]
    #[inline]
    pub fn evaluate(&self, slots: &Slots) -> Outcome {
        if !self.scope.contains(slots) {
            return Outcome::NotApplicable;
        }
        match self.when.as_ref().map_or(Ok(true), |when| when.test(slots)) {
            Ok(true) => self.worth(slots),
            Ok(false) => Outcome::NotApplicable,
            Err(unknown) => unknown.into(),
        }
    }

    /// Whether the rule counts, as opposed to running beside.
    #[must_use]
    #[inline]
    pub fn counts(&self) -> bool {
        matches!(self.status, Status::Stable | Status::Deprecated)
    }

    /// What it says where its condition holds, which is rare.
    #[inline(never)]
    fn worth(&self, slots: &Slots) -> Outcome {
        match &self.worth {
            Worth::Nothing => Outcome::Fired(Points::ZERO),
            Worth::Fixed(points) => Outcome::Fired(*points),
            Worth::Signal(field) => self.signal(slots, *field),
            Worth::Steps(steps) => {
                for step in steps {
                    match step.when.test(slots) {
                        Ok(true) => return Outcome::Fired(step.points),
                        Ok(false) => {}
                        Err(unknown) => return unknown.into(),
                    }
                }
                Outcome::NotApplicable
            }
        }
    }

    fn signal(&self, slots: &Slots, field: Field) -> Outcome {
        let slot = slots.get(field);
        let Some(points) = slot.as_number().and_then(Points::from_f64) else {
            return if slot.has_data() {
                Outcome::Error
            } else {
                Outcome::NoData
            };
        };
        let counts = if self.evidence == Evidence::Trust {
            points.is_negative()
        } else {
            points.is_positive()
        };
        if counts {
            Outcome::Fired(points)
        } else {
            Outcome::NotApplicable
        }
    }
}

impl From<Unknown> for Outcome {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::NoData => Outcome::NoData,
            Unknown::Error => Outcome::Error,
        }
    }
}

words! {
    /// What a test of a rule expects.
    Expect {
        /// The rule fires.
        Fires = "fires",
        /// The rule does not hold.
        Silent = "silent",
        /// The rule cannot say, because data is missing.
        NoData = "no_data",
    }
}

/// A test inside a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// The values of the login: a named base with what the test gives.
    pub slots: Slots,
    /// What it expects.
    pub expect: Expect,
    /// The points it expects, if it says so.
    pub points: Option<Points>,
    /// The line of the test in its file, from 1.
    pub line: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for word in Group::WORDS {
            assert_eq!(Group::parse(word).map(Group::as_str), Some(*word));
        }
        assert_eq!(Status::parse("live"), None);
    }

    #[test]
    fn what_is_not_known_to_be_in_scope_is_outside() {
        let scope = Scope {
            user_kinds: vec!["person".to_owned()],
            ..Scope::default()
        };
        let mut slots = Slots::new();
        assert!(Scope::default().contains(&slots));
        assert!(!scope.contains(&slots));
        slots.set_text(Field::UserKind, "service");
        assert!(!scope.contains(&slots));
        slots.set_text(Field::UserKind, "person");
        assert!(scope.contains(&slots));
    }
}
