//! How pages are compressed.

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Compressor;

/// A compression, with what it needs again and again.
pub(super) struct Codec {
    method: Method,
    compressed: Vec<u8>,
}

enum Method {
    Plain,
    Snappy(Box<snap::raw::Encoder>),
    Zstd(Compressor<'static>),
    Lz4,
}

impl Codec {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        let method = match compression {
            Compression::UNCOMPRESSED => Method::Plain,
            Compression::SNAPPY => Method::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::LZ4_RAW => Method::Lz4,
            Compression::ZSTD(level) => Method::Zstd(Compressor::new(level.compression_level())?),
            other => return Err(ParquetError::NYI(format!("the compression {other}"))),
        };
        Ok(Self {
            method,
            compressed: Vec::new(),
        })
    }

    /// A page as it is stored in a column of `compression`, which is that of the codec or none.
    pub(super) fn compress(&mut self, page: &[u8], compression: Compression) -> Result<Bytes> {
        if compression == Compression::UNCOMPRESSED {
            return Ok(Bytes::copy_from_slice(page));
        }
        let most = match &self.method {
            Method::Plain => return Ok(Bytes::copy_from_slice(page)),
            Method::Snappy(_) => snap::raw::max_compress_len(page.len()),
            Method::Zstd(_) => zstd::zstd_safe::compress_bound(page.len()),
            Method::Lz4 => lz4_flex::block::get_maximum_output_size(page.len()),
        };
        if self.compressed.len() < most {
            self.compressed.resize(most, 0);
        }
        let out = self.compressed.as_mut_slice();
        let length = match &mut self.method {
            Method::Plain => 0,
            Method::Snappy(encoder) => encoder
                .compress(page, out)
                .map_err(|e| ParquetError::External(Box::new(e)))?,
            Method::Zstd(compressor) => compressor.compress_to_buffer(page, out)?,
            Method::Lz4 => lz4_flex::block::compress_into(page, out)
                .map_err(|e| ParquetError::External(Box::new(e)))?,
        };
        Ok(Bytes::copy_from_slice(&self.compressed[..length]))
    }
}
