mod fields;
pub mod points;
pub mod schema;
pub mod slots;
pub mod slots_codec;
pub use points::Points;
pub use schema::{Field, FieldInfo, FieldType};
pub use slots::{Slot, Slots, Text};
