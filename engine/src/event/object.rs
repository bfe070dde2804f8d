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
                #[expect(non_camel_case_types, reason = "named as the fields are, only to number them")]
                enum Number { $($field,)+ }
                let mut met = 0_u64;
                $(let mut $field: Option<<$reader as $crate::event::reader::Reader>::Out> = None;)+
                while let Some(key) = map.next_key_seed($crate::event::reader::Key)? {
                    match &*key {
                        $($key => context.field::<$reader, A>(($key, 1 << Number::$field as u32), &mut met, &mut $field, &mut map)?,)+
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
    (@settle need $context:ident $key:literal $slot:ident) => { $context.required($key, $slot)? };
    (@settle may $context:ident $key:literal $slot:ident) => { $slot };
    (@settle or $context:ident $key:literal $slot:ident) => { $slot.unwrap_or_default() };
}

pub(super) use object;
