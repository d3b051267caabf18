//! The text of one input → its fields, for a [`TypeInference`].

use super::column::FieldText;
use super::types::{Place, Position, TypeInference};
use super::windows::{RecordShape, Window};
use crate::error::Result;
use crate::parse::{FieldSpan, RecordIndex, ScanError, Scanner, field_value, null_text};
use crate::spec::Dialect;
use crate::split::header::{FirstRecord, Header};
use crate::split::problems::scan_error;
use crate::split::stream::{BlockStream, Edges, FramedBlock, Text};

/// Smaller than a task's: of a short sample little is lost with the last block.
const BLOCK_BYTES: usize = 64 << 10;

/// Streams the text of one input into a [`TypeInference`].
#[derive(Debug)]
pub struct InputRecords<'a> {
    url: &'a str,
    dialect: &'a Dialect,
    scanner: Scanner,
    index: RecordIndex,
    /// Records of the block in `index` that break the dialect.
    faults: Vec<ScanError>,
    /// Whether all records before the data were read.
    is_past_preamble: bool,
    sets_aside: bool,
    /// Number of the input.
    input: usize,
    /// Column of each field, as the header says; without one, as in the first
    /// data record.
    columns: Vec<usize>,
    /// The names in the header, once it is read.
    header: Option<Vec<String>>,
    /// Whether `columns` are those of the header, which takes the first data record.
    is_named: bool,
    /// Bytes of the longest field in quotes.
    longest_quoted: usize,
}

impl<'a> InputRecords<'a> {
    /// At the start of the input.
    pub fn new(url: &'a str, dialect: &'a Dialect, inference: &mut TypeInference) -> Self {
        InputRecords {
            url,
            dialect,
            scanner: Scanner::new(&dialect.grammar),
            index: RecordIndex::default(),
            faults: Vec::new(),
            is_past_preamble: false,
            sets_aside: false,
            input: inference.begin_input(url),
            columns: Vec::new(),
            header: None,
            is_named: false,
            longest_quoted: 0,
        }
    }

    /// Sets whether a quote that is never closed is passed over with all that it
    /// takes in, as a run does that sets such records aside.
    #[must_use]
    pub fn setting_aside(mut self, sets_aside: bool) -> Self {
        self.sets_aside = sets_aside;
        self
    }

    /// Reads the text of the input from its start, to its end if it is `whole`. Errors are those
    /// of the grammar, with their place, and those of the text.
    pub fn read(&mut self, text: impl Text, whole: bool, inference: &mut TypeInference) -> Result<()> {
        let blocks = BlockStream::new(text, self.dialect, self.url, BLOCK_BYTES, Edges::Both);
        let mut blocks = blocks.of_sample(whole).tolerant(self.sets_aside);
        while let Some(framed) = blocks.next().transpose()? {
            if self.header.is_none() {
                self.header.clone_from(&blocks.start().header);
            }
            self.observe(&framed, inference)?;
        }
        self.is_past_preamble = blocks.is_past_preamble();
        if whole {
            inference.end_input(self.input);
            self.name_columns(None, inference);
        }
        Ok(())
    }

    /// The header is known, and the first data record, if there is one.
    fn name_columns(&mut self, first: Option<FirstRecord>, inference: &mut TypeInference) {
        if let Some(names) = self.header.as_ref().filter(|_| !self.is_named) {
            let header = Header::of(names, first, &self.dialect.framing);
            self.is_named = true;
            self.columns = inference.name_columns(self.input, header, self.dialect.framing.blank_names);
        }
    }

    fn observe(&mut self, framed: &FramedBlock, inference: &mut TypeInference) -> Result<()> {
        let FramedBlock { block, preamble, footer, .. } = framed;
        if block.unclosed.is_some() {
            return Ok(());
        }
        let scanned = self.scanner.scan_tolerant(&block.bytes, &mut self.index, &mut self.faults);
        let (dialect, url) = (self.dialect, self.url);
        let located = |error: &ScanError| scan_error(error, block, dialect, url);
        // As the cutter counted them: what the scanner gives up at may stand before the footer.
        let data_end = self.index.len().min((block.records as usize).saturating_sub(*footer));
        let faults = std::mem::take(&mut self.faults);
        // What is wrong with skipped records and footers loses nothing.
        let mut faults = faults.iter().skip_while(|fault| fault.record < *preamble).peekable();
        for record in *preamble..data_end {
            if let Some(fault) = faults.next_if(|fault| fault.record == record) {
                return Err(located(fault));
            }
            let line = block.lines_before + u64::from(self.index.record_lines[record]) + 1;
            let number = block.records_before + record as u64 + 1;
            let data_record = number.saturating_sub(dialect.framing.preamble_records());
            let at = Position::Record { record: data_record, line };
            self.name_columns(Some(FirstRecord::of(self.index.record(record))), inference);
            let fields = self.index.record(record);
            if self.columns.is_empty() {
                self.columns = (0..fields.len()).collect();
            }
            let quoted = fields.iter().filter(|span| span.form.is_quoted());
            let longest = quoted.map(|span| (span.end - span.start) as usize).max();
            self.longest_quoted = self.longest_quoted.max(longest.unwrap_or(0));
            self.data(&block.bytes, fields, at, inference);
        }
        scanned.map_err(|error| located(&error))
    }

    /// Adds what is beyond doubt in windows into the input, in their order, after
    /// its head. Records that are not as they should be are passed over, as only
    /// a reader who comes to them can say what is wrong.
    pub(super) fn look_into(&mut self, windows: &[Window], inference: &mut TypeInference) {
        // No record came, but those of windows may be.
        self.name_columns(None, inference);
        let shape = RecordShape { fields: self.columns.len(), longest_quoted: self.longest_quoted };
        // Preambles that go on behind the head cannot be told from data.
        if !self.is_past_preamble || shape.fields == 0 {
            return;
        }
        let certain = |window: &Window| window.certain(&self.scanner, self.dialect, shape);
        let footer = usize::try_from(self.dialect.framing.footer_records).unwrap_or(usize::MAX);
        // Footers begin nowhere else if the last window holds all of theirs and data before them.
        let has_footer = || windows.last().and_then(certain).is_some_and(|last| last.records > footer);
        if footer > 0 && !has_footer() {
            return;
        }
        for window in windows {
            let Some(found) = certain(window) else { continue };
            let text = &window.text[found.start..];
            let data_end = found.records - if window.last { footer } else { 0 };
            for record in 0..data_end {
                let fields = found.index.record(record);
                let is_faulty = found.faults.binary_search_by_key(&record, |fault| fault.record).is_ok();
                if fields.len() != shape.fields || is_faulty {
                    continue;
                }
                let within = found.start as u64 + u64::from(found.index.record_starts[record]);
                self.data(text, fields, Position::Byte(window.byte_offset + within), inference);
            }
        }
    }

    fn data(&self, text: &[u8], fields: &[FieldSpan], at: Position, inference: &mut TypeInference) {
        let place = Place { input: self.input, at };
        let mut scratch = Vec::new();
        for (position, span) in fields.iter().enumerate() {
            let value = field_value(&self.dialect.grammar, text, span, &mut scratch);
            let column = self.columns.get(position).copied().unwrap_or(position);
            let field =
                FieldText { value, null_text: null_text(text, span, value), quoted: span.form.is_quoted() };
            inference.observe(column, field, place);
        }
    }
}
