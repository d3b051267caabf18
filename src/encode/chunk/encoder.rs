//! Values of one column → an encoded column chunk.

use super::codec::Codec;
use super::dictionary::Dictionary;
use super::hybrid::{append_all_set, append_codes, append_levels, code_width};
use super::pages::{DataPage, EncodedChunk, PageSettings, Pages};
use super::statistics::{Extremes, Order};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, types::*};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnDescPtr;

/// Rows after which limits are looked at, counted from the start of a page.
const ROWS_AT_ONCE: usize = 1_024;

/// The same in bytes of texts, which may be few and large: at most so many, and an
/// eighth of what is limited.
const MAX_TEXT_BYTES_AT_ONCE: usize = 256 << 10;

/// Values from which on a dictionary that holds nearly all of them is given up.
const MIN_SAMPLE: usize = 4_096;

/// Encodes one column chunk.
#[derive(Debug)]
pub(in crate::encode) struct ChunkEncoder {
    settings: ChunkSettings,
    /// `None` as soon as it is given up.
    dictionary: Option<Dictionary>,
    /// The page of one that is given up and that sealed pages need, and its values.
    retired: Option<(Vec<u8>, usize)>,
    /// Bytes of texts since limits were looked at.
    unlooked_bytes: usize,
    open: OpenPage,
    pages: Pages,
}

/// What is the same for all chunks of a column.
#[derive(Debug, Clone)]
struct ChunkSettings {
    pages: PageSettings,
    nullable: bool,
    page_rows: usize,
    page_bytes: usize,
    /// `None`: no dictionary.
    dictionary_bytes: Option<usize>,
    /// Bytes of texts after which limits are looked at.
    text_bytes_at_once: usize,
}

/// The page that is being filled.
#[derive(Debug, Default)]
struct OpenPage {
    rows: usize,
    nulls: usize,
    /// A bit for each row: whether it has a value. Empty while all have.
    valid: Vec<u8>,
    /// Values as codes of the dictionary.
    codes: Vec<u32>,
    /// Values without one.
    plain: Vec<u8>,
    extremes: Extremes,
    text_bytes: u64,
}

impl ChunkEncoder {
    /// An encoder for a column; `None` if only the parquet crate encodes it so: another
    /// type, codec, encoding or version of pages, or a bloom filter.
    pub(in crate::encode) fn for_column(
        data_type: &DataType,
        column: &ColumnDescPtr,
        properties: &WriterProperties,
    ) -> Option<ChunkEncoder> {
        let (path, physical) = (column.path(), column.physical_type());
        let fits = match physical {
            PhysicalType::INT32 | PhysicalType::INT64 => is_stored_as_integer(data_type),
            PhysicalType::BYTE_ARRAY => *data_type == DataType::Utf8,
            _ => false,
        };
        let plain = properties.writer_version() == WriterVersion::PARQUET_1_0
            && properties.bloom_filter_properties(path).is_none()
            && properties.encoding(path).is_none_or(|encoding| encoding == Encoding::PLAIN);
        if !fits || !plain {
            return None;
        }
        let pages = PageSettings {
            column: column.clone(),
            codec: Codec::of(properties.compression(path))?,
            statistics: properties.statistics_enabled(path),
            order: if *data_type == DataType::UInt64 { Order::Unsigned } else { Order::Signed },
            value_bytes: if physical == PhysicalType::INT32 { 4 } else { 8 },
            index_bytes: properties.column_index_truncate_length(),
            metadata_bytes: properties.statistics_truncate_length(),
        };
        let page_bytes = properties.column_data_page_size_limit(path);
        let dictionary_bytes =
            properties.dictionary_enabled(path).then(|| properties.column_dictionary_page_size_limit(path));
        let smallest = dictionary_bytes.map_or(page_bytes, |bytes| bytes.min(page_bytes));
        let settings = ChunkSettings {
            nullable: column.max_def_level() > 0,
            page_rows: properties.data_page_row_count_limit().max(1),
            page_bytes,
            dictionary_bytes,
            text_bytes_at_once: (smallest / 8).clamp(1, MAX_TEXT_BYTES_AT_ONCE),
            pages,
        };
        let dictionary = dictionary_bytes.map(|_| Dictionary::default());
        Some(ChunkEncoder {
            settings,
            dictionary,
            retired: None,
            unlooked_bytes: 0,
            open: OpenPage::default(),
            pages: Pages::default(),
        })
    }

