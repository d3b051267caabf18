//! The converter against its slow twin, see `sawmill::batch::convert::twins::floats`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sawmill::batch::convert::twins;

fuzz_target!(|data: &[u8]| twins::floats(data));
