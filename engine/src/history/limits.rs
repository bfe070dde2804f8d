//! How much one user's row may hold, and what goes first when it is full. Every limit is a constant here: they are
//! part of the format's promise (a row is at most [`ROW_BYTES_MAX`]), not a setting.
//!
//! | list | limit | who goes first |
//! |---|---|---|
//! | devices | 50, and none unseen for 180 days | least trust, then longest unseen, then lowest index |
//! | pairs | 32 | least trust, then longest unseen, then lowest index |
//! | addresses and /64 | 24 | least decayed weight; the weight stays in the total of its pair |
//! | /24, /56, /48 | 24 | the same |
//! | countries | 24 | the same |
//! | places | 16 | longest unseen |
//! | recent logins | 20 | earliest |
//! | contacts | 4, 600 bytes of text | those after the limit |
//!
//! What was just seen is never what goes. A row still too long loses devices, with all that hangs on them.

use super::time::{DAY, Seconds};

/// Most devices of one user.
pub const DEVICES_MAX: usize = 50;
/// A device not seen for this long is forgotten.
pub const DEVICE_UNSEEN_MAX: Seconds = 180 * DAY;
/// Most pairs of device and network; the codec has five bits for the index of a pair.
pub const PAIRS_MAX: usize = 32;
/// Most counted values at the finest level.
pub const FINE_CELLS_MAX: usize = 24;
/// Most counted values at the levels between address and ASN.
pub const PREFIX_CELLS_MAX: usize = 24;
/// Most counted countries.
pub const COUNTRY_CELLS_MAX: usize = 24;
/// Most known places.
pub const PLACES_MAX: usize = 16;
/// Granted logins kept one by one.
pub const RECENT_MAX: usize = 20;
/// Most remembered contacts.
pub const CONTACTS_MAX: usize = 4;
/// Most bytes of ids and addresses of all contacts together.
pub const CONTACT_BYTES_MAX: usize = 600;
/// Most bytes of one text taken from an event: locale, zone, family, system, city.
pub const TEXT_BYTES_MAX: usize = 40;
/// Most bytes of an encoded row.
pub const ROW_BYTES_MAX: usize = 4_096;

/// The longest start of a text that fits, cut between characters.
#[must_use]
pub fn clip(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(clip("Łódź", 3), "Łó".get(..2).unwrap());
        assert_eq!(clip("abc", 40), "abc");
    }
}
