//! Text that can only be had in order: made on a thread of its own, some pieces ahead of the reader. Reading back from
//! where the reader is begins again from the first stored byte: right, and as slow as it sounds.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use encoding_rs::Encoding;

use super::error::DecodeError;
use super::input::{Input, Place};
use super::limit::Limit;
use super::transcode::Transcoder;
use super::{Compression, formats};
use crate::ReadAt;
use crate::source::SIZE_UNKNOWN;

const PIECE_BYTES: usize = 256 << 10;
/// Pieces made ahead of the reader.
const PIECES_AHEAD: usize = 4;

/// From stored bytes to text.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub stored: Arc<dyn ReadAt>,
    pub compression: Option<Compression>,
    pub transcoded: Option<&'static Encoding>,
    pub limit: Limit,
}

/// The text of a pipeline.
pub(super) struct Stream {
    pipeline: Pipeline,
    size: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None: not begun, or at the end.
    pieces: Option<Receiver<Message>>,
    /// The last piece that came, which begins at `offset` of the text.
    piece: Vec<u8>,
    offset: u64,
    ended: Option<Result<(), Failure>>,
    /// Stored bytes used up for the pieces so far.
    used: u64,
}

enum Message {
    Piece { text: Vec<u8>, used: u64 },
    End(Result<(), Failure>),
}

/// An error that can be told more than once.
#[derive(Clone)]
enum Failure {
    Data(DecodeError),
    Storage(Arc<io::Error>),
}

/// An error of storage, told again; what it is about is its source.
#[derive(Debug)]
struct Told(Arc<io::Error>);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let inner = self.0.get_ref()?;
        Some(inner)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Data(error) => error.into(),
            Failure::Storage(error) => Self::new(error.kind(), Told(error)),
        }
    }
}

impl Stream {
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            size: AtomicU64::new(SIZE_UNKNOWN),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Go on to the next piece; false at the end.
    fn advance(&self, state: &mut State) -> io::Result<bool> {
        if let Some(ended) = &state.ended {
            return ended.clone().map(|()| false).map_err(Into::into);
        }
        let pieces = match &mut state.pieces {
            Some(pieces) => pieces,
            none => none.insert(self.pipeline.begin()?),
        };
        let gone = || Message::End(Err(Failure::Storage(Arc::new(io::Error::other(GONE)))));
        match pieces.recv().unwrap_or_else(|_| gone()) {
            Message::Piece { text, used } => {
                state.offset += state.piece.len() as u64;
                state.piece = text;
                state.used = used;
            }
            Message::End(ended) => {
                let end = state.offset + state.piece.len() as u64;
                if ended.is_ok() {
                    state.used = self.pipeline.stored.size_bytes();
                    self.size.store(end, Ordering::Relaxed);
                }
                state.pieces = None;
                state.ended = Some(ended);
            }
        }
        self.advanced(state)
    }

    fn advanced(&self, state: &State) -> io::Result<bool> {
        match &state.ended {
            Some(ended) => ended.clone().map(|()| false).map_err(Into::into),
            None => Ok(true),
        }
    }
}

/// Only after a panic, which is a fault of ours.
const GONE: &str = "decompression ended without a result";

impl ReadAt for Stream {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if offset < state.offset {
            *state = State::default();
        }
        let mut filled = 0;
        loop {
            let at = offset + filled as u64 - state.offset;
            if let Some(text) = usize::try_from(at)
                .ok()
                .and_then(|at| state.piece.get(at..))
            {
                let length = text.len().min(buf.len() - filled);
                buf[filled..filled + length].copy_from_slice(&text[..length]);
                filled += length;
            }
            if filled == buf.len() || !self.advance(&mut state)? {
                return Ok(filled);
            }
        }
    }

    fn size_bytes(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn stored_bytes(&self, _from: u64, _to: u64) -> u64 {
        self.lock().used
    }
}

impl Pipeline {
    fn begin(&self) -> io::Result<Receiver<Message>> {
        let (sender, receiver) = sync_channel(PIECES_AHEAD);
        let pipeline = self.clone();
        // Nobody joins it: it ends when its receiver is gone, or its data.
        thread::Builder::new()
            .name("karyaksham-decode".into())
            .spawn(move || {
                let ended = pipeline.run(&sender);
                let _ = sender.send(Message::End(ended));
            })?;
        Ok(receiver)
    }

    fn run(&self, sender: &SyncSender<Message>) -> Result<(), Failure> {
        let input = Input::new(Arc::clone(&self.stored));
        let place = input.place();
        let mut decoder =
            formats::open(self.compression, input).map_err(|e| self.failure(&place, &e))?;
        let mut transcoder = self.transcoded.map(Transcoder::new);
        let mut total = 0;
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = fill(&mut *decoder, &mut piece);
            let (read, failed) = match read {
                Ok(read) => (read, None),
                Err((read, error)) => (read, Some(self.failure(&place, &error))),
            };
            total += read as u64;
            if self.compression.is_some() {
                let checked = self.limit.check(self.name(), total, place.used());
                checked.map_err(Failure::Data)?;
            }
            let last = read < PIECE_BYTES;
            piece.truncate(read);
            if let Some(transcoder) = &mut transcoder {
                piece = transcoder.next(&piece, last);
            }
            let used = place.used();
            if !piece.is_empty() && sender.send(Message::Piece { text: piece, used }).is_err() {
                return Ok(());
            }
            match failed {
                Some(failure) => return Err(failure),
                None if last => return Ok(()),
                None => {}
            }
        }
    }

    fn name(&self) -> &'static str {
        self.compression.map_or("stored", Compression::name)
    }

    fn failure(&self, place: &Place, error: &io::Error) -> Failure {
        if let Some(ours) = error
            .get_ref()
            .and_then(|e| e.downcast_ref::<DecodeError>())
        {
            return Failure::Data(ours.clone());
        }
        if let Some(failed) = place.failed() {
            return Failure::Storage(failed);
        }
        Failure::Data(match error.kind() {
            io::ErrorKind::UnexpectedEof => DecodeError::truncated(self.name(), place.used()),
            _ => DecodeError::corrupt(self.name(), place.used(), &error.to_string()),
        })
    }
}

/// Fill `buf`; less at the end, or with an error, which comes after what could be read.
fn fill(decoder: &mut dyn Read, buf: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut filled = 0;
    while filled < buf.len() {
        match decoder.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((filled, error)),
        }
    }
    Ok(filled)
}
