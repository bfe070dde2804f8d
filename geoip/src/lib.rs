//! Address lookups of Doorward.
