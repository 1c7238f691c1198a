//! Target `xmljson`: what it checks stands in `tests/fuzzed/src/xmljson.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::xmljson(data));
