//! The sealed pages of one column chunk, and what is said of them.

use super::codec::Codec;
use super::statistics::{Extremes, Order};
use bytes::{Buf, Bytes};
use parquet::basic::{BoundaryOrder, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::properties::EnabledStatistics;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::collections::VecDeque;
use std::io::Read;

/// What is the same for all pages of a column.
#[derive(Debug, Clone)]
pub(super) struct PageSettings {
    pub(super) column: ColumnDescPtr,
    pub(super) codec: Codec,
    pub(super) statistics: EnabledStatistics,
    pub(super) order: Order,
    /// Bytes of an integer; not of texts.
    pub(super) value_bytes: usize,
    /// Bytes that bounds in the column index, and in the metadata, are cut at.
    pub(super) index_bytes: Option<usize>,
    pub(super) metadata_bytes: Option<usize>,
}

/// One data page before it is compressed.
#[derive(Debug)]
pub(super) struct DataPage {
    pub(super) body: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) rows: usize,
    pub(super) nulls: usize,
    pub(super) extremes: Extremes,
    /// Bytes of its texts, without their lengths.
    pub(super) text_bytes: Option<u64>,
}

/// Sealed pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// With their headers.
    pages: Vec<Bytes>,
    sealed: Vec<Sealed>,
    /// Bytes of all pages, with and without compression, headers included.
    bytes: u64,
    uncompressed_bytes: u64,
    /// Of the whole chunk.
    extremes: Extremes,
    /// Of the last page that has values.
    last: Extremes,
    /// Whether some page is above, or below, the one before it.
    descends: bool,
    ascends: bool,
}

#[derive(Debug)]
struct Sealed {
    encoding: Encoding,
    bytes: u64,
    rows: u64,
    nulls: u64,
    has_values: bool,
    /// As the column index has them.
    bounds: (Vec<u8>, Vec<u8>),
    text_bytes: Option<u64>,
}

/// An encoded column chunk: its dictionary page, if any, and its data pages.
#[derive(Debug)]
pub(in crate::encode) struct EncodedChunk {
    pub(in crate::encode) pages: ChunkPages,
    pub(in crate::encode) close: ColumnCloseResult,
}

impl Pages {
    /// Bytes of the sealed pages.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a page of codes is sealed, which needs its dictionary.
    pub(super) fn need_dictionary(&self) -> bool {
        self.sealed.iter().any(|page| page.encoding == Encoding::RLE_DICTIONARY)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sealed.is_empty()
    }

