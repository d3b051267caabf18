//! What the readers of the output ask of it (`output.profile`), all in one place.
//!
//! Before a run: which columns a profile refuses, widens or renames ([`columns`],
//! [`names`], [`types`]), and which settings ([`settings`]). After each file: its
//! footer against every rule ([`footer`]).

pub mod columns;
mod declared;
pub mod footer;
pub mod names;
mod rule;
pub mod settings;
pub(crate) mod types;

pub use columns::for_profile;
pub use footer::Preflight;
pub use rule::Rule;
