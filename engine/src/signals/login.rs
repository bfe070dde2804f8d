//! What kind of event it is, and at what hour of the user's day.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// What happened, and when?
pub struct LoginSignal;

impl Signal for LoginSignal {
    fn question(&self) -> &'static str {
        "what happened, and when?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::LoginType,
            Field::LoginOutcome,
            Field::LoginStage,
            Field::LoginReason,
            Field::LoginInteractive,
            Field::LoginHour,
            Field::LoginTenant,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let event = &context.login.event;
        slots.set_text(Field::LoginType, event.event_type.as_str());
        if let Some(outcome) = event.outcome {
            slots.set_text(Field::LoginOutcome, outcome.as_str());
        }
        slots.set_text(Field::LoginStage, event.stage.as_str());
        if let Some(reason) = event.reason {
            slots.set_text(Field::LoginReason, reason.as_str());
        }
        slots.set_bool(Field::LoginInteractive, event.is_interactive());
        slots.set_owned(Field::LoginTenant, std::sync::Arc::clone(&context.login.tenant));
        if let Some(hour) = hour_of_day(context) {
            slots.set_float(Field::LoginHour, hour);
        }
    }
}

/// Hour in the user's own zone, from the bundled table of zones; the event's zone wins over the remembered one.
fn hour_of_day(context: &LoginContext<'_>) -> Option<f64> {
    let told = context.login.event.user.time_zone.as_deref();
    let remembered = context
        .history
        .and_then(|history| history.profile.time_zone.as_deref());
    let instant = jiff::Timestamp::from_microsecond(context.login.event.time.as_micros()).ok()?;
    let ahead = context.zones.seconds_ahead(told.or(remembered)?, instant)?;
    let second = (instant.as_second() + ahead).rem_euclid(86_400);
    Some(second as f64 / 3_600.0)
}
