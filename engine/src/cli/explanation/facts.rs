//! What a rule looked at, in plain words: the values of this login, and those of the time before it to compare with.
//!
//! Everything comes from the slots that were stored with the decision, so it is what the rule saw then, whatever
//! happened since.

use doorward_rules::template::show;
use doorward_rules::{Evidence, Field, Group, Rule, Slot, Slots};

use super::text::clean;
use super::words::number;

/// A copy whose texts may be shown: names of networks and software come from outside.
pub(super) fn cleaned(slots: &Slots) -> Slots {
    let mut clean_slots = slots.clone();
    for (field, slot) in slots.iter() {
        if let Some(text) = slot.as_str() {
            clean_slots.set_owned(field, clean(text));
        }
    }
    clean_slots
}

/// What the rule saw of this login; inputs that it lacked are named.
pub(super) fn now(rule: &Rule, slots: &Slots) -> Vec<String> {
    phrases(
        rule.fields.iter().copied().filter(|field| !is_before(*field)),
        slots,
    )
}

/// What there was to compare with: what the rule itself reads, and what is usually asked about its group.
pub(super) fn before(rule: &Rule, slots: &Slots) -> Vec<String> {
    let own = rule.fields.iter().copied().filter(|field| is_before(*field));
    let usual = usual_before(rule.group, rule.evidence).iter().copied();
    phrases(
        own.chain(usual.filter(|field| slots.get(*field).has_data())),
        slots,
    )
}

/// Fields that tell of the time before this login.
const fn is_before(field: Field) -> bool {
    matches!(
        field,
        Field::UserMaturity
            | Field::UserLogins
            | Field::UserDaysSinceLastLogin
            | Field::DeviceTrust
            | Field::DeviceCredit
            | Field::PairTrust
            | Field::AddressKnownAt
            | Field::AddressUserLoginsFromNetwork
            | Field::AddressUserLogins
            | Field::AddressShareOfEveryone
            | Field::TravelPairNew
            | Field::AuthUsual
            | Field::AuthEnrolledMax
    )
}

const fn usual_before(group: Group, evidence: Evidence) -> &'static [Field] {
    match (group, evidence) {
        (Group::Network, Evidence::Trust) => &[Field::AddressUserLoginsFromNetwork, Field::PairTrust],
        (Group::Network, _) => &[
            Field::AddressUserLoginsFromNetwork,
            Field::AddressKnownAt,
            Field::AddressShareOfEveryone,
        ],
        (Group::Device | Group::Agent, _) => &[Field::DeviceTrust, Field::UserLogins],
        (Group::NetworkKind, _) => &[Field::DeviceTrust, Field::AddressKnownAt],
        (Group::Travel, _) => &[Field::UserDaysSinceLastLogin, Field::TravelPairNew],
        (Group::Guessing | Group::Session, _) => &[Field::DeviceTrust],
        (Group::Crowd, _) => &[Field::CrowdAddressAttempts1h, Field::AddressKnownAt],
        (Group::Factors, _) => &[Field::AuthUsual, Field::AuthEnrolledMax],
        (Group::Account, _) => &[Field::UserLogins, Field::UserDaysSinceLastLogin],
        (Group::Time | Group::Credentials, _) => &[Field::UserLogins],
    }
}

fn phrases(fields: impl Iterator<Item = Field>, slots: &Slots) -> Vec<String> {
    let mut seen: Vec<Field> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for field in fields.map(spokesman) {
        if !seen.contains(&field) {
            seen.push(field);
            told.push(phrase(field, slots));
        }
    }
    told
}

/// Two fields that are told in one phrase: which of them tells it.
const fn spokesman(field: Field) -> Field {
    match field {
        Field::DeviceOs => Field::DeviceFamily,
        Field::AddressUserLogins => Field::AddressUserLoginsFromNetwork,
        other => other,
    }
}

fn phrase(field: Field, slots: &Slots) -> String {
    match slots.get(field) {
        Slot::NoData => format!("no data: {field}"),
        Slot::Text(text) => of_word(field, text.as_str(), slots),
        Slot::Bool(value) => of_truth(field, *value),
        Slot::Int(_) | Slot::Float(_) => of_number(field, slots),
    }
}

fn of_word(field: Field, word: &str, slots: &Slots) -> String {
    match (field, word) {
        (Field::DeviceFamily, family) => format!("{family} on {}", show(slots.get(Field::DeviceOs))),
        (Field::DeviceTrust, "none") => "the device earned no trust".into(),
        (Field::DeviceTrust, "observed") => "the device was granted before, not yet settled".into(),
        (Field::DeviceTrust, "settled") => "the device was settled: granted on 3 days".into(),
        (Field::DeviceTrust, "vouched") => "the device was vouched for".into(),
        (Field::PairTrust, "none") => "this device on this network earned no trust".into(),
        (Field::PairTrust, trust) => format!("this device on this network: {trust}"),
        (Field::AddressKnownAt, "none") => "never seen here, not even in this country".into(),
        (Field::AddressKnownAt, "country") => "seen in this country, not on this provider".into(),
        (Field::AddressKnownAt, "asn") => "seen on this provider, not near this address".into(),
        (Field::AddressKnownAt, "prefix") => "seen on addresses near this one".into(),
        (Field::AddressKnownAt, "address") => "seen on this very address".into(),
        (Field::NetworkKind, "none") => "on no list of networks".into(),
        (Field::NetworkKind, kind) => format!("network of kind {kind}"),
        (Field::NetworkOrganisation, name) => format!("network {name}"),
        (Field::NetworkCountry, code) => format!("country {code}"),
        (Field::DeviceState, state) => format!("device {state}"),
        (Field::UserMaturity, word) => format!("history {word}"),
        (field, word) => format!("{field}: {word}"),
    }
}

