//! What was proven in this attempt, and what the account could prove.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// What was proven, and is that as usual?
pub struct AuthSignal;

impl Signal for AuthSignal {
    fn question(&self) -> &'static str {
        "what was proven, and is that as usual?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::AuthAchieved,
            Field::AuthUsual,
            Field::AuthEnrolledMax,
            Field::AuthEnrolledTold,
            Field::AuthSecondFactorPassed,
            Field::AuthSecondFactorPhishable,
            Field::AuthFlow,
            Field::AuthGrant,
            Field::AuthProtocol,
            Field::AuthRemembered,
            Field::AuthPasswordBreached,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let auth = &context.login.event.auth;
        slots.set_int(Field::AuthAchieved, i64::from(context.achieved));
        if let Some(usual) = context.usual {
            slots.set_int(Field::AuthUsual, i64::from(usual));
        }
        if let Some(most) = context.enrolled_max {
            slots.set_int(Field::AuthEnrolledMax, i64::from(most));
        }
        slots.set_bool(Field::AuthEnrolledTold, auth.enrolled.is_some());
        slots.set_bool(Field::AuthSecondFactorPassed, context.proven.has_second_factor());
        if let Some(phishable) = context.proven.second_factor_phishable(context.hwk_origin_bound) {
            slots.set_bool(Field::AuthSecondFactorPhishable, phishable);
        }
        if let Some(flow) = auth.flow {
            slots.set_text(Field::AuthFlow, flow.as_str());
        }
        if let Some(grant) = auth.grant.as_deref() {
            slots.set_owned(Field::AuthGrant, grant);
        }
        if let Some(protocol) = auth.protocol.as_deref() {
            slots.set_owned(Field::AuthProtocol, protocol);
        }
        if let Some(remembered) = auth.remembered {
            slots.set_bool(Field::AuthRemembered, remembered);
        }
        if let Some(breached) = auth.password.as_ref().and_then(|password| password.breached) {
            slots.set_bool(Field::AuthPasswordBreached, breached);
        }
    }
}
