//! A file cut at any bytes, chained and put together again gives what the whole file gives.
#![no_main]

use karyaksham_fuzz::Input;
use karyaksham_text::cut;
use karyaksham_text::index::Simd;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let case = input.case();
    let simd = Simd::get();
    let (expected, _) = case.scan(simd, case.whole());
    let outcome = case.scan_shards(simd, case.ranges(&input.cuts()));
    assert_eq!(outcome, expected, "{:?} {case:?}", input.cuts());
    let even = cut(0, case.file.len() as u64, 1 + input.cuts()[0] as u64);
    if even.len() <= 64 {
        assert_eq!(
            case.scan_shards(simd, even.clone()),
            expected,
            "{even:?} {case:?}"
        );
    }
});
