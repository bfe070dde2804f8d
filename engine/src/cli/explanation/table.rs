//! The ledger as a table: points, rule with its sentence, what it saw now, what was before. Narrow terminals get the
//! last two below the sentence.

use doorward_rules::{Action, Basis, Effect, Evidence, Field, Floor, Points, Rule, Slots, render_text};

use super::blocks::{Block, Blocks, Line};
use super::facts;
use super::page::{Cell, Page, Style};
use super::text::named;
use super::words::{block, fixed, looked_at, number, signed};
use crate::risk::decision::{LineStatus, Scored};
use crate::risk::score::ScorePolicy;

/// Columns of the points: `(+16.13)` or `excepted`.
const POINTS_COLUMNS: usize = 8;
const INDENT: usize = 2;
/// From this width on, now and before stand beside the rule.
const WIDE_FROM: usize = 90;
/// The longest id of a built-in rule.
const RULE_COLUMNS_MIN: usize = 30;

/// Draws the whole ledger down to the subtotals.
pub(super) struct Table<'a> {
    pub(super) page: &'a mut Page,
    pub(super) slots: &'a Slots,
    pub(super) policy: &'a ScorePolicy,
}

/// Texts of one row.
struct Row {
    points: (String, Style),
    title: (String, Style),
    sentences: Vec<String>,
    now: Vec<String>,
    before: Vec<String>,
}

