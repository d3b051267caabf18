//! SQL text → syntax tree with exact names, or the first thing that may not stand in an expression.

use super::formats::{Quoted, takes_formats};
use super::functions;
use super::mistake::Mistake;
use crate::error::{nearest, nearest_column};
use datafusion_expr::{ScalarUDF, Volatility};
use datafusion_sql::sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Location, Span, Token, Tokenizer};
use std::ops::ControlFlow;

/// Deepest nesting of a tree, which is evaluated by recursion on threads whose
/// stacks are small.
const MAX_DEPTH: usize = 100;

/// An expression that means something.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Every name in it is quoted and exact.
    pub(super) tree: Expr,
    /// The position of each column, in the order of first use.
    pub(super) used: Vec<usize>,
    /// Texts that stand where a function takes a format.
    pub(super) formats: Vec<Quoted>,
}

/// Parses an expression over columns of these names.
///
/// Unquoted names are matched exactly, else in any case if only one column fits.
pub(super) fn parse(text: &str, columns: &[&str]) -> Result<Parsed, Mistake> {
    let mut tree = syntax(text)?;
    let mut check = Check { columns, used: Vec::new(), formats: Vec::new(), depth: 0 };
    match VisitMut::visit(&mut tree, &mut check) {
        ControlFlow::Continue(()) => Ok(Parsed { used: check.used, formats: check.formats, tree }),
        ControlFlow::Break(mistake) => Err(mistake),
    }
}

fn syntax(text: &str) -> Result<Expr, Mistake> {
    let at = |location: Location| Span::new(location, location);
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(|error| Mistake::new(error.message).at(at(error.location)))?;
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_deep(Span::empty()),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let (message, location) = split_location(&message);
            let end = Location {
                line: text.lines().count().max(1) as u64,
                column: text.lines().last().unwrap_or_default().chars().count() as u64 + 1,
            };
            Mistake::new(message.replace("found: EOF", "found the end")).at(at(location.unwrap_or(end)))
        }
    })?;
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(tree),
        other => Err(Mistake::new(format!("the expression is complete before `{other}`")).at(next.span)),
    }
}

/// The parser has the place only as the end of its message.
fn split_location(message: &str) -> (&str, Option<Location>) {
    let parse = || {
        let (said, place) = message.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        Some((said, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    };
    parse().map_or((message, None), |(said, location)| (said, Some(location)))
}

fn too_deep(span: Span) -> Mistake {
    Mistake::new(format!("the expression is nested more than {MAX_DEPTH} deep"))
        .at(span)
        .remedy("split it into several `derive` steps, or write a chain of OR as IN (…)")
}

struct Check<'a> {
    columns: &'a [&'a str],
    used: Vec<usize>,
    formats: Vec<Quoted>,
    depth: usize,
}

