//! What somebody may have meant.

/// The name among `known` that `word` is most likely meant to be, if any is close.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(word);
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted, &plain(name));
    let (best, distance) = known.into_iter().map(|name| (name, distance(name))).min_by_key(|(_, d)| *d)?;
    // A third of the word may be wrong, as clap and cargo have it.
    (distance * 3 <= wanted.chars().count().max(3)).then_some(best)
}

/// What to write instead of a name that no column has.
pub(crate) fn nearest_column<'a>(name: &str, columns: impl Iterator<Item = &'a str> + Clone) -> String {
    const SHOWN: usize = 20;
    if let Some(close) = nearest(name, columns.clone()) {
        return format!("did you mean `{close}`?");
    }
    let shown = columns.clone().take(SHOWN).collect::<Vec<_>>().join(", ");
    match columns.count().saturating_sub(SHOWN) {
        0 => format!("the columns here are {shown}"),
        more => format!("the columns here are {shown} and {more} more"),
    }
}
