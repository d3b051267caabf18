//! Words that stand for something: nulls and booleans.

/// Texts that stand for null in columns that are not text. In text columns
/// they may be values (NA is also Namibia), so there only the empty field is null.
pub(super) const NULL_TOKENS: [&str; 17] = [
    "", "NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "\\N", "None", "none", "-", "--", "nan", "NaN",
    "NAN", "?",
];

/// The null token that a value is.
pub(super) fn null_token(value: &[u8]) -> Option<&'static str> {
    if value.len() > 4 {
        return None;
    }
    NULL_TOKENS.into_iter().find(|token| token.as_bytes() == value)
}

/// Not a number, which is a null where numbers are whole and a value where they
/// are floats.
pub(super) fn is_nan(token: &str) -> bool {
    token.eq_ignore_ascii_case("nan")
}

/// A way to write booleans: true, false, and whether one of the two is enough.
struct Pair {
    yes: &'static str,
    no: &'static str,
    /// A column of nothing but `Y` may be any code; `true` is not a code.
    plain: bool,
}

const fn pair(yes: &'static str, no: &'static str) -> Pair {
    Pair { yes, no, plain: false }
}

/// Pairs of one family stand together.
const FAMILIES: [&[Pair]; 4] = [
    &[
        Pair { yes: "true", no: "false", plain: true },
        Pair { yes: "True", no: "False", plain: true },
        Pair { yes: "TRUE", no: "FALSE", plain: true },
    ],
    &[pair("yes", "no"), pair("Yes", "No"), pair("YES", "NO")],
    &[pair("y", "n"), pair("Y", "N")],
    &[pair("t", "f"), pair("T", "F")],
];

/// Whether a value can be nothing but a boolean.
pub(super) fn is_plain_boolean(value: &[u8]) -> bool {
    let is = |word: &str| word.as_bytes() == value;
    FAMILIES.iter().copied().flatten().any(|pair| pair.plain && (is(pair.yes) || is(pair.no)))
}

/// What the words of a column allow.
#[derive(Debug, Clone, Default)]
pub(super) struct Booleans {
    /// For every family, pairs whose word for true, and for false, was seen: a bit each.
    seen: [(u8, u8); FAMILIES.len()],
    /// Something else was seen.
    dead: bool,
}

impl Booleans {
    pub(super) fn observe(&mut self, value: &[u8]) {
        if self.dead {
            return;
        }
        for (family, seen) in FAMILIES.iter().zip(&mut self.seen) {
            for (bit, pair) in family.iter().enumerate() {
                if pair.yes.as_bytes() == value {
                    seen.0 |= 1 << bit;
                    return;
                }
                if pair.no.as_bytes() == value {
                    seen.1 |= 1 << bit;
                    return;
                }
            }
        }
        self.dead = true;
    }

    /// Changes when what [`Booleans::tokens`] gives may change.
    pub(super) fn fingerprint(&self) -> u64 {
        let bits = self.seen.iter().fold(0, |bits, (yes, no)| bits << 6 | u64::from(yes << 3 | no));
        bits << 1 | u64::from(self.dead)
    }

    /// Whether those seen can be nothing but booleans.
    pub(super) fn are_plain(&self) -> bool {
        let mut seen = FAMILIES.iter().zip(&self.seen).filter(|(_, seen)| **seen != (0, 0));
        seen.all(|(family, _)| family.iter().all(|pair| pair.plain))
    }

    /// The words for true and for false, if those are all there is.
    pub(super) fn tokens(&self) -> Option<(Vec<String>, Vec<String>)> {
        let mut found = FAMILIES.iter().zip(&self.seen).filter(|(_, seen)| **seen != (0, 0));
        let (family, &(yes, no)) = found.next().filter(|_| !self.dead)?;
        if found.next().is_some() {
            return None;
        }
        let plain = family.iter().all(|pair| pair.plain);
        if !plain && (yes == 0 || no == 0) {
            return None;
        }
        // Case says nothing about true and false written out.
        let used = |bit: usize| plain || (yes | no) & (1 << bit) != 0;
        let pairs = || family.iter().enumerate().filter(|(bit, _)| used(*bit)).map(|(_, pair)| pair);
        Some((pairs().map(|pair| pair.yes.into()).collect(), pairs().map(|pair| pair.no.into()).collect()))
    }
}
