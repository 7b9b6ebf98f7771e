//! One column of a row group: its pages, compressed, in memory until all are there, because the dictionary is known last
//! and stands first; and what others need to find pages and to leave them out.

use std::cmp::Ordering;

use arrow::buffer::NullBuffer;
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page as StoredPage, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::codec::Codec;
use super::packed::varint;

/// A column whose first page saves less than this part of its bytes is not compressed: packed numbers seldom do, and
/// whoever reads them has less to do too.
const LEAST_SAVED: usize = 20;

/// Room for the levels of a page without nulls, before its values.
const LEVEL_ROOM: usize = 16;

/// The values of a page.
pub(super) struct Page {
    /// Begun by [`page_buffer`].
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
    /// The least and the greatest value; None where all are null.
    pub(super) bounds: Option<(Vec<u8>, Vec<u8>)>,
    /// Of texts, without their lengths.
    pub(super) text_bytes: Option<i64>,
}

/// Where the values of a page go, about `size_bytes` of them.
pub(super) fn page_buffer(size_bytes: usize) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(LEVEL_ROOM + size_bytes);
    buffer.resize(LEVEL_ROOM, 0);
    buffer
}

/// The values of a dictionary, one after the other, and how many.
pub(super) struct Dictionary {
    pub(super) bytes: Vec<u8>,
    pub(super) values: u32,
}

/// A page as it will stand in the file.
struct Packed {
    page: CompressedPage,
    rows: usize,
    text_bytes: Option<i64>,
}

/// What is written of a column.
pub(super) struct Chunk {
    descriptor: ColumnDescPtr,
    compression: Compression,
    pages: Vec<Packed>,
    size_bytes: usize,
    bounds: Vec<(Vec<u8>, Vec<u8>)>,
    index: ColumnIndexBuilder,
    rows: u64,
    nulls: u64,
    text_bytes: Option<i64>,
}

impl Chunk {
    pub(super) fn new(descriptor: ColumnDescPtr, compression: Compression) -> Self {
        Self {
            index: ColumnIndexBuilder::new(descriptor.physical_type()),
            descriptor,
            compression,
            pages: Vec::new(),
            size_bytes: 0,
            bounds: Vec::new(),
            rows: 0,
            nulls: 0,
            text_bytes: None,
        }
    }

