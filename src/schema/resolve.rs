//! [`TableSchema`] → [`Schema`]: defaults filled in, every rule checked.

use super::{Column, Schema, constraint, keys};
use crate::error::{Result, nearest};
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::table_schema::{Field, MissingValue, TableSchema};
use crate::value::convert::Format;
use crate::value::convert::format::POSIX_PIVOT;
use crate::value::{BinaryForm, ColumnType, DEFAULT_FALSE, DEFAULT_TRUE, TextRules, TypeName};
use std::collections::{BTreeMap, HashMap};

/// What a schema's columns mean depends on this much of the job.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResolveContext<'a> {
    /// What errors call the file that the schema is from.
    pub file: &'a str,
    /// `nullSequence` of the dialect: null in every column.
    pub null_sequence: Option<&'a str>,
}

impl TableSchema {
    /// The columns that the engine works with, and warnings for people.
    ///
    /// Errors name the file of `context` and the key, such as `fields[2].type`.
    pub fn resolve(&self, context: &ResolveContext<'_>) -> Result<(Schema, Vec<String>)> {
        self.try_resolve(context).map_err(|problems| problems.into_error(context.file))
    }

    /// [`TableSchema::resolve`] with all mistakes apart, keys relative to the schema.
    pub fn try_resolve(&self, context: &ResolveContext<'_>) -> Result<(Schema, Vec<String>), Problems> {
        let mut problems = Problems::default();
        let mut warnings = Warnings::default();
        if self.fields.is_empty() {
            problems.0.push(
                Problem::new("fields", "the schema has no fields")
                    .remedy("list at least one column in `fields`"),
            );
        }
        let columns = self.fields.iter().enumerate().map(|(i, field)| {
            let key = KeyPath::from("fields").index(i);
            FieldRules { field, key, schema: self, problems: &mut problems, warnings: &mut warnings }
                .resolve(context.null_sequence)
        });
        let mut columns = columns.collect::<Vec<_>>();
        check_names(&columns, &mut problems);
        let keys = keys::resolve(self, &mut columns, &mut problems);
        if self.foreign_keys.is_some() {
            warnings.texts.push("`foreignKeys` is not checked".into());
        }
        let warnings = self.notes.iter().cloned().chain(warnings.into_texts()).collect();
        problems.or_ok((Schema { columns, keys }, warnings))
    }
}

fn check_names(columns: &[Column], problems: &mut Problems) {
    let mut names = HashMap::new();
    let mut sources = HashMap::new();
    for (i, column) in columns.iter().enumerate() {
        let key = KeyPath::from("fields").index(i);
        if column.name.is_empty() {
            problems.0.push(Problem::new(key.key("name"), "a column needs a name"));
        } else if column.name.contains('\0') || column.source_name.contains('\0') {
            let message = format!("the name of the column {:?} contains a NUL", column.source_name);
            problems.0.push(Problem::new(key.key("name"), message).remedy("column names cannot contain NUL"));
        } else if let Some(first) = names.insert(&column.name, i) {
            let message = format!("the name {:?} is already that of fields[{first}]", column.name);
            problems
                .0
                .push(Problem::new(key.key("name"), message).remedy("give each column a name of its own"));
        } else if let Some(first) = sources.insert(&column.source_name, i) {
            let message =
                format!("the column {:?} of the CSV is already read by fields[{first}]", column.source_name);
            problems.0.push(Problem::new(key.key("sourceName"), message).remedy("read each column once"));
        }
    }
}

/// Warnings of one kind are one text that lists the columns.
#[derive(Default)]
struct Warnings {
    texts: Vec<String>,
    by_column: BTreeMap<String, Vec<String>>,
}

impl Warnings {
    fn column(&mut self, kind: String, column: &str) {
        self.by_column.entry(kind).or_default().push(format!("{column:?}"));
    }

    fn into_texts(self) -> impl Iterator<Item = String> {
        let grouped =
            self.by_column.into_iter().map(|(kind, columns)| format!("{kind}: {}", columns.join(", ")));
        self.texts.into_iter().chain(grouped)
    }
}

struct FieldRules<'a> {
    field: &'a Field,
    key: KeyPath,
    schema: &'a TableSchema,
    problems: &'a mut Problems,
    warnings: &'a mut Warnings,
}

