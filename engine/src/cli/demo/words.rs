//! What the demo says at its end: figures, three ledgers, a mail or two, and what to try next.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use super::Played;
use super::outcome::{Asked, Caught, Figures, Tried};
use crate::alerts::alert::Alert;
use crate::cli::exit::CliError;
use crate::cli::explain;
use crate::generate::{FactorClass, Life};
use crate::io::mail::preview;
use crate::pipeline::engine::Engine;
use crate::pipeline::ports::Store;
use crate::risk::decision::{Action, Decision};

/// Mails that are shown.
const MAILS_SHOWN: usize = 2;
/// Columns of the ledgers.
const WIDTH: usize = 100;
/// Scenarios of owners who are away.
const AWAY: [&str; 3] = ["hotel", "mobile-abroad", "airport"];

/// Everything the words are made of.
pub struct Summary<'a> {
    /// The demo's folder.
    pub folder: &'a Path,
    /// The life.
    pub life: &'a Life,
    /// All decisions.
    pub decisions: &'a [Decision],
    /// All alerts.
    pub alerts: &'a [Alert],
    /// All scored attempts.
    pub tried: &'a [Tried],
    /// Figures of them.
    pub figures: &'a Figures,
    /// What this start did.
    pub played: &'a Played,
    /// The engine in force.
    pub engine: &'a Engine,
    /// The store.
    pub store: &'a dyn Store,
}

