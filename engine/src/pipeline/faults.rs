//! Places of a run at which a test ends the process: between any two of them lies a promise of clause S4 or S9.
//!
//! The pipeline names the place that it passes and knows nothing more; what happens there is handed in as a value. A
//! run without faults has none of it: its sinks are not wrapped, and each place costs one look at an `Option`.

use std::fmt;
use std::sync::Arc;

use crate::pipeline::committer::Sinks;
use crate::pipeline::ports::{Change, Forgot, Forgotten, Record, Seq, Sink, SinkError};
use crate::risk::decision::Id;

/// A place that a run passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// A line is no repeat and has its `now`; nothing was done with it.
    Admit,
    /// An event was decided, and its rows have changed in memory.
    Decide,
    /// A timer was taken out, and nothing was done about it.
    Timer,
    /// A commit is about to be written.
    BeforeSync,
    /// It is on disk, and the head file does not say so.
    HeadFile,
    /// It is on disk, and the head file says so.
    AfterSync,
    /// Chunks of an image of the counters are in the store, and nothing names them.
    CrowdImage,
    /// Old rows were removed.
    Retention,
    /// Another version is in force, and no commit says so.
    Reload,
    /// A way out is at a step.
    Sink(Outlet, Step),
}

/// A way out of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlet {
    /// Decisions.
    Decisions,
    /// Dead letters.
    DeadLetters,
    /// Mails.
    Mail,
    /// Alerts.
    Alerts,
}

/// What a way out is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It has committed records and published none of them.
    BeforePublish,
    /// It published them, and no cursor knows.
    AfterPublish,
    /// What it published may not be durable.
    BeforeCursor,
    /// It is durable, and the cursor waits for a commit.
    AfterCursor,
}

impl Outlet {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Decisions, Self::DeadLetters, Self::Mail, Self::Alerts];
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::BeforePublish,
        Self::AfterPublish,
        Self::BeforeCursor,
        Self::AfterCursor,
    ];
}

impl Point {
    const ALONE: [Self; 9] = [
        Self::Admit,
        Self::Decide,
        Self::Timer,
        Self::BeforeSync,
        Self::HeadFile,
        Self::AfterSync,
        Self::CrowdImage,
        Self::Retention,
        Self::Reload,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let steps = |outlet| Step::ALL.into_iter().map(move |step| Self::Sink(outlet, step));
        Self::ALONE
            .into_iter()
            .chain(Outlet::ALL.into_iter().flat_map(steps))
    }

    /// The place of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|point| point.to_string() == name)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admit => "admit",
            Self::Decide => "decide",
            Self::Timer => "timer",
            Self::BeforeSync => "before_sync",
            Self::HeadFile => "head_file",
            Self::AfterSync => "after_sync",
            Self::CrowdImage => "crowd_image",
            Self::Retention => "retention",
            Self::Reload => "reload",
            Self::Sink(outlet, step) => return write!(f, "{outlet}_{step}"),
        })
    }
}

impl fmt::Display for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decisions => "decisions",
            Self::DeadLetters => "dead_letters",
            Self::Mail => "mail",
            Self::Alerts => "alerts",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforePublish => "before_publish",
            Self::AfterPublish => "after_publish",
            Self::BeforeCursor => "before_cursor",
            Self::AfterCursor => "after_cursor",
        })
    }
}

/// What happens at a place.
type Hook = Arc<dyn Fn(Point) + Send + Sync>;

/// Hears of every place that is passed; by default nobody listens.
#[derive(Clone, Default)]
pub struct Faults(Option<Hook>);

impl Faults {
    /// `hook` is called at every place.
    #[must_use]
    pub fn new(hook: impl Fn(Point) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// A place is passed.
    pub fn pass(&self, point: Point) {
        if let Some(hook) = &self.0 {
            hook(point);
        }
    }

    /// The same ways out, with their steps as places.
    #[must_use]
    pub fn around(&self, sinks: Sinks) -> Sinks {
        if self.0.is_none() {
            return sinks;
        }
        let wrap = |outlet, sink: Option<Box<dyn Sink>>| -> Option<Box<dyn Sink>> {
            let faults = self.clone();
            sink.map(|inner| -> Box<dyn Sink> {
                Box::new(Watched {
                    outlet,
                    inner,
                    faults,
                })
            })
        };
        Sinks {
            decisions: wrap(Outlet::Decisions, sinks.decisions),
            dead_letters: wrap(Outlet::DeadLetters, sinks.dead_letters),
            mail: wrap(Outlet::Mail, sinks.mail),
            alerts: wrap(Outlet::Alerts, sinks.alerts),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.0.is_some()).finish()
    }
}

/// A way out whose steps are places.
struct Watched {
    outlet: Outlet,
    inner: Box<dyn Sink>,
    faults: Faults,
}

impl Watched {
    fn pass(&self, step: Step) {
        self.faults.pass(Point::Sink(self.outlet, step));
    }
}

impl Sink for Watched {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.inner.published_up_to()
    }

    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.pass(Step::BeforePublish);
        self.inner.publish(records)?;
        self.pass(Step::AfterPublish);
        Ok(())
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        self.pass(Step::BeforeCursor);
        let change = self.inner.acknowledge(up_to)?;
        self.pass(Step::AfterCursor);
        Ok(change)
    }

    fn forget(&mut self, user: &Forgotten<'_>) -> Result<Forgot, SinkError> {
        self.inner.forget(user)
    }

    fn forgot(&mut self) -> Result<(), SinkError> {
        self.inner.forgot()
    }

    fn expire(&mut self, alerts: &[Id]) -> Result<(), SinkError> {
        self.inner.expire(alerts)
    }

    fn moved(&mut self, up_to: Seq) -> Option<Change> {
        self.inner.moved(up_to)
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        self.inner.settle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    #[test]
    fn every_place_has_a_name_of_its_own_and_is_found_by_it() {
        let names: BTreeSet<String> = Point::all().map(|point| point.to_string()).collect();
        assert_eq!(names.len(), Point::all().count());
        assert!(Point::all().all(|point| Point::named(&point.to_string()) == Some(point)));
        assert_eq!(Point::named("nowhere"), None);
    }

    #[test]
    fn who_listens_hears_of_every_place_and_without_a_listener_nothing_happens() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let faults = Faults::new(move |point| ear.lock().unwrap().push(point));
        faults.pass(Point::Admit);
        Faults::default().pass(Point::Admit);
        assert_eq!(*heard.lock().unwrap(), [Point::Admit]);
    }
}
