//! The store behind the server keeps a file that is called after the whole key, and a file's name has an end that keys
//! of SHA-512 digests are beyond. In front of it they get shorter, and in its lists they are long again.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use s3s::{S3, S3Request, S3Response, S3Result, dto::*};

/// Digits of a SHA-512 digest, and those that are kept.
const LONG: usize = 128;
const KEPT: usize = 40;

/// The key with its long digests cut.
pub fn shortened(key: &str) -> String {
    key.split('/').map(cut).collect::<Vec<_>>().join("/")
}

fn is_long(segment: &str) -> bool {
    segment.len() == LONG && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn cut(segment: &str) -> &str {
    if is_long(segment) { &segment[..KEPT] } else { segment }
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
        digests.extend(key.split('/').filter(|one| is_long(one)).map(|one| (cut(one).into(), one.into())));
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
