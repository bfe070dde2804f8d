//! x
use crate::risk::decision::Decision;
/// x
pub struct ExplainInput<'a> { /// x
pub decision: &'a Decision, /// x
pub rules: &'a doorward_rules::RuleSet, /// x
pub policy: &'a crate::risk::score::ScorePolicy, /// x
pub strip: &'a [Decision], /// x
pub colour: bool }
/// x
pub fn render(input: &ExplainInput<'_>, _width: usize) -> String { let mut v = Vec::new(); crate::risk::json::write_decision(&mut v, input.decision, input.policy); String::from_utf8_lossy(&v).into_owned()+"\n" }
