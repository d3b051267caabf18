//! The converters once more, slowly: what is right by the plainest means.
//!
//! Each function takes bytes as a fuzzer or a property makes them, has the
//! converter and its twin read them, and panics where the two differ. Built for
//! tests and fuzz targets only.

mod bytes;
mod calendar;
mod numbers;

pub use bytes::{binary, booleans};
pub use calendar::{dates, formats, times, timestamps};
pub use numbers::{decimals, floats, integers, marked};

/// Takes a number below `below` off the front, for a choice.
fn choice(data: &[u8], below: usize) -> (usize, &[u8]) {
    match data {
        [first, rest @ ..] => (usize::from(*first) % below, rest),
        [] => (0, data),
    }
}
