//! The application signed in to.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// Which application is it, and how much does it protect?
pub struct AppSignal;

impl Signal for AppSignal {
    fn question(&self) -> &'static str {
        "which application is it, and how much does it protect?"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field::AppId, Field::AppSensitivity]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        if let Some(id) = context.login.event.app.id.as_deref() {
            slots.set_owned(Field::AppId, id);
        }
        slots.set_text(Field::AppSensitivity, context.sensitivity.as_str());
    }
}
