//! Target `config`: what it checks stands in `tests/fuzzed/src/config.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::config(data));
