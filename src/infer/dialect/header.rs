//! What stands above the data: lines of text, and the names of the columns.

use super::Head;
use super::look::Look;
use crate::infer::column::{Evidence, looks_like_data};
use crate::parse::{Dialect, RecordIndex, Scanner, StrayQuotes, field_value};
use crate::schema::ColumnType;

/// Records that a first record is compared with.
const COMPARED_RECORDS: usize = 1000;

/// Records to skip, if all samples have as many.
pub(super) fn preamble(heads: &[Head<'_>], look: &Look, notes: &mut Vec<String>) -> u64 {
    let Some(&first) = look.preambles.first() else { return 0 };
    if let Some(other) = look.preambles.iter().position(|records| *records != first) {
        notes.push(format!(
            "the records before the header differ in number, so none are skipped: {first} in {}, {} in {}",
            heads[0].url, look.preambles[other], heads[other].url
        ));
        return 0;
    }
    if first > 0 {
        let noun = if first == 1 { "record is" } else { "records are" };
        notes.push(format!("{first} {noun} skipped before the header (`skipRecords` = {first})"));
    }
    first as u64
}

/// Whether the first record names the columns: some value in it does not fit
/// the type of the values below and none does; or, where that says nothing,
/// none of its fields is data and at least one is not empty. Data that is all
/// text looks the same as a header, so text without one needs `--no-header`.
pub(super) fn has_header(heads: &[Head<'_>], dialect: &Dialect) -> bool {
    let Some(head) = heads.first() else { return true };
    let headless = Dialect { header: false, stray_quotes: StrayQuotes::Keep, ..dialect.clone() };
    let mut index = RecordIndex::default();
    // Whatever is wrong further down, the first records are there.
    let _ = Scanner::new(&headless).scan(head.text, &mut index);
    let first = dialect.skip_records as usize;
    if first >= index.len() {
        return true;
    }
    let values = |record: usize| -> Vec<Vec<u8>> {
        let value = |span| field_value(dialect, head.text, span, &mut Vec::new()).to_vec();
        index.record(record).iter().map(value).collect()
    };
    let names = values(first);
    let mut columns = vec![Evidence::default(); names.len()];
    for record in (first + 1..index.len()).take(COMPARED_RECORDS) {
        for (column, value) in columns.iter_mut().zip(values(record)) {
            column.observe(&value, false);
        }
    }
    let (mut fitting, mut unfit) = (0, 0);
    for (column, name) in columns.into_iter().zip(&names).filter(|(_, name)| !name.is_empty()) {
        match fits(column, name) {
            Some(true) => fitting += 1,
            Some(false) => unfit += 1,
            None => {}
        }
    }
    if unfit > 0 && fitting == 0 {
        return true;
    }
    names.iter().any(|name| !name.is_empty()) && !names.iter().any(|name| looks_like_data(name))
}

/// Whether a name would be a value of its column; `None` if anything would.
fn fits(mut column: Evidence, name: &[u8]) -> Option<bool> {
    if column.settle().column_type == ColumnType::Text {
        return None;
    }
    column.observe(name, false);
    Some(column.settle().column_type != ColumnType::Text)
}
