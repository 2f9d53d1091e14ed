//! Reading a file out to a client: from the page cache without leaving the thread, from the disk off it.

use std::{fs::File, io, io::IoSliceMut, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use rustix::io::{ReadWriteFlags, preadv2};

use crate::storage::{backend::ByteStream, error::StorageError};

const CHUNK: u64 = 256 << 10;

/// The bytes of `range`, in chunks; a file that ends early is an error, never a short answer.
pub fn stream(key: String, file: File, range: Range<u64>) -> ByteStream {
    let start = (Arc::new(file), key, range);
    stream::try_unfold(start, |(file, key, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let wanted = CHUNK.min(range.end - range.start) as usize;
        let chunk = match read_at(&file, range.start, wanted, ReadWriteFlags::NOWAIT) {
            Ok(chunk) if !chunk.is_empty() => Ok(chunk),
            _ => from_disk(Arc::clone(&file), range.start, wanted).await,
        };
        let chunk = chunk.map_err(|e| StorageError::from_io(&key, e))?;
        let next = range.start + chunk.len() as u64..range.end;
        Ok(Some((chunk, (file, key, next))))
    })
    .boxed()
}

async fn from_disk(file: Arc<File>, offset: u64, wanted: usize) -> io::Result<Bytes> {
    let read = tokio::task::spawn_blocking(move || read_at(&file, offset, wanted, ReadWriteFlags::empty()));
    let chunk = read.await.map_err(io::Error::other)??;
    if chunk.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(chunk) }
}

fn read_at(file: &File, offset: u64, wanted: usize, flags: ReadWriteFlags) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(wanted);
    let read = preadv2(file, &mut [IoSliceMut::new(&mut buffer)], offset, flags)?;
    buffer.truncate(read);
    Ok(buffer.freeze())
}
