//! `Range` of downloads and `Content-Range` of uploads: no byte that is not there, and no number that wraps.

use registry_server::oci::byte_range::{Requested, declared, requested};

/// Takes the first eight bytes for the size of the content, the rest for both headers.
pub fn check(bytes: &[u8]) {
    let Some((size, rest)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(header) = std::str::from_utf8(rest) else { return };
    let size = u64::from_le_bytes(*size);
    match requested(Some(header), size) {
        Requested::Part(range) => {
            assert!(range.start < range.end && range.end <= size, "{header:?} of {size}");
            understood(header, size, &range);
        }
        Requested::Whole | Requested::Unsatisfiable => {}
    }
    if let Some((first, last)) = declared(header) {
        assert!(first <= last, "{header:?}");
        assert_eq!(declared(&format!("{first}-{last}")), Some((first, last)));
    }
}

/// The same range, written as RFC 9110 writes it, is the same.
fn understood(header: &str, size: u64, range: &std::ops::Range<u64>) {
    let plain = format!("bytes={}-{}", range.start, range.end - 1);
    assert_eq!(requested(Some(&plain), size), Requested::Part(range.clone()), "{header:?} of {size}");
    let suffix = format!("bytes=-{}", size - range.start);
    assert_eq!(requested(Some(&suffix), size), Requested::Part(range.start..size), "{header:?} of {size}");
}
