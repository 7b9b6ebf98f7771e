//! Escapes of JSON strings.

use memchr::memchr;

/// The length of the escape that begins with the backslash at `at`; None: it stands for no character. A character past
/// 16 bits is two escapes, of a high and a low surrogate, and is taken as one.
pub(super) fn length(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match unit(text, at)? {
            0xd800..=0xdbff => {
                let low = unit(text, at + 6)?;
                (0xdc00..=0xdfff).contains(&low).then_some(12)
            }
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

/// The number of `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text.get(at..at + 6)? else {
        return None;
    };
    digits.iter().try_fold(0, |unit, digit| {
        Some(unit << 4 | char::from(*digit).to_digit(16)?)
    })
}

/// Append what the inside of a string stands for; its escapes are known to be right.
pub(crate) fn unescape(inner: &[u8], out: &mut Vec<u8>) {
    let mut rest = inner;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let length = length(rest, at).unwrap_or(rest.len() - at);
        match rest.get(at + 1) {
            Some(b'b') => out.push(0x08),
            Some(b'f') => out.push(0x0c),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'u') => {
                let units = [unit(rest, at), unit(rest, at + 6)];
                let code = match (length, units) {
                    (12, [Some(high), Some(low)]) => {
                        0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                    }
                    (_, [Some(unit), _]) => unit,
                    _ => 0xfffd,
                };
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(other) => out.push(*other),
            None => {}
        }
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(inner: &str) -> Option<String> {
        let mut at = 0;
        while let Some(next) = memchr(b'\\', &inner.as_bytes()[at..]) {
            at += next;
            at += length(inner.as_bytes(), at)?;
        }
        let mut out = vec![];
        unescape(inner.as_bytes(), &mut out);
        Some(String::from_utf8(out).expect("escapes stand for characters"))
    }

    #[test]
    fn escapes_stand_for_characters() {
        assert_eq!(text("a"), Some("a".into()));
        assert_eq!(
            text(r#"\"\\\/\b\f\n\r\t"#),
            Some("\"\\/\u{8}\u{c}\n\r\t".into())
        );
        assert_eq!(text(r"\u0041\u00e9\u4E2d"), Some("Aé中".into()));
        assert_eq!(text(r"x\ud83d\ude00y"), Some("x😀y".into()));
        assert_eq!(text(r"\u0000"), Some("\0".into()));
        for bad in [
            r"\",
            r"\x",
            r"\u12",
            r"\u12g4",
            r"\ud83d",
            r"\ud83dx",
            r"\ude00",
            r"\ud83d\ud83d",
            r"\ud83d\n",
            r"\U0041",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
