//! A rule set: rules that are checked, in order, with a hash that names them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Fault};
use crate::given::BaseLogins;
use crate::rule::{Outcome, Rule};
use crate::rule_file::read_rule;
use crate::slots::Slots;

/// Part of every hash: raised when the same file would come to mean something else.
const LANGUAGE_VERSION: &str = "doorward-rules/1";

/// The text of one rule file and how it is called in diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// A path; its last part is the rule's id and `.toml`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// The place of a rule in its rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(u16);

impl RuleIndex {
    /// The place as a number, from 0, in the order of rule ids.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::from(self.0)
    }
}

/// What one rule of a set says about one login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which rule.
    pub rule: RuleIndex,
    /// What it says.
    pub outcome: Outcome,
}

/// Rules, sorted by id.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    hash: [u8; 32],
}

/// The most rules one set holds.
pub const RULES_MAX: usize = 4_096;

impl RuleSet {
    /// Reads and checks rule files, in any order.
    ///
    /// # Errors
    /// Every fault of every file, sorted by path and place.
    pub fn from_sources(sources: &[RuleSource]) -> Result<RuleSet, Vec<Diagnostic>> {
        let bases = BaseLogins::builtin()?;
        let mut faults = Vec::new();
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for source in sources {
            match read_rule(source, &bases) {
                Ok(rule) => match rules.get(&rule.id) {
                    Some(other) => faults.push(twice(source, other)),
                    None if rules.len() == RULES_MAX => faults.push(too_many(source)),
                    None => {
                        rules.insert(rule.id.clone(), rule);
                    }
                },
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            let rules: Vec<Rule> = rules.into_values().collect();
            let hash = hash_of(&rules);
            return Ok(RuleSet { rules, hash });
        }
        faults.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        Err(faults)
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule at a place of this set.
    #[must_use]
    pub fn get(&self, index: RuleIndex) -> Option<&Rule> {
        self.rules.get(index.as_usize())
    }

    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.index(id).and_then(|index| self.get(index))
    }

    /// The place of the rule with this id.
    #[must_use]
    pub fn index(&self, id: &str) -> Option<RuleIndex> {
        let place = self
            .rules
            .binary_search_by(|rule| rule.id.as_str().cmp(id))
            .ok()?;
        u16::try_from(place).ok().map(RuleIndex)
    }

    /// SHA-256 over the version of the language and the text of every file (line ends as `\n`),
    /// independent of paths and of the order of the sources.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// What the rules that count say, one verdict each, in order. Empties `out` first, and does
    /// not allocate while `out` has capacity.
    pub fn evaluate(&self, slots: &Slots, out: &mut Vec<Verdict>) {
        self.evaluate_where(Rule::counts, slots, out);
    }

    /// What the experimental and shadow rules say; nothing may follow from it.
    pub fn evaluate_shadow(&self, slots: &Slots, out: &mut Vec<Verdict>) {
        self.evaluate_where(|rule| !rule.counts(), slots, out);
    }

    /// What the rules that count say, in order. Does not allocate.
    #[inline]
    pub fn outcomes<'a>(&'a self, slots: &'a Slots) -> impl Iterator<Item = Outcome> + 'a {
        let counting = self.rules.iter().filter(|rule| rule.counts());
        counting.map(|rule| rule.evaluate(slots))
    }

    fn evaluate_where(&self, wanted: fn(&Rule) -> bool, slots: &Slots, out: &mut Vec<Verdict>) {
        out.clear();
        let numbered = (0_u16..).zip(&self.rules);
        out.extend(
            numbered
                .filter(|(_, rule)| wanted(rule))
                .map(|(place, rule)| Verdict {
                    rule: RuleIndex(place),
                    outcome: rule.evaluate(slots),
                }),
        );
    }
}

fn twice(source: &RuleSource, other: &Rule) -> Diagnostic {
    let fault = Fault::new(format!("the rule `{}` is there twice", other.id))
        .help(format!("the other one is `{}`", other.path));
    Diagnostic::at(&source.path, &source.text, 0..0, fault)
}

fn too_many(source: &RuleSource) -> Diagnostic {
    let fault = Fault::new(format!("there are more than {RULES_MAX} rules"));
    Diagnostic::at(&source.path, &source.text, 0..0, fault)
}

fn hash_of(rules: &[Rule]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let texts = std::iter::once(LANGUAGE_VERSION).chain(rules.iter().map(|rule| rule.source.as_str()));
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}
