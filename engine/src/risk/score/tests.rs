use super::*;
use crate::risk::decision::{LedgerLine, LineRule};
use crate::risk::ledger::lines;
use crate::risk::rule_facts::Effect;
use proptest::prelude::*;

fn rule(id: &str, evidence: Evidence, group: Group) -> RuleFacts {
    RuleFacts {
        id: id.into(),
        evidence,
        group,
        effect: Effect::Points,
        declared: Points::ZERO,
    }
}

fn fired(hundredths: i32) -> Verdict {
    Verdict {
        status: LineStatus::Fired,
        points: Points::from_hundredths(hundredths),
    }
}

fn settled(rows: &[(Evidence, Group, i32)]) -> (Vec<RuleFacts>, Vec<Verdict>, Totals) {
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
    let device = Group::Device;
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
    let session = Group::Session;
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
    let (rules, verdicts, totals) =
        settled(&[(Newness, Group::Device, 1_800), (Newness, Group::Network, 1_700)]);
    assert_eq!(
        (totals.newness_cut, totals.sum.hundredths()),
        (Points::ZERO, 4_500)
    );
    assert!(
        lines(&rules, &verdicts, &totals)
            .iter()
            .all(|line| line.rule != LineRule::CapNewness)
    );
    let (rules, verdicts, totals) =
        settled(&[(Newness, Group::Device, 1_800), (Newness, Group::Network, 1_701)]);
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
    let (_, _, totals) = settled(&[(Trust, Group::Device, -1_200), (Trust, Group::Network, -1_301)]);
    assert_eq!(
        (totals.trust_given_back.hundredths(), totals.sum.hundredths()),
        (1, -1_500)
    );
}

#[test]
fn beside_an_attack_trust_outweighs_newness_at_most() {
    use Evidence::{Attack, Newness, Trust};
    let (_, _, totals) = settled(&[
        (Attack, Group::Travel, 1_500),
        (Newness, Group::Device, 800),
        (Trust, Group::Network, -2_000),
    ]);
    assert_eq!(
        (totals.trust_given_back.hundredths(), totals.sum.hundredths()),
        (1_200, 2_500)
    );
    let (_, _, totals) = settled(&[(Attack, Group::Travel, 1_500), (Trust, Group::Network, -2_000)]);
    assert_eq!(totals.sum.hundredths(), 2_500);
    // The cap on newness is applied first.
    let (_, _, totals) = settled(&[
        (Attack, Group::Travel, 0),
        (Newness, Group::Device, 5_000),
        (Trust, Group::Network, -2_500),
    ]);
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
        rule("a", Evidence::Newness, Group::Device),
        rule("b", Evidence::Newness, Group::Network),
        rule("c", Evidence::Attack, Group::Device),
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
const SOME_GROUPS: [Group; 6] = [
    Group::Travel,
    Group::Device,
    Group::Network,
    Group::Crowd,
    Group::Session,
    Group::Account,
];

/// Points have the sign of their evidence.
fn any_row() -> impl Strategy<Value = (Evidence, Group, i32, LineStatus)> {
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
        prop::sample::select(SOME_GROUPS.to_vec()),
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
        for group in SOME_GROUPS {
            let of = |status| rules.iter().zip(&verdicts)
                .filter(|(r, v)| r.group == group && v.status == status && v.points != Points::ZERO).count();
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
        rules.push(rule("zz", Evidence::Newness, SOME_GROUPS[group]));
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
