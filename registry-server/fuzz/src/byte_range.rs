//! `Range` of downloads and `Content-Range` of uploads: no byte that is not there, and no number that wraps.

use registry_server::oci::byte_range::{Requested, declared, requested};

/// Takes the first eight bytes for the size of the content, the rest for both headers.
pub fn check(bytes: &[u8]) {
    let Some((size, rest)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(header) = std::str::from_utf8(rest) else { return };
    let size = u64::from_le_bytes(*size);
    if let Some(wanted) = by_the_book(header, size) {
        assert_eq!(requested(Some(header), size), wanted, "{header:?} of {size}");
    }
    match requested(Some(header), size) {
        Requested::Part(range) => {
            assert!(range.start < range.end && range.end <= size, "{header:?} of {size}");
            understood(header, size, &range);
        }
        Requested::Whole | Requested::Unsatisfiable => {}
    }
    let book = header.split_once('-').and_then(|(first, last)| {
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        number(first).zip(number(last)).filter(|(first, last)| first <= last)
    });
    // As the specification writes it, as RFC 9110 does, and as some clients do.
    for written in [header.to_owned(), format!("bytes {header}/*"), format!("bytes={header}")] {
        assert!(book.is_none() || declared(&written) == book, "{written:?}");
    }
    if let Some((first, last)) = declared(header) {
        assert!(first <= last, "{header:?}");
        assert_eq!(declared(&format!("{first}-{last}")), Some((first, last)));
    }
}

/// What RFC 9110, section 14.1.2, says of a header with one range that is written as its grammar has it. One that ends before
/// it begins is no range there.
fn by_the_book(header: &str, size: u64) -> Option<Requested> {
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().unwrap_or(u128::MAX));
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let (size, first_number, last_number) = (u128::from(size), number(first)?, number(last)?);
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => (size.saturating_sub(last_number), size),
        (false, true) => (first_number, size),
        (false, false) if last_number < first_number => return None,
        (false, false) => (first_number, last_number.saturating_add(1).min(size)),
    };
    let within = |number: u128| u64::try_from(number).ok();
    let part = within(start).zip(within(end)).filter(|(start, end)| start < end);
    Some(part.map_or(Requested::Unsatisfiable, |(start, end)| Requested::Part(start..end)))
}

/// The same range, written as RFC 9110 writes it, is the same.
fn understood(header: &str, size: u64, range: &std::ops::Range<u64>) {
    let plain = format!("bytes={}-{}", range.start, range.end - 1);
    assert_eq!(requested(Some(&plain), size), Requested::Part(range.clone()), "{header:?} of {size}");
    let suffix = format!("bytes=-{}", size - range.start);
    assert_eq!(requested(Some(&suffix), size), Requested::Part(range.start..size), "{header:?} of {size}");
}
