//! The one form of event that every door takes. Not here: what is made of it (`enrich`), and which fields each type
//! of event requires (`required`).
//!
//! A field that is absent, `null` or blank text is `None`, or the default where one is documented. Objects that are
//! often there stand in the event itself, rare ones behind a pointer.

use super::limits::{
    ATTRIBUTES_MAX, CATEGORIES_MAX, CONTACTS_MAX, ENROLLED_MAX, FACTORS_MAX, HINTS_MAX, METHODS_MAX,
};
use super::object::object;
use super::timestamp::Timestamp;
use super::values::{
    Address, Count, Flag, Kept, List, Map, Method, Milliseconds, Moment, Name, Note, Object, OneOf, Rare,
    TextMap, TypeOfEvent, UserAgent, Whole,
};
use super::vocabulary::{
    ActorKind, AuthFlow, AuthMethod, Category, Channel, ContactProof, ContactSource, DeviceKind, EventType,
    FactorResult, FactorType, FailureReason, IpSource, KeyKind, Outcome, Sensitivity, Stage, UserKind,
    Verdict,
};
use std::net::IpAddr;

object! {
    /// An event, valid in every field by itself and as its type requires.
    LoginEvent {
        /// Unique together with `source`: delivered twice, it counts once.
        "id" need id: Box<str> = Name;
        /// Who sent it, such as `shop/web`. `doorward` is reserved for events of our own.
        "source" need source: Box<str> = Name;
        /// What it tells.
        "type" need event_type: EventType = TypeOfEvent;
        /// When it happened, by the sender's clock.
        "time" need time: Timestamp = Moment;
        /// How it came out; required for a login.
        "outcome" may outcome: Option<Outcome> = OneOf<Outcome>;
        /// Whose account it is about.
        "user" or user: User = Object<User>;
        /// The program and address that asked.
        "client" or client: Client = Object<Client>;
        /// The device, as far as the application knows it.
        "device" or device: Device = Object<Device>;
        /// How the person signed in, and could have.
        "auth" or auth: Auth = Object<Auth>;
        /// The application signed in to.
        "app" or app: App = Object<App>;
        /// The session it belongs to.
        "session" or session: Session = Object<Session>;
        /// The attempt that joins the stages of one login.
        "attempt" or attempt: Attempt = Object<Attempt>;
        /// The customer; the door decides what an absent one is and which are allowed.
        "tenant" may tenant: Option<Box<str>> = Name;
        /// Where in the login it stands; by default the first factor.
        "stage" or stage: Stage = OneOf<Stage>;
        /// Why it failed.
        "reason" may reason: Option<FailureReason> = OneOf<FailureReason>;
        /// Who acted; by default the user.
        "actor" or actor: Actor = Object<Actor>;
        /// The factor that changed.
        "factor" may factor: Option<Box<str>> = Kept;
        /// The contact that changed.
        "contact" may contact: Option<Box<str>> = Kept;
        /// The backup that was made, used or replaced.
        "backup" may backup: Option<Box<str>> = Kept;
        /// The recovery that was asked for.
        "recovery" may recovery: Option<Box<str>> = Kept;
        /// The consent that was given or taken back.
        "consent" may consent: Option<Box<str>> = Kept;
        /// The sensitive act.
        "action" may action: Option<Box<str>> = Kept;
        /// What somebody says about an earlier decision.
        "feedback" may feedback: Option<Box<Feedback>> = Rare<Object<Feedback>>;
        /// What the door really did with a decision.
        "applied" may applied: Option<Box<str>> = Kept;
    }

