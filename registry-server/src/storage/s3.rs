//! A bucket of an object store.

use std::{future::ready, ops::Range, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use opendal::{EntryMode, ErrorKind, Operator};
use tokio::sync::OnceCell;

use crate::storage::{
    backend::{Answer, Backend, ByteStream},
    error::{Gone, StorageError},
    key::checked,
    s3_client::{ClientError, Options},
    s3_folders,
    s3_pieces::{self, Piece},
};

/// A bucket as a store.
pub struct S3 {
    operator: Operator,
    /// The same bucket as clients reach it: signs for them, and is never spoken to.
    public: Operator,
    piece: usize,
    plain: bool,
    creates: OnceCell<()>,
}

/// The error for `key` that an error of the client stands for.
pub fn failed(key: &str, error: opendal::Error) -> StorageError {
    // The client calls it an invalid configuration, and so it calls others.
    if error.message().contains("NoSuchBucket") {
        tracing::debug!(key, %error, "there is no bucket");
        return StorageError::unavailable(key, Gone("bucket"));
    }
    StorageError::unavailable(key, error)
}

fn optional<T>(key: &str, result: opendal::Result<T>) -> Result<Option<T>, StorageError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(key, e)),
    }
}

impl S3 {
    /// The bucket that the options name, which is not spoken to before the first call.
    pub fn new(options: &Options) -> Result<Self, ClientError> {
        let plain = options.storage_class.is_none() && options.acl.is_none();
        let (operator, public) = options.clients()?;
        Ok(Self { operator, public, piece: options.piece, plain, creates: OnceCell::new() })
    }

    /// Creates an object if it is absent; says whether it was.
    async fn create(&self, key: &str, bytes: Bytes) -> Result<bool, StorageError> {
        match self.operator.write_with(key, bytes).if_not_exists(true).await {
            Ok(_) => Ok(true),
            Err(e) if matches!(e.kind(), ErrorKind::ConditionNotMatch | ErrorKind::Conflict) => Ok(false),
            Err(e) => Err(failed(key, e)),
        }
    }

    /// A store that creates over what is there would let two writers of an upload mix their bytes.
    async fn probe(&self) -> Result<(), StorageError> {
        let key = format!("docker/registry/v2/probes/{}", uuid::Uuid::new_v4());
        let first = self.create(&key, Bytes::from_static(b"1")).await?;
        let second = self.create(&key, Bytes::from_static(b"2")).await?;
        self.operator.delete(&key).await.map_err(|e| failed(&key, e))?;
        let fit = first && !second;
        fit.then_some(()).ok_or(StorageError::Unfit("it ignores If-None-Match on PUT"))
    }

    async fn append_now(&self, key: &str, offset: u64, bytes: Bytes) -> Result<(), StorageError> {
        checked(key)?;
        self.creates.get_or_try_init(|| self.probe()).await?;
        let pieces = s3_pieces::last(&self.operator, key, offset).await?;
        let conflict = || StorageError::Conflict { key: key.to_owned(), offset };
        if s3_pieces::end(&pieces).unwrap_or(0) != offset {
            return Err(conflict());
        }
        let number = pieces.last().map_or(0, |last| last.number + 1);
        if number >= s3_pieces::MOST {
            return Err(StorageError::TooManyPieces { key: key.to_owned(), most: s3_pieces::MOST });
        }
        let piece = s3_pieces::key(key, offset, number);
        if bytes.is_empty() || self.create(&piece, bytes.clone()).await? {
            return Ok(());
        }
        // It may be ours: the answer to the first try was lost, and the client has tried again.
        let there = optional(&piece, self.operator.read(&piece).await)?;
        there.filter(|there| there.to_bytes() == bytes).map(drop).ok_or_else(conflict)
    }

    async fn commit_now(&self, from: &str, to: &str, size: u64) -> Result<(), StorageError> {
        let pieces: Vec<Piece> = s3_pieces::list(&self.operator, checked(from)?).await?;
        match s3_pieces::end(&pieces) {
            None => return Err(StorageError::Missing { key: from.to_owned() }),
            Some(end) if end != size => {
                return Err(StorageError::Conflict { key: from.to_owned(), offset: size });
            }
            Some(_) => {}
        }
        let (operator, to, name, plain) =
            (self.operator.clone(), checked(to)?.to_owned(), from.to_owned(), self.plain);
        // On a task of its own: a client that leaves now must not leave half a join behind.
        let joining = tokio::spawn(async move {
            s3_pieces::join(&operator, &pieces, &to, plain).await?;
            s3_pieces::remove(&operator, pieces).await;
            Ok(())
        });
        joining.await.unwrap_or_else(|e| Err(StorageError::unavailable(&name, e)))
    }

