//! `[trust]`: when a device and network become settled and vouched.

use super::kind::Whole;
use super::section::section;

section! {
    /// Times and bounds of trust.
    TrustSettings in "trust" {
        /// Distinct days of granted logins until a pair is settled.
        settle_days: u32 = Whole::<u32>::of(1, 30, "days"), decides Yes;
        /// Hours that these days must span at least.
        settle_hours: u32 = Whole::<u32>::of(0, 720, "hours"), decides Yes;
        /// Distinct days until credit for a network matures.
        network_days: u32 = Whole::<u32>::of(1, 30, "days"), decides Yes;
        /// Days until the device that created an account is vouched, once a contact is verified from it.
        account_device_days: u32 = Whole::<u32>::of(0, 30, "days"), decides Yes;
        /// Devices kept for a user; the one unused for longest makes room.
        devices_max: usize = Whole::<usize>::of(1, 1000, "devices of one user"), decides Yes;
        /// Days without a login until a device is forgotten.
        device_forget_days: u32 = Whole::<u32>::of(1, 3650, "days"), decides Yes;
    }
}
