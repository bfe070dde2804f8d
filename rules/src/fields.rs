//! The table of declared fields: one entry is one field, everywhere.
//!
//! To add a field: append an entry with a number that was never used. Numbers and names are kept
//! in stored slots for months, so neither is ever changed or given to something else.

use crate::schema::{FieldInfo, FieldType};
use crate::slots_codec::Key;

macro_rules! declare_fields {
    ($($number:literal $variant:ident $name:literal $field_type:ident $unit:literal
       [$($value:literal)*] $meaning:literal $example:literal;)*) => {
        /// A declared field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                $variant,
            )*
        }

        impl Field {
            /// Every field, in the order of the table.
            pub const ALL: &'static [Field] = &[$(Field::$variant),*];

            /// What each field starts with in stored slots, in the order of the table.
            pub(crate) const KEYS: &'static [Key] = &[$(Key::new($number, FieldType::$field_type)),*];

            /// What is declared about this field.
            #[must_use]
            #[inline]
            pub const fn info(self) -> &'static FieldInfo {
                match self {
                    $(Field::$variant => const { &FieldInfo {
                        number: $number,
                        name: $name,
                        field_type: FieldType::$field_type,
                        unit: $unit,
                        domain: &[$($value),*],
                        meaning: $meaning,
                        example: $example,
                    } },)*
                }
            }
        }
    };
}

