//! Pages of folders in a store that sorts keys.

use futures::TryStreamExt;
use opendal::{ErrorKind, Operator};

use crate::storage::{
    error::{Gone, StorageError},
    key::{asked, checked},
    order::turned_around,
    s3::failed,
};

/// A store gives no more at once.
const LARGEST: usize = 1_000;

/// The first `most` folders below the prefix whose names come after `after`, in the order of their bytes.
pub async fn page(
    operator: &Operator,
    prefix: &str,
    after: &str,
    most: usize,
) -> Result<Vec<String>, StorageError> {
    let mut found = read(operator, checked(prefix)?, after, most).await?;
    // What the page lacks then are folders whose keys come later than that of its last.
    let last = found.iter().max().filter(|_| found.len() >= most).cloned().unwrap_or_default();
    for name in turned_around(&last).filter(|name| *name > after) {
        let missing = !found.iter().any(|known| known == name);
        if missing && is_folder(operator, &format!("{prefix}/{name}/")).await? {
            found.push(name.to_owned());
        }
    }
    found.sort_unstable();
    found.truncate(most);
    Ok(found)
}

/// Whether there is a bucket: only where there is none, a list is not found.
pub async fn there(operator: &Operator) -> Result<(), StorageError> {
    let lost = |error: opendal::Error| match error.kind() {
        ErrorKind::NotFound => StorageError::unavailable("the store", Gone("bucket")),
        _ => failed("the store", error),
    };
    let mut lister = operator.lister_with("/").limit(1).await.map_err(lost)?;
    lister.try_next().await.map(drop).map_err(lost)
}

/// The first in the order of the keys.
async fn read(
    operator: &Operator,
    prefix: &str,
    after: &str,
    most: usize,
) -> Result<Vec<String>, StorageError> {
    let (folder, mut found) = (format!("{prefix}/"), Vec::new());
    // The folder itself may be an object, and so may `after`: neither counts.
    let lister = operator.lister_with(&folder).limit(most.saturating_add(2).min(LARGEST));
    let from = asked(after);
    let lister = if from.is_empty() { lister } else { lister.start_after(&format!("{folder}{from}")) };
    let mut lister = lister.await.map_err(|e| failed(prefix, e))?;
    while found.len() < most
        && let Some(entry) = lister.try_next().await.map_err(|e| failed(prefix, e))?
    {
        let name = entry.path().strip_prefix(&folder).and_then(|name| name.strip_suffix('/'));
        found.extend(name.filter(|name| *name > after).map(str::to_owned));
    }
    Ok(found)
}

async fn is_folder(operator: &Operator, folder: &str) -> Result<bool, StorageError> {
    let lister = operator.lister_with(folder).limit(1).await;
    let mut lister = lister.map_err(|e| failed(folder, e))?;
    Ok(lister.try_next().await.map_err(|e| failed(folder, e))?.is_some())
}
