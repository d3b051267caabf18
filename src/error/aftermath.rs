//! What a command that failed leaves in its targets.

use super::Error;

/// What a command that failed leaves in its targets, where that is not nothing. What a person
/// has to do about it is in the remedy; this is for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// The run is decided, as this version: its data is safe, and not visible and announced in
    /// every target yet. The next run finishes it.
    Decided(u64),
    /// The log did not answer when the run was to be decided: it may be part of the table or not.
    Unknown,
    /// Single files have no log: some targets may hold the file, and others not.
    PartlyVisible,
    /// Another target has become home: whatever was decided in the log of the old one is of the table only if
    /// it was taken over.
    Replaced,
    /// This version was decided before, by another run, and could not be finished.
    Unfinished(u64),
}

impl Error {
    /// Adds what is left in the targets; in place of what was said of it before.
    #[must_use]
    pub fn leaving(mut self, aftermath: Aftermath) -> Self {
        self.0.aftermath = Some(aftermath);
        self
    }

    /// Says that nothing is left after all.
    #[must_use]
    pub fn leaving_nothing(mut self) -> Self {
        self.0.aftermath = None;
        self
    }

    /// What is left in the targets, where that is not nothing.
    pub fn aftermath(&self) -> Option<Aftermath> {
        self.0.aftermath
    }
}