    /// Whose account it is.
    #[derive(Default)]
    User {
        /// Stable id, pseudonymous if the sender likes.
        "id" may id: Option<Box<str>> = Name;
        /// Keyed hash of the typed name: lets unknown names be counted; never in a history.
        "name_hash" may name_hash: Option<Box<str>> = Name;
        /// Whose account it is; by default a person's.
        "kind" may kind: Option<UserKind> = OneOf<UserKind>;
        /// When the account was made: tells "first login" from "first seen by us".
        "created_at" may created_at: Option<Timestamp> = Moment;
        /// BCP 47, for mails.
        "locale" may locale: Option<Box<str>> = Name;
        /// IANA name, for the hour of the day.
        "time_zone" may time_zone: Option<Box<str>> = Name;
        /// Where alerts go, and which may carry a code. Absent is not an empty list: absent tells nothing.
        "contacts" may contacts: Option<Box<[Contact]>> = List<Object<Contact>, CONTACTS_MAX>;
    }

    /// A way to reach the owner.
    Contact {
        /// The sender's id of it.
        "id" need id: Box<str> = Name;
        /// How it is reached.
        "channel" need channel: Channel = OneOf<Channel>;
        /// Address or number.
        "address" may address: Option<Box<str>> = Name;
        /// Where it came from.
        "source" may source: Option<ContactSource> = OneOf<ContactSource>;
        /// What was proven about it; by default nothing.
        "proof" or proof: ContactProof = OneOf<ContactProof>;
        /// When it was proven.
        "proved_at" may proved_at: Option<Timestamp> = Moment;
        /// When the address changed last.
        "changed_at" may changed_at: Option<Timestamp> = Moment;
        /// When the SIM of this number changed last.
        "sim_changed_at" may sim_changed_at: Option<Timestamp> = Moment;
        /// When a message came back last.
        "bounced_at" may bounced_at: Option<Timestamp> = Moment;
    }

    /// Who acted.
    #[derive(Default)]
    Actor {
        /// By default the user. Anything else is never learned as the owner's habit.
        "kind" or kind: ActorKind = OneOf<ActorKind>;
        /// Which one.
        "id" may id: Option<Box<str>> = Name;
    }

    /// The program and address that asked. All of its texts are untrusted.
    #[derive(Default)]
    Client {
        /// The client's address, as the sender knows it; required for a login.
        "ip" may ip: Option<IpAddr> = Address;
        /// How the sender knows it.
        "ip_source" or ip_source: IpSource = OneOf<IpSource>;
        /// The header `User-Agent`.
        "user_agent" may user_agent: Option<Box<str>> = UserAgent;
        /// User-Agent Client Hints, header by header as sent.
        "hints" or hints: TextMap = Map<HINTS_MAX>;
        /// The header `Accept-Language`.
        "accept_language" may accept_language: Option<Box<str>> = Name;
        /// TLS fingerprint, opaque.
        "ja4" may ja4: Option<Box<str>> = Name;
        /// HTTP fingerprint, opaque.
        "ja4h" may ja4h: Option<Box<str>> = Name;
        /// HTTP/2 fingerprint, opaque.
        "h2" may h2: Option<Box<str>> = Name;
        /// Origin of the page, seen by the application's script.
        "origin" may origin: Option<Box<str>> = Name;
        /// Time zone of the page, seen by the application's script.
        "time_zone" may time_zone: Option<Box<str>> = Name;
        /// Round trip of the connection.
        "rtt_tcp_ms" may rtt_tcp_ms: Option<f64> = Milliseconds;
        /// Round trip seen by the application's script.
        "rtt_app_ms" may rtt_app_ms: Option<f64> = Milliseconds;
        /// Software that signs in for a person.
        "agent" may agent: Option<Box<SoftwareAgent>> = Rare<Object<SoftwareAgent>>;
    }

    /// Software that signs in for a person.
    SoftwareAgent {
        /// Which one.
        "id" need id: Box<str> = Name;
        /// Whether its signature was checked; by default not.
        "verified" or verified: bool = Flag;
        /// Whether it acts for the person whose account it is.
        "on_behalf" may on_behalf: Option<bool> = Flag;
    }

