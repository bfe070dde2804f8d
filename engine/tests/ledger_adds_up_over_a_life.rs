//! Three generated lives through the real program: for every scored decision the ledger adds up to the score, exactly
//! and in hundredths, and the action is the one that the sum, the lines and the application's settings ask for. The
//! sum and the six cases are written here a second time, from the words of the scale, as an oracle.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use doorward::event::{Limits, parse};
use doorward::generate::{Life, Plan};
use doorward_rules::{Effect, Evidence, Floor, Group, Rule, RuleSet};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Three applications that are not as the others.
const SETTINGS: &str = "
[app.shop]
base = 14.5
[app.portal]
sensitivity = \"high\"
[app.webmail]
unreachable = \"hold\"
";
const LEVEL2_FROM: i32 = 2_500;
const LEVEL3_FROM: i32 = 5_000;
const DENY_FROM: i32 = 7_500;
const NEWNESS_CAP: i32 = 3_500;
const TRUST_CAP: i32 = -2_500;
/// Attack lines of so many points hold a login that can prove no more.
const HOLD_ATTACK_FROM: i32 = 1_000;

/// A line of the decision file; numbers as they stand there, so that no float comes in between.
#[derive(Deserialize)]
struct Line<'a> {
    event_id: String,
    r#type: String,
    action: Option<String>,
    required_level: Option<u8>,
    achieved_level: Option<u8>,
    #[serde(borrow)]
    base: Option<&'a RawValue>,
    #[serde(borrow)]
    score: Option<&'a RawValue>,
    band: Option<String>,
    #[serde(borrow)]
    ledger: Option<Vec<LedgerLine<'a>>>,
    step_up: Option<StepUp>,
}

#[derive(Deserialize)]
struct LedgerLine<'a> {
    rule: String,
    status: String,
    #[serde(borrow)]
    points: &'a RawValue,
}

#[derive(Deserialize)]
struct StepUp {
    level: u8,
    factors: Vec<serde_json::Value>,
}

/// `-16.1` is -1610. Anything but a decimal of at most two digits is no number of points.
fn hundredths(number: &RawValue) -> i32 {
    let text = number.get();
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    assert!(cents.len() <= 2 && !cents.ends_with('0'), "{text}");
    let digits = format!("{whole}{cents:0<2}");
    digits.parse().unwrap_or_else(|_| panic!("{text} are no points"))
}

/// A line with its rule; caps have none.
struct Entry<'a> {
    rule: Option<&'a Rule>,
    name: &'a str,
    status: &'a str,
    points: i32,
}

impl Entry<'_> {
    fn fired(&self) -> bool {
        self.status == "fired"
    }

    /// True, though another line may count in its place.
    fn holds(&self) -> bool {
        self.fired() || self.status == "covered"
    }

    fn is(&self, evidence: Evidence) -> bool {
        self.rule.is_some_and(|rule| rule.evidence == evidence)
    }
}

/// One scored decision with all that the oracle looks at.
struct Case<'a> {
    entries: Vec<Entry<'a>>,
    sum: i32,
    required: u8,
    achieved: u8,
    action: &'a str,
    step_up: Option<&'a StepUp>,
    app: &'a str,
    /// Whether the application told which factors are enrolled.
    told: bool,
}