    async fn delete_now(&self, key: &str) -> Result<bool, StorageError> {
        let below = self.operator.list_with(&format!("{}/", checked(key)?)).recursive(true).await;
        let mut keys: Vec<String> = optional(key, below)?
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| entry.metadata().mode() == EntryMode::FILE)
            .map(|entry| entry.path().to_owned())
            .collect();
        if self.stat(key).await?.is_some() {
            keys.push(key.to_owned());
        }
        let found = !keys.is_empty();
        self.operator.delete_iter(keys).await.map_err(|e| failed(key, e))?;
        Ok(found)
    }

    async fn stream_now(&self, key: &str, range: Range<u64>) -> Result<Option<ByteStream>, StorageError> {
        checked(key)?;
        if range.is_empty() {
            return Ok(self.stat(key).await?.map(|_| stream::empty().boxed()));
        }
        let Some(reader) = optional(key, self.operator.reader(key).await)? else { return Ok(None) };
        let Some(bytes) = optional(key, reader.into_bytes_stream(range).await)? else { return Ok(None) };
        let name = key.to_owned();
        let mut bytes = bytes.boxed();
        // Whether the object is there shows in the first bytes: no call of its own.
        match bytes.try_next().await {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StorageError::unavailable(key, e)),
            Ok(first) => {
                let rest = bytes.map_err(move |e| StorageError::unavailable(&name, e));
                Ok(Some(stream::iter(first.map(Ok)).chain(rest).boxed()))
            }
        }
    }
}

impl Backend for S3 {
    /// A `HEAD` has no body that says what is not found, so [`Backend::stat`] finds nothing where there is no bucket.
    fn there(&self) -> Answer<'_, ()> {
        s3_folders::there(&self.operator).boxed()
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        async move {
            let found = optional(key, self.operator.stat(checked(key)?).await)?;
            Ok(found.filter(|m| m.mode() == EntryMode::FILE).map(|m| m.content_length()))
        }
        .boxed()
    }

    fn read<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Bytes>> {
        async move { Ok(optional(key, self.operator.read(checked(key)?).await)?.map(|bytes| bytes.to_bytes())) }.boxed()
    }

    fn url<'a>(&'a self, key: &'a str, valid: Duration) -> Answer<'a, Option<String>> {
        async move {
            let signed = self.public.presign_read(checked(key)?, valid).await.map_err(|e| failed(key, e))?;
            Ok(Some(signed.uri().to_string()))
        }
        .boxed()
    }

    fn stream<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        self.stream_now(key, range).boxed()
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes) -> Answer<'a, ()> {
        async move { self.operator.write(checked(key)?, bytes).await.map(drop).map_err(|e| failed(key, e)) }
            .boxed()
    }

    fn append<'a>(&'a self, key: &'a str, offset: u64, bytes: Bytes) -> Answer<'a, ()> {
        self.append_now(key, offset, bytes).boxed()
    }

    fn sync<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        ready(checked(key).map(drop)).boxed()
    }

    fn appended<'a>(&'a self, key: &'a str, known: u64) -> Answer<'a, Option<u64>> {
        async move { Ok(s3_pieces::end(&s3_pieces::last(&self.operator, checked(key)?, known).await?)) }
            .boxed()
    }

    fn stream_appended<'a>(&'a self, key: &'a str, range: Range<u64>) -> Answer<'a, Option<ByteStream>> {
        async move {
            let pieces = s3_pieces::list(&self.operator, checked(key)?).await?;
            Ok((!pieces.is_empty()).then(|| s3_pieces::stream(self.operator.clone(), pieces, range)))
        }
        .boxed()
    }

    fn piece(&self) -> usize {
        self.piece
    }

    fn commit<'a>(&'a self, from: &'a str, to: &'a str, size: u64) -> Answer<'a, ()> {
        self.commit_now(from, to, size).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let folder = format!("{}/", checked(prefix)?);
            let entries = optional(prefix, self.operator.list(&folder).await)?.unwrap_or_default();
            let names = entries.iter().filter_map(|entry| entry.path().strip_prefix(&folder));
            let mut names: Vec<String> = names
                .map(|name| name.trim_end_matches('/').to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            names.sort_unstable();
            names.dedup();
            Ok(names)
        }
        .boxed()
    }

    fn folders<'a>(&'a self, prefix: &'a str, after: &'a str, most: usize) -> Answer<'a, Vec<String>> {
        s3_folders::page(&self.operator, prefix, after, most).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        self.delete_now(key).boxed()
    }
}
