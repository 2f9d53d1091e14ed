//! Objects that are appended to, in a store that cannot append: one object a piece, named by its offset and number.
//!
//! A piece is created if it is absent and never changed. So two writers at one offset cannot mix their bytes,
//! wherever they run, and what was counted once stays.

use std::ops::Range;

use futures::{StreamExt, TryStreamExt, stream};
use opendal::{ErrorKind, Operator};

use crate::storage::{backend::ByteStream, error::StorageError, s3::failed};

/// Copies that run side by side while pieces are joined.
const JOINED_AT_ONCE: usize = 16;

/// Pieces that a store joins to one object.
pub const MOST: u32 = 10_000;
/// No piece is longer: where a piece ends, another may begin no further away.
const LONGEST: u64 = 2 << 30;

/// One piece.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its key.
    pub key: String,
    /// Where it begins in the whole, and where it ends.
    pub range: Range<u64>,
    /// How many come before it.
    pub number: u32,
}

/// Key of the piece that begins at `offset`; the keys sort as the offsets do. Whoever writes there has counted the
/// same pieces before it, and so takes the same key.
pub fn key(whole: &str, offset: u64, number: u32) -> String {
    format!("{whole}/{offset:020}.{number}")
}

fn piece(path: &str, size: u64) -> Option<Piece> {
    let name = path.rsplit('/').next()?;
    let (offset, number) = name.split_once('.').unwrap_or((name, "0"));
    let (offset, number) = (offset.parse::<u64>().ok()?, number.parse().ok()?);
    Some(Piece { key: path.to_owned(), range: offset..offset.checked_add(size)?, number })
}

/// All pieces in order, from the first byte to the first gap.
pub async fn list(operator: &Operator, whole: &str) -> Result<Vec<Piece>, StorageError> {
    Ok(until_gap(listed(operator, whole, 0).await?, 0))
}

/// The last pieces of a whole that had `known` bytes once, with few questions to the store.
pub async fn last(operator: &Operator, whole: &str, known: u64) -> Result<Vec<Piece>, StorageError> {
    let pieces = listed(operator, whole, known.saturating_sub(LONGEST)).await?;
    match pieces.first().map(|piece| piece.range.start) {
        Some(start) if known > LONGEST => Ok(until_gap(pieces, start)),
        // What was known has gone.
        None if known > LONGEST => list(operator, whole).await,
        _ => Ok(until_gap(pieces, 0)),
    }
}

async fn listed(operator: &Operator, whole: &str, from: u64) -> Result<Vec<Piece>, StorageError> {
    let folder = format!("{whole}/");
    let lister = operator.list_with(&folder);
    let lister = if from == 0 { lister } else { lister.start_after(&format!("{folder}{from:020}")) };
    let entries = lister.await.map_err(|e| failed(whole, e))?;
    let files = entries.iter().filter(|entry| entry.metadata().is_file());
    let mut pieces: Vec<Piece> =
        files.filter_map(|entry| piece(entry.path(), entry.metadata().content_length())).collect();
    pieces.sort_by_key(|piece| piece.range.start);
    Ok(pieces)
}

fn until_gap(mut pieces: Vec<Piece>, mut end: u64) -> Vec<Piece> {
    let gap =
        pieces.iter().position(|piece| std::mem::replace(&mut end, piece.range.end) != piece.range.start);
    pieces.truncate(gap.unwrap_or(pieces.len()));
    pieces
}

/// Where the whole ends; nothing if it has no piece.
pub fn end(pieces: &[Piece]) -> Option<u64> {
    pieces.last().map(|piece| piece.range.end)
}

/// The bytes of `range`.
pub fn stream(operator: Operator, pieces: Vec<Piece>, range: Range<u64>) -> ByteStream {
    let wanted = pieces.into_iter().filter_map(move |piece| {
        let part = piece.range.start.max(range.start)..piece.range.end.min(range.end);
        (!part.is_empty()).then(|| (piece.key, part.start - piece.range.start..part.end - piece.range.start))
    });
    let open = move |(key, part): (String, Range<u64>)| {
        let operator = operator.clone();
        async move {
            let reader = operator.reader(&key).await.map_err(|e| failed(&key, e))?;
            let bytes = reader.into_bytes_stream(part).await.map_err(|e| failed(&key, e))?;
            Ok::<_, StorageError>(bytes.map_err(move |e| StorageError::unavailable(&key, e)))
        }
    };
    stream::iter(wanted).then(open).try_flatten().boxed()
}

/// Makes one object of the pieces, in one step. An object that is `plain` has the store's usual storage class and
/// access control list; a simple copy would get those whatever was asked for.
///
/// A process that dies in the middle leaves a multipart upload that is paid for and never seen: a bucket needs a
/// lifecycle rule `AbortIncompleteMultipartUpload`.
pub async fn join(operator: &Operator, pieces: &[Piece], to: &str, plain: bool) -> Result<(), StorageError> {
    if let [one] = pieces
        && plain
    {
        operator.copy(&one.key, to).await.map_err(|e| failed(&one.key, e))?;
        return Ok(());
    }
    let writer = operator.writer_with(to).concurrent(JOINED_AT_ONCE).await;
    let mut writer = writer.map_err(|e| failed(to, e))?;
    let mut joined = Ok(());
    for piece in pieces {
        // With both ends of the range nobody asks for the size again.
        joined = writer.copy_from(&piece.key, 0..piece.range.end - piece.range.start).await;
        if joined.is_err() {
            break;
        }
    }
    let joined = match joined {
        Ok(()) => writer.close().await.map(drop),
        error => error,
    };
    if joined.is_err() {
        // A multipart upload that nobody ends stays in the bucket, and is paid for.
        let _ = writer.abort().await;
    }
    joined.map_err(|e| failed(to, e))
}

/// Removes what is no longer needed. What stays is found by the purge.
pub async fn remove(operator: &Operator, pieces: Vec<Piece>) {
    let keys = pieces.into_iter().map(|piece| piece.key);
    if let Err(error) = operator.delete_iter(keys).await
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, "pieces of a finished upload are left in the store");
    }
}