    /// The device, as far as the application knows it.
    #[derive(Default)]
    Device {
        /// First-party cookie or instance of an app.
        "id" may id: Option<Box<str>> = Name;
        /// The counter issued with the id last: an older one after a newer one is a copy.
        "generation" may generation: Option<u64> = Count;
        /// A key bound to the device.
        "key" may key: Option<Box<DeviceKey>> = Rare<Object<DeviceKey>>;
        /// What kind of program it runs.
        "kind" may kind: Option<DeviceKind> = OneOf<DeviceKind>;
        /// Whether an organisation manages it.
        "managed" may managed: Option<bool> = Flag;
        /// Whether it meets that organisation's rules.
        "compliant" may compliant: Option<bool> = Flag;
        /// What the application collects: screen, platform, ... Numbers and truth values are kept as text.
        "attributes" or attributes: TextMap = Map<ATTRIBUTES_MAX>;
    }

    /// A key bound to a device.
    DeviceKey {
        /// Which key.
        "thumbprint" need thumbprint: Box<str> = Name;
        /// Whether the device proved in this event that it holds the key; by default not.
        "proved" or proved: bool = Flag;
        /// How it is bound.
        "kind" may kind: Option<KeyKind> = OneOf<KeyKind>;
    }

    /// How the person signed in, and could have.
    #[derive(Default)]
    Auth {
        /// By which way.
        "flow" may flow: Option<AuthFlow> = OneOf<AuthFlow>;
        /// The OAuth grant.
        "grant" may grant: Option<Box<str>> = Name;
        /// `oidc`, `saml`, `ldap`, `radius`, `imap`, `smtp`, `ssh`, `basic` or another.
        "protocol" may protocol: Option<Box<str>> = Name;
        /// The issuer that vouched for the person.
        "idp" may idp: Option<Box<str>> = Name;
        /// `false` for a refresh or a silent sign-on, which is never a login in the history.
        "interactive" may interactive: Option<bool> = Flag;
        /// What was offered to the person.
        "offered" or offered: Box<[Box<str>]> = List<Name, METHODS_MAX>;
        /// What was used, in names of RFC 8176.
        "methods" or methods: Box<[AuthMethod]> = List<Method, METHODS_MAX>;
        /// What was used, factor by factor.
        "factors" or factors: Box<[UsedFactor]> = List<Object<UsedFactor>, FACTORS_MAX>;
        /// What is known of the password typed.
        "password" may password: Option<Box<Password>> = Rare<Object<Password>>;
        /// A remembered device or session let a factor be left out; no factor itself.
        "remembered" may remembered: Option<bool> = Flag;
        /// The factors the account has. Absent is not an empty list: absent tells nothing.
        "enrolled" may enrolled: Option<Box<[EnrolledFactor]>> = List<Object<EnrolledFactor>, ENROLLED_MAX>;
        /// The second device of a sign-in by QR code, push or device code.
        "approver" may approver: Option<Box<Approver>> = Rare<Object<Approver>>;
    }

    /// One factor used in this login.
    UsedFactor {
        /// What it is.
        "method" need method: FactorType = OneOf<FactorType>;
        /// Which of the enrolled ones.
        "factor_id" may factor_id: Option<Box<str>> = Name;
        /// How it came out.
        "result" may result: Option<FactorResult> = OneOf<FactorResult>;
        /// When it was answered.
        "at" may at: Option<Timestamp> = Moment;
        /// When it was asked for.
        "challenged_at" may challenged_at: Option<Timestamp> = Moment;
        /// Model of the authenticator (WebAuthn).
        "aaguid" may aaguid: Option<Box<str>> = Name;
        /// Whether the passkey is copied between devices.
        "synced" may synced: Option<bool> = Flag;
        /// How the authenticator was reached (WebAuthn).
        "transport" may transport: Option<Box<str>> = Name;
        /// Whether the authenticator checked a PIN or the body (WebAuthn).
        "user_verification" may user_verification: Option<bool> = Flag;
    }

    /// What is known of the password typed.
    #[derive(Default)]
    Password {
        /// It is on a list of leaked ones.
        "breached" may breached: Option<bool> = Flag;
        /// It is an earlier one of the same account.
        "previous" may previous: Option<bool> = Flag;
        /// It is nearly the right one.
        "near_miss" may near_miss: Option<bool> = Flag;
    }