    /// Takes in the rows of an array of the column's type.
    pub(in crate::encode) fn write(&mut self, array: &ArrayRef) -> Result<(), ParquetError> {
        match array.data_type() {
            DataType::Int8 => self.integers::<Int8Type, 4>(array, i64::from),
            DataType::Int16 => self.integers::<Int16Type, 4>(array, i64::from),
            DataType::Int32 => self.integers::<Int32Type, 4>(array, i64::from),
            DataType::Int64 => self.integers::<Int64Type, 8>(array, |value| value),
            DataType::UInt8 => self.integers::<UInt8Type, 4>(array, i64::from),
            DataType::UInt16 => self.integers::<UInt16Type, 4>(array, i64::from),
            DataType::UInt32 => self.integers::<UInt32Type, 4>(array, i64::from),
            DataType::UInt64 => self.integers::<UInt64Type, 8>(array, |value| value as i64),
            DataType::Date32 => self.integers::<Date32Type, 4>(array, i64::from),
            DataType::Time64(TimeUnit::Microsecond) => {
                self.integers::<Time64MicrosecondType, 8>(array, |value| value)
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.integers::<TimestampMillisecondType, 8>(array, |value| value)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.integers::<TimestampMicrosecondType, 8>(array, |value| value)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.integers::<TimestampNanosecondType, 8>(array, |value| value)
            }
            // Precision up to 18: the low half is all of it.
            DataType::Decimal128(..) if self.settings.pages.value_bytes == 4 => {
                self.integers::<Decimal128Type, 4>(array, |value| value as i64)
            }
            DataType::Decimal128(..) => self.integers::<Decimal128Type, 8>(array, |value| value as i64),
            DataType::Utf8 => self.texts(array),
            other => Err(ParquetError::General(format!("no column chunk of our own for {other}"))),
        }
    }

    /// Bytes of pages and codes so far.
    pub(in crate::encode) fn encoded_bytes(&self) -> usize {
        let retired = self.retired.as_ref().map_or(0, |(page, _)| page.len());
        let dictionary = self.dictionary.as_ref().map_or(retired, |it| it.page().len());
        self.pages.bytes() as usize + dictionary + self.open_bytes()
    }

    /// Bytes held in memory.
    pub(in crate::encode) fn memory_bytes(&self) -> usize {
        let retired = self.retired.as_ref().map_or(0, |(page, _)| page.capacity());
        let dictionary = self.dictionary.as_ref().map_or(retired, Dictionary::memory_bytes);
        let open = &self.open;
        let open = open.valid.capacity() + open.codes.capacity() * 4 + open.plain.capacity();
        self.pages.bytes() as usize + dictionary + open
    }

    pub(in crate::encode) fn close(mut self) -> Result<EncodedChunk, ParquetError> {
        let coded_bytes = self.dictionary.as_ref().map_or(0, |it| it.page().len()) + self.value_bytes();
        if self.pages.is_empty() && self.dictionary.is_some() && coded_bytes > self.plain_bytes() {
            self.give_up_dictionary()?;
        }
        self.seal()?;
        let dictionary = self.dictionary.filter(|_| self.pages.need_dictionary()).map(|dictionary| {
            let entries = dictionary.entries();
            (dictionary.into_page(), entries)
        });
        self.pages.finish(dictionary.or(self.retired), &self.settings.pages)
    }

    fn integers<T: ArrowPrimitiveType, const N: usize>(
        &mut self,
        array: &ArrayRef,
        stored: impl Fn(T::Native) -> i64 + Copy,
    ) -> Result<(), ParquetError> {
        let array = array.as_primitive::<T>();
        let (values, nulls) = (array.values(), array.nulls().filter(|nulls| nulls.null_count() > 0));
        self.in_pieces(array.len(), None, |encoder, start, rows| {
            encoder.open.add_rows(nulls, start, rows);
            let piece = &values[start..start + rows];
            match nulls {
                None => encoder.add_integers::<N, _>(|| piece.iter().map(|value| stored(*value))),
                Some(nulls) => {
                    let valid = nulls.slice(start, rows);
                    encoder.add_integers::<N, _>(|| valid.valid_indices().map(|row| stored(piece[row])));
                }
            }
            Ok(())
        })
    }

    fn texts(&mut self, array: &ArrayRef) -> Result<(), ParquetError> {
        let array = array.as_string::<i32>();
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        self.in_pieces(array.len(), Some(array.value_offsets()), |encoder, start, rows| {
            encoder.open.add_rows(nulls, start, rows);
            match nulls {
                None => encoder.add_texts((start..start + rows).map(|row| array.value(row).as_bytes())),
                Some(nulls) => {
                    let valid = nulls.slice(start, rows);
                    encoder.add_texts(valid.valid_indices().map(|row| array.value(start + row).as_bytes()))
                }
            }
        })
    }

