//! Target `cesql`: what it checks stands in `tests/fuzzed/src/cesql.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::cesql(data));
