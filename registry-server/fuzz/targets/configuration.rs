//! See `registry_fuzz::configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::configuration::check(bytes));
