//! Reading files of text.

use super::{KeyPath, Problem};
use crate::error::JobPlace;
use std::path::Path;

/// The text of a file; the problem says why there is none.
pub(crate) fn read_text(path: &Path) -> Result<String, Problem> {
    let at_root = |message: String| Problem::new(KeyPath::root(), message);
    let bytes = std::fs::read(path)
        .map_err(|error| at_root(format!("cannot be read: {error}")).remedy("check the path"))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        let place = JobPlace { file: path.display().to_string(), line: Some(line), ..JobPlace::default() };
        let problem = at_root("the text is not UTF-8".into()).remedy("save the file as UTF-8");
        Problem { place: Some(place.into()), ..problem }
    })
}
