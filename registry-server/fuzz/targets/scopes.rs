//! See `registry_fuzz::scopes`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::scopes::check(bytes));
