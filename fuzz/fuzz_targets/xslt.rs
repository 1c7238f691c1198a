//! Target `xslt`: what it checks stands in `tests/fuzzed/src/xslt.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::xslt(data));
