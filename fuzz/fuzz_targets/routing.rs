//! Target `routing`: what it checks stands in `tests/fuzzed/src/routing.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::routing(data));
