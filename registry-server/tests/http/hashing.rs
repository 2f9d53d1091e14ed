//! Seed N3: an upload is hashed while it comes.

use std::{future::ready, sync::Mutex};

use futures::FutureExt;
use registry_server::storage::backend::Answer;

use crate::{
    faults::Shaky,
    fixture::{header, sha256, sha512},
    hooked::{Call, Hook},
};

/// What was read of uploads and blobs.
#[derive(Default)]
struct Reads(Mutex<Vec<String>>);

impl Hook for Reads {
    fn before<'a>(&'a self, call: Call, key: &'a str) -> Answer<'a, ()> {
        if matches!(call, Call::Read | Call::Stream) && key.ends_with("/data") {
            self.0.lock().unwrap().push(key.to_owned());
        }
        ready(Ok(())).boxed()
    }
}

// seed N3, registry C16: nothing is read again, but for a digest that nobody has announced
#[tokio::test]
async fn the_closing_put_reads_nothing_of_what_was_sent() {
    let registry: Shaky<Reads> = Shaky::over(|registry| registry).await;
    let bytes = vec![7; 3 << 20];
    for (digest, last, reads) in [
        (sha256(&bytes), 1 << 20, 0),
        (sha256(&bytes[..2 << 20]), 0, 0),
        // So that what is read would be seen.
        (sha512(&bytes[..2 << 20]), 0, 1),
    ] {
        let begun = registry.send("POST", "/v2/n/blobs/uploads/", "").await;
        let location = header(&begun, "location");
        for part in bytes[..2 << 20].chunks(1 << 20) {
            assert_eq!(registry.send("PATCH", &location, part).await.status(), 202);
        }
        registry.store.hook.0.lock().unwrap().clear();
        let put = registry.send("PUT", &format!("{location}?digest={digest}"), &bytes[..last]).await;
        assert_eq!(put.status(), 201);
        let read = registry.store.hook.0.lock().unwrap().clone();
        assert_eq!(read.len(), reads, "{digest}: {read:?}");
    }
}
