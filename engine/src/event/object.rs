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

            fn read_fields<'de, A: serde::de::MapAccess<'de>>(
                context: &mut $crate::event::reader::Context,
                mut map: A,
            ) -> Result<Self, A::Error> {
                $(let mut $field: Option<Option<<$reader as $crate::event::reader::Reader>::Out>> = None;)+
                while let Some(key) = map.next_key::<$crate::event::reader::Key<'de>>()? {
                    match &*key.0 {
                        $($key => context.field::<$reader, A>($key, &mut $field, &mut map)?,)+
                        other => context.skip(other, &mut map)?,
                    }
                }
                Ok(Self {
                    $($field: $crate::event::object::object!(@settle $rule context $key $field),)+
                })
            }
        }
    )+};
    (@required need) => { true };
    (@required $other:ident) => { false };
    (@settle need $context:ident $key:literal $slot:ident) => { $context.required($key, $slot.flatten())? };
    (@settle may $context:ident $key:literal $slot:ident) => { $slot.flatten() };
    (@settle or $context:ident $key:literal $slot:ident) => { $slot.flatten().unwrap_or_default() };
}

pub(super) use object;
