//! See `registry_fuzz::byte_range`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry_fuzz::byte_range::check(bytes));