impl Table<'_> {
    pub(super) fn draw(&mut self, scored: &Scored, ledger: &Blocks<'_>) {
        self.page.heading(
            "LEDGER",
            "points add up; ten points are ten times likelier an attack",
        );
        if self.page.width() >= WIDE_FROM {
            self.cells(&Row {
                points: ("points".into(), Style::Faint),
                title: ("rule".into(), Style::Faint),
                sentences: Vec::new(),
                now: vec!["now".into()],
                before: vec!["before".into()],
            });
        }
        self.line(scored.base, "base", "where a login with a right password starts");
        for block in &ledger.blocks {
            self.block(block, ledger);
        }
        if !ledger.strangers.is_empty() {
            self.strangers(ledger);
        }
    }

    fn block(&mut self, block_of: &Block<'_>, ledger: &Blocks<'_>) {
        let (title, explained) = block(block_of.evidence);
        self.page.heading(title, explained);
        for line in block_of
            .lines
            .iter()
            .filter(|line| line.status != LineStatus::NotApplicable)
        {
            let row = self.row(line, ledger);
            self.cells(&row);
        }
        if block_of.evidence == Evidence::Trust {
            self.half_credit(block_of);
        }
        self.cap(block_of);
        for line in block_of
            .lines
            .iter()
            .filter(|line| line.status == LineStatus::NotApplicable)
        {
            self.silent(line);
        }
        self.subtotal(title, block_of.subtotal());
    }

    fn subtotal(&mut self, title: &str, points: Points) {
        let name = format!("= {}", title.to_lowercase());
        let cells = [
            Cell::new(POINTS_COLUMNS)
                .right()
                .with(Style::Strong, &signed(points)),
            Cell::new(self.rest()).with(Style::Strong, &name),
        ];
        self.page.row(INDENT, &cells);
    }

    fn row(&self, line: &Line<'_>, ledger: &Blocks<'_>) -> Row {
        let (points, style) = in_points_column(line);
        let mut sentences = vec![render_text(line.rule, |field| self.slots.get(field))];
        sentences.extend(status_note(line, ledger));
        if matches!(line.status, LineStatus::Fired | LineStatus::Covered) {
            sentences.extend(effect_note(line.rule));
            sentences.extend(basis_note(line.rule));
        }
        if matches!(line.status, LineStatus::NoData | LineStatus::Error) {
            sentences.remove(0);
        }
        Row {
            points: (points, style),
            title: (line.rule.id.clone(), Style::Strong),
            sentences,
            now: facts::now(line.rule, self.slots),
            before: facts::before(line.rule, self.slots),
        }
    }

    fn cells(&mut self, row: &Row) {
        let points = Cell::new(POINTS_COLUMNS)
            .right()
            .with(row.points.1, &row.points.0);
        if self.page.width() < WIDE_FROM {
            let rest = self.rest();
            let told = |label: &str, facts: &[String]| match facts {
                [] => Vec::new(),
                facts => vec![format!("{label}: {}", facts.join("; "))],
            };
            let text = Cell::new(rest)
                .with(row.title.1, &row.title.0)
                .with_all(Style::Plain, &row.sentences)
                .with_all(Style::Plain, &told("now", &row.now))
                .with_all(Style::Faint, &told("before", &row.before));
            return self.page.row(INDENT, &[points, text]);
        }
        let (rule, side) = self.columns();
        let cells = [
            points,
            Cell::new(rule)
                .with(row.title.1, &row.title.0)
                .with_all(Style::Plain, &row.sentences),
            Cell::new(side).with_all(Style::Plain, &row.now),
            Cell::new(side).with_all(Style::Faint, &row.before),
        ];
        self.page.row(INDENT, &cells);
    }

    /// A line without facts.
    fn line(&mut self, points: Points, title: &str, sentence: &str) {
        self.noted((signed(points), Style::Plain), title, sentence);
    }

    fn noted(&mut self, points: (String, Style), title: &str, sentence: &str) {
        let text = Cell::new(self.rest())
            .with(Style::Strong, title)
            .with(Style::Plain, sentence);
        let points = Cell::new(POINTS_COLUMNS).right().with(points.1, &points.0);
        self.page.row(INDENT, &[points, text]);
    }

    /// A rule that did not apply, with what it saw on one or few lines.
    fn silent(&mut self, line: &Line<'_>) {
        let mut told = facts::now(line.rule, self.slots);
        if told.is_empty() {
            told = facts::before(line.rule, self.slots);
        }
        if line.set_aside {
            told =
                vec!["true, but says nothing of this user: too little history, or a shared account".into()];
        }
        let points = Cell::new(POINTS_COLUMNS).right().with(Style::Faint, "–");
        let rule = match self.page.width() < WIDE_FROM {
            true => return self.silent_narrow(points, line, &told),
            false => self.columns().0,
        };
        let facts = self.rest().saturating_sub(rule + 2);
        let id = Cell::new(rule).with(Style::Faint, &line.rule.id);
        self.page.row(
            INDENT,
            &[points, id, Cell::new(facts).with(Style::Faint, &told.join("; "))],
        );
    }

    fn silent_narrow(&mut self, points: Cell, line: &Line<'_>, told: &[String]) {
        let text = format!("{}: {}", line.rule.id, told.join("; "));
        self.page.row(
            INDENT,
            &[points, Cell::new(self.rest()).with(Style::Faint, &text)],
        );
    }

    fn half_credit(&mut self, trust: &Block<'_>) {
        let Some(credit) = self.slots.get(Field::DeviceCredit).as_number() else {
            return;
        };
        let counted = trust.lines.iter().any(|line| line.status == LineStatus::Fired);
        if counted && credit > 0.0 && credit < 1.0 {
            let sentence = "half credit: the device was vouched for by a proof that can be phished or by silence, so \
                the lines about it count that share";
            self.noted(
                (format!("× {}", number(credit)), Style::Doubt),
                "credit of the device",
                sentence,
            );
        }
    }

    fn cap(&mut self, block_of: &Block<'_>) {
        let Some(points) = block_of.cap else { return };
        let sum = fixed(block_of.before_cap());
        let (title, sentence) = match block_of.evidence {
            Evidence::Newness => {
                let cap = self.policy.newness_cap;
                (
                    "cap:newness",
                    format!("newness counts at most {}; the lines add up to {sum}", fixed(cap)),
                )
            }
            _ => (
                "cap:trust",
                format!(
                    "trust counts at most {} ({} at most beside an attack line, as much as newness)",
                    fixed(block_of.subtotal()),
                    fixed(self.policy.trust_cap)
                ),
            ),
        };
        self.noted((signed(points), Style::Doubt), title, &sentence);
    }

    fn strangers(&mut self, ledger: &Blocks<'_>) {
        self.page.heading("OTHER RULES", "not in force any more");
        for line in &ledger.strangers {
            let points = match line.status {
                LineStatus::Fired => signed(line.points),
                LineStatus::Covered => format!("({})", signed(line.points)),
                other => short_status(other).to_owned(),
            };
            self.noted(
                (points, Style::Plain),
                &named(line.rule.as_str()),
                "its sentence is gone with its rule file",
            );
        }
        self.subtotal("OTHER", ledger.of_strangers());
    }

    /// Columns beside the points.
    const fn rest(&self) -> usize {
        self.page.width().saturating_sub(INDENT + POINTS_COLUMNS + 2)
    }

    /// Columns of the rule, and of now and before each.
    fn columns(&self) -> (usize, usize) {
        let free = self.rest().saturating_sub(4);
        let rule = (free * 2 / 5).max(RULE_COLUMNS_MIN);
        (rule, free.saturating_sub(rule) / 2)
    }
}

