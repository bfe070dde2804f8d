//! A mail that nobody picked up goes when its alert is older than decisions are kept.

#![cfg(all(unix, feature = "run"))]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/privacy.rs"]
#[expect(dead_code, reason = "it has more than this test needs")]
mod privacy;

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use privacy::{Program, fixture};
use std::fs;

fn mails(program: &Program) -> usize {
    fs::read_dir(program.path("data/mail")).expect("a folder").count()
}

/// Two mails of the story are of its first days, one is of its last.
#[test]
fn a_mail_goes_with_its_alert_and_not_before() {
    let keeping = |days| Program::with(&[("STORE_DECISIONS_DAYS", days), ("STORE_JOURNAL_DAYS", "1")]);
    for (days, left) in [("40", 1), ("400", 3)] {
        let program = keeping(days);
        program.run(&fixture("answers-and-dirt"));
        // Each later input lets the removal take a step.
        for day in 0..3 {
            let time = Timestamp::parse("2026-03-12T00:00:00Z").expect("a time");
            let time = time.plus_seconds(day * 86_400);
            let event = EventBuilder::login(&format!("later-{day}"), "t", "somebody");
            program.run_lines(&[event.address("192.0.2.1").at(time).line(), b"\n".to_vec()].concat());
        }
        assert_eq!(mails(&program), left, "{days} days");
    }
}
