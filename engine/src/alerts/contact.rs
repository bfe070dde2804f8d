//! The address that an owner's mail goes to, and how an account is shown.
//!
//! Only an address that was proven and has not changed since: an attacker who changed it must not get the mail about
//! himself. Unverified or bounced addresses get none.

use crate::event::{Channel, Contact, ContactProof};

/// The verified mail address that was proven longest ago; the stronger proof and then the id decide between equals.
/// No `proved_at` means long ago, but not after a change.
#[must_use]
pub fn mail_contact(contacts: &[Contact]) -> Option<&Contact> {
    contacts
        .iter()
        .filter(|contact| is_usable(contact))
        .min_by(|one, other| {
            let rank = |contact: &Contact| (contact.proved_at, std::cmp::Reverse(contact.proof));
            rank(one).cmp(&rank(other)).then_with(|| one.id.cmp(&other.id))
        })
}

fn is_usable(contact: &Contact) -> bool {
    let since = |event| contact.proved_at.is_some_and(|proved| proved >= event);
    contact.channel == Channel::Email
        && contact.proof != ContactProof::None
        && contact.changed_at.is_none_or(since)
        && contact.bounced_at.is_none_or(since)
        && contact.address.as_deref().is_some_and(is_plain_address)
}

/// Bytes of one part of a domain (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;

/// One mailbox at one domain, in characters that mean nothing else in a mail header. Rarer forms
/// (RFC 5321: quoted local parts, literal addresses; RFC 6531: letters beyond ASCII) are not mailed.
#[must_use]
pub fn is_plain_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let atom = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= LABEL_BYTES_MAX
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    !local.is_empty()
        && local.len() <= 64
        && address.len() <= 254
        && local.chars().all(atom)
        && dots(local)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// An account as a mail shows it: `jane@example.org` is `ja...@example.org`. Enough for its owner, little for others.
#[must_use]
pub fn shortened(account: &str) -> String {
    let (name, domain) = match account.rsplit_once('@') {
        Some((name, domain)) => (name, Some(domain)),
        None => (account, None),
    };
    let shown = if name.chars().count() > 2 { 2 } else { 1 };
    let mut short: String = name.chars().take(shown).collect();
    short.push_str("...");
    if let Some(domain) = domain {
        short.push('@');
        short.push_str(domain);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    const fn at(day: i64) -> Option<Timestamp> {
        Some(Timestamp::from_seconds(1_780_000_000 + day * 86_400))
    }

    fn verified(id: &str) -> Contact {
        Contact {
            id: id.into(),
            channel: Channel::Email,
            address: Some(format!("{id}@example.org").into()),
            source: None,
            proof: ContactProof::Possession,
            proved_at: at(0),
            changed_at: None,
            sim_changed_at: None,
            bounced_at: None,
        }
    }

    fn chosen(contacts: &[Contact]) -> Option<&str> {
        mail_contact(contacts).map(|contact| &*contact.id)
    }

    #[test]
    fn only_what_was_proven_since_it_changed() {
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[verified("a")]), Some("a"));
        assert_eq!(
            chosen(&[Contact {
                proof: ContactProof::None,
                ..verified("a")
            }]),
            None
        );
        assert_eq!(
            chosen(&[Contact {
                channel: Channel::Sms,
                ..verified("a")
            }]),
            None
        );
        assert_eq!(
            chosen(&[Contact {
                address: None,
                ..verified("a")
            }]),
            None
        );
        assert_eq!(
            chosen(&[Contact {
                changed_at: at(1),
                ..verified("a")
            }]),
            None
        );
        assert_eq!(
            chosen(&[Contact {
                changed_at: at(-1),
                ..verified("a")
            }]),
            Some("a")
        );
        assert_eq!(
            chosen(&[Contact {
                bounced_at: at(1),
                ..verified("a")
            }]),
            None
        );
        assert_eq!(
            chosen(&[Contact {
                bounced_at: at(-1),
                ..verified("a")
            }]),
            Some("a")
        );
        let unknown = Contact {
            proved_at: None,
            ..verified("a")
        };
        assert_eq!(chosen(std::slice::from_ref(&unknown)), Some("a"));
        assert_eq!(
            chosen(&[Contact {
                changed_at: at(-9),
                ..unknown
            }]),
            None
        );
    }

    #[test]
    fn the_address_proven_longest_ago_wins_in_any_order() {
        let fresh = Contact {
            proved_at: at(5),
            proof: ContactProof::Ownership,
            ..verified("fresh")
        };
        let old = verified("old");
        assert_eq!(chosen(&[fresh.clone(), old.clone()]), Some("old"));
        assert_eq!(chosen(&[old, fresh]), Some("old"));
        assert_eq!(chosen(&[verified("b"), verified("a")]), Some("a"));
        let owned = Contact {
            proof: ContactProof::Ownership,
            ..verified("b")
        };
        assert_eq!(chosen(&[verified("a"), owned]), Some("b"));
    }

    #[test]
    fn addresses_that_could_mean_more_are_not_mailed() {
        for good in [
            "jane@example.org",
            "j.o'neil+x@mail.example.co.uk",
            "a@xn--mller-kva.example",
        ] {
            assert!(is_plain_address(good), "{good}");
        }
        for bad in [
            "",
            "jane",
            "@example.org",
            "jane@",
            "jane@localhost",
            "a b@example.org",
            "a@b@example.org",
            "jane@example.org\r\nBcc: x@example.org",
            "jane@example..org",
            "<jane@example.org>",
            "jane@example.org,x@example.org",
            "\"a\"@example.org",
            "jane@[192.0.2.1]",
            "a..b@example.org",
            ".a@example.org",
            "jane@-example.org",
            "jane\0@example.org",
            "jane\u{202e}@example.org",
            "æbler@example.org",
            "jane@møller.example",
        ] {
            assert!(!is_plain_address(bad), "{bad:?}");
        }
        assert!(!is_plain_address(&format!("{}@example.org", "a".repeat(65))));
        assert!(is_plain_address(&format!("a@{}.example", "a".repeat(63))));
        assert!(!is_plain_address(&format!("a@{}.example", "a".repeat(64))));
    }

    #[test]
    fn an_account_is_shortened() {
        let table = [
            ("jane@example.org", "ja...@example.org"),
            ("ja@example.org", "j...@example.org"),
            ("j@example.org", "j...@example.org"),
            ("ærlig@example.org", "ær...@example.org"),
            ("user-17", "us..."),
            ("", "..."),
        ];
        for (account, short) in table {
            assert_eq!(shortened(account), short);
        }
    }
}
