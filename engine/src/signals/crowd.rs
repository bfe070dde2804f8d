//! What other users did from the same address, network, device and software in the hour before.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};
use crate::history::crowd::{UsersSeen, WindowCounts};

/// What did others do from here in the last hour?
pub struct CrowdSignal;

impl Signal for CrowdSignal {
    fn question(&self) -> &'static str {
        "what did others do from here in the last hour?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::CrowdAddressAttempts1h,
            Field::CrowdAddressFailures1h,
            Field::CrowdAddressUsersFailed1h,
            Field::CrowdAddressSuccessShare1h,
            Field::CrowdPrefixAttempts1h,
            Field::CrowdPrefixFailures1h,
            Field::CrowdPrefixUsersFailed1h,
            Field::CrowdAsnAttempts1h,
            Field::CrowdAsnFailures1h,
            Field::CrowdDeviceAttempts1h,
            Field::CrowdDeviceFailures1h,
            Field::CrowdDeviceUsersFailed1h,
            Field::CrowdSoftwareAttempts1h,
            Field::CrowdSoftwareFailures1h,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let crowd = context.crowd;
        let address = [Field::CrowdAddressAttempts1h, Field::CrowdAddressFailures1h];
        counts(slots, address, Some(crowd.address));
        counts(
            slots,
            [Field::CrowdPrefixAttempts1h, Field::CrowdPrefixFailures1h],
            Some(crowd.prefix),
        );
        counts(
            slots,
            [Field::CrowdAsnAttempts1h, Field::CrowdAsnFailures1h],
            crowd.asn,
        );
        counts(
            slots,
            [Field::CrowdDeviceAttempts1h, Field::CrowdDeviceFailures1h],
            crowd.device,
        );
        counts(
            slots,
            [Field::CrowdSoftwareAttempts1h, Field::CrowdSoftwareFailures1h],
            crowd.software,
        );
        users(slots, Field::CrowdAddressUsersFailed1h, Some(crowd.address_users));
        users(slots, Field::CrowdPrefixUsersFailed1h, Some(crowd.prefix_users));
        users(slots, Field::CrowdDeviceUsersFailed1h, crowd.device_users);
        if let Some(share) = crowd.address_users.success_share() {
            slots.set_float(Field::CrowdAddressSuccessShare1h, share);
        }
    }
}

fn counts(slots: &mut Slots, [attempts, failures]: [Field; 2], view: Option<WindowCounts>) {
    if let Some(view) = view {
        slots.set_int(attempts, i64::from(view.attempts));
        slots.set_int(failures, i64::from(view.failures));
    }
}

fn users(slots: &mut Slots, field: Field, view: Option<UsersSeen>) {
    if let Some(view) = view {
        slots.set_int(field, i64::from(view.failed));
    }
}
