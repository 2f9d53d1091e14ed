//! Reading a file out to a client: from the page cache without leaving the thread, from the disk off it.

use std::{collections::VecDeque, fs::File, io, io::IoSliceMut, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use rustix::io::{ReadWriteFlags, preadv2};

use crate::storage::{backend::ByteStream, error::StorageError};

const CHUNK: u64 = 256 << 10;
/// How many chunks are waited for. Who holds more of them holds them for long.
const LENT: usize = 4;

/// The bytes of `range`, in chunks; a file that ends early is an error, never a short answer.
pub fn stream(key: String, file: File, range: Range<u64>) -> ByteStream {
    let start = (Arc::new(file), key, range, Buffers::default());
    stream::try_unfold(start, |(file, key, range, mut buffers)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let wanted = CHUNK.min(range.end - range.start) as usize;
        let chunk = next(&file, range.start, buffers.free(wanted)).await;
        let chunk = chunk.map_err(|e| StorageError::from_io(&key, e))?;
        let rest = range.start + chunk.len() as u64..range.end;
        if !rest.is_empty() {
            buffers.lend(&chunk);
        }
        Ok(Some((chunk, (file, key, rest, buffers))))
    })
    .boxed()
}

/// Chunks that were handed out. One that nobody holds any more is filled again: it is still in the processor's cache, which
/// fresh memory is not.
#[derive(Default)]
struct Buffers(VecDeque<Bytes>);

impl Buffers {
    /// A buffer of that length, whatever is in it.
    fn free(&mut self, length: usize) -> BytesMut {
        let oldest = self.0.pop_front().map(Bytes::try_into_mut);
        let mut buffer = match oldest {
            Some(Ok(buffer)) => buffer,
            Some(Err(held)) => {
                if self.0.len() + 1 < LENT {
                    self.0.push_front(held);
                }
                BytesMut::new()
            }
            None => BytesMut::new(),
        };
        buffer.resize(length, 0);
        buffer
    }

    fn lend(&mut self, chunk: &Bytes) {
        self.0.push_back(chunk.clone());
    }
}

async fn next(file: &Arc<File>, offset: u64, mut buffer: BytesMut) -> io::Result<Bytes> {
    match fill(file, offset, &mut buffer, ReadWriteFlags::NOWAIT) {
        Ok(read) if read > 0 => {}
        _ => buffer = from_disk(Arc::clone(file), offset, buffer).await?,
    }
    Ok(buffer.freeze())
}

async fn from_disk(file: Arc<File>, offset: u64, mut buffer: BytesMut) -> io::Result<BytesMut> {
    let reading = tokio::task::spawn_blocking(move || {
        let read = fill(&file, offset, &mut buffer, ReadWriteFlags::empty())?;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(buffer) }
    });
    reading.await.map_err(io::Error::other)?
}

/// Reads what is there; the buffer has the length of that.
fn fill(file: &File, offset: u64, buffer: &mut BytesMut, flags: ReadWriteFlags) -> io::Result<usize> {
    let read = preadv2(file, &mut [IoSliceMut::new(buffer)], offset, flags)?;
    if read > 0 {
        buffer.truncate(read);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures::TryStreamExt;

    use super::*;

    const SIZE: usize = 5 * CHUNK as usize + 7;

    fn content() -> Vec<u8> {
        (0..SIZE).map(|i| (i / 1000 + i % 251) as u8).collect()
    }

    fn streamed() -> ByteStream {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content()).unwrap();
        stream("key".into(), file, 0..SIZE as u64)
    }

    #[tokio::test]
    async fn a_chunk_that_was_given_back_is_filled_again() {
        let (mut stream, mut all, mut places) = (streamed(), Vec::new(), Vec::new());
        while let Some(chunk) = stream.try_next().await.unwrap() {
            places.push(chunk.as_ptr());
            all.extend_from_slice(&chunk);
        }
        assert!(all == content());
        assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    }

    #[tokio::test]
    async fn a_chunk_that_is_held_stays_what_it_is() {
        let held: Vec<Bytes> = streamed().try_collect().await.unwrap();
        assert_eq!(held.len(), 6);
        assert!(held.concat() == content());
    }
}