declare_fields! {
    1 LoginType "login.type" Text "" ["login" "attempt.closed" "challenge.sent" "session.seen" "session.ended" "action"
        "account.created" "account.disabled" "account.enabled" "account.unlocked" "user.updated" "identity.linked" "identity.unlinked"
        "mfa.enabled" "mfa.disabled" "login_option.changed" "factor.added" "factor.changed" "factor.removed" "factor.verified"
        "app_password.created" "app_password.removed" "consent.granted" "consent.revoked" "backup.created" "backup.used"
        "backup.replaced" "backup.restored" "backup.deleted" "contact.added" "contact.changed" "contact.verified"
        "contact.removed" "contact.sim_changed" "contact.bounced" "activation.issued" "activation.used" "activation.failed"
        "password.changed" "recovery.requested" "recovery.started" "recovery.completed" "feedback"]
        "Type of the event." "login";
    2 LoginOutcome "login.outcome" Text "" ["pending" "success" "failure" "partial" "abandoned" "refused"]
        "How the login stands, as the application says." "success";
    3 LoginStage "login.stage" Text "" ["identifier" "first_factor" "second_factor" "session"]
        "Which step of the login the event is about." "first_factor";
    4 LoginReason "login.reason" Text "" ["bad_password" "no_such_user" "otp_wrong" "code_expired" "push_denied" "push_expired"
        "push_ignored" "wrong_pin" "undelivered" "locked" "disabled" "expired" "policy" "cancelled"]
        "Why the login did not succeed; missing where the application gave no reason." "bad_password";
    5 LoginInteractive "login.interactive" Bool "" []
        "Whether a person took part; false for a refresh or a silent sign-on." "true";
    6 LoginHour "login.hour" Float "hours" []
        "Hour of the day from 0 up to 24 in the user's time zone; missing while the zone is unknown." "21.5";
    7 LoginTenant "login.tenant" Text "" []
        "Tenant of the event." "default";

    10 UserKind "user.kind" Text "" ["person" "shared" "service" "agent"]
        "Whose account it is: one person's, several people's, a machine's, or software acting for a person." "person";
    11 UserMaturity "user.maturity" Text "" ["unseen" "new" "learning" "mature" "lapsed"]
        "How well the user is known: unseen and new have no granted login, learning fewer than 5 or 14 days, lapsed only a stub left after retention." "mature";
    12 UserLogins "user.logins" Int "logins" []
        "Granted logins of the user before this one." "40";
    13 UserDaysSinceLastLogin "user.days_since_last_login" Float "days" []
        "Days since the user's last granted login; missing if there was none." "1.5";
    14 ActorKind "actor.kind" Text "" ["user" "admin" "helpdesk" "system" "agent"]
        "Who acted: the user, or somebody for the user." "user";

    20 DeviceState "device.state" Text "" ["known" "resembles" "new" "conflict"]
        "Known: proven or seen before. Resembles: unseen, but equal in every attribute sent. Conflict: a known id with software that does not fit. New: anything else." "known";
    21 DeviceTrust "device.trust" Text "" ["none" "observed" "settled" "vouched"]
        "What the device has earned: observed is granted once, settled on 3 days over 72 hours, vouched by a proof." "settled";
    22 DeviceBasis "device.basis" Text "" ["key" "id" "agent" "none"]
        "What the device was told by: a key, the application's id, family and OS alone, or nothing." "id";
    23 DeviceFamily "device.family" Text "" []
        "Family of the browser or application." "Firefox";
    24 DeviceOs "device.os" Text "" []
        "Family of the operating system." "Windows";
    25 DeviceType "device.type" Text "" ["desktop" "mobile" "tablet" "tv" "robot" "other"]
        "Type of the device, from its user agent." "mobile";
    26 DeviceKind "device.kind" Text "" ["browser" "app" "cli" "tv" "robot"]
        "Kind of client, as the application says." "browser";
    27 DeviceManaged "device.managed" Bool "" []
        "Whether the organisation manages the device; missing if the application does not say." "true";
    28 DeviceCompliant "device.compliant" Bool "" []
        "Whether the device meets the organisation's policy; missing if the application does not say." "true";
    29 DeviceCredit "device.credit" Float "share 0..1" []
        "How much of the negative points the device has earned: 1 vouched, 0.5 vouched by half credit, 0 not vouched." "1.0";

    40 ClientIp "client.ip" Text "" []
        "Address of the client in canonical form." "203.0.113.7";
    41 ClientJa4 "client.ja4" Text "" []
        "JA4 fingerprint of the TLS client hello; missing if the application does not send it." "t13d1516h2_8daaf6152771_b0da82dd1658";
    42 ClientOrigin "client.origin" Text "" []
        "Origin of the page, as the application's script saw it; missing without such a script." "https://shop.example";

    50 NetworkClass "network.class" Text "" ["public" "private" "cgnat" "documentation" "loopback" "link_local" "multicast" "unspecified" "reserved"]
        "Class of the address range." "public";
    51 NetworkKind "network.kind" Text "" ["none" "hosting" "vpn" "relay" "tor" "satellite" "mobile"]
        "Which list of networks the address is on; none if it is on no list." "hosting";
    52 NetworkAsn "network.asn" Int "" []
        "Number of the autonomous system; missing if no database knows it." "64500";
    53 NetworkOrganisation "network.organisation" Text "" []
        "Organisation of the autonomous system." "Example Broadband";
    54 NetworkCountry "network.country" Text "" []
        "Country of the address, ISO 3166-1 alpha-2; missing if no database knows it." "DK";
    55 NetworkCity "network.city" Text "" []
        "City of the address; missing if no database knows it." "Aarhus";

    60 PairTrust "pair.trust" Text "" ["none" "observed" "settled" "vouched"]
        "What this device on this network has earned together." "vouched";
    61 AddressFamiliarity "address.familiarity" Float "points" []
        "How unusual the address is for this user, in points from -12 to 18; missing while the whole address is unknown." "16.13";
    62 AddressKnownAt "address.known_at" Text "" ["none" "country" "asn" "prefix" "address"]
        "The finest level at which the user was seen here before." "asn";
    63 AddressUserLoginsFromNetwork "address.user_logins_from_network" Float "logins" []
        "Logins of this user from this network, faded with age." "0";
    64 AddressUserLogins "address.user_logins" Float "logins" []
        "Logins of this user, faded with age." "40";
    65 AddressShareOfEveryone "address.share_of_everyone" Float "share 0..1" []
        "Share of all users' logins that come from this network." "0.02";
    66 PairFamiliarity "pair.familiarity" Float "points" []
        "`address.familiarity` times the credit of device and network together." "-12.0";

    70 TravelDistanceKm "travel.distance_km" Float "km" []
        "Distance between the circles of the last place and this one; missing if either is unknown." "1850";
    71 TravelSpeedKmh "travel.speed_kmh" Float "km/h" []
        "Speed needed between the last place and this one; missing if either is unknown." "8432";
    72 TravelComparable "travel.comparable" Bool "" []
        "Whether both places are real: no relay, VPN, hosting, satellite or shared mobile gateway, and from one state of the databases." "true";
    73 TravelPairNew "travel.pair_new" Bool "" []
        "Whether the user was never before at these two places in turn." "true";

    80 FailuresSameSource30m "failures.same_source_30m" Int "failures" []
        "This user's wrong passwords from the same device or address in the 30 minutes before." "4";
    81 FailuresSecondFactor24h "failures.second_factor_24h" Int "failures" []
        "This user's failed second factors on any device in the 24 hours before, this attempt included." "1";
    82 AttemptSecondFactorFailed "attempt.second_factor_failed" Bool "" []
        "Whether a second factor failed, was denied or was abandoned in this attempt." "false";

    90 AuthAchieved "auth.achieved" Int "level 1..3" []
        "Level proven in this attempt: 1 any factor, 2 two independent categories, 3 bound to origin." "1";
    91 AuthUsual "auth.usual" Int "level 1..3" []
        "Level of most of the user's logins in 90 days; missing if there were none." "2";
    92 AuthEnrolledMax "auth.enrolled_max" Int "level 0..3" []
        "Level of the strongest mature factor enrolled; missing if the application never told." "2";
    93 AuthEnrolledTold "auth.enrolled_told" Bool "" []
        "Whether the application told which factors are enrolled." "true";
    94 AuthSecondFactorPassed "auth.second_factor_passed" Bool "" []
        "Whether a second factor succeeded in this attempt." "true";
    95 AuthSecondFactorPhishable "auth.second_factor_phishable" Bool "" []
        "Whether the second factor that succeeded is not bound to the origin; missing if none succeeded." "true";
    96 AuthFlow "auth.flow" Text "" ["form" "redirect" "qr" "push" "device_code" "magic_link" "ciba" "hybrid_passkey" "api"]
        "How the user was led through the login." "form";
    97 AuthGrant "auth.grant" Text "" []
        "OAuth grant." "authorization_code";
    98 AuthProtocol "auth.protocol" Text "" []
        "Protocol of the login." "oidc";
    99 AuthRemembered "auth.remembered" Bool "" []
        "Whether a remembered device or session spared the user a factor." "false";
    100 AuthPasswordBreached "auth.password_breached" Bool "" []
        "Whether the password is on a list of breached ones; missing if the application does not check." "false";

    110 AppId "app.id" Text "" []
        "Application the user signs in to." "shop";
    111 AppSensitivity "app.sensitivity" Text "" ["low" "normal" "high"]
        "How sensitive the application is, from the configuration or else the event." "normal";

    120 CrowdAddressAttempts1h "crowd.address.attempts_1h" Int "attempts" []
        "Attempts of all users from this address in the hour before." "120";
    121 CrowdAddressFailures1h "crowd.address.failures_1h" Int "failures" []
        "Failures of all users from this address in the hour before." "118";
    122 CrowdAddressUsersFailed1h "crowd.address.users_failed_1h" Int "users" []
        "Distinct users who failed from this address in the hour before." "60";
    123 CrowdAddressSuccessShare1h "crowd.address.success_share_1h" Float "share 0..1" []
        "Distinct users who succeeded divided by distinct users seen from this address in the hour before; missing if none were seen." "0.02";
    124 CrowdPrefixAttempts1h "crowd.prefix.attempts_1h" Int "attempts" []
        "Attempts of all users from this /24 or /64 in the hour before." "120";
    125 CrowdPrefixFailures1h "crowd.prefix.failures_1h" Int "failures" []
        "Failures of all users from this /24 or /64 in the hour before." "118";
    126 CrowdPrefixUsersFailed1h "crowd.prefix.users_failed_1h" Int "users" []
        "Distinct users who failed from this /24 or /64 in the hour before." "60";
    127 CrowdAsnAttempts1h "crowd.asn.attempts_1h" Int "attempts" []
        "Attempts of all users from this autonomous system in the hour before." "900";
    128 CrowdAsnFailures1h "crowd.asn.failures_1h" Int "failures" []
        "Failures of all users from this autonomous system in the hour before." "40";
    129 CrowdDeviceAttempts1h "crowd.device.attempts_1h" Int "attempts" []
        "Attempts of all users with this device in the hour before." "3";
    130 CrowdDeviceFailures1h "crowd.device.failures_1h" Int "failures" []
        "Failures of all users with this device in the hour before." "2";
    131 CrowdDeviceUsersFailed1h "crowd.device.users_failed_1h" Int "users" []
        "Distinct users who failed with this device in the hour before." "1";
    132 CrowdSoftwareAttempts1h "crowd.software.attempts_1h" Int "attempts" []
        "Attempts of all users with this software in the hour before." "500";
    133 CrowdSoftwareFailures1h "crowd.software.failures_1h" Int "failures" []
        "Failures of all users with this software in the hour before." "30";
}
