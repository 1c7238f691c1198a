//! Target `bumblebee`: what it checks stands in `tests/fuzzed/src/bumblebee.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::bumblebee(data));
