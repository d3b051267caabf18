//! Places and endpoints of the command line, with the rules of job files;
//! relative paths are taken from the current directory.

use super::current_directory;
use crate::error::{Error, Result};
use crate::spec::location::{self, LocationError};

/// Where something is read from: a path, a URL, a glob, or `-`.
pub(super) fn input(place: &str) -> Result<String> {
    location::input(place, &current_directory()?).map_err(|error| refused(place, error))
}

/// Where something is written to.
pub(super) fn output(place: &str) -> Result<String> {
    location::output(place, &current_directory()?).map_err(|error| refused(place, error))
}

/// The endpoint of a flag.
pub(super) fn endpoint(flag: &str, endpoint: Option<&str>) -> Result<()> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    location::check_endpoint(endpoint).map_err(|error| refused(flag, error))
}

fn refused(place: &str, error: LocationError) -> Error {
    // It may hold a password or a signature.
    let shown = if place.contains(['@', '?']) { "the location" } else { place };
    Error::usage(format!("{shown}: {}", error.message)).remedy(error.remedy)
}
