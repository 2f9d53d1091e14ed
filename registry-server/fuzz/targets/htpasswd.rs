//! See `registry_fuzz::htpasswd`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::htpasswd::check(bytes));
