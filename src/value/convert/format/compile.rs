//! Patterns → [`Format`], or what is wrong with them.

use super::{DIRECTIVES, Format, FractionDigits, Item, POSIX_PIVOT, Pad, Part};

/// A text that is not a strftime pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormatError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl Format {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// For a text without any directive, or with one that is not understood. A
    /// pattern of Spark and Java, such as `yyyy-MM-dd`, is answered with the
    /// strftime pattern that it stands for.
    pub fn compile(pattern: &str) -> Result<Format, FormatError> {
        let mut items = Vec::new();
        compile_into(pattern, &mut items)?;
        if !pattern.contains('%') {
            return Err(FormatError {
                message: format!("{pattern:?} is not a strftime pattern"),
                remedy: match strftime_of(pattern, Strftime::Format) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => "write one like `%Y-%m-%d %H:%M:%S`, or `default` for ISO 8601".into(),
                },
            });
        }
        Ok(Format { items, pivot: POSIX_PIVOT })
    }
}

fn compile_into(pattern: &str, items: &mut Vec<Item>) -> Result<(), FormatError> {
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character == '%' {
            rest = directive(pattern, rest, items)?;
        } else if character.is_ascii_whitespace() {
            items.push(Item::Space);
        } else {
            let mut bytes = [0; 4];
            items.extend(character.encode_utf8(&mut bytes).bytes().map(Item::Literal));
        }
    }
    Ok(())
}

/// Takes what follows a `%` and gives what follows the directive.
fn directive<'a>(pattern: &str, text: &'a str, items: &mut Vec<Item>) -> Result<&'a str, FormatError> {
    if let Some((fraction, rest)) = fraction(text, items.last()) {
        items.extend(fraction);
        return Ok(rest);
    }
    let offset = text.trim_start_matches([':', '#']);
    if let Some(rest) = offset.strip_prefix('z') {
        items.push(Item::Offset);
        return Ok(rest);
    }
    let (pad, name) = match text.strip_prefix('_') {
        Some(name) => (Pad::Spaces, name),
        None => (Pad::None, text.strip_prefix(['-', '0']).unwrap_or(text)),
    };
    let letter = name.chars().next();
    let number = |part| Item::Number(part, pad);
    let padded = |part| Item::Number(part, Pad::Spaces);
    let item = match letter {
        Some('Y') => number(Part::Year),
        Some('y') => number(Part::YearOfCentury),
        Some('m') => number(Part::Month),
        Some('d') => number(Part::Day),
        Some('e') => padded(Part::Day),
        Some('j') => number(Part::DayOfYear),
        Some('H') => number(Part::Hour),
        Some('k') => padded(Part::Hour),
        Some('I') => number(Part::Hour12),
        Some('l') => padded(Part::Hour12),
        Some('M') => number(Part::Minute),
        Some('S') => number(Part::Second),
        // What follows takes no padding.
        _ if name.len() < text.len() => return Err(unknown(pattern, text)),
        Some('b' | 'B' | 'h') => Item::MonthName,
        Some('a' | 'A') => Item::DayName,
        Some('p' | 'P') => Item::AmPm,
        Some('Z') => Item::UtcName,
        Some('s') => Item::EpochSeconds,
        Some('Q') => Item::EpochMilliseconds,
        Some('%') => Item::Literal(b'%'),
        Some('n' | 't') => Item::Space,
        Some(letter) => {
            let combined = combination(letter).ok_or_else(|| unknown(pattern, text))?;
            compile_into(combined, items)?;
            return Ok(&name[letter.len_utf8()..]);
        }
        None => return Err(unknown(pattern, text)),
    };
    items.push(item);
    Ok(&name[letter.map_or(0, char::len_utf8)..])
}

/// `f`, `3f`, `.f` or `.3f` at the front of `text`, and the rest.
fn fraction<'a>(text: &'a str, before: Option<&Item>) -> Option<(Vec<Item>, &'a str)> {
    let (point, rest) = match text.strip_prefix('.') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, rest) = match rest.as_bytes() {
        [digit @ b'1'..=b'9', b'f', ..] => (Some(usize::from(digit - b'0')), &rest[2..]),
        [b'f', ..] => (None, &rest[1..]),
        _ => return None,
    };
    let after_mark = matches!(before, Some(Item::Literal(b'.' | b',')));
    let items = match (point, digits) {
        (true, None) => vec![Item::OptionalFraction],
        (true, Some(digits)) => vec![Item::Literal(b'.'), Item::Fraction(FractionDigits::Exactly(digits))],
        (false, Some(digits)) => vec![Item::Fraction(FractionDigits::Exactly(digits))],
        (false, None) if after_mark => vec![Item::Fraction(FractionDigits::Any)],
        // As C and Python write `%f`.
        (false, None) => vec![Item::Fraction(FractionDigits::Exactly(6))],
    };
    Some((items, rest))
}