impl Summary<'_> {
    /// The whole text.
    ///
    /// # Errors
    /// When the store fails.
    pub fn text(&self) -> Result<String, CliError> {
        let mut out = String::new();
        self.ledgers(&mut out)?;
        self.mails(&mut out);
        // Writing to a string cannot fail.
        let _ = self.figures(&mut out);
        let _ = self.next(&mut out);
        Ok(out)
    }

    fn ledgers(&self, out: &mut String) -> Result<(), CliError> {
        for (title, tried) in [
            ("A stolen password", self.stolen_password()),
            ("A traveller", self.traveller()),
            ("An ordinary login", self.ordinary()),
        ] {
            if let Some(tried) = tried {
                let _ = writeln!(out, "{title}\n{}\n", "=".repeat(title.len()));
                out.push_str(&explain::page(
                    &tried.last,
                    self.engine,
                    self.store,
                    WIDTH,
                    false,
                )?);
                out.push('\n');
            }
        }
        Ok(())
    }

    fn stolen_password(&self) -> Option<&Tried> {
        let with_factor = |tried: &&Tried| tried.planted_takeover && tried.factor == FactorClass::Enrolled;
        let simple = |tried: &&Tried| with_factor(tried) && tried.scenario == "naive-hosting";
        self.tried
            .iter()
            .find(simple)
            .or_else(|| self.tried.iter().find(with_factor))
    }

    fn traveller(&self) -> Option<&Tried> {
        let away = |tried: &&Tried| tried.by_owner && tried.granted && AWAY.contains(&tried.scenario);
        let calm = |tried: &&Tried| {
            away(tried)
                && tried
                    .last
                    .scored
                    .as_ref()
                    .is_some_and(|scored| scored.action == Action::Allow && scored.ledger.len() > 1)
        };
        self.tried
            .iter()
            .rev()
            .find(calm)
            .or_else(|| self.tried.iter().find(away))
    }

    fn ordinary(&self) -> Option<&Tried> {
        self.tried
            .iter()
            .rev()
            .find(|tried| tried.by_owner && tried.granted && tried.scenario == "home" && !tried.told)
    }

    fn mails(&self, out: &mut String) {
        let due: Vec<&Alert> = self
            .alerts
            .iter()
            .filter(|alert| alert.held_back.is_none())
            .collect();
        for alert in due.iter().rev().take(MAILS_SHOWN).rev() {
            if let Ok(text) = preview(alert) {
                let _ = writeln!(
                    out,
                    "A mail ({}/mail/{}.eml)\n{text}\n",
                    self.folder.display(),
                    alert.id
                );
            }
        }
    }

    fn figures(&self, out: &mut String) -> fmt::Result {
        let played = self.played;
        if played.events == 0 {
            writeln!(
                out,
                "Nothing new: all {} events of this life had been decided before.\n",
                self.decisions.len()
            )?;
        }
        let title = "What came of it";
        writeln!(out, "{title}\n{}", "=".repeat(title.len()))?;
        writeln!(out, "{}", self.life.describe())?;
        writeln!(out, "events decided        {}", self.decisions.len())?;
        if played.events > 0 {
            let speed = played.events as f64 / played.seconds.max(1e-3);
            writeln!(
                out,
                "                      {:.0} events/s, store and mails included",
                speed
            )?;
        }
        for (who, actions) in ["owners", "strangers"].iter().zip(&self.figures.actions) {
            let counts = Action::ALL
                .iter()
                .zip(actions)
                .map(|(action, count)| format!("{} {count}", action.as_str()));
            writeln!(
                out,
                "attempts of {who:<9} {}",
                counts.collect::<Vec<_>>().join(", ")
            )?;
        }
        self.alert_figures(out)?;
        asked(out, "owners, logins 1 to 5", &self.figures.first)?;
        asked(out, "owners, later logins", &self.figures.later)?;
        caught(
            out,
            "takeovers, a factor enrolled or not known",
            &self.figures.factor,
        )?;
        caught(out, "takeovers, no further factor", &self.figures.no_factor)?;
        for broken in self.figures.broken() {
            writeln!(out, "NOT AS PROMISED: {broken}")?;
        }
        Ok(())
    }

    fn alert_figures(&self, out: &mut String) -> fmt::Result {
        let mut told: BTreeMap<&str, u64> = BTreeMap::new();
        let mut held: BTreeMap<&str, u64> = BTreeMap::new();
        for alert in self.alerts {
            match alert.held_back {
                None => *told.entry(&alert.kind).or_default() += 1,
                Some(why) => *held.entry(why.as_str()).or_default() += 1,
            }
        }
        writeln!(out, "alerts                {}", self.alerts.len())?;
        writeln!(out, "mails sent            {}", list(&told))?;
        writeln!(out, "mails held back       {}", list(&held))
    }

    fn next(&self, out: &mut String) -> fmt::Result {
        let folder = self.folder.display();
        let id = self
            .stolen_password()
            .map_or("EVENT_ID", |tried| &tried.last.event_id);
        writeln!(out, "\nTry next")?;
        writeln!(out, "  doorward explain --data {folder} --id {id}")?;
        writeln!(
            out,
            "  doorward --config {folder}/doorward.toml replay --events {folder}/events.ndjson --decisions -"
        )?;
        writeln!(out, "  doorward demo --seed 2 --data {folder}-2")?;
        writeln!(out, "  doorward rules test")?;
        writeln!(
            out,
            "The mails are in {folder}/mail, the decisions in {folder}/decisions.ndjson."
        )
    }
}

fn list(counts: &BTreeMap<&str, u64>) -> String {
    let total: u64 = counts.values().sum();
    let parts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if parts.is_empty() {
        "0".to_owned()
    } else {
        format!("{total} ({})", parts.join(", "))
    }
}

fn asked(out: &mut String, what: &str, asked: &Asked) -> fmt::Result {
    writeln!(
        out,
        "{what:<21} {} granted: {:.2} % challenged (asked {}, held {}), told {}",
        asked.attempts,
        asked.share() * 100.0,
        asked.asked,
        asked.held,
        asked.told
    )
}

fn caught(out: &mut String, what: &str, caught: &Caught) -> fmt::Result {
    writeln!(
        out,
        "{what}: {} planted, {} challenged, {} told, {} missed",
        caught.attempts, caught.challenged, caught.told, caught.missed
    )
}
