//! An account owner with a past: 40 granted logins over two months from a laptop and a phone, at home and on the way.

use super::script::{Script, at, day_of};
use doorward::event::{EventType, FactorResult, FactorType, Outcome, Stage, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::device::{DeviceShape, Machine};
use doorward::generate::event_builder::{EnrolledShape, UsedFactor};
use doorward::generate::json::Json;
use doorward::generate::random::Random;
use doorward::generate::software::{Browser, System};

/// Logins of the past.
pub const LOGINS: i64 = 40;
/// First day after the past; the last login of it is on the day before or the one before that.
pub const AFTER: i64 = 60;

/// Where somebody lives.
#[derive(Clone, Copy)]
pub struct Place {
    /// Language and region.
    pub locale: &'static str,
    /// IANA time zone.
    pub zone: &'static str,
    /// First address of the provider's network at home, up to the last dot.
    pub home: &'static str,
    /// First two bytes of the operator's network, and the third byte it starts at.
    pub mobile: (&'static str, u64),
}

/// Copenhagen, at the largest provider of Denmark.
pub const COPENHAGEN: Place = Place {
    locale: "da-DK",
    zone: "Europe/Copenhagen",
    home: "198.18.3.",
    mobile: ("198.18.", 96),
};

/// Reykjavik, at the largest provider of a small country.
pub const REYKJAVIK: Place = Place {
    locale: "is-IS",
    zone: "Atlantic/Reykjavik",
    home: "198.19.76.",
    mobile: ("198.19.", 84),
};

/// How a login was proven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The password; a device that the application remembers is asked for no more.
    Password,
    /// The password and a code.
    Code,
}

/// An owner.
pub struct Owner {
    /// `user.id`, and the beginning of the ids of all events.
    pub id: &'static str,
    /// Where they live.
    pub place: Place,
    /// The address at home.
    pub home: String,
    /// On which the account was created.
    pub laptop: Machine,
    /// The second device.
    pub phone: Machine,
    /// Beside the password.
    pub enrolled: Vec<EnrolledShape>,
    random: Random,
}

impl Owner {
    /// An owner with a password and nothing else.
    pub fn with_password(id: &'static str, place: Place, host: u8) -> Self {
        let mut random = Random::stream(3, id, 0);
        let machine = |random: &mut Random, browser, system| {
            Machine::with_software(random, browser, system, place.locale, place.zone)
        };
        Self {
            id,
            place,
            home: format!("{}{host}", place.home),
            laptop: machine(&mut random, Browser::Chrome, System::Windows),
            phone: machine(&mut random, Browser::Safari, System::Ios),
            enrolled: Vec::new(),
            random,
        }
    }

    /// An owner with an authenticator for codes.
    pub fn with_code(id: &'static str, place: Place, host: u8) -> Self {
        let authenticator = EnrolledShape {
            id: format!("{id}-totp"),
            kind: FactorType::Totp,
            enrolled_at: at(0, 12, 0, 0),
        };
        Self {
            enrolled: vec![authenticator],
            ..Self::with_password(id, place, host)
        }
    }

    /// An address of the operator's gateway.
    pub fn mobile(&self, number: u64) -> String {
        let (start, third) = self.place.mobile;
        format!("{start}{}.{}", third + number * 7 % 4, 1 + number * 37 % 254)
    }

    /// A new device of the owner, or a device of somebody else.
    pub fn another(&mut self, browser: Browser, system: System) -> Machine {
        Machine::with_software(
            &mut self.random,
            browser,
            system,
            self.place.locale,
            self.place.zone,
        )
    }

    /// Somebody else's laptop that differs from the owner's in little.
    pub fn laptop_alike(&mut self) -> Machine {
        self.laptop
            .alike(&mut self.random, self.place.locale, self.place.zone)
    }

    /// From now on the laptop has another cookie.
    pub fn clear_cookies(&mut self) {
        self.laptop.clear_cookies(&mut self.random);
    }

    /// Something that the application tells of this account.
    pub fn event(&self, kind: EventType, name: &str, device: &DeviceShape, address: &str) -> EventBuilder {
        EventBuilder::new(kind, &self.event_id(name), "shop/web")
            .set("time", Json::Null)
            .user(self.id)
            .set("user.created_at", at(0, 9, 0, 0).to_string())
            .set("user.locale", self.place.locale)
            .set("user.time_zone", self.place.zone)
            .address(address)
            .device(device)
    }

    /// A login with the right password that is in.
    pub fn login(&self, name: &str, device: &DeviceShape, address: &str, proof: Proof) -> EventBuilder {
        let event = self
            .event(EventType::Login, name, device, address)
            .outcome(Outcome::Success)
            .set("auth.flow", "form")
            .enrolled(&self.enrolled)
            .app("shop")
            .set("session.id", format!("s-{}", self.event_id(name)));
        let password = UsedFactor::password(FactorResult::Success);
        match (proof, self.enrolled.first()) {
            (Proof::Code, Some(code)) => event
                .stage(Stage::SecondFactor)
                .methods(&["pwd", "otp"])
                .factors(&[password, UsedFactor::enrolled(code, FactorResult::Success)]),
            _ => event.methods(&["pwd"]).factors(&[password]),
        }
    }

    /// A login that is not in yet, or never will be.
    pub fn not_in(&self, name: &str, device: &DeviceShape, address: &str, outcome: Outcome) -> EventBuilder {
        let event = self
            .login(name, device, address, Proof::Password)
            .without("session.id");
        event.outcome(outcome)
    }

    /// A wrong password.
    pub fn wrong_password(&self, name: &str, device: &DeviceShape, address: &str) -> EventBuilder {
        self.not_in(name, device, address, Outcome::Failure)
            .wrong_password()
            .without("auth.methods")
            .factors(&[UsedFactor::password(FactorResult::Failure)])
    }

    /// The past: the account is made on the laptop at home, a contact verified from it, the phone comes on day 4, and
    /// each device proves a code on each network and now and then.
    pub fn live(&mut self, script: &mut Script) {
        let day = self.laptop.shape(0);
        let minute = self.random.between(0, 40);
        let created = self.event(EventType::AccountCreated, "created", &day, &self.home);
        script.tell(at(0, 9, minute, 0), created.contacts(vec![self.contact()]));
        let verified = self.event(EventType::ContactVerified, "verified", &day, &self.home);
        script.tell(at(0, 9, minute + 4, 0), verified.set("contact", self.contact()));
        for number in 0..LOGINS {
            let time = self.time_of(number, minute);
            let (device, address) = self.whereabouts(number, time);
            let proof = if number % 8 == 7 || number == 3 {
                Proof::Code
            } else {
                Proof::Password
            };
            let login = self.login(&format!("h{number:02}"), &device, &address, proof);
            script.tell(
                time,
                if proof == Proof::Code {
                    login
                } else {
                    login.set("auth.remembered", number > 0)
                },
            );
        }
    }

    /// Two logins in three days, in waking hours.
    fn time_of(&mut self, number: i64, minute: i64) -> Timestamp {
        if number == 0 {
            return at(0, 9, minute + 6, 0);
        }
        let hour = self.random.between(7, 19);
        at(
            number * AFTER / LOGINS,
            hour,
            self.random.between(0, 59),
            self.random.between(0, 59),
        )
    }

    /// Every fourth login is from the phone, every second of those on the way.
    fn whereabouts(&self, number: i64, time: Timestamp) -> (DeviceShape, String) {
        let day = day_of(time);
        match number % 8 {
            3 => (self.phone.shape(day), self.home.clone()),
            7 => (self.phone.shape(day), self.mobile(number.unsigned_abs())),
            _ => (self.laptop.shape(day), self.home.clone()),
        }
    }

    fn contact(&self) -> Json {
        Json::object([
            ("id", format!("{}-mail", self.id).into()),
            ("channel", "email".into()),
            ("address", format!("{}@example.org", self.id).into()),
            ("source", "registration".into()),
            ("proof", "ownership".into()),
            ("proved_at", at(0, 9, 30, 0).to_string().into()),
        ])
    }

    /// The id of an event of this owner.
    pub fn event_id(&self, name: &str) -> String {
        format!("{}-{name}", self.id)
    }
}
