//! The bytes of one mail (RFC 5322, RFC 2045): text and HTML of the same, both complete.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::clean::{clean, escaped};
use super::template::fill;
use super::words;
use crate::alerts::alert::{Alert, MailFacts};
use crate::alerts::classify::OwnerKind;
use crate::event::Timestamp;

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSender {
    /// Name of the site; cleaned before it is used.
    pub name: String,
    /// Address without a name around it.
    pub address: String,
}

/// Why an alert makes no mail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// It is not for an owner, or is held back.
    #[error("the alert is not for a mailbox")]
    NotMailed,
    /// The sender's address is none.
    #[error("`{address}`, the sender, is no mail address")]
    Sender {
        /// The address as configured, cleaned.
        address: String,
    },
    /// The owner's address is none. It is not named, as this text goes into the log.
    #[error("the owner's address is no mail address")]
    Owner,
    /// The message could not be put together.
    #[error("the mail cannot be put together")]
    Message(#[source] lettre::error::Error),
}

/// Subject, text and HTML of one kind.
struct Templates {
    subject: &'static str,
    text: &'static str,
    html: &'static str,
}

macro_rules! templates {
    ($kind:literal) => {
        Templates {
            subject: include_str!(concat!("../../../templates/", $kind, ".subject")),
            text: include_str!(concat!("../../../templates/", $kind, ".txt")),
            html: include_str!(concat!("../../../templates/", $kind, ".html")),
        }
    };
}

const fn templates_of(kind: OwnerKind) -> Templates {
    match kind {
        OwnerKind::UnknownDeviceIn => templates!("unknown_device_in"),
        OwnerKind::SecondFactorNotPassed => templates!("second_factor_not_passed"),
        OwnerKind::SignInNeededMoreProof => templates!("sign_in_needed_more_proof"),
        OwnerKind::WrongPasswordUnknownDevice => templates!("wrong_password_unknown_device"),
        OwnerKind::Digest => templates!("digest"),
    }
}

/// The three texts of a mail, filled.
struct Filled {
    subject: String,
    text: String,
    html: String,
}

fn filled(facts: &MailFacts, event_time: i64) -> Filled {
    let templates = templates_of(facts.kind);
    let values = words::values(facts, event_time);
    let subject = fill(templates.subject, &values, str::to_owned);
    Filled {
        subject: subject.trim().to_owned(),
        text: fill(templates.text, &values, str::to_owned),
        html: fill(templates.html, &values, escaped),
    }
}

/// The mail about an alert. Equal alerts make equal bytes.
///
/// # Errors
/// [`MailError`], when the alert is not for a mailbox or an address is none.
pub fn message(alert: &Alert, sender: &MailSender) -> Result<Vec<u8>, MailError> {
    let facts = alert
        .mail
        .as_ref()
        .filter(|_| alert.held_back.is_none())
        .ok_or(MailError::NotMailed)?;
    let from: Address = sender.address.parse().map_err(|_| MailError::Sender {
        address: clean(&sender.address, 100),
    })?;
    let to: Address = facts.address.parse().map_err(|_| MailError::Owner)?;
    let texts = filled(facts, alert.event_time);
    // A name with CR, LF or NUL would end the process inside of the library.
    let name = Some(clean(&sender.name, 100)).filter(|name| !name.is_empty());
    // Dates outside of the years of events would end the process inside of the library.
    let created = alert
        .created
        .clamp(Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    let since_epoch = Duration::from_micros(created.cast_unsigned());
    let message_id = format!("<{}@{}>", alert.id, from.domain());
    let parts = MultiPart::alternative()
        .boundary(format!("doorward-{}", alert.id))
        .singlepart(part(ContentType::TEXT_PLAIN, texts.text))
        .singlepart(part(ContentType::TEXT_HTML, texts.html));
    let mail = Message::builder()
        .from(Mailbox::new(name, from))
        .to(Mailbox::new(None, to))
        .subject(texts.subject)
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        .message_id(Some(message_id))
        .raw_header(plain_header(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated",
        ))
        .raw_header(plain_header(
            HeaderName::new_from_ascii_str("Content-Language"),
            "en",
        ))
        .multipart(parts)
        .map_err(MailError::Message)?;
    Ok(mail.formatted())
}

/// Subject and the first part of the text, for people who watch what is mailed.
///
/// # Errors
/// [`MailError::NotMailed`], when the alert is not for a mailbox.
pub fn preview(alert: &Alert) -> Result<String, MailError> {
    let facts = alert.mail.as_ref().ok_or(MailError::NotMailed)?;
    let texts = filled(facts, alert.event_time);
    let end = texts.text.find("\nIt was me").unwrap_or(texts.text.len());
    let first = texts.text.get(..end).unwrap_or_default();
    Ok(format!("Subject: {}\n\n{}", texts.subject, first.trim_end()))
}

/// Base64, as bare line ends in other encodings are where mails get broken or smuggled into one another.
fn part(content_type: ContentType, body: String) -> SinglePart {
    SinglePart::builder()
        .header(content_type)
        .header(ContentTransferEncoding::Base64)
        .body(body)
}

fn plain_header(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}

#[cfg(test)]
mod tests;