fn of_truth(field: Field, value: bool) -> String {
    let told = match (field, value) {
        (Field::TravelComparable, true) => "both places are real ones",
        (Field::TravelComparable, false) => "the places cannot be compared",
        (Field::TravelPairNew, true) => "never at these two places in turn",
        (Field::TravelPairNew, false) => "at these two places in turn before",
        (Field::AttemptSecondFactorFailed, true) => "a second factor failed in this attempt",
        (Field::AttemptSecondFactorFailed, false) => "no second factor failed in this attempt",
        (Field::AuthSecondFactorPassed, true) => "a second factor passed",
        (Field::AuthSecondFactorPassed, false) => "no second factor passed",
        (Field::AuthSecondFactorPhishable, true) => "the second factor can be phished",
        (Field::AuthSecondFactorPhishable, false) => "the second factor is bound to the page",
        (field, value) => return format!("{field}: {}", show(&Slot::Bool(value))),
    };
    told.to_owned()
}

fn of_number(field: Field, slots: &Slots) -> String {
    let slot = slots.get(field);
    let shown = show(slot);
    let value = slot.as_number().unwrap_or_default();
    match field {
        Field::UserLogins => counted(value, "login", "so far"),
        Field::UserDaysSinceLastLogin if value < 1.0 => {
            format!("last login {} hours before", number(value * 24.0))
        }
        Field::UserDaysSinceLastLogin => format!("last login {shown} days before"),
        Field::DeviceCredit => format!("{} of the trust earned", percent(value)),
        Field::AddressFamiliarity => format!("unusual by {shown} points"),
        Field::PairFamiliarity => format!("familiar by {} points", number(-value)),
        Field::AddressUserLoginsFromNetwork => {
            let all = slots.get(Field::AddressUserLogins);
            format!(
                "{shown} of {} logins from this network (older ones count less)",
                show(all)
            )
        }
        Field::AddressUserLogins => format!("{shown} logins (older ones count less)"),
        Field::AddressShareOfEveryone => format!("{} of all users' logins come from it", percent(value)),
        Field::TravelDistanceKm => format!("{shown} km from the last place"),
        Field::TravelSpeedKmh => format!("{shown} km/h needed"),
        Field::FailuresSameSource30m => counted(value, "wrong password", "in 30 minutes"),
        Field::FailuresSecondFactor24h => counted(value, "failed second factor", "in 24 hours"),
        Field::AuthAchieved => format!("level {shown} proven"),
        Field::AuthUsual => format!("level {shown} is usual"),
        Field::AuthEnrolledMax => format!("enrolled factors reach level {shown}"),
        Field::CrowdAddressUsersFailed1h => counted(value, "user", "failed on this address in 1 hour"),
        Field::CrowdAddressSuccessShare1h => format!("{} of its users got in", percent(value)),
        Field::CrowdAddressAttempts1h => counted(value, "attempt", "by all users on it in 1 hour"),
        field => format!("{field}: {shown}"),
    }
}

fn counted(value: f64, one: &str, rest: &str) -> String {
    let ending = if value == 1.0 { "" } else { "s" };
    format!("{} {one}{ending} {rest}", number(value))
}

fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_rules::RuleSet;

    fn slots() -> Slots {
        let mut slots = Slots::new();
        slots.set_text(Field::DeviceState, "new");
        slots.set_text(Field::DeviceTrust, "none");
        slots.set_owned(Field::DeviceFamily, "Fire\u{202e}fox");
        slots.set_owned(Field::DeviceOs, "Windows");
        slots.set_float(Field::AddressFamiliarity, 16.13);
        slots.set_float(Field::AddressUserLoginsFromNetwork, 0.0);
        slots.set_float(Field::AddressUserLogins, 40.0);
        slots.set_float(Field::AddressShareOfEveryone, 0.02);
        slots.set_int(Field::UserLogins, 1);
        slots
    }

    #[test]
    fn evidence_and_what_was_before_are_told_apart() {
        let rules = RuleSet::builtin().unwrap();
        let slots = cleaned(&slots());
        let rule = rules.rule("new-device").unwrap();
        assert_eq!(now(rule, &slots), ["device new", "Fire\\u202efox on Windows"]);
        assert_eq!(
            before(rule, &slots),
            ["the device earned no trust", "1 login so far"]
        );
        let rule = rules.rule("unfamiliar-address").unwrap();
        let lacking = ["no data: network.organisation", "no data: network.country"];
        assert!(
            lacking
                .iter()
                .all(|line| now(rule, &slots).contains(&(*line).to_owned()))
        );
        assert_eq!(
            before(rule, &slots),
            [
                "0 of 40 logins from this network (older ones count less)",
                "2 % of all users' logins come from it"
            ]
        );
    }

    #[test]
    fn every_builtin_rule_has_something_to_tell() {
        let rules = RuleSet::builtin().unwrap();
        for rule in rules.rules() {
            assert!(
                !now(rule, &slots()).is_empty() || !before(rule, &slots()).is_empty(),
                "{}",
                rule.id
            );
        }
    }
}