impl VisitorMut for Check<'_> {
    type Break = Mistake;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Mistake> {
        self.depth += 1;
        let checked = match expr {
            _ if self.depth > MAX_DEPTH => Err(too_deep(Span::empty())),
            Expr::Identifier(name) => self.column(name),
            Expr::CompoundIdentifier(parts) => Err(qualified(parts)),
            Expr::Function(function) => check_function(function).map(|found| {
                if takes_formats(found.name()) {
                    self.formats.extend(quoted_after_first(function));
                }
            }),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                Err(Mistake::new("an expression sees one row: there are no subqueries").at(expr.span()))
            }
            Expr::Cast { data_type, .. } => {
                prefer_microseconds(data_type);
                Ok(())
            }
            Expr::TypedString(typed) => {
                prefer_microseconds(&mut typed.data_type);
                Ok(())
            }
            Expr::Lambda(_) => Err(Mistake::new("there are no lambda functions").at(expr.span())),
            _ => Ok(()),
        };
        checked.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn post_visit_expr(&mut self, _expr: &mut Expr) -> ControlFlow<Mistake> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Mistake> {
        match &value.value {
            Value::Placeholder(name) => ControlFlow::Break(
                Mistake::new(format!("there are no parameters such as {name}")).at(value.span),
            ),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Check<'_> {
    /// Replaces a name by the exact one.
    fn column(&mut self, ident: &mut Ident) -> Result<(), Mistake> {
        let position = self.find(ident)?;
        ident.value = self.columns[position].to_owned();
        ident.quote_style = Some('"');
        if !self.used.contains(&position) {
            self.used.push(position);
        }
        Ok(())
    }

    fn find(&self, ident: &Ident) -> Result<usize, Mistake> {
        let name = &ident.value;
        if let Some(exact) = self.columns.iter().position(|column| column == name) {
            return Ok(exact);
        }
        let folded = name.to_lowercase();
        let close: Vec<usize> = match ident.quote_style {
            Some(_) => Vec::new(),
            None => (0..self.columns.len()).filter(|&i| self.columns[i].to_lowercase() == folded).collect(),
        };
        match close[..] {
            [only] => Ok(only),
            [] => {
                let mistake = Mistake::new(format!("there is no column {name:?} here")).at(ident.span);
                let columns = self.columns.iter().copied();
                // Many languages have texts in double quotes, SQL has names.
                let text = || format!("text must be in single quotes: '{}'", name.replace('\'', "''"));
                let remedy = match (ident.quote_style, nearest(name, columns.clone())) {
                    (Some('"'), Some(close)) => format!("did you mean `{close}`? Otherwise, {}", text()),
                    (Some('"'), None) => text(),
                    _ => nearest_column(name, columns),
                };
                Err(mistake.remedy(remedy))
            }
            _ => {
                let names = close.iter().map(|&i| format!("\"{}\"", self.columns[i])).collect::<Vec<_>>();
                Err(Mistake::new(format!("{name} could be {}", names.join(" or ")))
                    .at(ident.span)
                    .remedy("quote the name: quoted names are exact"))
            }
        }
    }
}

/// TIMESTAMP is one of microseconds, as in schema files: nanoseconds, which are
/// DataFusion's default, end in 2262.
fn prefer_microseconds(data_type: &mut DataType) {
    if let DataType::Timestamp(precision @ None, _) = data_type {
        *precision = Some(6);
    }
}

fn qualified(parts: &[Ident]) -> Mistake {
    let name = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
    Mistake::new(format!("{name} has a dot: columns belong to no table"))
        .at(Span::union_iter(parts.iter().map(|part| part.span)))
        .remedy(format!("if that is the column's name, quote it: \"{name}\""))
}

/// The arguments of a call after the first that are texts.
fn quoted_after_first(function: &Function) -> impl Iterator<Item = Quoted> {
    let arguments = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        _ => &[],
    };
    arguments.iter().skip(1).filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => {
            Some(Quoted { text: value.value.clone().into_string()?, span: value.span })
        }
        _ => None,
    })
}

fn check_function(function: &Function) -> Result<&'static ScalarUDF, Mistake> {
    let name = function.name.to_string();
    let fail = |message: String| Mistake::new(message).at(function.name.span());
    let list_clauses = match &function.args {
        FunctionArguments::List(list) => list.duplicate_treatment.is_some() || !list.clauses.is_empty(),
        _ => false,
    };
    let over_rows = function.over.is_some()
        || function.filter.is_some()
        || function.null_treatment.is_some()
        || !function.within_group.is_empty()
        || list_clauses;
    if over_rows || functions::is_over_rows(&name) {
        return Err(fail(format!("an expression sees one row: {name} here needs several")).remedy(
            "there are no aggregate and no window functions; `deduplicate` keeps one row for each key",
        ));
    }
    let Some(found) = functions::find(&name) else {
        let mistake = fail(format!("there is no function {name}"));
        return Err(match nearest(&name, functions::names()) {
            Some(close) => mistake.remedy(format!("did you mean `{close}`?")),
            None => mistake.remedy("see docs/transforms.md for the functions there are"),
        });
    };
    if found.signature().volatility != Volatility::Immutable {
        return Err(fail(format!(
            "{name} gives another value each time: the same inputs must give the same files"
        ))
        .remedy("for the time, the run and the input of a row use `lineage`"));
    }
    Ok(found)
}
