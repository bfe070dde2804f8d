//! The closed vocabularies of an event: each written once, with its names on the wire.
//! Open vocabularies (protocols, grants, names of methods offered) are plain text and not here.

/// A closed set of names.
pub trait Vocabulary: Copy + 'static {
    /// Every name, in the order of the values' codes.
    const NAMES: &'static [&'static str];

    /// The value with this exact name.
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! vocabulary {
    ($($(#[$meta:meta])* $name:ident { $($(#[$value_meta:meta])* $value:ident = $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[repr(u8)]
        pub enum $name { $(
            #[doc = concat!("`", $text, "`")]
            $(#[$value_meta])* $value,
        )+ }

        impl $name {
            /// Every value, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }

            /// A small number for stored forms. New values are only ever added at the end, so a stored code keeps its meaning.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value with this code; `None` for a code written by a later version.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.get(usize::from(code)).copied()
            }
        }

        impl Vocabulary for $name {
            const NAMES: &'static [&'static str] = &[$($text,)+];

            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$value),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.as_str())
            }
        }
    )+};
}

vocabulary! {
    /// What an event tells.
    EventType {
        Login = "login",
        AttemptClosed = "attempt.closed",
        ChallengeSent = "challenge.sent",
        SessionSeen = "session.seen",
        SessionEnded = "session.ended",
        /// A sensitive act inside a session.
        Action = "action",
        AccountCreated = "account.created",
        AccountDisabled = "account.disabled",
        AccountEnabled = "account.enabled",
        AccountUnlocked = "account.unlocked",
        UserUpdated = "user.updated",
        IdentityLinked = "identity.linked",
        IdentityUnlinked = "identity.unlinked",
        MfaEnabled = "mfa.enabled",
        MfaDisabled = "mfa.disabled",
        LoginOptionChanged = "login_option.changed",
        FactorAdded = "factor.added",
        FactorChanged = "factor.changed",
        FactorRemoved = "factor.removed",
        FactorVerified = "factor.verified",
        AppPasswordCreated = "app_password.created",
        AppPasswordRemoved = "app_password.removed",
        ConsentGranted = "consent.granted",
        ConsentRevoked = "consent.revoked",
        BackupCreated = "backup.created",
        BackupUsed = "backup.used",
        BackupReplaced = "backup.replaced",
        BackupRestored = "backup.restored",
        BackupDeleted = "backup.deleted",
        ContactAdded = "contact.added",
        ContactChanged = "contact.changed",
        ContactVerified = "contact.verified",
        ContactRemoved = "contact.removed",
        ContactSimChanged = "contact.sim_changed",
        ContactBounced = "contact.bounced",
        ActivationIssued = "activation.issued",
        ActivationUsed = "activation.used",
        ActivationFailed = "activation.failed",
        PasswordChanged = "password.changed",
        RecoveryRequested = "recovery.requested",
        RecoveryStarted = "recovery.started",
        RecoveryCompleted = "recovery.completed",
        Feedback = "feedback",
    }

    /// How a login, or one stage of it, came out.
    Outcome {
        /// The password was right; the caller waits for our answer.
        Pending = "pending",
        Success = "success",
        Failure = "failure",
        /// The password was right; the application asks for the next factor itself.
        Partial = "partial",
        Abandoned = "abandoned",
        /// The password was right; the application turned the person away.
        Refused = "refused",
    }

    /// Where in a login an event stands.
    #[derive(Default)]
    Stage {
        /// Only a name was typed.
        Identifier = "identifier",
        #[default]
        FirstFactor = "first_factor",
        SecondFactor = "second_factor",
        Session = "session",
    }

    /// Why it failed.
    FailureReason {
        BadPassword = "bad_password",
        NoSuchUser = "no_such_user",
        OtpWrong = "otp_wrong",
        CodeExpired = "code_expired",
        PushDenied = "push_denied",
        PushExpired = "push_expired",
        PushIgnored = "push_ignored",
        WrongPin = "wrong_pin",
        Undelivered = "undelivered",
        Locked = "locked",
        Disabled = "disabled",
        Expired = "expired",
        Policy = "policy",
        Cancelled = "cancelled",
    }

    /// Whose account it is. Only `person` gets device newness and owner mail.
    #[derive(Default)]
    UserKind {
        #[default]
        Person = "person",
        Shared = "shared",
        Service = "service",
        Agent = "agent",
    }

    /// Who acted. Anything but `user` is never learned as the owner's habit.
    #[derive(Default)]
    ActorKind {
        #[default]
        User = "user",
        Admin = "admin",
        Helpdesk = "helpdesk",
        System = "system",
        Agent = "agent",
    }

    /// How a contact is reached.
    Channel {
        Email = "email",
        Sms = "sms",
        Voice = "voice",
        Push = "push",
        App = "app",
        Postal = "postal",
    }

    /// Where a contact came from.
    ContactSource {
        Registration = "registration",
        /// Entered by the owner later.
        Own = "self",
        Directory = "directory",
        Admin = "admin",
        Letter = "letter",
    }

    /// What was proven about a contact. Ordered: later is stronger.
    #[derive(Default)]
    ContactProof {
        #[default]
        None = "none",
        Possession = "possession",
        Ownership = "ownership",
    }

    /// How the sender knows the client's address.
    #[derive(Default)]
    IpSource {
        /// Seen by the sender's own edge.
        Edge = "edge",
        /// Taken from a forwarding header.
        Forwarded = "forwarded",
        #[default]
        Unknown = "unknown",
    }

    /// What kind of program the device runs.
    DeviceKind {
        Browser = "browser",
        App = "app",
        Cli = "cli",
        Tv = "tv",
        Robot = "robot",
    }

    /// What a user agent claims to run on. Not sent in events: read from the agent.
#[derive(Default)]
    DeviceType {
        Desktop = "desktop",
        Mobile = "mobile",
        Tablet = "tablet",
        Tv = "tv",
        Robot = "robot",
        #[default]
        Other = "other",
}

    /// How a device-bound key is bound.
    KeyKind {
        Dbsc = "dbsc",
        Attest = "attest",
        Webauthn = "webauthn",
        Mtls = "mtls",
    }

    /// By which way a person signs in.
    AuthFlow {
        Form = "form",
        Redirect = "redirect",
        Qr = "qr",
        Push = "push",
        DeviceCode = "device_code",
        MagicLink = "magic_link",
        Ciba = "ciba",
        HybridPasskey = "hybrid_passkey",
        Api = "api",
    }

    /// Authentication method references of RFC 8176. The registry is open, so a name that is not in it
    /// is no error: it reads as `other` and counts as nothing.
    AuthMethod {
        Face = "face",
        Fpt = "fpt",
        Geo = "geo",
        Hwk = "hwk",
        Iris = "iris",
        Kba = "kba",
        Mca = "mca",
        Mfa = "mfa",
        Otp = "otp",
        Pin = "pin",
        Pop = "pop",
        Pwd = "pwd",
        Rba = "rba",
        Retina = "retina",
        Sc = "sc",
        Sms = "sms",
        Swk = "swk",
        Tel = "tel",
        User = "user",
        Vbm = "vbm",
        Wia = "wia",
        Federated = "federated",
        Other = "other",
    }

    /// Kinds of factors, in use and enrolled.
    FactorType {
        Password = "password",
        Passkey = "passkey",
        SecurityKey = "security_key",
        Totp = "totp",
        Hotp = "hotp",
        Sms = "sms",
        Voice = "voice",
        EmailCode = "email_code",
        MagicLink = "magic_link",
        Push = "push",
        /// A push that asks for a number shown on the other screen.
        PushNumber = "push_number",
        Qr = "qr",
        Smartcard = "smartcard",
        Cert = "cert",
        RecoveryCode = "recovery_code",
        ActivationCode = "activation_code",
        AppPassword = "app_password",
        /// Questions about the person; counts as nothing.
        Kba = "kba",
        Federated = "federated",
    }

    /// How one factor of a login came out.
    FactorResult {
        Success = "success",
        Failure = "failure",
        Pending = "pending",
        Denied = "denied",
        Expired = "expired",
        Ignored = "ignored",
        Cancelled = "cancelled",
    }

    /// What a factor checks: something known, had, or been.
    Category {
        Know = "know",
        Have = "have",
        Are = "are",
    }

    /// How much an application protects.
    #[derive(Default)]
    Sensitivity {
        Low = "low",
        #[default]
        Normal = "normal",
        High = "high",
    }

    /// What somebody says about an earlier decision.
    Verdict {
        /// The owner: it was me.
        Me = "me",
        /// The owner: it was not me.
        NotMe = "not_me",
        /// An analyst: nothing wrong.
        Benign = "benign",
        /// An analyst: the account was taken over.
        Compromised = "compromised",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_lead_back_to_the_value() {
        for &value in EventType::ALL {
            assert_eq!(EventType::from_name(value.as_str()), Some(value));
            assert_eq!(EventType::from_code(value.code()), Some(value));
            assert_eq!(value.to_string(), value.as_str());
        }
        assert_eq!(EventType::NAMES.len(), EventType::ALL.len());
        assert_eq!(EventType::from_code(200), None);
        assert_eq!(EventType::from_name("Login"), None);
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        assert_eq!(Stage::default(), Stage::FirstFactor);
        assert_eq!(UserKind::default(), UserKind::Person);
        assert_eq!(ActorKind::default(), ActorKind::User);
        assert_eq!(Sensitivity::default(), Sensitivity::Normal);
    }
}
