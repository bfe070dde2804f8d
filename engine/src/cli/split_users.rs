//! Notices users whose events come through more than one partition: then their order is not kept, and the producers split
//! by something else than the user. It remembers a bounded number of users, so it may miss some, and never invents one.

use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::admitted::{Admitted, Arrival};

/// Users remembered at once.
const SLOTS: usize = 65_536;
/// How often the log tells of it.
const TELL: Duration = Duration::from_secs(60);

/// Remembers through which input each user came last.
pub struct SplitUsers {
    state: std::hash::RandomState,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Hash of the user, hash of the input; zeros = free.
    slots: Vec<(u64, u64)>,
    told: Option<Instant>,
}

impl Default for SplitUsers {
    fn default() -> Self {
        Self {
            state: std::hash::RandomState::new(),
            inner: Mutex::new(Inner {
                slots: vec![(0, 0); SLOTS],
                told: None,
            }),
        }
    }
}

impl SplitUsers {
    /// How many of these came through another input than their user's last one.
    pub fn notice(&self, arrivals: &[Arrival]) -> u64 {
        let lines = arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::Line(line) => Some(&**line),
            Arrival::Position(_) => None,
        });
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut split = 0;
        for line in lines {
            if self.is_split(&mut inner, line) {
                split += 1;
                tell(&mut inner.told, line);
            }
        }
        split
    }

    fn is_split(&self, inner: &mut Inner, line: &Admitted) -> bool {
        let Some(user) = &line.user else { return false };
        let user = self.state.hash_one(&user.row) | 1;
        let input = self.state.hash_one(&line.origin.input.name);
        let place = usize::try_from(user >> 32).unwrap_or_default() % SLOTS;
        let Some(slot) = inner.slots.get_mut(place) else {
            return false;
        };
        let is_split = slot.0 == user && slot.1 != input;
        *slot = (user, input);
        is_split
    }
}

fn tell(told: &mut Option<Instant>, line: &Admitted) {
    if told.is_some_and(|before| before.elapsed() < TELL) {
        return;
    }
    *told = Some(Instant::now());
    tracing::warn!(
        input = line.origin.input.name,
        offset = line.origin.offset,
        "the user of this message came through another partition before: their order is not kept. Have producers use \
         the user as key, and one partitioner (`partitioner=murmur2_random`)"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::admitted::Origin;
    use crate::pipeline::dead_letter::Refusal;
    use crate::pipeline::ports::InputIdentity;
    use crate::pipeline::user_rows::UserKey;
    use crate::risk::decision::Id;
    use std::sync::Arc;

    fn arrival(user: &str, input: &str) -> Arrival {
        let origin = Origin {
            input: Arc::new(InputIdentity {
                name: input.to_owned(),
                first_line: [0; 32],
            }),
            line: 0,
            offset: 1,
        };
        let refusal = Refusal::new("x", "", String::new());
        let mut line = Admitted::new(Vec::new(), origin, Some(1), Id([0; 16]), Err(refusal));
        line.user = UserKey::of_row(&crate::pipeline::keys::user("t", user));
        Arrival::Line(Box::new(line))
    }

    #[test]
    fn a_user_of_two_partitions_is_noticed_and_nobody_else() {
        let users = SplitUsers::default();
        let (anna, bert) = (arrival("anna", "kafka:t/0"), arrival("bert", "kafka:t/1"));
        assert_eq!(users.notice(&[anna, bert]), 0);
        assert_eq!(users.notice(&[arrival("anna", "kafka:t/0")]), 0);
        assert_eq!(users.notice(&[arrival("anna", "kafka:t/1")]), 1);
    }
}