fn in_points_column(line: &Line<'_>) -> (String, Style) {
    match (line.status, line.rule.evidence) {
        (LineStatus::Fired, Evidence::Attack) => (signed(line.points), Style::Bad),
        (LineStatus::Fired, Evidence::Trust) => (signed(line.points), Style::Good),
        (LineStatus::Fired, Evidence::Newness | Evidence::Posture) => (signed(line.points), Style::Doubt),
        (LineStatus::Covered, _) => (format!("({})", signed(line.points)), Style::Faint),
        (status, _) => (short_status(status).to_owned(), Style::Faint),
    }
}

const fn short_status(status: LineStatus) -> &'static str {
    match status {
        LineStatus::NoData => "no data",
        other => other.as_str(),
    }
}

fn status_note(line: &Line<'_>, ledger: &Blocks<'_>) -> Option<String> {
    match line.status {
        LineStatus::Fired | LineStatus::NotApplicable => None,
        LineStatus::Covered => Some(
            match ledger.lines().find(|other| Block::is_covering(other, line)) {
                Some(other) => {
                    format!(
                        "covered by `{}`: both look at {}",
                        other.rule.id,
                        looked_at(line.rule.group)
                    )
                }
                None => "covered by a stronger line about the same fact".to_owned(),
            },
        ),
        LineStatus::Excepted => Some("true, but switched off by an exception".to_owned()),
        LineStatus::NoData => Some("cannot say: an input is missing".to_owned()),
        LineStatus::Error => Some("cannot say: the condition has no value".to_owned()),
    }
}

fn effect_note(rule: &Rule) -> Option<String> {
    Some(match rule.effect {
        Effect::Points => return None,
        Effect::AtLeast(Floor::Level(level)) => format!("asks for level {level} at least"),
        Effect::AtLeast(Floor::Hold) => "lets nobody in before the owner approves".to_owned(),
        Effect::AtLeast(Floor::Deny) => "lets nobody in".to_owned(),
        Effect::AtMost(Action::Allow) => "lets in whatever the sum says".to_owned(),
        Effect::AtMost(action) => format!("goes no further than {}", action.as_str().replace('_', " ")),
        Effect::Taint(factor) => format!("takes factors of type {factor} as possibly in other hands"),
    })
}

fn basis_note(rule: &Rule) -> Option<String> {
    match rule.basis {
        Basis::Assumed => None,
        Basis::Measured { n, low, high } => Some(format!("measured on {n} logins: {low} to {high}")),
    }
}
