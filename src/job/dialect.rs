//! [`DialectSpec`] ↔ [`Dialect`].

use super::DialectSpec;
use crate::document::Problem;
use crate::parse::{Dialect, Escape, StrayQuotes, Terminator};
use encoding_rs::Encoding;

impl DialectSpec {
    /// The dialect, with defaults for what is left out. Keys of the problem
    /// are relative to the dialect.
    pub fn resolve(&self) -> Result<Dialect, Problem> {
        let default = Dialect::default();
        let quote = match self.quote_char.as_deref() {
            Some("") => None,
            Some(text) => Some(one_byte("quoteChar", text)?),
            None => default.quote,
        };
        let dialect = Dialect {
            delimiter: match &self.delimiter {
                Some(text) => one_byte("delimiter", text)?,
                None => default.delimiter,
            },
            quote,
            escape: self.escape(quote)?,
            terminator: match self.line_terminator.as_deref() {
                None | Some("\n" | "\r\n") => Terminator::Lf,
                Some("\r") => Terminator::Cr,
                Some("any") => Terminator::Any,
                Some(other) => {
                    return Err(Problem::new("lineTerminator", format!("{other:?} ends no record"))
                        .remedy(r#"write "\n" (which takes CRLF, too), "\r\n", "\r" or "any""#));
                }
            },
            stray_quotes: self.stray_quotes.unwrap_or(default.stray_quotes),
            comment: self.comment_char.as_deref().map(|text| one_byte("commentChar", text)).transpose()?,
            header: self.header.unwrap_or(default.header),
            skip_records: self.skip_records.unwrap_or(default.skip_records),
            max_field_bytes: above_zero("maxFieldBytes", self.max_field_bytes, default.max_field_bytes)?,
            max_record_bytes: above_zero("maxRecordBytes", self.max_record_bytes, default.max_record_bytes)?,
        };
        self.check_distinct(&dialect)?;
        self.encoding.as_deref().map(encoding_named).transpose()?;
        if self.skip_initial_space == Some(true) {
            return Err(Problem::new("skipInitialSpace", "only false is supported")
                .remedy("leave it out; spaces then belong to the fields"));
        }
        Ok(dialect)
    }

    fn escape(&self, quote: Option<u8>) -> Result<Escape, Problem> {
        let Some(text) = &self.escape_char else {
            return match (self.double_quote, quote) {
                (Some(false), Some(_)) => {
                    Err(Problem::new("doubleQuote", "a quote could not be written inside quotes at all")
                        .remedy("name an `escapeChar`, or leave `doubleQuote` out"))
                }
                _ => Ok(Escape::Doubled),
            };
        };
        let byte = one_byte("escapeChar", text)?;
        match (quote, self.double_quote) {
            (None, _) => Err(Problem::new("escapeChar", "escapes quotes, and `quoteChar` switches them off")
                .remedy("leave `escapeChar` out, or give `quoteChar`")),
            // Some tools spell doubling like this.
            (Some(quote), _) if quote == byte => Ok(Escape::Doubled),
            (Some(_), Some(true)) => {
                Err(Problem::new("escapeChar", "a quote is written either twice or after an escape")
                    .remedy("leave out `doubleQuote` or `escapeChar`"))
            }
            (Some(_), _) => Ok(Escape::Byte(byte)),
        }
    }

    fn check_distinct(&self, dialect: &Dialect) -> Result<(), Problem> {
        let escape = match dialect.escape {
            Escape::Byte(byte) => Some(byte),
            Escape::Doubled => None,
        };
        let special = [
            ("delimiter", Some(dialect.delimiter)),
            ("quoteChar", dialect.quote),
            ("escapeChar", escape),
            ("commentChar", dialect.comment),
        ];
        for (i, (key, byte)) in special.iter().enumerate() {
            let first = special[..i].iter().find(|(_, earlier)| byte.is_some() && earlier == byte);
            if let Some((other, _)) = first {
                let character = char::from(byte.unwrap_or_default());
                return Err(Problem::new(*key, format!("{character:?} is the `{other}`, too"))
                    .remedy(format!("give `{key}` and `{other}` different characters")));
            }
        }
        Ok(())
    }

    /// The descriptor of a dialect: what differs from the defaults of
    /// [`DialectSpec::resolve`], and the delimiter, for people.
    pub fn from_dialect(dialect: &Dialect) -> Self {
        let default = Dialect::default();
        let text = |byte: u8| char::from(byte).to_string();
        let differing = |value: u64, default: u64| (value != default).then_some(value);
        DialectSpec {
            delimiter: Some(text(dialect.delimiter)),
            line_terminator: match dialect.terminator {
                Terminator::Lf => None,
                Terminator::Cr => Some("\r".into()),
                Terminator::Any => Some("any".into()),
            },
            quote_char: match dialect.quote {
                quote if quote == default.quote => None,
                Some(byte) => Some(text(byte)),
                None => Some(String::new()),
            },
            escape_char: match (dialect.quote, dialect.escape) {
                (Some(_), Escape::Byte(byte)) => Some(text(byte)),
                _ => None,
            },
            header: (dialect.header != default.header).then_some(dialect.header),
            comment_char: dialect.comment.map(text),
            skip_records: differing(dialect.skip_records, default.skip_records),
            stray_quotes: (dialect.stray_quotes == StrayQuotes::Keep).then_some(StrayQuotes::Keep),
            max_field_bytes: differing(dialect.max_field_bytes, default.max_field_bytes),
            max_record_bytes: differing(dialect.max_record_bytes, default.max_record_bytes),
            ..DialectSpec::default()
        }
    }
}

/// Finds the encoding that a job names. Labels are those of the Encoding
/// Standard, in which `latin1` means `windows-1252`, and what Python calls them.
///
/// # Errors
/// A problem of the key `encoding`.
pub(crate) fn encoding_named(name: &str) -> Result<&'static Encoding, Problem> {
    let name = name.trim();
    let label = name.to_ascii_lowercase().replace('_', "-");
    let label = match label.as_str() {
        // ASCII is UTF-8 as it stands; the Encoding Standard would take it for windows-1252.
        "ascii" | "us-ascii" | "utf-8-sig" | "utf8-sig" => "utf-8",
        "latin-1" => "latin1",
        "utf16" => "utf-16",
        "utf16-le" | "utf16le" | "utf-16-le" => "utf-16le",
        "utf16-be" | "utf16be" | "utf-16-be" => "utf-16be",
        // Some of the standard's own labels have an underscore: ms_kanji.
        other if Encoding::for_label(name.as_bytes()).is_none() => other,
        _ => name,
    };
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        Problem::new("encoding", format!("unknown encoding `{name}`"))
            .remedy("write a label of the WHATWG Encoding Standard: utf-8, utf-16le, latin1, windows-1252, …")
    })
}

fn one_byte(key: &'static str, text: &str) -> Result<u8, Problem> {
    let problem = match text.as_bytes() {
        [b'\r' | b'\n' | 0] => Problem::new(key, format!("{text:?} cannot be a special character")),
        [byte] if byte.is_ascii() => return Ok(*byte),
        _ => Problem::new(key, format!("{text:?} is not one ASCII character")),
    };
    Err(problem.remedy(match key {
        "delimiter" => r#"write one character, such as "," or "\t""#,
        "quoteChar" => r#"write one character, or "" for no quoting"#,
        _ => "write one character, or leave the key out",
    }))
}

fn above_zero(key: &'static str, given: Option<u64>, default: u64) -> Result<u64, Problem> {
    match given {
        Some(0) => Err(Problem::new(key, "must be more than 0").remedy(format!("default: {default}"))),
        given => Ok(given.unwrap_or(default)),
    }
}
