//! Types that a command line gives to columns.

use crate::error::excerpt::excerpt;
use crate::error::lists::quoted;
use crate::error::{Error, Result};
use crate::infer::Seen;
use crate::schema::Schema;
use crate::value::convert::Format;
use crate::value::{ColumnType, TextRules};
use std::str::FromStr;

/// `COLUMN=TYPE`, or `COLUMN=TYPE:FORMAT` of dates and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenType {
    /// Name of the column in the inputs.
    pub column: String,
    column_type: ColumnType,
    format: Option<String>,
}

impl FromStr for GivenType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected COLUMN=TYPE or COLUMN=TYPE:FORMAT, such as code=string or day=date:%d/%m/%Y";
        let (column, said) = text.split_once('=').ok_or(expected)?;
        let (name, format) = match said.split_once(':') {
            Some((name, format)) => (name, Some(format)),
            None => (said, None),
        };
        let column_type: ColumnType = name
            .parse()
            .map_err(|error: crate::value::TypeNameError| format!("{}; {}", error.message, error.remedy))?;
        let has_format =
            matches!(column_type, ColumnType::Date | ColumnType::Time | ColumnType::Timestamp { .. });
        if let Some(format) = format {
            if !has_format {
                return Err(format!("{column_type} has no format; {expected}"));
            }
            Format::compile(format).map_err(|error| format!("{}; {}", error.message, error.remedy))?;
        }
        Ok(GivenType { column: column.into(), column_type, format: format.map(str::to_owned) })
    }
}

impl GivenType {
    /// Gives the column its type; `seen` are the columns as the samples have them.
    ///
    /// # Errors
    /// There is no such column.
    pub fn apply(&self, schema: &mut Schema, seen: &[Seen]) -> Result<()> {
        let Some(column) = schema.columns.iter_mut().find(|column| column.source_name == self.column) else {
            let names = quoted(schema.columns.iter().map(|column| &column.source_name));
            let message = format!("--type names the column {:?}, which is not there", excerpt(&self.column));
            return Err(Error::usage(message).remedy(format!("the columns are {names}")));
        };
        let nulls = seen.iter().find(|seen| seen.column == self.column).map(|seen| &seen.null_tokens[..]);
        if column.column_type != self.column_type || self.format.is_some() {
            column.rules = match self.column_type {
                ColumnType::Text => TextRules::default(),
                _ => column.rules.clone(),
            };
            super::fit::adopt(column, self.column_type, nulls.unwrap_or_default());
            if let Some(format) = &self.format {
                column.rules.formats = vec![format.clone()];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        for (text, expected) in [
            ("a=string", Ok(("a", "string", None))),
            ("a b=decimal(9,2)", Ok(("a b", "decimal(9,2)", None))),
            ("t=datetime:%d/%m/%Y %H:%M", Ok(("t", "timestamp(us)", Some("%d/%m/%Y %H:%M")))),
            ("a", Err("expected COLUMN=TYPE")),
            ("a=strang", Err("strang")),
            ("a=integer:%Y", Err("has no format")),
            ("a=date:yyyy-MM-dd", Err("%Y-%m-%d")),
        ] {
            let read: Result<GivenType, String> = text.parse();
            match (read, expected) {
                (Ok(read), Ok((column, name, format))) => {
                    let found = (read.column.as_str(), read.column_type.to_string(), read.format.as_deref());
                    assert_eq!(found, (column, name.to_owned(), format));
                }
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
