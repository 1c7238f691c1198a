//! Target `jq`: what it checks stands in `tests/fuzzed/src/jq.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::jq(data));
