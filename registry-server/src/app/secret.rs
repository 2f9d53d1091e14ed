//! Secrets in files, looked at before anything relies on them.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use registry_config::placeholder::is_placeholder;

/// The secret in a file that is not missing, not empty, and does not hold the word of an example still. Errors
/// never say the content.
pub fn read(key: &str, path: &Path) -> anyhow::Result<String> {
    let place = || format!("{key}: {}", path.display());
    let text = fs::read_to_string(path).with_context(place)?;
    let text = text.trim().to_owned();
    ensure!(!text.is_empty(), "{}: the file is empty", place());
    ensure!(!is_placeholder(&text), "{}: the file has a placeholder in it", place());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    // registry CF5 CF6
    #[test]
    fn a_secret_is_there_and_somebody_has_chosen_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let check = || read("redis.passwordfile", &path).map_err(|error| format!("{error:#}"));
        let place = format!("redis.passwordfile: {}: ", path.display());
        assert!(check().unwrap_err().starts_with(&place));
        for (text, wanted) in [(" \n", "empty"), ("REPLACEME\n", "placeholder"), ("ChangeMe", "placeholder")]
        {
            fs::write(&path, text).unwrap();
            let refused = check().unwrap_err();
            assert!(refused.starts_with(&place) && refused.contains(wanted), "{refused}");
            assert!(!refused.contains(text.trim()) || text.trim().is_empty(), "{refused}");
        }
        fs::write(&path, "chosen\n").unwrap();
        assert_eq!(check(), Ok("chosen".to_owned()));
    }
}
