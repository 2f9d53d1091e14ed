//! Ranges of bytes, as downloads ask for them and as uploads declare them.

use std::ops::Range;

/// What a `Range` header asks of content of a known size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// Everything: no range, several ranges, or not understood.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing of the content.
    Unsatisfiable,
}

/// Reads a `Range` header. Several ranges get the whole content, which RFC 9110 allows.
pub fn requested(header: Option<&str>, size: u64) -> Requested {
    let Some(set) = header.and_then(|h| h.trim().strip_prefix("bytes=")) else { return Requested::Whole };
    let Some((first, last)) = set.split_once('-') else { return Requested::Whole };
    if set.contains(',') {
        return Requested::Whole;
    }
    // What no number holds lies beyond every end.
    let bound = |text: &str| number(text).or_else(|| is_number(text).then_some(u64::MAX));
    let range = match (bound(first), bound(last)) {
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(suffix)) if first.trim().is_empty() => size.saturating_sub(suffix)..size,
        _ => return Requested::Whole,
    };
    if range.is_empty() { Requested::Unsatisfiable } else { Requested::Part(range) }
}

/// Reads an upload's `Content-Range`: `0-9`, `bytes 0-9/*` or `bytes=0-9`; both ends inclusive.
pub fn declared(header: &str) -> Option<(u64, u64)> {
    let text = header.trim();
    let text = text.strip_prefix("bytes").map_or(text, |t| t.trim_start_matches([' ', '=']));
    let text = text.split('/').next()?;
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

fn number(text: &str) -> Option<u64> {
    is_number(text).then(|| text.trim().parse().ok()).flatten()
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry B3 B4 B5 B6 B7 B9 B12
    #[test]
    fn ranges_are_clamped_or_refused() {
        for (header, want) in [
            ("bytes=500-1499", Requested::Part(500..1500)),
            ("bytes=500-", Requested::Part(500..2048)),
            ("bytes=-500", Requested::Part(1548..2048)),
            ("bytes=2000-5000", Requested::Part(2000..2048)),
            ("bytes=500-0", Requested::Unsatisfiable),
            ("bytes=5000-10000", Requested::Unsatisfiable),
            ("bytes=0-9,20-29", Requested::Whole),
            ("lines=1-2", Requested::Whole),
        ] {
            assert_eq!(requested(Some(header), 2048), want, "{header}");
        }
        assert_eq!(requested(Some("bytes=0-"), 0), Requested::Unsatisfiable);
        assert_eq!(requested(None, 5), Requested::Whole);
    }

    // registry C7
    #[test]
    fn an_upload_range_may_carry_a_unit() {
        for text in ["0-1023", "bytes 0-1023/*", "bytes=0-1023"] {
            assert_eq!(declared(text), Some((0, 1023)), "{text}");
        }
        for text in ["", "5", "9-2", "a-b", "-5"] {
            assert_eq!(declared(text), None, "{text}");
        }
    }
}