impl FieldRules<'_> {
    fn resolve(mut self, null_sequence: Option<&str>) -> Column {
        let field = self.field;
        let TypeName { column_type, max_bytes } = self.type_name();
        let (decimal_mark, group_mark) = self.number_marks(column_type);
        let (true_tokens, false_tokens) = self.boolean_tokens(column_type);
        let rules = TextRules {
            null_tokens: self.null_tokens(null_sequence),
            quoted_nulls: field.quoted_nulls.unwrap_or(false),
            formats: self.formats(column_type),
            source_zone: self.source_zone(column_type),
            ambiguous_time: field.ambiguous_time.unwrap_or_default(),
            two_digit_year_pivot: self.two_digit_year_pivot(),
            true_tokens,
            false_tokens,
            ignore_case: field.ignore_case.unwrap_or(false),
            decimal_mark,
            group_mark,
            bare_number: field.bare_number.unwrap_or(true),
            rounding: field.rounding.unwrap_or_default(),
            leading_zeros: field.leading_zeros.unwrap_or_default(),
            binary_form: self.binary_form(column_type),
        };
        self.warn_about_idle_rules(column_type);
        let constraints = self.constraints(column_type, max_bytes, &rules);
        Column {
            source_name: field.source_name.clone().unwrap_or_else(|| field.name.clone()),
            name: field.name.clone(),
            column_type,
            nullable: field.constraints.as_ref().and_then(|c| c.required) != Some(true),
            rules,
            constraints,
        }
    }

    fn problem(&mut self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.0.push(Problem::new(self.key.key(key), message).remedy(remedy));
    }

    fn type_name(&mut self) -> TypeName {
        let name = self.field.field_type.as_deref().unwrap_or("string");
        let plain = |column_type| TypeName { column_type, max_bytes: None };
        match name.parse() {
            Ok(_) if name == "string" && self.field.format.as_deref() == Some("binary") => {
                plain(ColumnType::Binary)
            }
            Ok(type_name) => type_name,
            Err(error) => {
                self.problem("type", error.message, error.remedy);
                plain(ColumnType::Text)
            }
        }
    }

    fn null_tokens(&self, null_sequence: Option<&str>) -> Vec<String> {
        let given = self.field.missing_values.as_ref().or(self.schema.missing_values.as_ref());
        let given = given.map(|values| values.iter().map(MissingValue::text).collect()).unwrap_or(vec![""]);
        let mut tokens: Vec<String> = Vec::new();
        for token in given.into_iter().chain(null_sequence) {
            if !tokens.iter().any(|known| known == token) {
                tokens.push(token.into());
            }
        }
        tokens
    }

    fn formats(&mut self, column_type: ColumnType) -> Vec<String> {
        let temporal =
            matches!(column_type, ColumnType::Date | ColumnType::Time | ColumnType::Timestamp { .. });
        let field = self.field;
        if !temporal {
            if field.formats.is_some() {
                self.warnings.column("`formats` has no effect on this type".into(), &field.name);
            }
            return Vec::new();
        }
        let single = field.format.as_deref().filter(|format| *format != "default");
        if single == Some("any") {
            let message = "`any` would leave the order of day and month to a guess";
            self.problem(
                "format",
                message,
                "name the pattern in `format`, or several in `formats`, tried in order",
            );
            return Vec::new();
        }
        let (key, formats) = match (single, &field.formats) {
            (Some(_), Some(_)) => {
                self.problem("formats", "cannot be combined with `format`", "keep one of the two");
                return Vec::new();
            }
            (Some(format), None) => ("format", vec![format.to_owned()]),
            (None, Some(formats)) => ("formats", formats.clone()),
            (None, None) => return Vec::new(),
        };
        for format in &formats {
            match Format::compile(format) {
                Err(error) => self.problem(key, error.message, error.remedy),
                Ok(compiled) => self.check_format(key, format, &compiled, column_type),
            }
        }
        formats
    }

    /// A format that cannot give a value of the type would refuse every text.
    fn check_format(&mut self, key: &str, format: &str, compiled: &Format, column_type: ColumnType) {
        let needs_date = column_type != ColumnType::Time;
        if compiled.lacks_half_of_day() {
            let message = format!("{format:?} has an hour of twelve, but not which half of the day");
            self.problem(key, message, "add `%p`, or write `%H` for hours of 24");
        } else if needs_date && !compiled.has_date() {
            let remedy =
                "it needs a year, a month and a day (or `%j`, `%s`, `%Q`); otherwise make the type `string`";
            self.problem(key, format!("{format:?} gives no day"), remedy);
        } else if !needs_date && !compiled.has_time() {
            self.problem(key, format!("{format:?} gives no time of day"), "it needs `%H`, or `%I` and `%p`");
        }
    }

    fn two_digit_year_pivot(&mut self) -> u16 {
        let pivot = self.field.two_digit_year_pivot.unwrap_or(POSIX_PIVOT);
        // All hundred years from there on have four digits.
        if !(1..=9900).contains(&pivot) {
            let message = format!("{pivot} is not the first of a hundred years");
            self.problem("twoDigitYearPivot", message, "write a year from 1 to 9900, such as 2000");
            return POSIX_PIVOT;
        }
        pivot
    }

    fn source_zone(&mut self, column_type: ColumnType) -> chrono_tz::Tz {
        let Some(name) = &self.field.source_time_zone else { return chrono_tz::Tz::UTC };
        if !matches!(column_type, ColumnType::Timestamp { utc: true, .. }) {
            let message = "a time zone applies to instants only";
            self.problem(
                "sourceTimeZone",
                message,
                "make the type `timestamp(us,UTC)`, or leave the zone out",
            );
        }
        name.parse().unwrap_or_else(|_| {
            let remedy = match nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
                Some(zone) => format!("did you mean `{zone}`?"),
                None => "write an IANA name such as `Europe/Berlin`".into(),
            };
            self.problem("sourceTimeZone", format!("unknown time zone `{name}`"), remedy);
            chrono_tz::Tz::UTC
        })
    }

    fn boolean_tokens(&mut self, column_type: ColumnType) -> (Vec<String>, Vec<String>) {
        type Tokens = Option<Vec<String>>;
        // What is given for one side is taken out of the default of the other:
        // `trueValues: ["0"]` alone is odd, but clear.
        let tokens = |given: &Tokens, other: &Tokens, default: [&str; 4]| match given {
            Some(tokens) => tokens.clone(),
            None => {
                let free = |token: &&str| !other.as_ref().is_some_and(|o| o.iter().any(|t| t == token));
                default.iter().filter(|token| free(token)).map(|token| token.to_string()).collect()
            }
        };
        let field = self.field;
        let true_tokens = tokens(&field.true_values, &field.false_values, DEFAULT_TRUE);
        let false_tokens = tokens(&field.false_values, &field.true_values, DEFAULT_FALSE);
        if column_type == ColumnType::Boolean {
            for (key, tokens) in [("trueValues", &true_tokens), ("falseValues", &false_tokens)] {
                if tokens.is_empty() {
                    self.problem(key, "is empty", "list at least one");
                }
            }
        }
        if let Some(both) = true_tokens.iter().find(|token| false_tokens.contains(token)) {
            self.problem("falseValues", format!("{both:?} is also in `trueValues`"), "keep it in one");
        }
        (true_tokens, false_tokens)
    }

    fn number_marks(&mut self, column_type: ColumnType) -> (u8, Option<u8>) {
        let field = self.field;
        let decimal = self.mark("decimalChar", field.decimal_char.as_deref());
        let group = self.mark("groupChar", field.group_char.as_deref());
        let mark = decimal.unwrap_or(b'.');
        if group == Some(mark) {
            let message = format!("{:?} is also the decimal mark", char::from(mark));
            self.problem("groupChar", message, "set `decimalChar` to the other mark");
        }
        if (decimal.is_some() || group.is_some()) && !column_type.is_numeric() {
            self.warnings
                .column("`decimalChar` and `groupChar` have no effect on this type".into(), &field.name);
        }
        (mark, group)
    }

    fn mark(&mut self, key: &str, given: Option<&str>) -> Option<u8> {
        let text = given?;
        match text.as_bytes() {
            [] if key == "groupChar" => None,
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-') => {
                Some(*byte)
            }
            _ => {
                self.problem(
                    key,
                    format!("{text:?} is not a valid mark"),
                    "write one ASCII character such as `,` or `.`",
                );
                None
            }
        }
    }

    fn binary_form(&mut self, column_type: ColumnType) -> BinaryForm {
        match (column_type, self.field.format.as_deref()) {
            (ColumnType::Binary, Some("hex")) => BinaryForm::Hex,
            (ColumnType::Binary, Some("base64" | "binary" | "default") | None) => BinaryForm::Base64,
            (ColumnType::Binary, Some(other)) => {
                let message = format!("`{other}` is not an encoding of binary values");
                self.problem("format", message, "write `base64` or `hex`");
                BinaryForm::Base64
            }
            _ => BinaryForm::Base64,
        }
    }

    /// Rules that are given and have nothing to do with the type.
    fn warn_about_idle_rules(&mut self, column_type: ColumnType) {
        let field = self.field;
        let instant = matches!(column_type, ColumnType::Timestamp { utc: true, .. });
        let exact =
            column_type.is_numeric() && !matches!(column_type, ColumnType::Float32 | ColumnType::Float64);
        let two_digits = field.format.iter().chain(field.formats.iter().flatten());
        let two_digits =
            two_digits.flat_map(|format| Format::compile(format)).any(|f| f.has_two_digit_year());
        for (key, idle) in [
            ("ambiguousTime", field.ambiguous_time.is_some() && !instant),
            ("twoDigitYearPivot", field.two_digit_year_pivot.is_some() && !two_digits),
            ("ignoreCase", field.ignore_case.is_some() && column_type != ColumnType::Boolean),
            ("bareNumber", field.bare_number == Some(false) && !column_type.is_numeric()),
            ("rounding", field.rounding.is_some() && !exact),
            ("leadingZeros", field.leading_zeros.is_some() && !column_type.is_numeric()),
        ] {
            if idle {
                self.warnings.column(format!("`{key}` has no effect here"), &field.name);
            }
        }
    }

    fn constraints(
        &mut self,
        column_type: ColumnType,
        max_bytes: Option<u64>,
        rules: &TextRules,
    ) -> Vec<constraint::Constraint> {
        let found = constraint::resolve::resolve(self.field, column_type, max_bytes, rules);
        self.problems.0.extend(found.problems.under(&self.key).0);
        for key in found.unchecked {
            let kind = format!("`{key}` is not checked, as the column is kept as text");
            self.warnings.column(kind, &self.field.name);
        }
        found.constraints
    }
}
