//! The converter against its slow twin, see `sawmill::batch::convert::twins::formats`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sawmill::batch::convert::twins;

fuzz_target!(|data: &[u8]| twins::formats(data));
