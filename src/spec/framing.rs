//! Which records of an input are data, and what its columns are called.

use serde::{Deserialize, Serialize};

/// What of an input is not data: before it, after it, and the names in its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Framing {
    /// Whether the records after `skip_records` name the columns.
    pub header: bool,
    /// How many records that takes, at least 1; they are joined by position.
    pub header_rows: u64,
    /// Stands between the parts of a name that several header records give.
    pub header_join: String,
    /// What happens to columns whose name in the header is blank.
    #[serde(default, skip_serializing_if = "BlankNames::is_default")]
    pub blank_names: BlankNames,
    /// What happens to names that the header has several times.
    #[serde(default, skip_serializing_if = "DuplicateNames::is_default")]
    pub duplicate_names: DuplicateNames,
    /// Whether a first line such as `sep=;` is passed over.
    #[serde(default)]
    pub separator_line: bool,
    /// Records to skip before the header, that line not counted.
    pub skip_records: u64,
    /// Records to skip between the header and the data.
    pub skip_records_after_header: u64,
    /// Records at the end of each input that are not data.
    pub footer_records: u64,
    /// Where the last footer record says how many records there are.
    pub trailer_count: Option<TrailerCount>,
}

/// What happens to a column whose name in the header is blank, and of the empty
/// field that a delimiter at the end of each record makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlankNames {
    /// It is called by its position, `column_3`, where the schema has that column or the sample a value
    /// of it; otherwise it is left out, and a value in it is a bad record.
    #[default]
    Auto,
    /// It is called by its position, `column_3`.
    Position,
    /// It is left out, and a value in it is a bad record.
    Drop,
    /// The run fails.
    Fail,
}

impl BlankNames {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_default(&self) -> bool {
        *self == BlankNames::default()
    }
}

/// What happens to names that the header has several times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateNames {
    /// They stay as they stand.
    #[default]
    Keep,
    /// All but the first get a number: `a`, `a_2`, `a_3`.
    Number,
    /// The same for names that differ in case only.
    NumberInAnyCase,
}

impl DuplicateNames {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_default(&self) -> bool {
        *self == DuplicateNames::default()
    }
}

/// Where the last record of an input says how many records the input has; a
/// difference fails the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrailerCount {
    /// Position of the number in the record, from 1.
    pub field: u64,
    /// What the first field of the record must be, such as `TRL`. Default: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Which records the number counts. Default: `data`.
    #[serde(default)]
    pub counts: CountedRecords,
}

/// Which records a trailer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedRecords {
    /// Those that hold data.
    #[default]
    Data,
    /// All: data, header, skipped records and footers.
    All,
}

impl Framing {
    /// Records that name the columns.
    pub fn header_records(&self) -> u64 {
        if self.header { self.header_rows } else { 0 }
    }

    /// Whether a record is a part of the header, by the number of records before it in the input.
    pub fn is_header_record(&self, records_before: u64) -> bool {
        let number = records_before.checked_sub(self.skip_records);
        number.is_some_and(|number| number < self.header_records())
    }

    /// Whether a record before the data is not looked at, by the number of
    /// records before it in the input.
    pub fn is_skipped(&self, records_before: u64) -> bool {
        records_before < self.preamble_records() && !self.is_header_record(records_before)
    }

    /// Records at the start of each input that are not data: skipped ones and the header.
    pub fn preamble_records(&self) -> u64 {
        let skipped = self.skip_records.saturating_add(self.skip_records_after_header);
        skipped.saturating_add(self.header_records())
    }
}

impl Default for Framing {
    fn default() -> Self {
        Framing {
            header: true,
            header_rows: 1,
            header_join: " ".into(),
            blank_names: BlankNames::Auto,
            duplicate_names: DuplicateNames::Keep,
            separator_line: true,
            skip_records: 0,
            skip_records_after_header: 0,
            footer_records: 0,
            trailer_count: None,
        }
    }
}
