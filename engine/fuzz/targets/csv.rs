//! Rows, rejects and lines are those of the byte-at-a-time specification, on every instruction set.
#![no_main]

use karyaksham_fuzz::Input;
use karyaksham_text::index::Simd;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let case = input.case();
    let expected = case.expected();
    for simd in Simd::available() {
        let (outcome, _) = case.scan(simd, case.whole());
        assert_eq!(outcome, expected, "{simd:?} {case:?}");
    }
});
