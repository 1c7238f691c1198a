//! Target `manifest`: what it checks stands in `tests/fuzzed/src/manifest.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::manifest(data));
