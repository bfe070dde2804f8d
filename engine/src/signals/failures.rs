//! What went wrong before, for this user.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// How often did this user's sign-in fail just before?
pub struct FailuresSignal;

impl Signal for FailuresSignal {
    fn question(&self) -> &'static str {
        "how often did this user's sign-in fail just before?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::FailuresSameSource30m,
            Field::FailuresSecondFactor24h,
            Field::AttemptSecondFactorFailed,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let time = context.login.event.time.as_micros();
        let wrong = context
            .failures
            .same_source_30m(context.source_device, context.source_address, time);
        slots.set_int(
            Field::FailuresSameSource30m,
            i64::from(wrong.max(context.attempt.wrong_passwords.into())),
        );
        let second = context.failures.second_factor_24h(time);
        let here = u32::from(context.attempt.second_factor_failed);
        slots.set_int(Field::FailuresSecondFactor24h, i64::from(second.max(here)));
        slots.set_bool(
            Field::AttemptSecondFactorFailed,
            context.attempt.second_factor_failed,
        );
    }
}
