//! What is wrong with an expression, and where in it.

use crate::spanned::{KeyPath, Problem};
use datafusion_common::DataFusionError;
use datafusion_sql::sqlparser::tokenizer::{Location, Span};

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mistake {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
    /// Where; empty if that is not known.
    pub(crate) span: Span,
}

impl Mistake {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Mistake { message: message.into(), remedy: None, span: Span::empty() }
    }

    pub(super) fn at(self, span: Span) -> Self {
        Mistake { span, ..self }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Mistake { remedy: Some(remedy.into()), ..self }
    }

    /// What DataFusion said, with its place if it has one.
    pub(super) fn of(error: &DataFusionError) -> Self {
        let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        let location = |at: datafusion_common::Location| Location { line: at.line, column: at.column };
        let span = span.map_or(Span::empty(), |span| Span::new(location(span.start), location(span.end)));
        Mistake::new(said(error)).at(span)
    }

    /// The mistake with the line of `text` that it is in and a mark under its place.
    pub(crate) fn into_problem(self, key: KeyPath, text: &str) -> Problem {
        let message = match excerpt(text, self.span) {
            Some(excerpt) => format!("{}\n{excerpt}", self.message),
            None => format!("{}\n  | {}", self.message, text.replace('\n', "\n  | ")),
        };
        let problem = Problem::new(key, message);
        match self.remedy {
            Some(remedy) => problem.remedy(remedy),
            None => problem,
        }
    }
}

/// The message of an error without its class and its trace.
pub(super) fn said(error: &DataFusionError) -> String {
    let message = match error.find_root() {
        DataFusionError::ArrowError(cause, _) => cause.to_string(),
        DataFusionError::Diagnostic(_, inner) => return said(inner),
        root => root.message().into_owned(),
    };
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    message.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The line of a span and carets under it.
fn excerpt(text: &str, span: Span) -> Option<String> {
    let line = text.lines().nth(usize::try_from(span.start.line).ok()?.checked_sub(1)?)?;
    let from = usize::try_from(span.start.column).ok()?.checked_sub(1)?;
    let to = if span.end.line == span.start.line { span.end.column as usize } else { line.chars().count() };
    // The parser's columns count characters, and its ends are exclusive for words.
    let carets = to.saturating_sub(from + 1).max(1);
    Some(format!("  | {line}\n  | {}{}", " ".repeat(from), "^".repeat(carets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked() {
        let place = |line, column| Location { line, column };
        let span = Span::new(place(2, 3), place(2, 7));
        let problem = Mistake::new("wrong").at(span).into_problem(KeyPath::from("k"), "a +\n  näme");
        assert_eq!(problem.message, "wrong\n  |   näme\n  |   ^^^^");
    }

    #[test]
    fn an_unknown_place_shows_all() {
        let problem = Mistake::new("wrong").into_problem(KeyPath::from("k"), "a\n+ b");
        assert_eq!(problem.message, "wrong\n  | a\n  | + b");
    }
}
