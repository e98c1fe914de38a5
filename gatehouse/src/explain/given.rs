//! What is given beside the request: the configuration, key sets, the time.

use std::time::{SystemTime, UNIX_EPOCH};

use filter::clock::Timestamp;
use filter::config::{Config, KeyOrigin};
use filter::keys::{KeyStore, ProviderId, Why, Worker};
use jose::{JwkSet, KeySource};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ExplainError, Gate};
use crate::cli::{Explain, read_bytes, read_text};
use crate::document;
use crate::plugin::{Plugin, plugins};

/// The gate that is asked.
pub(crate) fn gate(arguments: &Explain) -> Result<Gate, ExplainError> {
    let file = &arguments.config;
    let text = read_text(file).map_err(|problem| ExplainError::Unreadable(file.clone(), problem))?;
    let documents = document::read(&text).map_err(|error| {
        let place = error
            .position
            .map_or_else(String::new, |position| format!(":{position}"));
        ExplainError::NotAFile(format!("{file}{place}"), error.problem)
    })?;
    let found = plugins(&text, &documents);
    let plugin =
        chosen(&found, arguments.plugin.as_deref()).map_err(|problem| ExplainError::NotAFile(file.clone(), problem))?;
    let config =
        Config::parse(&plugin.configuration.bytes).map_err(|errors| ExplainError::Configuration(errors.to_string()))?;
    Ok(Gate {
        name: plugin.name.clone(),
        config,
        tree: plugin.configuration.tree.clone(),
    })
}

fn chosen<'p, 'd>(found: &'p [Plugin<'d>], name: Option<&str>) -> Result<&'p Plugin<'d>, String> {
    let named: Vec<&Plugin<'_>> = found
        .iter()
        .filter(|plugin| name.is_none_or(|name| plugin.name == name || plugin.place == name))
        .collect();
    match named.as_slice() {
        [plugin] => Ok(plugin),
        [] if found.is_empty() => Err("holds no configuration of Gatehouse's".to_owned()),
        [] => Err(format!(
            "has no plugin of that name; there are: {}",
            listed(found.iter())
        )),
        several => Err(format!(
            "holds several plugins; choose one with --plugin, by its name or its place: {}",
            listed(several.iter().copied())
        )),
    }
}

fn listed<'p, 'd: 'p>(plugins: impl Iterator<Item = &'p Plugin<'d>>) -> String {
    let names = plugins.map(|plugin| format!("{} ({})", plugin.name, plugin.place));
    names.collect::<Vec<_>>().join(", ")
}

/// When the request comes.
pub(crate) fn now(given: Option<&str>) -> Result<Timestamp, ExplainError> {
    let Some(text) = given else {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        return Ok(Timestamp::from_millis(
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        ));
    };
    if let Ok(seconds) = text.parse() {
        return Ok(Timestamp::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(text, &Rfc3339).ok();
    let seconds = date.and_then(|date| u64::try_from(date.unix_timestamp()).ok());
    seconds.map(Timestamp::from_secs).ok_or_else(|| {
        let problem =
            format!("--now {text:?} is no time; write one such as 2026-11-25T08:00:00Z, or seconds since 1970");
        ExplainError::Usage(problem)
    })
}

/// The keys that the gate holds: those in the configuration, and those that are given.
pub(crate) fn keys(config: &Config, given: &[String], now: Timestamp) -> Result<KeyStore, ExplainError> {
    let mut store = config.key_store();
    for entry in given {
        let (id, file) = provider_of(config, entry)?;
        let bytes = read_bytes(file).map_err(|problem| ExplainError::Unreadable(file.to_owned(), problem))?;
        let keys = JwkSet::parse(&bytes, KeySource::Remote)
            .map_err(|error| ExplainError::NotAFile(file.to_owned(), format!("is no key set: {error}")))?;
        let Some(remote) = store.remote_mut(id) else {
            let problem = format!("--jwks {entry}: the provider has its keys in the configuration");
            return Err(ExplainError::Usage(problem));
        };
        remote.install(keys, now);
        // The set counts as fetched just now: a key that it lacks, the gate would not look for again.
        let me = Worker::new(1);
        let claimed = remote.ledger().claim(me, Why::UnknownKey, remote.policy(), now).ok();
        if let Some(ledger) = claimed.and_then(|ledger| ledger.succeeded(me)) {
            remote.note(ledger);
        }
    }
    Ok(store)
}

fn provider_of<'e>(config: &Config, entry: &'e str) -> Result<(ProviderId, &'e str), ExplainError> {
    let is_remote = |index: &usize| {
        let provider = config.providers.get(*index);
        provider.is_some_and(|provider| !matches!(provider.keys, KeyOrigin::Local(_)))
    };
    let named = entry.split_once('=').and_then(|(name, file)| {
        let index = config.providers.iter().position(|provider| provider.name == name)?;
        Some((ProviderId::new(index), file))
    });
    let remotes: Vec<usize> = (0..config.providers.len()).filter(is_remote).collect();
    match (named, remotes.as_slice()) {
        (Some(named), _) => Ok(named),
        (None, [only]) if !entry.contains('=') => Ok((ProviderId::new(*only), entry)),
        _ => {
            let all: Vec<&str> = config.providers.iter().map(|provider| provider.name.as_str()).collect();
            let problem = format!(
                "--jwks {entry}: write PROVIDER=FILE; the providers are: {}",
                all.join(", ")
            );
            Err(ExplainError::Usage(problem))
        }
    }
}
