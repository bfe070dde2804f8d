//! `[files]`: what is believed of times in event files.

use super::kind::Whole;
use super::section::section;

section! {
    /// Event files.
    FilesSettings in "files" {
        /// A jump ahead of more hours is believed only if the next line confirms it.
        time_jump_hours: u32 = Whole::<u32>::of(1, 8760, "hours"), decides Yes;
        /// An event is refused whose time is so many minutes above the wall clock.
        future_minutes: u32 = Whole::<u32>::of(0, 1440, "minutes"), decides Yes;
    }
}