    /// One factor that the account has.
    EnrolledFactor {
        /// The sender's id of it.
        "id" need id: Box<str> = Name;
        /// What it is.
        "type" need factor_type: FactorType = OneOf<FactorType>;
        /// All that it really checks; absent means: as usual for its type.
        "categories" may categories: Option<Box<[Category]>> = List<OneOf<Category>, CATEGORIES_MAX>;
        /// When it was added; absent counts as long ago.
        "enrolled_at" may enrolled_at: Option<Timestamp> = Moment;
        /// When it was proven last.
        "verified_at" may verified_at: Option<Timestamp> = Moment;
        /// Whether it is bound to origin; absent means: as usual for its type.
        "phishing_resistant" may phishing_resistant: Option<bool> = Flag;
        /// The device it lives on.
        "lives_on" may lives_on: Option<Box<str>> = Name;
        /// The contact that carries its codes.
        "contact" may contact: Option<Box<str>> = Name;
        /// The account that copies it between devices.
        "sync_account" may sync_account: Option<Box<str>> = Name;
        /// How many codes are possible.
        "code_space" may code_space: Option<u64> = Whole<1, { u64::MAX }>;
        /// How many of them are right at once.
        "valid_at_once" may valid_at_once: Option<u64> = Whole<1, { u64::MAX }>;
        /// The level of the session in which it was added.
        "enrolled_level" may enrolled_level: Option<u64> = Whole<1, 3>;
        /// The session in which it was added.
        "enrolled_session" may enrolled_session: Option<Box<str>> = Name;
    }

    /// The second device of a sign-in by QR code, push or device code.
    #[derive(Default)]
    Approver {
        /// Its program and address.
        "client" or client: Client = Object<Client>;
        /// The device itself.
        "device" or device: Device = Object<Device>;
        /// The network it reports.
        "network" may network: Option<Box<str>> = Name;
    }

    /// The application signed in to.
    #[derive(Default)]
    App {
        /// Which one; its name and settings come from the configuration.
        "id" may id: Option<Box<str>> = Name;
        /// How much it protects. A configured value beats it.
        "sensitivity" may sensitivity: Option<Sensitivity> = OneOf<Sensitivity>;
    }

    /// A session.
    #[derive(Default)]
    Session {
        /// Which one.
        "id" may id: Option<Box<str>> = Name;
    }

    /// One try to get in, from the first factor to the session.
    #[derive(Default)]
    Attempt {
        /// Joins the stages of one login.
        "id" may id: Option<Box<str>> = Name;
        /// Whether the person was let in; required when an attempt is closed.
        "granted" may granted: Option<bool> = Flag;
    }

    /// What somebody says about an earlier decision.
    #[derive(Default)]
    Feedback {
        /// Which decision.
        "decision_id" may decision_id: Option<Box<str>> = Name;
        /// What they say.
        "verdict" may verdict: Option<Verdict> = OneOf<Verdict>;
        /// Who says it.
        "by" may by: Option<Box<str>> = Name;
        /// In their words.
        "note" may note: Option<Box<str>> = Note;
    }
}

impl LoginEvent {
    /// An event that tells only that it happened. For events of our own and for tests; those of senders come from
    /// [`parse`](super::parse()).
    pub fn new(id: &str, source: &str, event_type: EventType, time: Timestamp) -> Self {
        Self {
            id: id.into(),
            source: source.into(),
            event_type,
            time,
            outcome: None,
            user: User::default(),
            client: Client::default(),
            device: Device::default(),
            auth: Auth::default(),
            app: App::default(),
            session: Session::default(),
            attempt: Attempt::default(),
            tenant: None,
            stage: Stage::default(),
            reason: None,
            actor: Actor::default(),
            factor: None,
            contact: None,
            backup: None,
            recovery: None,
            consent: None,
            action: None,
            feedback: None,
            applied: None,
        }
    }

    /// Whether a person took part; only `auth.interactive: false` says no.
    pub fn is_interactive(&self) -> bool {
        self.auth.interactive != Some(false)
    }
}