impl Case<'_> {
    fn total(&self, counts: impl Fn(&Entry<'_>) -> bool) -> i32 {
        let entries = self.entries.iter().filter(|entry| entry.fired() && counts(entry));
        entries.map(|entry| entry.points).sum()
    }

    fn cap(&self, name: &str) -> i32 {
        self.total(|entry| entry.name == name)
    }

    /// The strongest attack line of each group, added up.
    fn attack(&self) -> i32 {
        let mut strongest: BTreeMap<String, i32> = BTreeMap::new();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.holds() && entry.is(Evidence::Attack))
        {
            let group = group(entry);
            let most = strongest.entry(group).or_default();
            *most = entry.points.max(*most);
        }
        strongest.values().sum()
    }

    /// Highest level that rules ask for, of all or of attack rules alone.
    fn floor(&self, attack_only: bool) -> u8 {
        let held = self.entries.iter().filter(|entry| entry.holds());
        held.filter(|entry| !attack_only || entry.is(Evidence::Attack))
            .filter_map(|entry| match entry.rule?.effect {
                Effect::AtLeast(Floor::Level(level)) => Some(level),
                _ => None,
            })
            .max()
            .unwrap_or(1)
    }

    fn is_high(&self) -> bool {
        self.app == "portal"
    }

    fn wanted_level(&self) -> u8 {
        let by_points = 1 + u8::from(self.sum >= LEVEL2_FROM) + u8::from(self.sum >= LEVEL3_FROM);
        (by_points + u8::from(self.is_high()))
            .min(3)
            .max(self.floor(false))
    }

    fn is_denied(&self) -> bool {
        let may_deny = |entry: &Entry<'_>| {
            entry.rule.is_some_and(|rule| {
                matches!(
                    rule.group,
                    Group::Crowd | Group::Guessing | Group::Session | Group::Device
                )
            })
        };
        let attacked = self
            .entries
            .iter()
            .any(|entry| entry.holds() && entry.is(Evidence::Attack) && may_deny(entry));
        self.sum >= DENY_FROM && attacked && self.achieved < 3
    }

    /// The answer when nothing that is enrolled helps.
    fn out_of_reach(&self) -> &'static str {
        let attacked = self.floor(true) > self.achieved || self.attack() >= HOLD_ATTACK_FROM;
        let precious = self.is_high() && self.sum >= LEVEL2_FROM;
        if attacked || precious || self.app == "webmail" {
            "hold"
        } else {
            "allow"
        }
    }

    fn check_sum(&self, what: &str) {
        let newness = self.total(|entry| entry.is(Evidence::Newness));
        let trust = self.total(|entry| entry.is(Evidence::Trust));
        let attacked = self
            .entries
            .iter()
            .any(|entry| entry.holds() && entry.is(Evidence::Attack));
        let capped = newness.min(NEWNESS_CAP);
        assert_eq!(self.cap("cap:newness"), capped - newness, "{what}");
        let least = if attacked {
            TRUST_CAP.max(-capped)
        } else {
            TRUST_CAP
        };
        assert_eq!(self.cap("cap:trust"), trust.max(least) - trust, "{what}");
    }

    /// In each group one line counts; what it covers counts less.
    fn check_groups(&self, what: &str) {
        let mut counting: BTreeMap<String, i32> = BTreeMap::new();
        let rules = || {
            self.entries
                .iter()
                .filter(|entry| entry.rule.is_some() && entry.points != 0)
        };
        for entry in rules().filter(|entry| entry.fired()) {
            let twice = counting.insert(group(entry), entry.points);
            assert_eq!(twice, None, "{what}: two lines of group {}", group(entry));
        }
        for entry in rules().filter(|entry| entry.status == "covered") {
            let strongest = counting.get(&group(entry)).expect("a line that covers it");
            let behind = if *strongest > 0 {
                entry.points <= *strongest
            } else {
                entry.points >= *strongest
            };
            assert!(behind, "{what}: {} is stronger than what covers it", entry.name);
        }
    }

    fn check_action(&self, what: &str) {
        assert_eq!(self.required, self.wanted_level(), "{what}: required level");
        let wanted: &[&str] = if self.is_denied() {
            &["deny"]
        } else if self.achieved >= self.required {
            &["allow"]
        } else if !self.told {
            &["step_up"]
        } else if self.action == "step_up" {
            // Which factors help is another page's business; that some do is this one's.
            &["step_up"]
        } else {
            &[self.out_of_reach()]
        };
        assert!(
            wanted.contains(&self.action),
            "{what}: {} and not {wanted:?}",
            self.action
        );
        match (self.action, self.step_up) {
            ("step_up", Some(advice)) => {
                assert_eq!(advice.factors.is_empty(), !self.told, "{what}: factors to use");
                assert!(
                    (self.achieved + 1..=self.required).contains(&advice.level),
                    "{what}: level {}",
                    advice.level
                );
            }
            ("step_up", None) => panic!("{what}: no word on how to step up"),
            ("hold", _) => {}
            (_, advice) => assert!(advice.is_none(), "{what}: nothing is to be proven"),
        }
    }
}

fn group(entry: &Entry<'_>) -> String {
    entry
        .rule
        .map_or_else(String::new, |rule| format!("{:?}", rule.group))
}

/// What came of all lives, so that a test that sees too little fails.
#[derive(Default, Debug)]
struct Seen {
    actions: BTreeMap<String, usize>,
    caps: BTreeSet<String>,
    unscored: usize,
    covered: usize,
    clamped: usize,
}

fn decisions(life: &Life) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let lines: Vec<&[u8]> = life.events.iter().map(|event| event.bytes.as_slice()).collect();
    fs::write(folder.join("events"), lines.join(&b'\n')).expect("a temporary folder");
    fs::write(folder.join("doorward.toml"), SETTINGS).expect("a temporary folder");
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["replay", "--events", "events", "--decisions", "decisions"])
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_GEOIP_CITY", geo.join("doorward-test-city.mmdb"))
        .env("DOORWARD_GEOIP_ASN", geo.join("doorward-test-asn.csv"))
        .env("DOORWARD_GEOIP_LISTS", geo.join("doorward-test-networks.list"))
        .output()
        .expect("the program starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read_to_string(folder.join("decisions")).expect("decisions")
}

/// Application of each event, and whether it or an earlier event of its attempt told what is enrolled.
fn facts(life: &Life) -> BTreeMap<String, (String, bool)> {
    let mut told_in = BTreeMap::new();
    let mut facts = BTreeMap::new();
    for event in &life.events {
        let parsed = parse(&event.bytes, &Limits::DEFAULT).expect("an event");
        let told = parsed.auth.enrolled.is_some();
        let told = match parsed.attempt.id {
            Some(attempt) => {
                let before = told_in.entry(attempt).or_insert(false);
                *before |= told;
                *before
            }
            None => told,
        };
        let app = parsed.app.id.map(String::from).unwrap_or_default();
        facts.insert(event.id.clone(), (app, told));
    }
    facts
}

