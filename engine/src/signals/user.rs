//! How well the user is known.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// Who is it, and how well do we know them?
pub struct UserSignal;

impl Signal for UserSignal {
    fn question(&self) -> &'static str {
        "who is it, and how well do we know them?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::UserKind,
            Field::UserMaturity,
            Field::UserLogins,
            Field::UserDaysSinceLastLogin,
            Field::ActorKind,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let event = &context.login.event;
        slots.set_text(Field::UserKind, context.user_kind.as_str());
        slots.set_text(Field::UserMaturity, context.maturity.as_str());
        slots.set_text(Field::ActorKind, event.actor.kind.as_str());
        let granted = context.history.map_or(0, |history| history.granted.count);
        slots.set_int(Field::UserLogins, i64::try_from(granted).unwrap_or(i64::MAX));
        let days = context
            .history
            .and_then(|history| history.days_since_last_granted(event.time.as_micros()));
        if let Some(days) = days {
            slots.set_float(Field::UserDaysSinceLastLogin, days);
        }
    }
}
