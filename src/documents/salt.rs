//! Salts stand in the environment, never in a document; what stands in the plan
//! tells whether a task has the one that the job was planned with.

use crate::error::{Error, Result};
use crate::spec::TransformSpec;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

/// What is hashed with a salt to tell it from others.
const MARK: &[u8] = b"sawmill salt";
/// Bytes of the hash that are kept: enough to tell a mistake. Whoever has them
/// can test guesses, as can anybody who knows one hashed value of the table.
const FINGERPRINT_BYTES: usize = 4;

/// A fingerprint of each salt that steps name, by its variable.
pub(crate) fn fingerprints(steps: &[TransformSpec]) -> BTreeMap<String, String> {
    let names = steps.iter().filter_map(|step| match step {
        TransformSpec::Hash(hash) => Some(&hash.salt_env),
        _ => None,
    });
    // A variable that is missing is an error of the step.
    names.filter_map(|name| Some((name.clone(), fingerprint(&std::env::var(name).ok()?)))).collect()
}

/// Whether this process has the salts of a plan.
pub(super) fn check(planned: &BTreeMap<String, String>, steps: &[TransformSpec]) -> Result<()> {
    let here = fingerprints(steps);
    match planned.iter().find(|(name, fingerprint)| here.get(*name) != Some(*fingerprint)) {
        None => Ok(()),
        Some((name, _)) => {
            let message =
                format!("the environment variable {name} differs from what it was when the job was planned");
            Err(Error::usage(message).remedy("give every task the salt of the plan, or plan again"))
        }
    }
}

fn fingerprint(salt: &str) -> String {
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(salt.as_bytes()) else { return String::new() };
    hash.update(MARK);
    hex::encode(&hash.finalize().into_bytes()[..FINGERPRINT_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_salts_apart_and_are_short() {
        let (one, other) = (fingerprint("pepper"), fingerprint("Pepper"));
        assert_ne!(one, other);
        assert_eq!(one.len(), 2 * FINGERPRINT_BYTES);
    }
}
