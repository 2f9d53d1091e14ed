//! Configuration files: what is taken is written and read again as the same, and what is not is told of.

use registry_config::schema::Config;
use registry_server::settings::Settings;

/// Takes the bytes for a file, and lines of the form `REGISTRY_…=…` for the environment.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let variable = |line: &str| {
        let (name, value) = line.split_once('=')?;
        name.starts_with("REGISTRY_").then(|| (name.to_owned(), value.to_owned()))
    };
    let environment: Vec<_> = text.lines().filter_map(variable).collect();
    let file: Vec<_> = text.lines().filter(|line| variable(line).is_none()).collect();
    let file = file.join("\n");
    if let Ok(live) = Config::live_from_yaml("live.yml", &file, environment.clone()) {
        Settings::from_config(&Config::default().with_live(&live));
    }
    match Config::from_yaml("config.yml", &file, environment) {
        Ok(config) => taken(&config),
        Err(problems) => {
            assert!(!problems.0.is_empty());
            assert!(
                problems.0.iter().all(|problem| !problem.message.is_empty() && !problem.source.is_empty())
            );
        }
    }
}

fn taken(config: &Config) {
    let written = config.to_yaml().expect("what was read can be written");
    let again = Config::from_yaml("config.yml", &written, []).expect("what was written can be read");
    assert!(again == *config, "{written}");
    // Of a file that says the same, a running server takes over nothing new.
    assert!(config.clone().with_live(config) == *config, "{written}");
    Settings::from_config(config);
}
