//! See `registry_fuzz::credentials`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::credentials::check(bytes));