/// What a directive is short for.
fn combination(letter: char) -> Option<&'static str> {
    Some(match letter {
        'F' => "%Y-%m-%d",
        'T' | 'X' => "%H:%M:%S",
        'R' => "%H:%M",
        'D' | 'x' => "%m/%d/%y",
        'r' => "%I:%M:%S %p",
        'v' => "%e-%b-%Y",
        'c' => "%a %b %e %H:%M:%S %Y",
        '+' => "%Y-%m-%dT%H:%M:%S%.f%z",
        _ => return None,
    })
}

fn unknown(pattern: &str, text: &str) -> FormatError {
    let directive: String = text.chars().take(1).collect();
    FormatError {
        message: match directive.as_str() {
            "" => format!("{pattern:?} ends in the middle of a directive"),
            _ => {
                format!("{pattern:?} is not a strftime pattern that can be read: `%{directive}` is not known")
            }
        },
        remedy: format!("the directives are {DIRECTIVES}; write `%%` for a percent sign"),
    }
}

/// Whose strftime a pattern is to be written in. They differ in fractions and
/// offsets, and in whether numbers are also written, without their zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strftime {
    /// That of [`Format`], for values of inputs.
    Format,
    /// That of chrono, for DataFusion's functions.
    Chrono,
}

/// Words of Oracle and PostgreSQL that are none of Java's. They are looked for
/// where one of the first three is there: `SS` is seconds to them, and
/// hundredths of one to Java.
const ORACLE: [(&str, &str); 7] =
    [("HH24", "%H"), ("HH12", "%I"), ("MI", "%M"), ("SS", "%S"), ("MON", "%b"), ("Mon", "%b"), ("DDD", "%j")];

/// The strftime pattern that a pattern of Spark, Java or Oracle stands for, if
/// every letter of it has one.
pub fn strftime_of(pattern: &str, to: Strftime) -> Option<String> {
    let is_oracle = ORACLE[..3].iter().any(|(word, _)| pattern.contains(word));
    let mut strftime = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '%' {
            return None;
        }
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (literal, after) = quoted.split_once('\'')?;
            strftime.push_str(if literal.is_empty() { "'" } else { literal });
            rest = after;
            continue;
        }
        if let Some((word, directive)) = ORACLE.iter().find(|(word, _)| is_oracle && rest.starts_with(word)) {
            strftime.push_str(directive);
            rest = &rest[word.len()..];
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(first).len();
        if first.is_ascii_alphabetic() {
            let after_point = strftime.ends_with(['.', ',']);
            let letters = &rest[..run];
            let directive = match to {
                Strftime::Format => directive_of(letters, after_point),
                Strftime::Chrono => chrono_directive_of(letters, after_point),
            };
            strftime.push_str(directive?);
        } else {
            strftime.push_str(&rest[..run]);
        }
        rest = &rest[run..];
    }
    strftime.contains('%').then_some(strftime)
}

/// Where chrono has another directive than [`Format`].
fn chrono_directive_of(letters: &str, after_point: bool) -> Option<&'static str> {
    Some(match letters {
        // One letter has numbers without their zero.
        "M" | "L" => "%-m",
        "d" => "%-d",
        "D" => "%-j",
        "H" => "%-H",
        "h" => "%-I",
        "m" => "%-M",
        "s" => "%-S",
        "Q" | "q" => "%q",
        "XXX" | "xxx" | "ZZZZZ" => "%:z",
        // `%f` is nine digits there, after a point as well.
        _ if letters.bytes().all(|letter| letter == b'S') && letters.len() > 2 => match letters.len() {
            3 => "%3f",
            6 => "%6f",
            9 => "%9f",
            _ => return None,
        },
        _ if after_point && letters.bytes().all(|letter| letter == b'S') => return None,
        _ => return directive_of(letters, after_point),
    })
}

fn directive_of(letters: &str, after_point: bool) -> Option<&'static str> {
    Some(match letters {
        "yyyy" | "uuuu" | "y" | "u" | "YYYY" => "%Y",
        "yy" | "uu" | "YY" => "%y",
        "MM" | "M" | "L" | "LL" => "%m",
        "MMM" | "LLL" => "%b",
        "MMMM" | "LLLL" => "%B",
        "dd" | "d" | "DD" => "%d",
        "DDD" => "%j",
        "E" | "EE" | "EEE" => "%a",
        "EEEE" => "%A",
        "HH" | "H" => "%H",
        "hh" | "h" => "%I",
        "mm" | "m" => "%M",
        "ss" | "s" => "%S",
        "a" => "%p",
        // A fraction after a point may be of any length, which Spark's are, too.
        _ if after_point && letters.bytes().all(|letter| letter == b'S') => "%f",
        "SSS" => "%3f",
        "SSSSSS" => "%6f",
        "SSSSSSSSS" => "%9f",
        "X" | "XX" | "XXX" | "x" | "xx" | "xxx" | "Z" | "ZZZZZ" => "%z",
        "T" => "T",
        _ => return None,
    })
}
