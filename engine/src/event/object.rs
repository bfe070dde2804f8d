//! The macro that writes an object of the event once: its Rust type, how it is read, and its lines of the reference.

/// Each field is `"name" rule field: Type = Reader;` where the rule says what an absent one is:
/// `need` refuses the object, `may` makes it `None`, `or` takes the type's default.
macro_rules! object {
    ($($(#[$meta:meta])* $name:ident {
        $($(#[doc = $doc:literal])+ $key:literal $rule:ident $field:ident: $type:ty = $reader:ty;)+
    })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl $crate::event::reader::Fields for $name {
            const FIELDS: &'static [$crate::event::reader::FieldDoc] = &[$($crate::event::reader::FieldDoc {
                key: $key,
                required: $crate::event::object::object!(@required $rule),
                meaning: &[$($doc),+],
                describe: <$reader as $crate::event::reader::Reader>::describe,
                within: <$reader as $crate::event::reader::Reader>::WITHIN,
                fields: <$reader as $crate::event::reader::Reader>::fields,
            },)+];

            fn read_fields(
                input: &mut $crate::event::json::Input<'_>,
            ) -> Result<Self, $crate::event::parse_error::Refusal> {
                $(let mut $field: Option<<$reader as $crate::event::reader::Reader>::Out> = None;)+
                input.enter()?;
                let mut first = true;
                while let Some(name) = $crate::event::reader::next_field::<Self>(input, &mut first)? {
                    match name {
                        $($key => $crate::event::reader::read_field::<$reader>($key, &mut $field, input)?,)+
                        other => $crate::event::reader::skip_field(other, input)?,
                    }
                }
                Ok(Self {
                    $($field: $crate::event::object::object!(@settle $rule $key $field),)+
                })
            }
        }
    )+};
    (@required need) => { true };
    (@required $other:ident) => { false };
    (@settle need $key:literal $slot:ident) => { $crate::event::reader::needed($key, $slot)? };
    (@settle may $key:literal $slot:ident) => { $slot };
    (@settle or $key:literal $slot:ident) => { $slot.unwrap_or_default() };
}

pub(super) use object;
