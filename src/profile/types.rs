//! Which types a profile stores.

use super::for_profile;
use crate::schema::{Column, Schema};
use crate::spec::{ColumnNames, Profile};
use crate::value::ColumnType;
use arrow::datatypes::TimeUnit;

/// Bytes of the smallest two's complement that holds so many digits.
pub(crate) fn decimal_bytes(precision: u8) -> i32 {
    let bits = (f64::from(precision) * 10f64.log2() + 1.0).ceil();
    (bits / 8.0).ceil() as i32
}

/// A column of the schema with the type that `profile` makes of it, if it can:
/// what it refuses may be gone or cast before the output.
pub(crate) fn as_parsed(column: &Column, profile: Profile) -> Column {
    let alone = Schema::new(vec![column.clone()]);
    let fitted = for_profile(&alone, profile, ColumnNames::Keep)
        .ok()
        .and_then(|fitted| fitted.columns.into_iter().next());
    Column { column_type: fitted.map_or(column.column_type, |fitted| fitted.column_type), ..column.clone() }
}

/// DataFusion's functions give nanoseconds whether or not any are there.
pub(crate) fn readable(column_type: ColumnType, profile: Profile) -> ColumnType {
    match (column_type, profile) {
        (ColumnType::Timestamp { unit: TimeUnit::Nanosecond, utc }, Profile::Spectrum) => {
            ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc }
        }
        _ => column_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_the_least_bytes_that_hold_their_digits() {
        for precision in 1..=38u8 {
            let most = 10i128.checked_pow(precision.into()).unwrap() - 1;
            let bytes = (1..=16).find(|bytes| most < (1i128 << (8 * bytes - 1)) || *bytes == 16).unwrap();
            assert_eq!(decimal_bytes(precision), bytes, "{precision}");
        }
    }
}
