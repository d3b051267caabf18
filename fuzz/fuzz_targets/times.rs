//! The converter against its slow twin, see `sawmill::batch::convert::twins::times`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sawmill::batch::convert::twins;

fuzz_target!(|data: &[u8]| twins::times(data));
