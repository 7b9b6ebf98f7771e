//! What the targets share: how bytes from the fuzzer become a file and a way to read it, and the specification that
//! the property tests check against (`engine/text/tests/oracle`), byte at a time.
//!
//! An input is a line of [`OPTIONS`] bytes and a file. Each of the bytes picks from a list by its remainder, so that a
//! seed begins with a line of digits that can be read, and a mutation of it is another valid choice.

use karyaksham_text::{Delimiter, Dialect, LineEnding};

#[path = "../../text/tests/oracle/harness.rs"]
pub mod harness;
#[path = "../../text/tests/oracle/reader.rs"]
pub mod reader;

use harness::Case;
use reader::Kind;

/// Bytes before the file: fifteen choices and a line end.
pub const OPTIONS: usize = 16;

/// Choices and the file that they are about.
pub struct Input<'a> {
    /// [`OPTIONS`] bytes.
    pub options: &'a [u8],
    /// What is read.
    pub file: &'a [u8],
}

impl<'a> Input<'a> {
    /// None: too short to say anything.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (options, file) = bytes.split_at_checked(OPTIONS)?;
        Some(Self { options, file })
    }

    /// The `at`th choice from `list`.
    pub fn choose<T: Copy>(&self, at: usize, list: &[T]) -> T {
        list[usize::from(self.options[at]) % list.len()]
    }

    /// Options 0 to 4; the first of them also chooses what is rarer.
    pub fn dialect(&self) -> Dialect {
        let delimiters: [&[u8]; 8] = [b",", b";", b"\t", b"|", b" ", b"||", b"~|~", b",:,"];
        let delimiter = self.choose(0, &delimiters);
        let knob = self.options[0] / 8 % 8;
        Dialect {
            delimiter: Delimiter::new(delimiter).expect("it is one"),
            merge_delimiters: knob == 1 && delimiter.len() == 1,
            trailing_delimiter: knob == 2,
            skip_initial_space: knob == 3 && delimiter != b" ",
            quote: self.choose(1, &[Some(b'"'), Some(b'\''), None]),
            escape: self.choose(2, &[None, Some(b'\\')]),
            comment: self.choose(3, &[None, Some(b'#')]),
            line_ending: self.choose(4, &[LineEnding::Lf, LineEnding::Cr, LineEnding::Any]),
            has_header: false,
            ..Dialect::default()
        }
    }

    /// Options 0 to 10: a file with its columns, and how much is looked at at once.
    pub fn case(&self) -> Case {
        let columns = self.choose(5, &[1, 2, 3, 4, 5]);
        let kinds = (0..columns).map(|column| match self.options[6] >> column & 3 {
            1 => Kind::Integer,
            3 => Kind::Double,
            _ => Kind::Text,
        });
        let kinds: Vec<_> = kinds.collect();
        Case {
            dialect: self.dialect(),
            kinds,
            required: (0..columns)
                .map(|n| self.options[7] >> n & 3 == 3)
                .collect(),
            max_record_bytes: self.choose(8, &[1 << 24, 4, 30, 200, 1000]),
            chunk_bytes: self.choose(9, &[1 << 18, 16, 64, 256, 512]),
            batch_rows: self.choose(10, &[8192, 1, 3, 100]),
            file: self.file.to_vec(),
        }
    }

    /// Options 11 to 14: where to cut the file, in 256ths of it.
    pub fn cuts(&self) -> Vec<usize> {
        let parts = self.options[11..15].iter();
        parts
            .map(|part| usize::from(*part) * (self.file.len() + 1) / 256)
            .collect()
    }
}
