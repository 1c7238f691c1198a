//! Target `broker`: what it checks stands in `tests/fuzzed/src/broker.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::broker(data));
