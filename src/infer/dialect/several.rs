//! Whether inputs that are read together have one delimiter.

use super::look::Look;
use super::refusal::Refusal;
use super::search::{Candidate, Search};
use super::{DELIMITERS, Head};
use crate::parse::{Delimiter, Grammar};
use crate::spec::Dialect;

/// Refuses inputs of which each is a table by a delimiter that does not divide the
/// other: nothing reads both, and a column called `a;b` would come of it.
pub(super) fn check(search: &Search<'_>, found: &Candidate) -> Result<(), Refusal> {
    // What divides every record spares most runs the search.
    if search.heads.len() < 2 || found.look.is_divided() {
        return Ok(());
    }
    let tables: Vec<Vec<Delimiter>> =
        search.heads.iter().map(|head| delimiters_of(head, &found.dialect)).collect();
    for (one, ours) in tables.iter().enumerate() {
        for (other, theirs) in tables.iter().enumerate().skip(one + 1) {
            let (Some(&our), Some(&their)) = (ours.first(), theirs.first()) else { continue };
            if !ours.iter().any(|delimiter| theirs.contains(delimiter)) {
                let urls = [one, other].map(|head| search.heads[head].url.to_owned());
                return Err(Refusal::Differ { urls, delimiters: [our, their] });
            }
        }
    }
    Ok(())
}

/// The delimiters by each of which a head is a table, the one that was found before others.
fn delimiters_of(head: &Head<'_>, found: &Dialect) -> Vec<Delimiter> {
    let is_table = |delimiter: &Delimiter| {
        let grammar = Grammar { delimiter: *delimiter, ..found.grammar };
        let look = Look::of(&[*head], &found.with_grammar(grammar));
        look.records > 1 && (look.is_table() || look.is_table_below().is_some())
    };
    let others =
        DELIMITERS.map(Delimiter::from).into_iter().filter(|other| *other != found.grammar.delimiter);
    std::iter::once(found.grammar.delimiter).chain(others).filter(is_table).collect()
}
