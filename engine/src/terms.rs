//! Words that every layer shares: a place in the journal, an id, an answer, a level of assurance. A leaf: it uses nothing
//! of Doorward, and holds no more than what would else tie two layers together.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Position of a record in a store's journal: 1 for the first, without gaps.
pub type Seq = u64;

/// First 16 bytes of a SHA-256, see `risk::ids`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Id(pub [u8; 16]);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the application should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// Let them in.
    Allow,
    /// Ask for `step_up.level` first.
    StepUp,
    /// The owner must approve from somewhere that the risk does not touch.
    Hold,
    /// Turn them away.
    Deny,
}

impl Action {
    /// The four, mildest first.
    pub const ALL: [Self; 4] = [Self::Allow, Self::StepUp, Self::Hold, Self::Deny];

    /// Name in JSON and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::StepUp => "step_up",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

/// Level of assurance: 1 any one factor, 2 two independent categories, 3 bound to origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Any one factor.
    One,
    /// Two independent categories (know, have, are).
    Two,
    /// Bound to origin: passkey, security key, smart card.
    Three,
}

impl Level {
    /// 1, 2 or 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// The level of a number from 1 to 3.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    /// One higher, at most three.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two | Self::Three => Self::Three,
        }
    }
}
