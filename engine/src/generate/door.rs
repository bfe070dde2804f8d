//! The applications that people sign in to, and how each of them asks for a second factor and what it tells us.

/// When an application asks for the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// At every login.
    Always,
    /// On a device it does not remember, and when the country changes.
    UnknownDevice,
    /// Never: an old application that only reports.
    Never,
}

/// One application.
#[derive(Debug, PartialEq, Eq)]
pub struct Door {
    /// `app.id`
    pub app: &'static str,
    /// `source` of events of its pages.
    pub web: &'static str,
    /// `source` of events of its app.
    pub native: &'static str,
    /// When it asks for the second factor.
    pub asks: Asks,
    /// Whether it sends `auth.enrolled`.
    pub tells_enrolled: bool,
}

/// Asks always, and tells all.
pub const PORTAL: Door = Door {
    app: "portal",
    web: "portal/web",
    native: "portal/native",
    asks: Asks::Always,
    tells_enrolled: true,
};

/// Remembers devices.
pub const SHOP: Door = Door {
    app: "shop",
    web: "shop/web",
    native: "shop/native",
    asks: Asks::UnknownDevice,
    tells_enrolled: true,
};

/// Remembers devices, and tells nothing of what its members have enrolled.
pub const CLUB: Door = Door {
    app: "club",
    web: "club/web",
    native: "club/native",
    asks: Asks::UnknownDevice,
    tells_enrolled: false,
};

/// The weak door beside the portal and the shop, on the same accounts: a password is enough.
pub const WEBMAIL: Door = Door {
    app: "webmail",
    web: "webmail/web",
    native: "webmail/native",
    asks: Asks::Never,
    tells_enrolled: true,
};
