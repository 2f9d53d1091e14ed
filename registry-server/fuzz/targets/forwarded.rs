//! See `registry_fuzz::forwarded`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::forwarded::check(bytes));