    /// Hands out rows in pieces that end where limits are looked at: where pages end
    /// depends on the values alone, not on the arrays that they come in.
    /// Of texts, whose `offsets` are given, also after so many bytes.
    fn in_pieces(
        &mut self,
        rows: usize,
        offsets: Option<&[i32]>,
        mut add: impl FnMut(&mut Self, usize, usize) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let mut start = 0;
        while start < rows {
            let until_look = ROWS_AT_ONCE - self.open.rows % ROWS_AT_ONCE;
            let room = self.settings.page_rows - self.open.rows;
            let mut piece = (rows - start).min(until_look).min(room);
            let mut is_large = false;
            if let Some(offsets) = offsets {
                let bytes = |rows: usize| (offsets[start + rows] - offsets[start]) as usize;
                let room = self.settings.text_bytes_at_once - self.unlooked_bytes;
                // With the text that goes beyond.
                piece = (1..piece).find(|rows| bytes(*rows) >= room).unwrap_or(piece);
                self.unlooked_bytes += bytes(piece);
                is_large = self.unlooked_bytes >= self.settings.text_bytes_at_once;
            }
            add(self, start, piece)?;
            start += piece;
            let is_full = self.open.rows == self.settings.page_rows;
            if is_full || is_large || self.open.rows.is_multiple_of(ROWS_AT_ONCE) {
                self.unlooked_bytes = 0;
                self.look_at_limits(is_full)?;
            }
        }
        Ok(())
    }

    fn look_at_limits(&mut self, is_full: bool) -> Result<(), ParquetError> {
        if let (Some(dictionary), Some(most)) = (&self.dictionary, self.settings.dictionary_bytes) {
            let (entries, values) = (dictionary.entries(), self.open.codes.len());
            // Only the first page can still be written without it.
            let is_useless = self.pages.is_empty() && values >= MIN_SAMPLE && entries * 50 > values * 49;
            if dictionary.page().len() > most || dictionary.is_crowded() || is_useless {
                self.give_up_dictionary()?;
            }
        }
        if is_full || self.open_bytes() >= self.settings.page_bytes {
            self.seal()?;
        }
        Ok(())
    }

    /// `values` is gone through twice: for the extremes, and for the page.
    fn add_integers<const N: usize, I: Iterator<Item = i64>>(&mut self, values: impl Fn() -> I) {
        if self.settings.has_statistics() {
            let order = self.settings.pages.order;
            let keys = values().map(|value| order.key(value));
            if let Some((min, max)) = keys.map(|key| (key, key)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
                self.open.extremes.add_integers(min, max);
            }
        }
        let OpenPage { codes, plain, .. } = &mut self.open;
        match &mut self.dictionary {
            Some(dictionary) => codes.extend(values().map(|value| dictionary.integer::<N>(value))),
            None => values().for_each(|value| plain.extend_from_slice(&value.to_le_bytes()[..N])),
        }
    }

