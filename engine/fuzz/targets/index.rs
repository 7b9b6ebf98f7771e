//! Every instruction set finds the same structural bytes, and where nothing is anomalous they are those of plain parity.
#![no_main]

use karyaksham_fuzz::Input;
use karyaksham_text::LineEnding;
use karyaksham_text::index::{Index, PADDING_BYTES, Pass, Simd, Symbols};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let dialect = input.dialect();
    let symbols = Symbols {
        delimiter: dialect.delimiter,
        quote: dialect.quote,
        escape: dialect.quote.and(dialect.escape),
        comment: dialect.comment,
        line_ending: dialect.line_ending,
        skips_spaces: dialect.skip_initial_space,
        merges: dialect.merge_delimiters,
    };
    let is_plain = symbols.escape.is_none()
        && !symbols.merges
        && symbols.delimiter.len() == 1
        && matches!(symbols.line_ending, LineEnding::Lf | LineEnding::Cr);
    let newline = if symbols.line_ending == LineEnding::Cr {
        b'\r'
    } else {
        b'\n'
    };
    // The byte before the first record, then the file; it begins at any place of a block.
    let from = usize::from(input.choose(5, &(1..=130).collect::<Vec<u8>>()));
    let mut data = vec![b'?'; from];
    data.extend_from_slice(input.file);
    let to = data.len();
    data.resize(to + PADDING_BYTES, symbols.delimiter.first());
    let (expected, pass) = run(Simd::Portable, symbols, &data, from, to);
    for simd in Simd::available() {
        let (index, told) = run(simd, symbols, &data, from, to);
        assert_eq!(told, pass, "{simd:?}");
        assert_eq!(index.ends, expected.ends, "{simd:?}");
        assert_eq!(index.lines, expected.lines, "{simd:?}");
    }
    if pass.anomaly.is_none() && is_plain {
        let (mut ends, mut lines, mut inside) = (vec![from as u32 - 1], vec![], false);
        for (at, byte) in data[..to].iter().enumerate().skip(from) {
            inside ^= Some(*byte) == symbols.quote;
            if !inside && (symbols.delimiter == *byte || *byte == newline) {
                ends.push(at as u32);
                if *byte == newline {
                    lines.push(at as u32);
                }
            }
        }
        ends.retain(|end| (*end as usize) < pass.boundary);
        assert_eq!(ends, expected.ends);
        assert_eq!(lines, expected.lines);
    }
});

fn run(simd: Simd, symbols: Symbols, data: &[u8], from: usize, to: usize) -> (Index, Pass) {
    let mut index = Index::default();
    index.restart(from);
    let pass = index.run(simd, symbols, data, from, to);
    (index, pass)
}
