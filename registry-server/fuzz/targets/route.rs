//! See `registry_fuzz::route`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::route::check(bytes));
