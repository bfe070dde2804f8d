//! From lines to a score: exceptions, groups, caps, sum, in this order. The sum is exact, as points are integers.
//!
//! An attack line that is covered by a stronger line of its group is still true, so it still stops trust from
//! outweighing newness and may still deny; otherwise a login could score lower for being *less* familiar.

use doorward_rules::{Evidence, Group, Points};

use super::decision::{LineStatus, Maturity};
use super::rule_facts::{RuleFacts, Verdict, may_deny};
use crate::event::UserKind;

/// How many groups there are.
const GROUPS: usize = Group::WORDS.len();

/// Bounds of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScorePolicy {
    /// Prior of a login with a right password, unless the application has one of its own.
    pub base: Points,
    /// From here on level 2 is asked for.
    pub level2_from: Points,
    /// From here on level 3 is asked for.
    pub level3_from: Points,
    /// From here on an attack may be denied.
    pub deny_from: Points,
    /// Newness adds at most this; positive.
    pub newness_cap: Points,
    /// Trust takes off at most this; negative.
    pub trust_cap: Points,
}

impl Default for ScorePolicy {
    fn default() -> Self {
        Self {
            base: Points::from_hundredths(1_000),
            level2_from: Points::from_hundredths(2_500),
            level3_from: Points::from_hundredths(5_000),
            deny_from: Points::from_hundredths(7_500),
            newness_cap: Points::from_hundredths(3_500),
            trust_cap: Points::from_hundredths(-2_500),
        }
    }
}

/// Which newness rules mean anything for this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewnessPolicy {
    /// All.
    All,
    /// All but those about the device: several people or machines share the account.
    NoDevice,
    /// None: to a user without history everything is new.
    Nothing,
}

impl NewnessPolicy {
    /// By whose account it is and how well the user is known.
    #[must_use]
    pub const fn of(kind: UserKind, maturity: Maturity) -> Self {
        match (maturity, kind) {
            (Maturity::Unseen | Maturity::New, _) => Self::Nothing,
            (_, UserKind::Shared | UserKind::Service) => Self::NoDevice,
            _ => Self::All,
        }
    }

    fn leaves_out(self, rule: &RuleFacts) -> bool {
        rule.evidence == Evidence::Newness
            && match self {
                Self::All => false,
                Self::NoDevice => rule.group == Group::Device,
                Self::Nothing => true,
            }
    }
}

/// The sum and what the action needs of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Prior.
    pub base: Points,
    /// What the cap took off newness; zero or negative.
    pub newness_cut: Points,
    /// What the cap gave back of trust; zero or positive.
    pub trust_given_back: Points,
    /// Base, fired lines and caps; not clamped.
    pub sum: Points,
    /// The strongest attack line of each group, added up.
    pub attack: Points,
    /// Whether any attack line is true.
    pub attack_fired: bool,
    /// Whether one of them is in a group that may deny.
    pub attack_may_deny: bool,
}

/// Settles `verdicts` (one a rule, in the order of `rules`, which is that of their ids) and adds them up. Lines that
/// do not apply to this user become `not_applicable`, lines behind a stronger one of their group `covered`.
pub fn settle(
    rules: &[RuleFacts],
    verdicts: &mut [Verdict],
    newness: NewnessPolicy,
    base: Points,
    policy: &ScorePolicy,
) -> Totals {
    if newness != NewnessPolicy::All {
        for (rule, verdict) in rules.iter().zip(verdicts.iter_mut()) {
            if newness.leaves_out(rule) {
                verdict.status = LineStatus::NotApplicable;
            }
        }
    }
    cover(rules, verdicts);
    add_up(rules, verdicts, base, policy)
}

/// In each group the largest positive line counts, or, if there is none, the most negative one; of equal ones the first
/// by id. Lines of zero points compete with nobody.
fn cover(rules: &[RuleFacts], verdicts: &mut [Verdict]) {
    let mut strongest = [(usize::MAX, Points::ZERO); GROUPS];
    let mut fired = 0;
    for (index, (rule, verdict)) in rules.iter().zip(verdicts.iter()).enumerate() {
        if verdict.status != LineStatus::Fired {
            continue;
        }
        fired += 1;
        if let Some((holder, best)) = strongest.get_mut(rule.group as usize)
            && is_stronger(verdict.points, *best)
        {
            (*holder, *best) = (index, verdict.points);
        }
    }
    if fired < 2 {
        return;
    }
    for (index, (rule, verdict)) in rules.iter().zip(verdicts.iter_mut()).enumerate() {
        if verdict.status == LineStatus::Fired
            && verdict.points != Points::ZERO
            && let Some((holder, _)) = strongest.get(rule.group as usize)
            && *holder != index
        {
            verdict.status = LineStatus::Covered;
        }
    }
}

fn is_stronger(points: Points, best: Points) -> bool {
    if points.is_positive() || best.is_positive() {
        points > best
    } else {
        points < best
    }
}

fn add_up(rules: &[RuleFacts], verdicts: &[Verdict], base: Points, policy: &ScorePolicy) -> Totals {
    let mut newness = Points::ZERO;
    let mut trust = Points::ZERO;
    let mut others = base;
    let mut attack = Attack::default();
    for (rule, verdict) in rules.iter().zip(verdicts).filter(|(_, verdict)| verdict.holds()) {
        if rule.evidence == Evidence::Attack {
            attack.note(rule.group, verdict.points);
        }
        if verdict.status == LineStatus::Fired {
            let total = match rule.evidence {
                Evidence::Newness => &mut newness,
                Evidence::Trust => &mut trust,
                Evidence::Attack | Evidence::Posture => &mut others,
            };
            *total = total.saturating_add(verdict.points);
        }
    }
    let capped_newness = newness.min(policy.newness_cap);
    let least_trust = if attack.fired {
        policy.trust_cap.max(minus(capped_newness.max(Points::ZERO)))
    } else {
        policy.trust_cap
    };
    let capped_trust = trust.max(least_trust);
    Totals {
        base,
        newness_cut: capped_newness.saturating_add(minus(newness)),
        trust_given_back: capped_trust.saturating_add(minus(trust)),
        sum: others.saturating_add(capped_newness).saturating_add(capped_trust),
        attack: attack.points(),
        attack_fired: attack.fired,
        attack_may_deny: attack.may_deny,
    }
}

const fn minus(points: Points) -> Points {
    Points::from_hundredths(points.hundredths().saturating_neg())
}

/// Attack lines of one login.
#[derive(Default)]
struct Attack {
    fired: bool,
    may_deny: bool,
    strongest: [Points; GROUPS],
}

impl Attack {
    fn note(&mut self, group: Group, points: Points) {
        self.fired = true;
        self.may_deny |= may_deny(group);
        if let Some(strongest) = self.strongest.get_mut(group as usize) {
            *strongest = points.max(*strongest);
        }
    }

    fn points(&self) -> Points {
        self.strongest.iter().copied().sum()
    }
}

#[cfg(test)]
mod tests;
