//! `[crowd]`: bounds of the counters across users.

use super::kind::Whole;
use super::section::section;

section! {
    /// Counters across users.
    CrowdSettings in "crowd" {
        /// Addresses, networks, devices and software counted at once, in all tenants.
        keys_max: usize = Whole::<usize>::of(1024, 67_108_864, "keys"), decides Yes;
        /// Distinct users told apart for one key and window; above it the count stays there.
        users_per_key_max: usize = Whole::<usize>::of(16, 4096, "users"), decides Yes;
        /// Lines of 64 bytes in the sketch of how usual a value is for everybody.
        sketch_lines: usize = Whole::<usize>::of(1024, 16_777_216, "lines of 64 bytes"), decides Yes;
    }
}
