//! From a file's text and the environment to a configuration, or to everything that is wrong with it.

use serde_json::{Value, json};

use crate::{
    check::check,
    environment,
    error::{Problem, Problems},
    position,
    schema::{Config, Delete, Filesystem},
};

/// More problems than this are not looked for.
const ENOUGH: usize = 50;

/// The configuration cannot be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the configuration")]
pub struct WriteError(#[source] Box<serde_saphyr::ser::Error>);

impl Config {
    /// What is used without a file: loopback, `./data`, deletion on.
    pub fn standalone() -> Self {
        let mut config = Self::default();
        config.storage.filesystem = Some(Filesystem { rootdirectory: "data".into() });
        config.storage.delete = Delete { enabled: true };
        config
    }

    /// Reads a file's text with the environment's overrides.
    pub fn from_yaml(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut value = untyped(text).map_err(|error| Problems(vec![unreadable(file, &error)]))?;
        if value.is_null() {
            value = json!({});
        }
        let mut overridden = Vec::new();
        for (name, text) in environment {
            let Some(path) = environment::path(&name) else { continue };
            let parsed = untyped(&text).unwrap_or(Value::String(text));
            environment::set(&mut value, &path, parsed);
            overridden.push((path, name));
        }
        adjust(&mut value);
        let at = |path: &[String], message: String| {
            let variable = overridden.iter().find(|(start, _)| path.starts_with(start));
            Problem {
                source: variable.map_or(file.to_owned(), |(_, name)| format!("environment variable {name}")),
                position: if variable.is_some() { None } else { position::of(text, path) },
                key: path.join("."),
                message,
            }
        };
        let mut problems = Vec::new();
        let config = typed(value, |path, message| problems.push(at(path, message)));
        if let Some(config) = &config {
            for (key, message) in check(config) {
                problems.push(at(&key.split('.').map(str::to_owned).collect::<Vec<_>>(), message));
            }
        }
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Problems(problems)),
        }
    }

    /// The configuration as a file.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        serde_saphyr::to_string(self).map_err(|e| WriteError(Box::new(e)))
    }
}

fn untyped(text: &str) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn unreadable(file: &str, error: &serde_saphyr::Error) -> Problem {
    let position = error.location().map(|at| (at.line(), at.column()));
    Problem { source: file.to_owned(), position, key: String::new(), message: error.to_string() }
}

/// `version: 0.1` is a number in YAML, and `inmemory:` is nothing.
fn adjust(value: &mut Value) {
    if value["version"].as_f64() == Some(0.1) {
        value["version"] = json!("0.1");
    } else if value["version"].is_null()
        && let Some(map) = value.as_object_mut()
    {
        map.remove("version");
    }
    if let Some(storage) = value.get_mut("storage").and_then(Value::as_object_mut)
        && let Some(inmemory) = storage.get_mut("inmemory").filter(|v| v.is_null())
    {
        *inmemory = json!({});
    }
}

/// Takes out what is wrong and tries again, so that every problem is told.
fn typed(mut value: Value, mut problem: impl FnMut(&[String], String)) -> Option<Config> {
    for _ in 0..ENOUGH {
        let error = match serde_path_to_error::deserialize::<_, Config>(value.clone()) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let mut path: Vec<String> = steps(error.path());
        let message = error.into_inner().to_string();
        if let Some(key) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next())
            && path.last().is_none_or(|last| last != key)
        {
            path.push(key.to_owned());
        }
        problem(&path, message);
        if !remove(&mut value, &path) {
            return None;
        }
    }
    None
}

fn steps(path: &serde_path_to_error::Path) -> Vec<String> {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

fn remove(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut at = value;
    for step in parents {
        let next = match step.parse::<usize>() {
            Ok(index) => at.get_mut(index),
            Err(_) => at.get_mut(step.as_str()),
        };
        let Some(next) = next else { return false };
        at = next;
    }
    match at {
        Value::Object(map) => map.remove(last).is_some(),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index)).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_yaml("c.yml", text, environment)
    }

    // registry CF2
    #[test]
    fn every_problem_is_told_with_its_place() {
        let text = "version: 0.1\nhttp:\n  addr: :5000\n  adr: x\nlog:\n  levle: info\nlimits:\n  maxmanifestsize: many\nnew: 1\n";
        let problems = read(text, &[]).unwrap_err().0;
        let mut found: Vec<_> = problems.iter().map(|p| (p.key.as_str(), p.position)).collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("http.adr", Some((4, 3))),
                ("limits.maxmanifestsize", Some((8, 3))),
                ("log.levle", Some((6, 3))),
                ("new", Some((9, 1))),
            ]
        );
    }

    // registry CF4
    #[test]
    fn the_environment_wins() {
        let config =
            read("version: 0.1\n", &[("REGISTRY_HTTP_ADDR", ":5001"), ("REGISTRY_PORT", "tcp://x")]).unwrap();
        assert_eq!(config.http.addr, ":5001");
        let problem = &read("", &[("REGISTRY_HTTP_NOPE", "1")]).unwrap_err().0[0];
        assert_eq!(problem.source, "environment variable REGISTRY_HTTP_NOPE");
        let delete = read("", &[("REGISTRY_STORAGE_DELETE", "{enabled: true}")]).unwrap();
        assert!(delete.storage.delete.enabled);
    }

    // registry CF7
    #[test]
    fn what_is_written_reads_back() {
        let standalone = Config::standalone();
        assert_eq!(read(&standalone.to_yaml().unwrap(), &[]).unwrap(), standalone);
    }

    // registry CF8
    #[test]
    fn yaml_of_the_old_days_is_not_misread() {
        assert!(read("storage: {delete: {enabled: no}}", &[]).is_err());
        assert!(read("limits: {maxmanifestsize: 0777}", &[]).is_err());
        assert!(read("http: {addr: ':1'}\nhttp: {addr: ':2'}", &[]).is_err());
        assert!(read("storage:\n  inmemory:\n", &[]).unwrap().storage.inmemory.is_some());
    }

    #[test]
    fn what_the_types_cannot_say_is_checked() {
        let text = "storage: {inmemory: {}, filesystem: {rootdirectory: d}, cache: {blobdescriptor: redis}}\nhttp: {addr: x}";
        assert_eq!(read(text, &[]).unwrap_err().0.len(), 3);
    }
}
