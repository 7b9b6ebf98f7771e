//! What is no delimited text: compressed, binary, UTF-16, JSON, markup, or nothing at all.

use memchr::memchr;

use crate::TextError;
use crate::decode::utf16;

/// Bytes whose first bytes say what they are, and what to do about them.
const MAGIC: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "gzip", UNPACK),
    (b"\x28\xb5\x2f\xfd", "Zstandard", UNPACK),
    (b"BZh", "bzip2", UNPACK),
    (b"\x04\x22\x4d\x18", "LZ4", UNPACK),
    (b"\xfd7zXZ\0", "xz", UNPACK),
    (b"PK\x03\x04", "ZIP", UNPACK_ZIP),
    (b"PK\x05\x06", "ZIP", UNPACK_ZIP),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", UNPACK),
    (b"\xd0\xcf\x11\xe0", "Microsoft Office", EXPORT),
    (b"%PDF-", "PDF", EXPORT),
    (b"SQLite format 3\0", "SQLite", EXPORT),
    (b"Obj\x01", "Avro", EXPORT),
    (b"<?xml", "XML", EXPORT),
    (b"<!DOCTYPE", "HTML", EXPORT),
    (b"<html", "HTML", EXPORT),
];
const UNPACK: &str = "Decompress the file first and give the text file inside it.";
const UNPACK_ZIP: &str =
    "Unpack it first and give the text file inside; a spreadsheet (.xlsx) is saved as CSV first.";
const EXPORT: &str = "Export the table as CSV and give that file.";

/// More than one byte in so many that text does not hold makes a file binary.
const BYTES_A_CONTROL: usize = 500;

/// Fail if these first bytes of a file are known to be no delimited text.
pub(super) fn check_head(head: &[u8]) -> Result<(), TextError> {
    for (magic, name, hint) in MAGIC {
        if head.starts_with(magic) && !is_plain_bzh(head, magic) {
            return Err(unsupported(
                format!("The file is {name}, not delimited text."),
                hint,
            ));
        }
    }
    if let Some(encoding) = utf16(head) {
        return Err(unsupported(
            format!(
                "The text is {}, and was taken for another encoding.",
                encoding.name()
            ),
            "Leave the encoding out, or give this one.",
        ));
    }
    let controls = head.iter().filter(|&&b| is_control(b)).count();
    if controls * BYTES_A_CONTROL > head.len() {
        return Err(TextError::NotATable {
            code: "BINARY_FILE",
            message: "The file holds binary data, not text.".into(),
            hint: Some("Give a text file such as CSV, or a Parquet file.".into()),
        });
    }
    Ok(())
}

/// Fail if the lines of the text are JSON values.
pub(super) fn check_json(head: &[u8]) -> Result<(), TextError> {
    let mut lines = head
        .split(|&b| b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let opens = match first {
        b"[" | b"{" | b"[{" => true,
        _ => is_object(first) && lines.take(3).all(|line| line.starts_with(b"{")),
    };
    if opens {
        return Err(unsupported(
            "The file is JSON, not delimited text.".into(),
            "NDJSON, with one object a line, can be read. An array is written so by: jq -c '.[]' IN > OUT",
        ));
    }
    Ok(())
}

/// Nothing is there to be read.
pub(super) fn empty(message: &str) -> TextError {
    TextError::NotATable {
        code: "EMPTY_FILE",
        message: message.into(),
        hint: Some("Check that the file was written completely.".into()),
    }
}

/// The text is no table for another reason.
pub(super) fn not_a_table(message: String, hint: &str) -> TextError {
    TextError::NotATable {
        code: "NOT_A_TABLE",
        message,
        hint: Some(hint.into()),
    }
}

fn unsupported(message: String, hint: &str) -> TextError {
    TextError::NotATable {
        code: "UNSUPPORTED_FORMAT",
        message,
        hint: Some(hint.into()),
    }
}

/// `BZh` may begin a word; bzip2 goes on with a level from 1 to 9 and the digits of pi.
fn is_plain_bzh(head: &[u8], magic: &[u8]) -> bool {
    magic == b"BZh" && head.get(4..10) != Some(b"1AY&SY")
}

fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && line.ends_with(b"}") && memchr(b':', line).is_some()
}

/// Bytes that text does not hold. 0x01, 0x1C to 0x1F separate fields in some exports; escape begins colours.
fn is_control(byte: u8) -> bool {
    match byte {
        b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0x01 | 0x1b..=0x1f => false,
        _ => byte < 0x20 || byte == 0x7f,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<&'static str> {
        match check_head(bytes).and_then(|()| check_json(bytes)) {
            Err(TextError::NotATable { code, .. }) => Some(code),
            _ => None,
        }
    }

    #[test]
    fn formats_are_named_and_text_passes() {
        let magic = MAGIC.iter().filter(|m| m.0 != b"BZh");
        assert!(magic.clone().count() > 10);
        for (bytes, ..) in magic {
            assert_eq!(code(bytes), Some("UNSUPPORTED_FORMAT"), "{bytes:?}");
        }
        assert_eq!(code(b"BZh91AY&SY\x00"), Some("UNSUPPORTED_FORMAT"));
        assert_eq!(code(b"BZhang,Li\n1,2\n"), None);
        assert_eq!(code(b"a,b\n1,2\n"), None);
        assert_eq!(code("naïve,日本\n1,2\n".as_bytes()), None);
    }

    #[test]
    fn binary_and_utf16_are_told_apart() {
        assert_eq!(code(b"\x7fELF\x02\x01\x01\0\0\0\0"), Some("BINARY_FILE"));
        let wide: Vec<u8> = "a,b\n1,2\n3,4\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(code(&wide), Some("UNSUPPORTED_FORMAT"));
        assert_eq!(code(b"\xff\xfea\0"), Some("UNSUPPORTED_FORMAT"));
    }

    #[test]
    fn json_is_no_table() {
        assert_eq!(
            code(b"{\"a\": 1}\n{\"a\": 2}\n"),
            Some("UNSUPPORTED_FORMAT")
        );
        assert_eq!(code(b"[\n  {\"a\": 1}\n]\n"), Some("UNSUPPORTED_FORMAT"));
        assert_eq!(code(b"{id},name\n1,2\n"), None);
    }
}
