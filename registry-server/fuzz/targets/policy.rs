//! See `registry_fuzz::policy`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::policy::check(bytes));
