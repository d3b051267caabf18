//! The converter against its slow twin, see `sawmill::value::convert::twins::times`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sawmill::value::convert::twins;

fuzz_target!(|data: &[u8]| twins::times(data));
