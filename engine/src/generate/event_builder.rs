//! Writes one event as a sender would, field by field: for the generator, for the fixture stories and for tests.
//!
//! It follows the schema of [`event`](crate::event) and checks nothing: a story about dirt sets a field wrong with
//! [`EventBuilder::set`]. What it writes is text; whether that is taken is the parser's business.

use super::device::DeviceShape;
use super::json::Json;
use crate::event::{EventType, FactorResult, FactorType, FailureReason, Outcome, Stage, Timestamp};

/// One event in the making.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBuilder {
    event: Json,
}

impl EventBuilder {
    /// An event of this type with the three fields that every event has; `time` comes with [`Self::at`].
    #[must_use]
    pub fn new(event_type: EventType, id: &str, source: &str) -> Self {
        let event = Json::object([
            ("id", id.into()),
            ("source", source.into()),
            ("type", event_type.as_str().into()),
        ]);
        Self { event }
    }

    /// A login of this user, granted unless [`Self::outcome`] says otherwise.
    #[must_use]
    pub fn login(id: &str, source: &str, user: &str) -> Self {
        Self::new(EventType::Login, id, source)
            .set("time", Json::Null)
            .set("user.id", user)
            .outcome(Outcome::Success)
    }

    /// Any field by its path, such as `client.rtt_tcp_ms`; also a wrong one.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Json>) -> Self {
        self.event.set(path, value.into());
        self
    }

    /// Takes a field away.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.event.remove(path);
        self
    }

    /// When it happened.
    #[must_use]
    pub fn at(self, time: Timestamp) -> Self {
        self.set("time", time.to_string())
    }

    /// Whose account it is.
    #[must_use]
    pub fn user(self, id: &str) -> Self {
        self.set("user.id", id)
    }

    /// The client's address, as text of an IPv4 or IPv6 address.
    #[must_use]
    pub fn address(self, address: &str) -> Self {
        self.set("client.ip", address).set("client.ip_source", "edge")
    }

    /// Everything a browser or app shows of itself: agent, language, id, attributes.
    #[must_use]
    pub fn device(mut self, device: &DeviceShape) -> Self {
        self = self
            .set("client.user_agent", device.agent.as_str())
            .set("client.accept_language", device.accept_language.as_str());
        if let Some(ja4) = &device.ja4 {
            self = self.set("client.ja4", ja4.as_str());
        }
        if let Some(id) = &device.id {
            self = self.set("device.id", id.as_str());
        }
        self = self.set("device.kind", device.kind.as_str());
        for (name, value) in &device.attributes {
            self = self.set(&format!("device.attributes.{name}"), value.as_str());
        }
        self
    }

    /// How it came out.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Self {
        self.set("outcome", outcome.as_str())
    }

    /// A wrong password.
    #[must_use]
    pub fn wrong_password(self) -> Self {
        self.outcome(Outcome::Failure).reason(FailureReason::BadPassword)
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(self, reason: FailureReason) -> Self {
        self.set("reason", reason.as_str())
    }

    /// Which stage of the login it tells of.
    #[must_use]
    pub fn stage(self, stage: Stage) -> Self {
        self.set("stage", stage.as_str())
    }

    /// What joins the stages of one login.
    #[must_use]
    pub fn attempt(self, id: &str) -> Self {
        self.set("attempt.id", id)
    }

    /// The application signed in to.
    #[must_use]
    pub fn app(self, id: &str) -> Self {
        self.set("app.id", id)
    }

    /// The methods used, in names of RFC 8176.
    #[must_use]
    pub fn methods(self, methods: &[&str]) -> Self {
        self.set("auth.methods", methods.to_vec())
    }

    /// The factors used; replaces those set before.
    #[must_use]
    pub fn factors(self, factors: &[UsedFactor<'_>]) -> Self {
        let list: Vec<Json> = factors.iter().map(UsedFactor::json).collect();
        self.set("auth.factors", list)
    }

    /// The factors the account has beside the password; an empty list tells that there is none.
    #[must_use]
    pub fn enrolled(self, factors: &[EnrolledShape]) -> Self {
        let list: Vec<Json> = factors.iter().map(EnrolledShape::json).collect();
        self.set("auth.enrolled", list)
    }

    /// The contacts of the account.
    #[must_use]
    pub fn contacts(self, contacts: Vec<Json>) -> Self {
        self.set("user.contacts", contacts)
    }

    /// The id that the event carries; empty if it carries none.
    #[must_use]
    pub fn id(&self) -> &str {
        match self.event.get("id") {
            Some(Json::Text(id)) => id,
            _ => "",
        }
    }

    /// The text of the event, without a line end.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut text = String::with_capacity(1_024);
        self.event.write(&mut text);
        text.into_bytes()
    }
}

/// A factor used in a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedFactor<'a> {
    /// What it is.
    pub method: FactorType,
    /// How it came out.
    pub result: FactorResult,
    /// Which of the enrolled ones, if any.
    pub factor_id: Option<&'a str>,
    /// Whether the authenticator checked a PIN or the body; `None` where that means nothing.
    pub user_verification: Option<bool>,
}

impl<'a> UsedFactor<'a> {
    /// A password.
    #[must_use]
    pub const fn password(result: FactorResult) -> Self {
        Self {
            method: FactorType::Password,
            result,
            factor_id: None,
            user_verification: None,
        }
    }

    /// An enrolled factor.
    #[must_use]
    pub const fn enrolled(factor: &'a EnrolledShape, result: FactorResult) -> Self {
        let user_verification = match factor.kind {
            FactorType::Passkey => Some(true),
            _ => None,
        };
        Self {
            method: factor.kind,
            result,
            factor_id: Some(factor.id.as_str()),
            user_verification,
        }
    }

    fn json(&self) -> Json {
        Json::object([
            ("factor_id", self.factor_id.into()),
            ("method", self.method.as_str().into()),
            ("result", self.result.as_str().into()),
            ("user_verification", self.user_verification.into()),
        ])
    }
}

/// A factor that an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledShape {
    /// The sender's id of it.
    pub id: String,
    /// What it is.
    pub kind: FactorType,
    /// When it was added and proven.
    pub enrolled_at: Timestamp,
}

impl EnrolledShape {
    fn json(&self) -> Json {
        let bound = self.kind == FactorType::Passkey || self.kind == FactorType::SecurityKey;
        let categories = if bound { vec!["know", "have"] } else { vec!["have"] };
        Json::object([
            ("id", self.id.as_str().into()),
            ("type", self.kind.as_str().into()),
            ("categories", categories.into()),
            ("enrolled_at", self.enrolled_at.to_string().into()),
            ("verified_at", self.enrolled_at.to_string().into()),
            ("phishing_resistant", bound.into()),
        ])
    }
}
