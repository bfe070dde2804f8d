//! From lines to a score: exceptions, groups, caps, sum, in this order. The sum is exact, as points are integers.
//!
//! An attack line that is covered by a stronger line of its group is still true, so it still stops trust from
//! outweighing newness and may still deny; otherwise a login could score lower for being *less* familiar.

use doorward_rules::Points;

use super::decision::{LineStatus, Maturity};
use super::rule_facts::{Evidence, Group, RuleFacts, Verdict};
use crate::event::UserKind;

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
                Self::NoDevice => rule.group == Some(Group::Device),
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
    for (rule, verdict) in rules.iter().zip(verdicts.iter_mut()) {
        if newness.leaves_out(rule) {
            verdict.status = LineStatus::NotApplicable;
        }
    }
    cover(rules, verdicts);
    add_up(rules, verdicts, base, policy)
}

/// In each group the largest positive line counts, or, if there is none, the most negative one; of equal ones the first
/// by id. Lines of zero points compete with nobody.
fn cover(rules: &[RuleFacts], verdicts: &mut [Verdict]) {
    let mut strongest = [Points::ZERO; Group::COUNT];
    let mut winner = [usize::MAX; Group::COUNT];
    for (index, (rule, verdict)) in rules.iter().zip(verdicts.iter()).enumerate() {
        let Some((best, holder)) = slot_of(rule, &mut strongest, &mut winner) else {
            continue;
        };
        if verdict.status == LineStatus::Fired && is_stronger(verdict.points, *best) {
            *best = verdict.points;
            *holder = index;
        }
    }
    for (index, (rule, verdict)) in rules.iter().zip(verdicts.iter_mut()).enumerate() {
        let Some((_, holder)) = slot_of(rule, &mut strongest, &mut winner) else {
            continue;
        };
        if verdict.status == LineStatus::Fired && verdict.points != Points::ZERO && *holder != index {
            verdict.status = LineStatus::Covered;
        }
    }
}

