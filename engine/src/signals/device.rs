//! The device against those the user was seen with. The comparison itself is `history::device_identity`, and nowhere
//! else.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// Has the user been seen with this device?
pub struct DeviceSignal;

impl Signal for DeviceSignal {
    fn question(&self) -> &'static str {
        "has the user been seen with this device?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::DeviceState,
            Field::DeviceTrust,
            Field::DeviceCredit,
            Field::DeviceBasis,
            Field::DeviceFamily,
            Field::DeviceOs,
            Field::DeviceType,
            Field::DeviceKind,
            Field::DeviceManaged,
            Field::DeviceCompliant,
            Field::PairTrust,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let event = &context.login.event;
        let software = &context.login.device.software;
        if context.matched.told {
            slots.set_text(Field::DeviceState, context.matched.state.as_str());
            slots.set_text(Field::DeviceTrust, context.matched.trust.as_str());
            slots.set_float(Field::DeviceCredit, context.matched.trust.credit_share());
        }
        slots.set_text(Field::DeviceBasis, context.matched.basis.as_str());
        slots.set_text(Field::PairTrust, context.pair_trust.as_str());
        if !software.is_unknown() {
            slots.set_owned(Field::DeviceFamily, std::sync::Arc::clone(&software.family));
            slots.set_text(Field::DeviceType, software.device_type.as_str());
        }
        if !software.os.is_empty() {
            slots.set_owned(Field::DeviceOs, std::sync::Arc::clone(&software.os));
        }
        if let Some(kind) = event.device.kind {
            slots.set_text(Field::DeviceKind, kind.as_str());
        }
        if let Some(managed) = event.device.managed {
            slots.set_bool(Field::DeviceManaged, managed);
        }
        if let Some(compliant) = event.device.compliant {
            slots.set_bool(Field::DeviceCompliant, compliant);
        }
    }
}
