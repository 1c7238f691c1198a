//! Target `json`: what it checks stands in `tests/fuzzed/src/json.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::json(data));
