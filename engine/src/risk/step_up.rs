//! Which of the user's factors may prove more now, which may not, and why.
//!
//! A factor helps if it is mature, verified where that is needed, not touched by the risk itself, and independent of
//! what was already proven. Never "the weakest available": if nothing helps, nothing is named.

use super::action::{Floors, Reach};
use super::decision::{FactorChoice, Level, StepUp};
use super::rule_facts::{Effect, RuleFacts, Verdict};
use crate::attempt::proven::{Binding, Categories, Proven, level_of};
use crate::event::{EnrolledFactor, FactorType, Timestamp};

/// Settings of factors and levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorPolicy {
    /// Age in days from which a factor may be used to step up (`factors.maturity`).
    pub maturity_days: i64,
    /// Whether keys of hardware count as bound to origin beside a second category (`levels.hwk_origin_bound`).
    pub hwk_origin_bound: bool,
}

impl Default for FactorPolicy {
    fn default() -> Self {
        Self {
            maturity_days: 7,
            hwk_origin_bound: false,
        }
    }
}

/// A type of factor that may be in the wrong hands, known from outside the rules, such as after a changed number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// Type it touches.
    pub factor: FactorType,
    /// Why, to go on from "it": `carries codes to a number that changed an hour ago`.
    pub why: Box<str>,
}

/// What the choice of factors looks at, beside the rules.
#[derive(Debug, Clone, Copy)]
pub struct FactorFacts<'a> {
    /// Enrolled factors; `None`: the application told nothing.
    pub enrolled: Option<&'a [EnrolledFactor]>,
    /// What this attempt has proven.
    pub proven: &'a Proven,
    /// Time of the event.
    pub time: Timestamp,
    /// `device.id` of this login while the device is not known.
    pub suspect_device: Option<&'a str>,
    /// `session.id` of this login.
    pub session: Option<&'a str>,
    /// Types touched for other reasons than a rule.
    pub taints: &'a [Taint],
}

/// The rules' part of the choice.
#[derive(Debug, Clone, Copy)]
pub struct RuleTaints<'a> {
    /// The rules.
    pub rules: &'a [RuleFacts],
    /// What became of them.
    pub verdicts: &'a [Verdict],
    /// What they ask for.
    pub floors: &'a Floors,
}

/// Why a factor may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal<'a> {
    ProvesNothing,
    AlreadyUsed,
    Immature(i64),
    Unverified,
    Tainted(&'a str),
    TaintedBy(&'a str),
    Phishable,
    OnSuspectDevice,
    FromThisSession,
    SharesExposure,
    SameKind,
    TooLow(Level),
}

impl Refusal<'_> {
    fn sentence(self) -> Box<str> {
        match self {
            Self::ProvesNothing => "it counts as no proof".into(),
            Self::AlreadyUsed => "it was already used in this sign-in".into(),
            Self::Immature(days) => format!("it was added less than {days} days before").into(),
            Self::Unverified => "nobody verified that the number belongs to the owner".into(),
            Self::Tainted(why) => format!("it {why}").into(),
            Self::TaintedBy(rule) => format!("rule `{rule}` says that it may be in other hands").into(),
            Self::Phishable => {
                "a page in between could pass it on, and this sign-in looks like such a page".into()
            }
            Self::OnSuspectDevice => "it lives on the very device that is not known".into(),
            Self::FromThisSession => "it was added in the session in question".into(),
            Self::SharesExposure => {
                "it shares a device, a contact or an account with the factor used first".into()
            }
            Self::SameKind => "it is of the same kind as what was already proven".into(),
            Self::TooLow(level) => format!("it leads to level {} only", level.number()).into(),
        }
    }
}

/// The choice among one user's factors for one login.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    facts: FactorFacts<'a>,
    taints: RuleTaints<'a>,
    policy: FactorPolicy,
    achieved: Level,
}

impl<'a> Factors<'a> {
    /// From what is known of factors and rules.
    #[must_use]
    pub fn new(facts: FactorFacts<'a>, taints: RuleTaints<'a>, policy: FactorPolicy) -> Self {
        let achieved = facts.proven.level(policy.hwk_origin_bound);
        Self {
            facts,
            taints,
            policy,
            achieved,
        }
    }