fn slot_of<'a>(
    rule: &RuleFacts,
    strongest: &'a mut [Points; Group::COUNT],
    winner: &'a mut [usize; Group::COUNT],
) -> Option<(&'a mut Points, &'a mut usize)> {
    let group = rule.group? as usize;
    Some((strongest.get_mut(group)?, winner.get_mut(group)?))
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
    for (rule, verdict) in rules.iter().zip(verdicts) {
        if rule.evidence == Evidence::Attack && verdict.holds() {
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
    without_group: Points,
    strongest: [Points; Group::COUNT],
}

impl Attack {
    fn note(&mut self, group: Option<Group>, points: Points) {
        self.fired = true;
        self.may_deny |= group.is_some_and(Group::may_deny);
        match group.and_then(|group| self.strongest.get_mut(group as usize)) {
            Some(strongest) => *strongest = points.max(*strongest),
            None => self.without_group = self.without_group.saturating_add(points),
        }
    }

    fn points(&self) -> Points {
        self.strongest
            .iter()
            .copied()
            .sum::<Points>()
            .saturating_add(self.without_group)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decision::{LedgerLine, LineRule};
    use super::super::ledger::lines;
    use super::super::rule_facts::Effect;
    use super::*;
    use proptest::prelude::*;

    fn rule(id: &str, evidence: Evidence, group: Option<Group>) -> RuleFacts {
        RuleFacts {
            id: id.into(),
            evidence,
            group,
            effect: Effect::Points,
        }
    }

    fn fired(hundredths: i32) -> Verdict {
        Verdict {
            status: LineStatus::Fired,
            points: Points::from_hundredths(hundredths),
        }
    }

    fn settled(rows: &[(Evidence, Option<Group>, i32)]) -> (Vec<RuleFacts>, Vec<Verdict>, Totals) {
        let rules: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(at, (e, g, _))| rule(&format!("rule-{at:02}"), *e, *g))
            .collect();
        let mut verdicts: Vec<_> = rows.iter().map(|(_, _, points)| fired(*points)).collect();
        let policy = ScorePolicy::default();
        let totals = settle(&rules, &mut verdicts, NewnessPolicy::All, policy.base, &policy);
        (rules, verdicts, totals)
    }

    #[test]
    fn of_a_group_the_largest_positive_counts_and_else_the_most_negative() {
        use Evidence::{Newness, Trust};
        let device = Some(Group::Device);
        let (_, verdicts, totals) = settled(&[
            (Newness, device, 800),
            (Newness, device, 1_800),
            (Trust, device, -800),
        ]);
        let status: Vec<_> = verdicts.iter().map(|verdict| verdict.status).collect();
        assert_eq!(
            status,
            [LineStatus::Covered, LineStatus::Fired, LineStatus::Covered]
        );
        assert_eq!(totals.sum.to_string(), "28");
        let (_, verdicts, totals) = settled(&[(Trust, device, -300), (Trust, device, -800)]);
        assert_eq!(verdicts[0].status, LineStatus::Covered);
        assert_eq!(totals.sum.to_string(), "2");
    }

    #[test]
    fn of_equal_lines_the_first_id_counts_and_zero_points_compete_with_nobody() {
        use Evidence::{Attack, Newness};
        let session = Some(Group::Session);
        let (_, verdicts, _) = settled(&[
            (Attack, session, 0),
            (Newness, session, 500),
            (Newness, session, 500),
        ]);
        let status: Vec<_> = verdicts.iter().map(|verdict| verdict.status).collect();
        assert_eq!(
            status,
            [LineStatus::Fired, LineStatus::Fired, LineStatus::Covered]
        );
    }

    #[test]
    fn caps_bite_exactly_and_show_as_lines() {
        use Evidence::{Newness, Trust};
        let (rules, verdicts, totals) = settled(&[(Newness, None, 1_800), (Newness, None, 1_700)]);
        assert_eq!(
            (totals.newness_cut, totals.sum.hundredths()),
            (Points::ZERO, 4_500)
        );
        assert!(
            lines(&rules, &verdicts, &totals)
                .iter()
                .all(|line| line.rule != LineRule::CapNewness)
        );
        let (rules, verdicts, totals) = settled(&[(Newness, None, 1_800), (Newness, None, 1_701)]);
        assert_eq!(
            (totals.newness_cut.hundredths(), totals.sum.hundredths()),
            (-1, 4_500)
        );
        let cap = LedgerLine {
            rule: LineRule::CapNewness,
            status: LineStatus::Fired,
            points: Points::from_hundredths(-1),
        };
        assert_eq!(lines(&rules, &verdicts, &totals).last(), Some(&cap));
        let (_, _, totals) = settled(&[(Trust, None, -1_200), (Trust, None, -1_301)]);
        assert_eq!(
            (totals.trust_given_back.hundredths(), totals.sum.hundredths()),
            (1, -1_500)
        );
    }

    #[test]
    fn beside_an_attack_trust_outweighs_newness_at_most() {
        use Evidence::{Attack, Newness, Trust};
        let (_, _, totals) = settled(&[(Attack, None, 1_500), (Newness, None, 800), (Trust, None, -2_000)]);
        assert_eq!(
            (totals.trust_given_back.hundredths(), totals.sum.hundredths()),
            (1_200, 2_500)
        );
        let (_, _, totals) = settled(&[(Attack, None, 1_500), (Trust, None, -2_000)]);
        assert_eq!(totals.sum.hundredths(), 2_500);
        // The cap on newness is applied first.
        let (_, _, totals) = settled(&[(Attack, None, 0), (Newness, None, 5_000), (Trust, None, -2_500)]);
        assert_eq!(totals.sum.hundredths(), 1_000 + 3_500 - 2_500);
    }

    #[test]
    fn newness_means_nothing_where_everything_is_new() {
        let table = [
            (UserKind::Person, Maturity::New, NewnessPolicy::Nothing),
            (UserKind::Person, Maturity::Unseen, NewnessPolicy::Nothing),
            (UserKind::Shared, Maturity::Unseen, NewnessPolicy::Nothing),
            (UserKind::Person, Maturity::Learning, NewnessPolicy::All),
            (UserKind::Person, Maturity::Mature, NewnessPolicy::All),
            (UserKind::Person, Maturity::Lapsed, NewnessPolicy::All),
            (UserKind::Agent, Maturity::Mature, NewnessPolicy::All),
            (UserKind::Shared, Maturity::Mature, NewnessPolicy::NoDevice),
            (UserKind::Service, Maturity::Lapsed, NewnessPolicy::NoDevice),
        ];
        for (kind, maturity, expected) in table {
            assert_eq!(NewnessPolicy::of(kind, maturity), expected, "{kind} {maturity:?}");
        }
        let rules = [
            rule("a", Evidence::Newness, Some(Group::Device)),
            rule("b", Evidence::Newness, Some(Group::Network)),
            rule("c", Evidence::Attack, Some(Group::Device)),
        ];
        let policy = ScorePolicy::default();
        for (newness, sum) in [
            (NewnessPolicy::All, 2_100),
            (NewnessPolicy::NoDevice, 1_600),
            (NewnessPolicy::Nothing, 1_400),
        ] {
            let mut verdicts = [fired(900), fired(200), fired(400)];
            let totals = settle(&rules, &mut verdicts, newness, policy.base, &policy);
            assert_eq!(totals.sum.hundredths(), sum, "{newness:?}");
        }
    }

    const EVIDENCE: [Evidence; 4] = [
        Evidence::Newness,
        Evidence::Attack,
        Evidence::Trust,
        Evidence::Posture,
    ];
    const GROUPS: [Option<Group>; 6] = [
        None,
        Some(Group::Device),
        Some(Group::Network),
        Some(Group::Crowd),
        Some(Group::Session),
        Some(Group::Account),
    ];

    /// Points have the sign of their evidence.
    fn any_row() -> impl Strategy<Value = (Evidence, Option<Group>, i32, LineStatus)> {
        let status = prop::sample::select(vec![
            LineStatus::Fired,
            LineStatus::Fired,
            LineStatus::Fired,
            LineStatus::NoData,
            LineStatus::Excepted,
            LineStatus::Error,
            LineStatus::NotApplicable,
        ]);
        (
            prop::sample::select(EVIDENCE.to_vec()),
            prop::sample::select(GROUPS.to_vec()),
            0..4_000_i32,
            status,
        )
            .prop_map(|(evidence, group, points, status)| {
                (
                    evidence,
                    group,
                    if evidence == Evidence::Trust {
                        -points
                    } else {
                        points
                    },
                    status,
                )
            })
    }

    fn any_login() -> impl Strategy<Value = (Vec<RuleFacts>, Vec<Verdict>)> {
        prop::collection::vec(any_row(), 0..20).prop_map(|rows| {
            rows.into_iter()
                .enumerate()
                .map(|(at, (evidence, group, points, status))| {
                    let verdict = Verdict {
                        status,
                        points: Points::from_hundredths(points),
                    };
                    (rule(&format!("rule-{at:02}"), evidence, group), verdict)
                })
                .unzip()
        })
    }

    proptest! {
        #[test]
        fn base_and_fired_lines_are_the_sum((rules, mut verdicts) in any_login()) {
            let policy = ScorePolicy::default();
            let totals = settle(&rules, &mut verdicts, NewnessPolicy::All, policy.base, &policy);
            let ledger = lines(&rules, &verdicts, &totals);
            let fired: i32 = ledger.iter().filter(|l| l.status == LineStatus::Fired).map(|l| l.points.hundredths()).sum();
            prop_assert_eq!(policy.base.hundredths() + fired, totals.sum.hundredths());
            // Of a group at most one line with points counts, and a covered one has somebody who covers it.
            for group in GROUPS.into_iter().flatten() {
                let of = |status| rules.iter().zip(&verdicts)
                    .filter(|(r, v)| r.group == Some(group) && v.status == status && v.points != Points::ZERO).count();
                prop_assert!(of(LineStatus::Fired) <= 1);
                prop_assert!(of(LineStatus::Covered) == 0 || of(LineStatus::Fired) == 1);
            }
        }

        #[test]
        fn caps_hold_for_any_lines((rules, mut verdicts) in any_login()) {
            let policy = ScorePolicy::default();
            let totals = settle(&rules, &mut verdicts, NewnessPolicy::All, policy.base, &policy);
            let total = |evidence| -> i32 { rules.iter().zip(&verdicts)
                .filter(|(r, v)| r.evidence == evidence && v.status == LineStatus::Fired)
                .map(|(_, v)| v.points.hundredths()).sum() };
            let newness = total(Evidence::Newness) + totals.newness_cut.hundredths();
            let trust = total(Evidence::Trust) + totals.trust_given_back.hundredths();
            prop_assert!((0..=3_500).contains(&newness));
            prop_assert!((-2_500..=0).contains(&trust));
            prop_assert!(!totals.attack_fired || trust >= -newness);
            // A cap never takes more than it must.
            prop_assert!(totals.newness_cut == Points::ZERO || newness == 3_500);
            prop_assert!(totals.trust_given_back == Points::ZERO || trust == -2_500 || trust == -newness);
        }

        /// Newness alone never denies, and one more newness line never lowers the score nor silences an attack.
        #[test]
        fn newness_only_raises((mut rules, mut verdicts) in any_login(), points in 0..10_000_i32, group in 0..6_usize) {
            let policy = ScorePolicy::default();
            let mut before = verdicts.clone();
            let less = settle(&rules, &mut before, NewnessPolicy::All, policy.base, &policy);
            rules.push(rule("zz", Evidence::Newness, GROUPS[group]));
            verdicts.push(fired(points));
            let more = settle(&rules, &mut verdicts, NewnessPolicy::All, policy.base, &policy);
            let posture_alike = before.iter().zip(&verdicts).zip(&rules)
                .all(|((one, other), rule)| one.status == other.status || rule.evidence == Evidence::Newness || rule.evidence == Evidence::Trust);
            if posture_alike {
                prop_assert!(more.sum >= less.sum);
            }
            prop_assert_eq!(more.attack_fired, less.attack_fired);
            prop_assert_eq!(more.attack_may_deny, less.attack_may_deny);
            prop_assert_eq!(more.attack, less.attack);
        }
    }
}