    pub(super) fn seal(&mut self, page: DataPage, settings: &PageSettings) -> Result<(), ParquetError> {
        let DataPage { body, encoding, rows, nulls, extremes, text_bytes } = page;
        let uncompressed = body.len();
        let page = Page::DataPage {
            buf: settings.codec.compress(body)?.into(),
            num_values: count(rows)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let bytes = self.write(page, uncompressed)?;
        let (rows, nulls) = (rows as u64, nulls as u64);
        let bounds = extremes.page_bounds(settings.order, settings.value_bytes, settings.index_bytes);
        let has_values = extremes != Extremes::None;
        if has_values {
            self.extremes.add(&extremes);
            self.descends |= !self.last.is_not_above(&extremes);
            self.ascends |= !extremes.is_not_above(&self.last) && self.last != Extremes::None;
            self.last = extremes;
        }
        self.sealed.push(Sealed { encoding, bytes, rows, nulls, has_values, bounds, text_bytes });
        Ok(())
    }

    fn write(&mut self, page: Page, uncompressed: usize) -> Result<u64, ParquetError> {
        let mut sink = TrackedWrite::new(Vec::with_capacity(page.buffer().len() + 64));
        let spec =
            SerializedPageWriter::new(&mut sink).write_page(CompressedPage::new(page, uncompressed))?;
        let page = Bytes::from(sink.into_inner()?);
        let bytes = page.len() as u64;
        self.pages.push(page);
        self.bytes += bytes;
        self.uncompressed_bytes += spec.uncompressed_size as u64;
        Ok(bytes)
    }

    /// Ends the chunk. `dictionary`: the body of the page, and how many values it holds.
    pub(super) fn finish(
        mut self,
        dictionary: Option<(Vec<u8>, usize)>,
        settings: &PageSettings,
    ) -> Result<EncodedChunk, ParquetError> {
        let mut encoding_stats = Vec::new();
        let mut data_offset = 0;
        if let Some((body, entries)) = dictionary {
            let uncompressed = body.len();
            let page = Page::DictionaryPage {
                buf: settings.codec.compress(body)?.into(),
                num_values: count(entries)?,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            data_offset = self.write(page, uncompressed)?;
            // It comes first, and was complete last.
            self.pages.rotate_right(1);
            let (page_type, encoding) = (PageType::DICTIONARY_PAGE, Encoding::PLAIN);
            encoding_stats.push(PageEncodingStats { page_type, encoding, count: 1 });
        }
        let mut encodings = vec![Encoding::RLE];
        for page in &self.sealed {
            if !encodings.contains(&page.encoding) {
                encodings.push(page.encoding);
            }
            match encoding_stats.last_mut() {
                Some(last) if last.page_type == PageType::DATA_PAGE && last.encoding == page.encoding => {
                    last.count += 1
                }
                _ => encoding_stats.push(PageEncodingStats {
                    page_type: PageType::DATA_PAGE,
                    encoding: page.encoding,
                    count: 1,
                }),
            }
        }
        if data_offset > 0 && !encodings.contains(&Encoding::PLAIN) {
            encodings.push(Encoding::PLAIN);
        }
        let rows: u64 = self.sealed.iter().map(|page| page.rows).sum();
        let nulls = self.sealed.iter().map(|page| page.nulls).sum();
        let mut metadata = ColumnChunkMetaData::builder(settings.column.clone())
            .set_compression(settings.codec.compression())
            .set_encodings(encodings)
            .set_page_encoding_stats(encoding_stats)
            .set_total_compressed_size(self.bytes as i64)
            .set_total_uncompressed_size(self.uncompressed_bytes as i64)
            .set_num_values(rows as i64)
            .set_data_page_offset(data_offset as i64)
            .set_dictionary_page_offset((data_offset > 0).then_some(0));
        if settings.statistics != EnabledStatistics::None {
            let text_bytes = self.sealed.iter().map(|page| page.text_bytes.map(|bytes| bytes as i64)).sum();
            metadata = metadata
                .set_statistics(self.extremes.statistics(
                    &settings.column,
                    settings.order,
                    nulls,
                    settings.metadata_bytes,
                ))
                .set_unencoded_byte_array_data_bytes(text_bytes);
        }
        let column_index = match settings.statistics {
            EnabledStatistics::Page => Some(self.column_index(settings).build()?),
            _ => None,
        };
        let close = ColumnCloseResult {
            bytes_written: self.bytes,
            rows_written: rows,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index,
            offset_index: Some(self.offset_index(data_offset).build()),
        };
        Ok(EncodedChunk { pages: ChunkPages(self.pages), close })
    }

    fn column_index(&self, settings: &PageSettings) -> ColumnIndexBuilder {
        let mut index = ColumnIndexBuilder::new(settings.column.physical_type());
        for page in &self.sealed {
            let (min, max) = page.bounds.clone();
            index.append(!page.has_values, min, max, page.nulls as i64);
        }
        index.set_boundary_order(match (self.descends, self.ascends) {
            (false, _) => BoundaryOrder::ASCENDING,
            (true, false) => BoundaryOrder::DESCENDING,
            (true, true) => BoundaryOrder::UNORDERED,
        });
        index
    }

    fn offset_index(&self, data_offset: u64) -> OffsetIndexBuilder {
        let mut index = OffsetIndexBuilder::new();
        let mut offset = data_offset;
        for page in &self.sealed {
            index.append_row_count(page.rows as i64);
            index.append_offset_and_size(offset as i64, page.bytes as i32);
            index.append_unencoded_byte_array_data_bytes(page.text_bytes.map(|bytes| bytes as i64));
            offset += page.bytes;
        }
        index
    }
}

fn count(values: usize) -> Result<u32, ParquetError> {
    u32::try_from(values).map_err(|_| ParquetError::General(format!("a page of {values} values")))
}

/// The pages of a chunk, one after the other.
#[derive(Debug)]
pub(in crate::encode) struct ChunkPages(Vec<Bytes>);

impl Length for ChunkPages {
    fn len(&self) -> u64 {
        self.0.iter().map(|page| page.len() as u64).sum()
    }
}

impl ChunkReader for ChunkPages {
    type T = PagesReader;

    fn get_read(&self, start: u64) -> Result<PagesReader, ParquetError> {
        let mut left = start;
        let mut pages = VecDeque::with_capacity(self.0.len());
        for page in &self.0 {
            let passed = left.min(page.len() as u64);
            left -= passed;
            pages.push_back(page.slice(passed as usize..));
        }
        Ok(PagesReader(pages))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads pages one after the other.
#[derive(Debug)]
pub(in crate::encode) struct PagesReader(VecDeque<Bytes>);

impl Read for PagesReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(page) = self.0.front_mut() {
            if page.is_empty() {
                self.0.pop_front();
                continue;
            }
            let bytes = page.len().min(buffer.len());
            page.copy_to_slice(&mut buffer[..bytes]);
            return Ok(bytes);
        }
        Ok(0)
    }
}
