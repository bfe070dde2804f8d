//! `[mail]`: who writes to account owners. The folder of written mails is `mail` in the data folder.

use super::kind::{Line, MailAddress, Whole};
use super::section::section;

section! {
    /// The sender of mails.
    MailSettings in "mail" {
        /// Address that mails come from.
        from: String = MailAddress, decides No;
        /// Name of the site in mails, and of the sender.
        site_name: String = Line { bytes_max: 100 }, decides No;
        /// Owners are not told of what happened longer ago than this.
        age_max_hours: u32 = Whole::<u32>::of(1, 168, "hours"), decides Yes;
    }
}
