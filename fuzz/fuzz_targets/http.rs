//! Target `http`: what it checks stands in `tests/fuzzed/src/http.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::http(data));
