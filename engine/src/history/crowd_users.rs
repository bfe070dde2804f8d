//! Which users failed and got in at one address, prefix or device in the last hour: exact up to a limit per key, and
//! by the second, because a rule asks for ten of them.
//!
//! Keys live in two generations. A key that is touched moves to the young one; when an hour has passed, or the young
//! one holds half of what is allowed, the old one is forgotten and the young one becomes old. So what is forgotten
//! was not touched for an hour, or for half of all keys; memory is bounded, and the same events forget the same keys.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::codec::CodecError;
use super::crowd_image::{Chunks, Entries, Section};
use super::time::{HOUR, Seconds};
use super::wire::{Reader, Writer};

/// A window ends at `now` and is open at its begin.
const WINDOW: Seconds = HOUR;
/// Long before any window.
const NEVER: u32 = 0;

/// Distinct users of one key in the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsersSeen {
    /// Who tried, with whatever outcome.
    pub seen: u32,
    /// Who failed at least once.
    pub failed: u32,
    /// Who got in at least once.
    pub succeeded: u32,
}

impl UsersSeen {
    /// Users who got in as a part of those seen; `None` if nobody was.
    #[must_use]
    pub fn success_share(&self) -> Option<f64> {
        (self.seen > 0).then(|| f64::from(self.succeeded) / f64::from(self.seen))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct UserTimes {
    user: u64,
    seen: u32,
    failed: u32,
    succeeded: u32,
}

impl UserTimes {
    const fn new(user: u64) -> Self {
        Self {
            user,
            seen: NEVER,
            failed: NEVER,
            succeeded: NEVER,
        }
    }

    fn write(&self, out: &mut Writer) {
        out.low_bytes(self.user, 8);
        out.number(self.seen.into());
        for stamp in [self.failed, self.succeeded] {
            // Most users did only one of both, and that when they were last seen.
            match stamp {
                NEVER => out.number(0),
                stamp if stamp == self.seen => out.number(1),
                stamp => out.number(u64::from(stamp) + 1),
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        const WRONG: &str = "time of a user";
        let user = reader.low_bytes(8)?;
        let seen = reader.narrow(WRONG)?;
        let mut stamp = || match reader.number()? {
            0 => Ok(NEVER),
            1 => Ok(seen),
            later => u32::try_from(later - 1).map_err(|_| CodecError::Damaged(WRONG)),
        };
        Ok(Self {
            user,
            seen,
            failed: stamp()?,
            succeeded: stamp()?,
        })
    }
}

/// The users of one key; most keys have one, which then needs no memory of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Users {
    One(UserTimes),
    Many(Vec<UserTimes>),
}

impl Users {
    fn all(&self) -> &[UserTimes] {
        match self {
            Self::One(user) => std::slice::from_ref(user),
            Self::Many(users) => users,
        }
    }

    /// Removes a user; how many that were.
    fn forget(&mut self, user: u64) -> usize {
        let before = self.all().len();
        match self {
            Self::One(known) if known.user == user => *self = Self::Many(Vec::new()),
            Self::One(_) => {}
            Self::Many(users) => users.retain(|known| known.user != user),
        }
        before - self.all().len()
    }

    fn times_of(&mut self, user: u64) -> Option<&mut UserTimes> {
        match self {
            Self::One(known) => Some(known).filter(|known| known.user == user),
            Self::Many(users) => users.iter_mut().find(|known| known.user == user),
        }
    }

    /// Adds a user. A list about to double drops those whose hour is over; at the limit the one seen longest ago goes.
    /// When that happens follows from the number of users alone, not from how memory is allotted.
    fn push(&mut self, user: u64, stamp: u32, users_max: usize) {
        let open = stamp.saturating_sub(WINDOW as u32);
        let new = UserTimes::new(user);
        match self {
            Self::One(known) if known.seen <= open || users_max <= 1 => *known = new,
            Self::One(known) => *self = Self::Many(vec![*known, new]),
            Self::Many(users) => {
                if users.len().is_power_of_two() || users.len() >= users_max {
                    users.retain(|known| known.seen > open);
                }
                if users.len() >= users_max {
                    remove_oldest(users);
                }
                users.push(new);
            }
        }
    }
}

fn remove_oldest(users: &mut Vec<UserTimes>) {
    let oldest = users
        .iter()
        .enumerate()
        .min_by_key(|(index, known)| (known.seen, *index));
    if let Some((index, _)) = oldest {
        users.remove(index);
    }
}

type Generation = HashMap<u64, Users, FixedState>;

/// The users of all keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserTable {
    young: Generation,
    old: Generation,
    young_users: usize,
    rotated: Seconds,
    keys_max: usize,
    users_max: usize,
    users_per_key_max: usize,
}

impl UserTable {
    pub(super) fn new(keys_max: usize, users_max: usize, users_per_key_max: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            young_users: 0,
            rotated: Seconds::MIN,
            keys_max: keys_max.max(2),
            users_max: users_max.max(2),
            users_per_key_max: users_per_key_max.max(1),
        }
    }

    /// Distinct users of a key in the hour before `now`.
    pub(super) fn read(&self, key: u64, now: Seconds) -> UsersSeen {
        let Some(users) = self.young.get(&key).or_else(|| self.old.get(&key)) else {
            return UsersSeen::default();
        };
        let open = window_begin(now);
        users
            .all()
            .iter()
            .fold(UsersSeen::default(), |sum, user| UsersSeen {
                seen: sum.seen + u32::from(user.seen > open),
                failed: sum.failed + u32::from(user.failed > open),
                succeeded: sum.succeeded + u32::from(user.succeeded > open),
            })
    }

    /// Notes a user at `now`.
    pub(super) fn add(&mut self, key: u64, user: u64, failed: bool, succeeded: bool, now: Seconds) {
        self.rotate(now);
        let stamp = stamp_of(now);
        let (young, old) = (&mut self.young, &mut self.old);
        let held = &mut self.young_users;
        let users = young.entry(key).or_insert_with(|| {
            let users = old
                .remove(&key)
                .unwrap_or_else(|| Users::One(UserTimes::new(user)));
            *held += users.all().len();
            users
        });
        if users.times_of(user).is_none() {
            *held = held.saturating_sub(users.all().len());
            users.push(user, stamp, self.users_per_key_max);
            *held += users.all().len();
        }
        if let Some(times) = users.times_of(user) {
            times.seen = stamp;
            times.failed = if failed { stamp } else { times.failed };
            times.succeeded = if succeeded { stamp } else { times.succeeded };
        }
    }

    /// Forgets a user of all keys.
    pub(super) fn forget(&mut self, user: u64) {
        let without = |generation: &mut Generation| {
            let mut gone = 0;
            generation.retain(|_, users| {
                gone += users.forget(user);
                !users.all().is_empty()
            });
            gone
        };
        let young = without(&mut self.young);
        self.young_users = self.young_users.saturating_sub(young);
        without(&mut self.old);
    }

    /// Both generations, and when they changed.
    pub(super) fn write(&self, chunks: &mut Chunks) {
        chunks.section(Section::Rotation);
        chunks.entry(0).signed(self.rotated);
        write_generation(&self.young, Section::Young, chunks);
        write_generation(&self.old, Section::Old, chunks);
    }

    pub(super) fn decode_rotation(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        while let Some((_, reader)) = entries.next()? {
            self.rotated = reader.signed()?;
        }
        Ok(())
    }

    pub(super) fn decode_young(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        self.young_users += read_generation(&mut self.young, self.users_per_key_max, entries)?;
        self.within_limits()
    }

    pub(super) fn decode_old(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        read_generation(&mut self.old, self.users_per_key_max, entries)?;
        self.within_limits()
    }

    fn within_limits(&self) -> Result<(), CodecError> {
        if self.keys() > self.keys_max {
            return Err(CodecError::Damaged("number of keys with users"));
        }
        Ok(())
    }

    /// Keys held, for limits and tests.
    pub(super) fn keys(&self) -> usize {
        self.young.len() + self.old.len()
    }

    fn rotate(&mut self, now: Seconds) {
        let full = self.young.len() >= self.keys_max / 2 || self.young_users >= self.users_max / 2;
        if full || now.saturating_sub(self.rotated) >= WINDOW {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
            self.young_users = 0;
            self.rotated = now;
        }
    }
}

/// Users of one key in one entry: a list longer than this goes on in the next one.
const USERS_IN_ENTRY: usize = 512;
const ONE: u8 = 0;
const MANY: u8 = 1;
const MORE: u8 = 2;

fn write_generation(generation: &Generation, section: Section, chunks: &mut Chunks) {
    chunks.section(section);
    let mut keys: Vec<(&u64, &Users)> = generation.iter().collect();
    keys.sort_unstable_by_key(|(key, _)| **key);
    for (key, users) in keys {
        let mut tag = match users {
            Users::One(_) => ONE,
            Users::Many(_) => MANY,
        };
        for part in users.all().chunks(USERS_IN_ENTRY) {
            let out = chunks.entry(*key);
            out.byte(tag);
            out.number(part.len() as u64);
            part.iter().for_each(|user| user.write(out));
            tag = MORE;
        }
    }
}

/// How many users were read.
fn read_generation(
    generation: &mut Generation,
    users_max: usize,
    entries: &mut Entries<'_>,
) -> Result<usize, CodecError> {
    const WRONG: &str = "users of a key";
    let mut read = 0;
    while let Some((key, reader)) = entries.next()? {
        let tag = reader.byte()?;
        let count = reader.count(USERS_IN_ENTRY, WRONG)?;
        let users = (0..count)
            .map(|_| UserTimes::decode(reader))
            .collect::<Result<Vec<_>, _>>()?;
        read += count;
        match (tag, users.as_slice(), generation.get_mut(&key)) {
            (ONE, [user], None) => generation.insert(key, Users::One(*user)),
            (MANY, [_, ..], None) if count <= users_max => generation.insert(key, Users::Many(users)),
            (MORE, [_, ..], Some(Users::Many(known))) if known.len() + count <= users_max => {
                known.extend(users);
                None
            }
            _ => return Err(CodecError::Damaged(WRONG)),
        };
    }
    Ok(read)
}

fn stamp_of(now: Seconds) -> u32 {
    u32::try_from(now.max(1)).unwrap_or(u32::MAX)
}

fn window_begin(now: Seconds) -> u32 {
    stamp_of(now).saturating_sub(WINDOW as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = 1_700_000_000;

    #[test]
    fn ten_users_who_failed_are_ten_until_the_hour_of_the_first_is_over() {
        let mut table = UserTable::new(1_000, 10_000, 256);
        for user in 0..10u64 {
            table.add(1, user, true, false, NOW + user as Seconds);
            table.add(1, user, true, false, NOW + user as Seconds);
        }
        assert_eq!(table.read(1, NOW + 3_599).failed, 10);
        assert_eq!(table.read(1, NOW + 3_600).failed, 9);
        assert_eq!(table.read(1, NOW + 3_609).failed, 0);
    }

    #[test]
    fn the_success_share_counts_users_and_not_tries() {
        let mut table = UserTable::new(1_000, 10_000, 256);
        for user in 0..4u64 {
            for _ in 0..5 {
                table.add(1, user, user > 0, user == 0, NOW);
            }
        }
        assert_eq!(table.read(1, NOW).success_share(), Some(0.25));
        assert_eq!(table.read(2, NOW).success_share(), None);
    }

    #[test]
    fn a_user_who_is_forgotten_leaves_nothing_and_the_others_stay() {
        let mut table = UserTable::new(1_000, 10_000, 256);
        let mut without = UserTable::new(1_000, 10_000, 256);
        for (key, user) in [(1, 7), (1, 8), (2, 7), (3, 9)] {
            table.add(key, user, true, false, NOW);
            if user != 7 {
                without.add(key, user, true, false, NOW);
            }
        }
        table.forget(7);
        assert_eq!(table.read(1, NOW).failed, 1);
        assert_eq!(table.keys(), without.keys());
        assert_eq!(table.young_users, without.young_users);
    }

    #[test]
    fn fresh_keys_and_users_stay_within_the_limits() {
        let mut table = UserTable::new(1_000, 4_000, 256);
        for step in 0..200_000u64 {
            table.add(step, step, true, false, NOW + (step / 1_000) as Seconds);
            table.add(u64::MAX, step, true, false, NOW + (step / 1_000) as Seconds);
        }
        assert!(table.keys() <= 1_000);
        assert_eq!(table.read(u64::MAX, NOW + 1_000).failed, 256);
    }

    #[test]
    fn a_key_used_all_the_time_outlives_the_generations() {
        let mut table = UserTable::new(1_000, 4_000, 256);
        for minute in 0..600 {
            table.add(1, minute % 7, true, false, NOW + minute as Seconds * 60);
            assert_eq!(
                u64::from(table.read(1, NOW + minute as Seconds * 60).failed),
                (minute + 1).min(7)
            );
        }
    }
}
