//! Bytes of an attacker into the parser: it must not panic, and what it refuses must be named and told cleanly.
#![no_main]

use doorward::event::{Limits, Reason, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes, &Limits::DEFAULT) {
        Ok(event) => assert!(!event.id.trim().is_empty() && !event.source.trim().is_empty()),
        Err(error) => {
            assert!(error.message.contains(&error.field));
            assert!(!error.message.chars().any(char::is_control));
            assert_eq!(error.reason == Reason::InvalidUtf8, bytes.len() <= Limits::DEFAULT.event_bytes && std::str::from_utf8(bytes).is_err());
        }
    }
});
