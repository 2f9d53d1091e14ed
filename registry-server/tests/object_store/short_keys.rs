//! The store behind the server keeps a file that is called after the whole key, and a file's name has an end that some
//! keys are beyond: those with SHA-512 digests, and those of tags and referrers. In front of it their digests get shorter, and in
//! its lists they are long again.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use s3s::{S3, S3Request, S3Response, S3Result, dto::*};

/// Digits of digests, and those that are kept.
const SHA512: usize = 128;
const SHA256: usize = 64;
const KEPT: usize = 32;

/// The key with its long digests cut.
pub fn shortened(key: &str) -> String {
    segments(key)
        .map(|(segment, long)| if long { cut(segment) } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// The segments, and whether each is cut.
fn segments(key: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut deep = false;
    key.split('/').map(move |segment| {
        deep |= ["index", "_referrers"].contains(&segment);
        let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit());
        let long = hex && (segment.len() == SHA512 || (deep && segment.len() == SHA256));
        (segment, long)
    })
}

fn cut(segment: &str) -> &str {
    &segment[..KEPT]
}

/// A store whose keys are cut.
pub struct ShortKeys<T> {
    store: T,
    /// Digests by what is left of them.
    digests: Mutex<HashMap<String, String>>,
}

impl<T> ShortKeys<T> {
    pub fn new(store: T) -> Self {
        Self { store, digests: Mutex::default() }
    }

    fn shorten(&self, key: &mut String) {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let long = segments(key).filter(|(_, long)| *long);
        digests.extend(long.map(|(segment, _)| (cut(segment).to_owned(), segment.to_owned())));
        *key = shortened(key);
    }

    fn lengthen(&self, key: &mut String) {
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let long = |segment| digests.get(segment).map_or(segment, String::as_str);
        *key = key.split('/').map(long).collect::<Vec<_>>().join("/");
    }

    fn shorten_source(&self, source: &mut CopySource) {
        if let CopySource::Bucket { key, .. } = source {
            let mut short = key.to_string();
            self.shorten(&mut short);
            *key = short.into();
        }
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = S3Result<S3Response<T>>> + Send + 'a>>;

/// The call with what it names changed before, and what it says changed after.
macro_rules! calls {
    ($($name:ident($input:ident) -> $output:ident, $before:expr, $after:expr;)*) => {
        $(
            fn $name<'life, 'answer>(&'life self, mut request: S3Request<$input>) -> Answer<'answer, $output>
            where
                'life: 'answer,
                Self: 'answer,
            {
                Box::pin(async move {
                    let before: fn(&Self, &mut $input) = $before;
                    let after: fn(&Self, &mut $output) = $after;
                    before(self, &mut request.input);
                    let mut response = self.store.$name(request).await?;
                    after(self, &mut response.output);
                    Ok(response)
                })
            }
        )*
    };
}

impl<T: S3> S3 for ShortKeys<T> {
    calls! {
        head_bucket(HeadBucketInput) -> HeadBucketOutput, |_, _| (), |_, _| ();
        head_object(HeadObjectInput) -> HeadObjectOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        get_object(GetObjectInput) -> GetObjectOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        put_object(PutObjectInput) -> PutObjectOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        delete_object(DeleteObjectInput) -> DeleteObjectOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        list_parts(ListPartsInput) -> ListPartsOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        upload_part(UploadPartInput) -> UploadPartOutput, |me, it| me.shorten(&mut it.key), |_, _| ();
        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput,
            |me, it| me.shorten(&mut it.key), |_, _| ();
        complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput,
            |me, it| me.shorten(&mut it.key), |_, _| ();
        abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput,
            |me, it| me.shorten(&mut it.key), |_, _| ();
        copy_object(CopyObjectInput) -> CopyObjectOutput,
            |me, it| { me.shorten(&mut it.key); me.shorten_source(&mut it.copy_source); }, |_, _| ();
        upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput,
            |me, it| { me.shorten(&mut it.key); me.shorten_source(&mut it.copy_source); }, |_, _| ();
        delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput,
            |me, it| it.delete.objects.iter_mut().for_each(|one| me.shorten(&mut one.key)),
            |me, it| {
                let keys = it.deleted.iter_mut().flatten().filter_map(|one| one.key.as_mut());
                keys.for_each(|key| me.lengthen(key));
            };
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output,
            |me, it| [&mut it.prefix, &mut it.start_after].into_iter().flatten().for_each(|key| me.shorten(key)),
            |me, it| {
                let keys = it.contents.iter_mut().flatten().filter_map(|one| one.key.as_mut());
                let folders = it.common_prefixes.iter_mut().flatten().filter_map(|one| one.prefix.as_mut());
                keys.chain(folders).chain(&mut it.prefix).for_each(|key| me.lengthen(key));
            };
    }
}