    /// Compressed, so far.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Add a page of `rows`, of which those in `valid` have a value; None: all have.
    pub(super) fn add(
        &mut self,
        page: Page,
        rows: usize,
        valid: Option<&NullBuffer>,
        codec: &mut Codec,
    ) -> Result<()> {
        let nulls = valid.map_or(0, NullBuffer::null_count);
        let stored = self.with_levels(page.bytes, rows, valid);
        let raw = &stored.0[stored.1..];
        let uncompressed_bytes = raw.len();
        let mut compressed = codec.compress(raw, self.compression)?;
        if self.pages.is_empty() && compressed.len() > raw.len() - raw.len() / LEAST_SAVED {
            self.compression = Compression::UNCOMPRESSED;
            compressed = codec.compress(raw, self.compression)?;
        }
        self.size_bytes += compressed.len();
        let stored = StoredPage::DataPage {
            buf: compressed,
            num_values: rows as u32,
            encoding: page.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.pages.push(Packed {
            page: CompressedPage::new(stored, uncompressed_bytes),
            rows,
            text_bytes: page.text_bytes,
        });
        self.rows += rows as u64;
        self.nulls += nulls as u64;
        if let Some(bytes) = page.text_bytes {
            *self.text_bytes.get_or_insert(0) += bytes;
        }
        let (least, greatest) = page.bounds.clone().unwrap_or_default();
        self.index
            .append(page.bounds.is_none(), least, greatest, nulls as i64);
        let histogram = self.histogram(rows as u64, nulls as u64);
        self.index.append_histograms(&None, &histogram);
        self.bounds.extend(page.bounds);
        Ok(())
    }

    /// The levels before the values: which rows are null. The page begins at the second number.
    fn with_levels(
        &self,
        mut bytes: Vec<u8>,
        rows: usize,
        valid: Option<&NullBuffer>,
    ) -> (Vec<u8>, usize) {
        if self.descriptor.max_def_level() == 0 {
            return (bytes, LEVEL_ROOM);
        }
        let mut levels = Vec::with_capacity(LEVEL_ROOM);
        match valid.filter(|valid| valid.null_count() > 0) {
            None => {
                varint((rows as u64) << 1, &mut levels);
                levels.push(1);
            }
            // Packed levels of one bit are what Arrow keeps.
            Some(valid) => {
                varint((rows.div_ceil(8) as u64) << 1 | 1, &mut levels);
                levels.extend_from_slice(valid.inner().sliced().as_slice());
            }
        }
        let length = (levels.len() as u32).to_le_bytes();
        let whole = length.len() + levels.len();
        if whole <= LEVEL_ROOM {
            let at = LEVEL_ROOM - whole;
            bytes[at..at + length.len()].copy_from_slice(&length);
            bytes[at + length.len()..LEVEL_ROOM].copy_from_slice(&levels);
            return (bytes, at);
        }
        let mut page = Vec::with_capacity(whole + bytes.len());
        page.extend_from_slice(&length);
        page.extend_from_slice(&levels);
        page.extend_from_slice(&bytes[LEVEL_ROOM..]);
        (page, 0)
    }

    fn histogram(&self, rows: u64, nulls: u64) -> Option<LevelHistogram> {
        let mut histogram = LevelHistogram::try_new(self.descriptor.max_def_level())?;
        histogram.increment_by(0, nulls as i64);
        histogram.increment_by(1, (rows - nulls) as i64);
        Some(histogram)
    }

    /// All pages as they stand in the file, and what is to be said about them. `compare` orders bounds.
    pub(super) fn close(
        mut self,
        dictionary: Option<Dictionary>,
        statistics: Statistics,
        compare: impl Fn(&[u8], &[u8]) -> Ordering,
        codec: &mut Codec,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        self.index.set_boundary_order(order(&self.bounds, compare));
        let mut sink = TrackedWrite::new(Vec::with_capacity(self.size_bytes + (64 << 10)));
        let mut uncompressed_bytes = 0;
        let mut encodings = vec![Encoding::RLE];
        let mut counted: Vec<PageEncodingStats> = Vec::new();
        let mut count = |page_type: PageType, encoding: Encoding| {
            if !encodings.contains(&encoding) {
                encodings.push(encoding);
            }
            match counted.last_mut() {
                Some(last) if last.page_type == page_type && last.encoding == encoding => {
                    last.count += 1;
                }
                _ => counted.push(PageEncodingStats {
                    page_type,
                    encoding,
                    count: 1,
                }),
            }
        };
        let has_dictionary = dictionary.is_some();
        if let Some(dictionary) = dictionary {
            let page = StoredPage::DictionaryPage {
                buf: codec.compress(&dictionary.bytes, self.compression)?,
                num_values: dictionary.values,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            count(PageType::DICTIONARY_PAGE, Encoding::PLAIN);
            let page = CompressedPage::new(page, dictionary.bytes.len());
            let spec = SerializedPageWriter::new(&mut sink).write_page(page)?;
            uncompressed_bytes += spec.uncompressed_size;
        }
        let data_offset = sink.bytes_written();
        let mut offsets = OffsetIndexBuilder::new();
        for packed in std::mem::take(&mut self.pages) {
            count(PageType::DATA_PAGE, packed.page.encoding());
            let spec = SerializedPageWriter::new(&mut sink).write_page(packed.page)?;
            uncompressed_bytes += spec.uncompressed_size;
            offsets.append_row_count(packed.rows as i64);
            offsets.append_unencoded_byte_array_data_bytes(packed.text_bytes);
            offsets.append_offset_and_size(spec.offset as i64, spec.compressed_size as i32);
        }
        let bytes = Bytes::from(sink.into_inner()?);
        let metadata = ColumnChunkMetaData::builder(self.descriptor.clone())
            .set_compression(self.compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(counted)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(uncompressed_bytes as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(data_offset as i64)
            .set_dictionary_page_offset(has_dictionary.then_some(0))
            .set_statistics(statistics)
            .set_unencoded_byte_array_data_bytes(self.text_bytes)
            .set_definition_level_histogram(self.histogram(self.rows, self.nulls))
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: Some(self.index.build()?),
            offset_index: Some(offsets.build()),
        };
        Ok((bytes, closed))
    }
}

/// How the bounds of pages follow one another.
fn order(
    bounds: &[(Vec<u8>, Vec<u8>)],
    compare: impl Fn(&[u8], &[u8]) -> Ordering,
) -> BoundaryOrder {
    let in_order = |wrong: Ordering| {
        bounds.windows(2).all(|pair| {
            compare(&pair[0].0, &pair[1].0) != wrong && compare(&pair[0].1, &pair[1].1) != wrong
        })
    };
    if in_order(Ordering::Greater) {
        BoundaryOrder::ASCENDING
    } else if in_order(Ordering::Less) {
        BoundaryOrder::DESCENDING
    } else {
        BoundaryOrder::UNORDERED
    }
}