    fn add_texts<'t>(&mut self, texts: impl Iterator<Item = &'t [u8]>) -> Result<(), ParquetError> {
        let with_statistics = self.settings.has_statistics();
        let OpenPage { codes, plain, extremes, text_bytes, .. } = &mut self.open;
        for text in texts {
            *text_bytes += text.len() as u64;
            match &mut self.dictionary {
                Some(dictionary) => codes.push(dictionary.text(text)),
                None => {
                    if with_statistics {
                        extremes.add_text(text);
                    }
                    append_text(text, plain);
                }
            }
        }
        Ok(())
    }

    /// From here on, values are PLAIN; those of the open page, too, if no page before it needs the dictionary.
    fn give_up_dictionary(&mut self) -> Result<(), ParquetError> {
        if !self.pages.is_empty() {
            self.seal()?;
            self.retired = self.dictionary.take().map(|dictionary| {
                let entries = dictionary.entries();
                (dictionary.into_page(), entries)
            });
            return Ok(());
        }
        self.add_coded_texts_to_extremes();
        let Some(dictionary) = self.dictionary.take() else { return Ok(()) };
        let OpenPage { codes, plain, .. } = &mut self.open;
        for code in std::mem::take(codes) {
            plain.extend_from_slice(match (self.settings.is_text(), self.settings.pages.value_bytes) {
                (true, _) => dictionary.text_bytes(code),
                (false, 4) => dictionary.integer_bytes::<4>(code),
                (false, _) => dictionary.integer_bytes::<8>(code),
            });
        }
        Ok(())
    }

    /// Of the texts of the open page that are codes, each is compared once.
    fn add_coded_texts_to_extremes(&mut self) {
        let Some(dictionary) = self.dictionary.as_ref().filter(|_| self.settings.is_text()) else { return };
        if self.settings.has_statistics() {
            let mut seen = vec![false; dictionary.entries()];
            for &code in &self.open.codes {
                if !std::mem::replace(&mut seen[code as usize], true) {
                    self.open.extremes.add_text(&dictionary.text_bytes(code)[4..]);
                }
            }
        }
    }

    fn seal(&mut self) -> Result<(), ParquetError> {
        self.add_coded_texts_to_extremes();
        let page = std::mem::take(&mut self.open);
        if page.rows == 0 {
            return Ok(());
        }
        let mut body = Vec::with_capacity(page.valid.len() + page.plain.len() + page.codes.len() * 2 + 64);
        if self.settings.nullable {
            body.extend_from_slice(&[0; 4]);
            match page.valid.is_empty() {
                true => append_all_set(page.rows, &mut body),
                false => append_levels(&page.valid, page.rows, &mut body),
            }
            let levels = (body.len() - 4) as u32;
            body[..4].copy_from_slice(&levels.to_le_bytes());
        }
        let encoding = match &self.dictionary {
            Some(dictionary) => {
                let width = code_width(dictionary.entries());
                body.push(width);
                append_codes(&page.codes, width, &mut body);
                Encoding::RLE_DICTIONARY
            }
            None => {
                body.extend_from_slice(&page.plain);
                Encoding::PLAIN
            }
        };
        // The next page will be about as large.
        self.open.codes = page.codes;
        self.open.codes.clear();
        self.open.plain = page.plain;
        self.open.plain.clear();
        let text_bytes = self.settings.is_text().then_some(page.text_bytes);
        let OpenPage { rows, nulls, extremes, .. } = page;
        let page = DataPage { body, encoding, rows, nulls, extremes, text_bytes };
        self.pages.seal(page, &self.settings.pages)
    }

    /// Bytes of the open page, about.
    fn open_bytes(&self) -> usize {
        self.open.valid.len() + self.value_bytes()
    }

    /// Bytes of its values.
    fn value_bytes(&self) -> usize {
        let width = self.dictionary.as_ref().map_or(0, |it| usize::from(code_width(it.entries())));
        self.open.plain.len() + self.open.codes.len() * width / 8
    }

    /// Bytes of the values of the open page without a dictionary.
    fn plain_bytes(&self) -> usize {
        let values = self.open.codes.len();
        match self.settings.is_text() {
            true => values * 4 + self.open.text_bytes as usize,
            false => values * self.settings.pages.value_bytes,
        }
    }
}

impl ChunkSettings {
    fn has_statistics(&self) -> bool {
        self.pages.statistics != EnabledStatistics::None
    }

    fn is_text(&self) -> bool {
        self.pages.column.physical_type() == PhysicalType::BYTE_ARRAY
    }
}

impl OpenPage {
    /// Takes in which of some rows have values.
    fn add_rows(&mut self, nulls: Option<&NullBuffer>, start: usize, rows: usize) {
        let null_count = nulls.map_or(0, |nulls| nulls.slice(start, rows).null_count());
        if null_count > 0 || !self.valid.is_empty() {
            if self.valid.is_empty() {
                self.valid.resize(self.rows.div_ceil(8), 0xFF);
                if !self.rows.is_multiple_of(8)
                    && let Some(last) = self.valid.last_mut()
                {
                    *last = (1 << (self.rows % 8)) - 1;
                }
            }
            self.valid.resize((self.rows + rows).div_ceil(8), 0);
            for row in 0..rows {
                if nulls.is_none_or(|nulls| nulls.is_valid(start + row)) {
                    let at = self.rows + row;
                    self.valid[at / 8] |= 1 << (at % 8);
                }
            }
        }
        self.rows += rows;
        self.nulls += null_count;
    }
}

fn is_stored_as_integer(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Date32 | Decimal128(..) => true,
        Time64(unit) => *unit == TimeUnit::Microsecond,
        Timestamp(unit, _) => *unit != TimeUnit::Second,
        _ => false,
    }
}

fn append_text(text: &[u8], out: &mut Vec<u8>) {
    // Arrow's offsets of 32 bits allow no longer one.
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