    /// The highest level above what is proven that one further factor leads to.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let Some(enrolled) = self.facts.enrolled else {
            return Reach::NotTold;
        };
        enrolled
            .iter()
            .filter_map(|factor| self.level_with(factor).ok())
            .max()
            .map_or(Reach::Nothing, Reach::Up)
    }

    /// The advice: factors that lead to `prove`, and the others with why not.
    #[must_use]
    pub fn advice(&self, prove: Level, usual: Option<Level>) -> StepUp {
        let mut step_up = StepUp {
            level: prove.number(),
            usual: usual.map(Level::number),
            enrolled_max: self
                .facts
                .enrolled
                .map(|enrolled| enrolled_max(enrolled, self.facts.time, self.policy)),
            ..StepUp::default()
        };
        for factor in self.facts.enrolled.unwrap_or_default() {
            let led = self.level_with(factor).and_then(|level| {
                if level >= prove {
                    Ok(level)
                } else {
                    Err(Refusal::TooLow(level))
                }
            });
            let choice = |why| FactorChoice {
                id: factor.id.clone(),
                why,
            };
            match led {
                Ok(level) => step_up.factors.push(choice(praise(level))),
                Err(refusal) => step_up.rejected.push(choice(refusal.sentence())),
            }
        }
        step_up
    }

    /// The level that this factor leads to, above what is proven.
    fn level_with(&self, factor: &EnrolledFactor) -> Result<Level, Refusal<'a>> {
        self.check_soundness(factor)?;
        self.check_exposure(factor)?;
        self.raised_by(factor)
    }

    fn check_soundness(&self, factor: &EnrolledFactor) -> Result<(), Refusal<'a>> {
        if Categories::of_enrolled(factor) == Categories::NONE {
            return Err(Refusal::ProvesNothing);
        }
        if self.facts.proven.used().contains(&factor.id) {
            return Err(Refusal::AlreadyUsed);
        }
        if !is_mature(factor, self.facts.time, self.policy) {
            return Err(Refusal::Immature(self.policy.maturity_days));
        }
        if !is_verified(factor, self.facts.time) {
            return Err(Refusal::Unverified);
        }
        Ok(())
    }

    fn check_exposure(&self, factor: &EnrolledFactor) -> Result<(), Refusal<'a>> {
        if let Some(taint) = self
            .facts
            .taints
            .iter()
            .find(|taint| taint.factor == factor.factor_type)
        {
            return Err(Refusal::Tainted(&taint.why));
        }
        if let Some(rule) = self.tainting_rule(factor.factor_type) {
            return Err(Refusal::TaintedBy(rule));
        }
        if self.taints.floors.phishing && !is_origin_bound(factor) {
            return Err(Refusal::Phishable);
        }
        if is_same(factor.lives_on.as_deref(), self.facts.suspect_device) {
            return Err(Refusal::OnSuspectDevice);
        }
        if is_same(factor.enrolled_session.as_deref(), self.facts.session) {
            return Err(Refusal::FromThisSession);
        }
        Ok(())
    }

    fn tainting_rule(&self, factor: FactorType) -> Option<&'a str> {
        let taints = |rule: &RuleFacts| rule.effect == Effect::Taint(factor);
        let mut lines = self.taints.rules.iter().zip(self.taints.verdicts);
        let (rule, _) = lines.find(|(rule, verdict)| verdict.holds() && taints(rule))?;
        Some(&rule.id)
    }

    fn raised_by(&self, factor: &EnrolledFactor) -> Result<Level, Refusal<'a>> {
        let own = Categories::of_enrolled(factor);
        let proven = self.facts.proven.categories();
        let shares = self.shares_exposure(factor);
        let together = if shares { own } else { own.and(proven) };
        let level = level_of(together, best_binding(factor, own), self.policy.hwk_origin_bound);
        if level > self.achieved {
            Ok(level)
        } else if shares {
            Err(Refusal::SharesExposure)
        } else if own.is_within(proven) {
            Err(Refusal::SameKind)
        } else {
            Err(Refusal::TooLow(level))
        }
    }

    /// Whether it can fall together with a factor that was already used.
    fn shares_exposure(&self, factor: &EnrolledFactor) -> bool {
        let used = self.facts.proven.used();
        let mut others = self
            .facts
            .enrolled
            .unwrap_or_default()
            .iter()
            .filter(|other| used.contains(&other.id));
        others.any(|other| {
            is_same(factor.lives_on.as_deref(), other.lives_on.as_deref())
                || is_same(factor.contact.as_deref(), other.contact.as_deref())
                || is_same(factor.sync_account.as_deref(), other.sync_account.as_deref())
        })
    }
}

/// Level of the strongest mature, verified factor beside a password: 3 bound to origin, 2 another category, 1 of the
/// same, 0 none.
#[must_use]
pub fn enrolled_max(enrolled: &[EnrolledFactor], time: Timestamp, policy: FactorPolicy) -> u8 {
    let sound = |factor: &&EnrolledFactor| is_mature(factor, time, policy) && is_verified(factor, time);
    enrolled
        .iter()
        .filter(sound)
        .map(|factor| {
            let own = Categories::of_enrolled(factor);
            if own == Categories::NONE {
                return 0;
            }
            let beside = own.and(Categories::KNOW);
            level_of(beside, best_binding(factor, own), policy.hwk_origin_bound).number()
        })
        .max()
        .unwrap_or(0)
}

fn praise(level: Level) -> Box<str> {
    match level {
        Level::Three => "it is bound to the real page and leads to level 3".into(),
        Level::One | Level::Two => "it is of another kind than what was proven and leads to level 2".into(),
    }
}

/// No `enrolled_at` means long ago.
fn is_mature(factor: &EnrolledFactor, time: Timestamp, policy: FactorPolicy) -> bool {
    factor
        .enrolled_at
        .is_none_or(|at| at.plus_days(policy.maturity_days) <= time)
}

/// A number has to be verified before it carries codes.
fn is_verified(factor: &EnrolledFactor, time: Timestamp) -> bool {
    !matches!(factor.factor_type, FactorType::Sms | FactorType::Voice)
        || factor.verified_at.is_some_and(|at| at <= time)
}

fn is_origin_bound(factor: &EnrolledFactor) -> bool {
    factor
        .phishing_resistant
        .unwrap_or_else(|| Binding::of(factor.factor_type, false) >= Binding::Origin)
}

/// How it is bound if the application asks for the most it can: a passkey verifies its user as a rule, a security key
/// only if the application says that it does.
fn best_binding(factor: &EnrolledFactor, own: Categories) -> Binding {
    if factor.phishing_resistant == Some(false) {
        return Binding::None;
    }
    let told = factor.categories.as_ref().is_some_and(|told| !told.is_empty());
    let checks = own.count() >= 2 || factor.factor_type == FactorType::Passkey && !told;
    Binding::of(factor.factor_type, checks)
}

fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some() && one == other
}

#[cfg(test)]
mod tests;
