//! What every scan of a text file does, whatever its format.

use arrow_array::RecordBatch;

use crate::{Reject, ShardReport, TextError};

/// A scan of one shard: an iterator in spirit, blocking, without threads of its own.
pub trait TextScan: Send {
    /// The next rows of the projection, or None at the end of the shard. Does about 1 MiB of work at most a call, so a
    /// caller that checks for cancellation between calls is prompt; an empty batch means "nothing yet".
    ///
    /// # Errors
    /// Reading failed, or the file has changed. Bad records are no errors, see [`TextScan::take_rejects`].
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, TextError>;

    /// The next rows as text, for a scan that was asked for text: appends whole lines to `out`, and returns how many;
    /// None at the end of the shard. Else as [`TextScan::next_batch`].
    ///
    /// # Errors
    /// Those of `next_batch`.
    fn next_text(&mut self, _out: &mut Vec<u8>) -> Result<Option<usize>, TextError> {
        Err(TextError::Internal("this scan hands on no text".into()))
    }

    /// The rejects found since the last call, in the order of the file.
    fn take_rejects(&mut self) -> Vec<Reject>;

    /// Where the scan stands; final once `next_batch` returned None.
    fn report(&self) -> &ShardReport;
}
