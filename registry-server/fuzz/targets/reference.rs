//! See `registry_fuzz::reference`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::reference::check(bytes));