fn entries<'a>(ledger: &'a [LedgerLine<'a>], rules: &'a RuleSet) -> Vec<Entry<'a>> {
    let find = |id: &str| rules.rules().iter().find(|rule| rule.id == id);
    ledger
        .iter()
        .map(|line| Entry {
            rule: find(&line.rule),
            name: &line.rule,
            status: &line.status,
            points: hundredths(line.points),
        })
        .collect()
}

fn check_order(entries: &[Entry<'_>], what: &str) {
    let caps = entries
        .iter()
        .position(|entry| entry.rule.is_none())
        .unwrap_or(entries.len());
    let (rules, caps) = entries.split_at(caps);
    assert!(
        rules.is_sorted_by(|one, next| one.name < next.name),
        "{what}: order of rules"
    );
    for cap in caps {
        assert!(
            cap.name.starts_with("cap:") && cap.fired() && cap.points != 0,
            "{what}: {}",
            cap.name
        );
    }
    for entry in entries {
        assert!(
            ["fired", "covered", "no_data"].contains(&entry.status),
            "{what}: {}",
            entry.status
        );
    }
}

fn check_scored(line: &Line<'_>, facts: &(String, bool), rules: &RuleSet, seen: &mut Seen) {
    let what = &line.event_id;
    let ledger = line.ledger.as_deref().expect("a ledger");
    let entries = entries(ledger, rules);
    check_order(&entries, what);
    let base = hundredths(line.base.expect("a base"));
    let (app, told) = facts;
    assert_eq!(
        base,
        if app == "shop" { 1_450 } else { 1_000 },
        "{what}: base of {app}"
    );
    let points: i32 = entries
        .iter()
        .filter(|entry| entry.fired())
        .map(|entry| entry.points)
        .sum();
    let sum = base + points;
    let score = hundredths(line.score.expect("a score"));
    assert_eq!(
        score,
        sum.clamp(0, 10_000),
        "{what}: base and fired lines are not the score"
    );
    let band = match score {
        LEVEL3_FROM.. => "high",
        LEVEL2_FROM.. => "medium",
        _ => "low",
    };
    assert_eq!(line.band.as_deref(), Some(band), "{what}");
    seen.covered += entries.iter().filter(|entry| entry.status == "covered").count();
    seen.clamped += usize::from(score != sum);
    let caps = entries.iter().filter(|entry| entry.rule.is_none());
    seen.caps.extend(caps.map(|entry| entry.name.to_owned()));
    let case = Case {
        entries,
        sum,
        required: line.required_level.expect("a required level"),
        achieved: line.achieved_level.expect("an achieved level"),
        action: line.action.as_deref().expect("an action"),
        step_up: line.step_up.as_ref(),
        app,
        told: *told,
    };
    *seen.actions.entry(case.action.to_owned()).or_default() += 1;
    case.check_sum(what);
    case.check_groups(what);
    case.check_action(what);
}

fn check_life(seed: u64, rules: &RuleSet, seen: &mut Seen) {
    let life = Life::new(Plan {
        seed,
        ..Plan::default()
    })
    .expect("a plan within its bounds");
    let facts = facts(&life);
    let told = decisions(&life);
    assert!(told.lines().count() >= life.events.len(), "not all was decided");
    for line in told.lines() {
        let line: Line<'_> = serde_json::from_str(line).expect("a decision");
        if line.action.is_some() {
            check_scored(&line, &facts[&line.event_id], rules, seen);
        } else {
            let parts = [
                line.score.is_some(),
                line.base.is_some(),
                line.ledger.is_some(),
                line.band.is_some(),
            ];
            let levels = [
                line.required_level.is_some(),
                line.achieved_level.is_some(),
                line.step_up.is_some(),
            ];
            assert!(
                !parts.contains(&true) && !levels.contains(&true),
                "{} is half scored",
                line.event_id
            );
            assert!(!line.r#type.is_empty());
            seen.unscored += 1;
        }
    }
}

#[test]
fn every_score_is_the_sum_of_its_lines_and_every_action_follows_from_it() {
    let rules = RuleSet::builtin().expect("sound rules");
    let mut seen = Seen::default();
    for seed in 1..=3 {
        check_life(seed, &rules, &mut seen);
    }
    let count = |action: &str| seen.actions.get(action).copied().unwrap_or_default();
    assert!(count("allow") > 5_000 && count("step_up") > 100, "{seen:?}");
    assert!(count("hold") > 5 && count("deny") > 0, "{seen:?}");
    assert!(
        seen.caps.len() == 2 && seen.clamped > 100 && seen.covered > 20 && seen.unscored > 100,
        "{seen:?}"
    );
}
