//! Keeps a row within its limits: what goes first, and everything that hangs on it.

use super::codec;
use super::limits::{
    COUNTRY_CELLS_MAX, DEVICES_MAX, FINE_CELLS_MAX, PAIRS_MAX, PLACES_MAX, PREFIX_CELLS_MAX, ROW_BYTES_MAX,
};
use super::network_key::CellLevel;
use super::time::Seconds;
use super::user_history::UserHistory;

/// Forgets devices that were not seen for 180 days before `now`.
pub(super) fn forget_old(history: &mut UserHistory, now: Seconds) {
    while let Some(index) = history.devices.iter().position(|device| !device.remembered(now)) {
        remove_device(history, index);
    }
}

/// Makes room for one more device.
pub(super) fn room_for_device(history: &mut UserHistory, now: Seconds) {
    while history.devices.len() >= DEVICES_MAX && remove_least_device(history, now, None) {}
}

/// Makes room for one more pair, never at the cost of a pair of `device` that is trusted more than another.
pub(super) fn room_for_pair(history: &mut UserHistory, now: Seconds) {
    while history.pairs.len() >= PAIRS_MAX {
        let least = history
            .pairs
            .iter()
            .enumerate()
            .min_by_key(|(index, pair)| (history.trust_of_pair(pair, now), pair.seen.last(), *index));
        let Some((index, _)) = least else {
            return;
        };
        remove_pair(history, index);
    }
}

/// Makes room for one more cell of a level; the weight that goes stays in the total of its pair.
pub(super) fn room_for_cell(history: &mut UserHistory, level: CellLevel) {
    let max = match level.shelf() {
        0 => FINE_CELLS_MAX,
        1 => PREFIX_CELLS_MAX,
        _ => COUNTRY_CELLS_MAX,
    };
    let on_shelf = |cell: &super::user_history::Cell| cell.level.shelf() == level.shelf();
    while history.cells.iter().filter(|cell| on_shelf(cell)).count() >= max {
        let least = history
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| on_shelf(cell))
            .min_by(|(a, one), (b, other)| one.logins.raw().total_cmp(&other.logins.raw()).then(a.cmp(b)));
        let Some((index, cell)) = least.map(|(index, cell)| (index, *cell)) else {
            return;
        };
        let pair = history.pairs.get_mut(usize::from(cell.pair));
        if let Some(rest) = pair.and_then(|pair| pair.rest.get_mut(cell.level as usize)) {
            rest.add(cell.logins.raw());
        }
        history.cells.remove(index);
    }
}

/// Makes room for one more place.
pub(super) fn room_for_place(history: &mut UserHistory) {
    while history.places.len() >= PLACES_MAX {
        let oldest = history
            .places
            .iter()
            .enumerate()
            .min_by_key(|(index, place)| (place.last, *index));
        let Some((index, _)) = oldest else {
            return;
        };
        history.places.remove(index);
    }
}

/// Drops devices, the least first, until the row fits its bytes. The latest seen stays.
pub(super) fn fit(history: &mut UserHistory) {
    if codec::longest(history) <= ROW_BYTES_MAX {
        return;
    }
    let now = history.granted.span.map_or(0, |span| span.last);
    while history.devices.len() > 1 && codec::encode(history).len() > ROW_BYTES_MAX {
        let latest = history
            .devices
            .iter()
            .enumerate()
            .max_by_key(|(index, device)| (device.seen.last(), *index))
            .map(|(index, _)| index);
        if !remove_least_device(history, now, latest) {
            return;
        }
    }
}

fn remove_least_device(history: &mut UserHistory, now: Seconds, spared: Option<usize>) -> bool {
    let least = history
        .devices
        .iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != spared)
        .min_by_key(|(index, device)| (device.trust(now), device.seen.last(), *index))
        .map(|(index, _)| index);
    least.is_some_and(|index| {
        remove_device(history, index);
        true
    })
}

fn remove_device(history: &mut UserHistory, index: usize) {
    while let Some(pair) = history
        .pairs
        .iter()
        .position(|pair| usize::from(pair.device) == index)
    {
        remove_pair(history, pair);
    }
    history.devices.remove(index);
    for pair in &mut history.pairs {
        close_gap(&mut pair.device, index);
    }
    for login in &mut history.recent {
        match &mut login.device {
            Some(device) if usize::from(*device) == index => login.device = None,
            Some(device) => close_gap(device, index),
            None => {}
        }
    }
}

fn remove_pair(history: &mut UserHistory, index: usize) {
    history.pairs.remove(index);
    history.cells.retain(|cell| usize::from(cell.pair) != index);
    history.places.retain(|place| usize::from(place.pair) != index);
    for cell in &mut history.cells {
        close_gap(&mut cell.pair, index);
    }
    for place in &mut history.places {
        close_gap(&mut place.pair, index);
    }
}

fn close_gap(reference: &mut u8, removed: usize) {
    if usize::from(*reference) > removed {
        *reference -= 1;
    }
}
