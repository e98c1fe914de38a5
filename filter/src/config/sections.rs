//! Gatehouse's own sections, from the wire to the domain.

use std::collections::BTreeMap;
use std::time::Duration;

use jose::key_set::MAX_SET_LEN;

use super::error::Report;
use super::{HostFunction, Limits, wire};
use crate::access_log::LogField;
use crate::keys::RefreshPolicy;
use crate::token::{CacheLimits, TokenProfile};

/// Enough for tokens with dozens of roles, and within what Envoy lets through by default.
const DEFAULT_TOKEN_BYTES: u64 = 8192;
/// A larger header never gets here: Envoy's own limit is 60 KiB for all of them, and can be raised to a few times that.
const MAX_TOKEN_BYTES: u64 = 1 << 18;
const DEFAULT_CACHE_ENTRIES: u64 = 10_000;
const MAX_CACHE_ENTRIES: u64 = 1_000_000;
/// What the native filter takes for a `jwt_cache_size` of zero.
const NATIVE_CACHE_ENTRIES: u64 = 100;
/// Room for about five thousand tokens of ordinary size, in each worker.
const DEFAULT_CACHE_BYTES: u64 = 16 << 20;
/// Half of what a plugin can address at most, less what it needs besides.
const MAX_CACHE_BYTES: u64 = 1 << 30;
const DEFAULT_WAITING: u64 = 1000;
const MAX_WAITING: u64 = 100_000;
/// A client has long gone when it has waited so long.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// `token_limits` and `keys`
pub(super) fn limits(tokens: Option<wire::TokenLimits>, keys: Option<wire::Keys>, report: &Report) -> Limits {
    let defaults = RefreshPolicy::default();
    let max_token_bytes = tokens.map_or(DEFAULT_TOKEN_BYTES, |tokens| {
        let path = format!("{}.max_token_bytes", tokens.path);
        within(
            tokens.max_token_bytes,
            DEFAULT_TOKEN_BYTES,
            MAX_TOKEN_BYTES,
            &path,
            report,
        )
    });
    let document_bytes = MAX_SET_LEN as u64;
    let Some(keys) = keys else {
        return Limits {
            max_token_bytes: size(max_token_bytes),
            max_document_bytes: MAX_SET_LEN,
            max_waiting: size(DEFAULT_WAITING),
            policy: defaults,
        };
    };
    let field = |name: &str| format!("{}.{name}", keys.path);
    if keys.max_wait.is_some_and(|wait| wait > MAX_WAIT) {
        report.add(field("max_wait"), "is too long; at most \"60s\" makes sense");
    }
    if keys
        .unknown_key_cooldown
        .is_some_and(|cooldown| cooldown < Duration::from_secs(1))
    {
        report.add(
            field("unknown_key_cooldown"),
            "is too short; at least \"1s\" keeps strangers from making load",
        );
    }
    if keys.keep_last_good.is_some_and(|bound| bound < Duration::from_secs(1)) {
        report.add(
            field("keep_last_good"),
            "is too short; at least \"1s\" leaves time to use the keys",
        );
    }
    let waiting = within(
        keys.max_waiting_requests,
        DEFAULT_WAITING,
        MAX_WAITING,
        &field("max_waiting_requests"),
        report,
    );
    let document = within(
        keys.max_document_bytes,
        document_bytes,
        document_bytes,
        &field("max_document_bytes"),
        report,
    );
    Limits {
        max_token_bytes: size(max_token_bytes),
        max_document_bytes: size(document),
        max_waiting: size(waiting),
        policy: RefreshPolicy {
            keep_last_good: keys.keep_last_good.unwrap_or(defaults.keep_last_good),
            unknown_key_cooldown: keys.unknown_key_cooldown.unwrap_or(defaults.unknown_key_cooldown),
            max_wait: keys.max_wait.unwrap_or(defaults.max_wait),
            ..defaults
        },
    }
}

pub(super) fn within(value: Option<u64>, default: u64, max: u64, path: &str, report: &Report) -> u64 {
    let value = value.unwrap_or(default);
    if value == 0 || value > max {
        report.add(path, format!("is out of range; write a number from 1 to {max}"));
    }
    value
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `token_cache`. Without the section, the cache is at least as large as the providers' `jwt_cache_config` ask for.
pub(super) fn token_cache(
    wire: Option<wire::TokenCache>,
    providers: &[(String, wire::Provider)],
    report: &Report,
) -> CacheLimits {
    let native = providers.iter().filter_map(|(_, provider)| provider.jwt_cache_config);
    let asked: u64 = native
        .map(|cache| match cache.jwt_cache_size {
            None | Some(0) => NATIVE_CACHE_ENTRIES,
            Some(size) => size,
        })
        .sum();
    let default = asked.clamp(DEFAULT_CACHE_ENTRIES, MAX_CACHE_ENTRIES);
    let Some(wire) = wire else {
        return CacheLimits {
            max_entries: size(default),
            max_bytes: size(DEFAULT_CACHE_BYTES),
        };
    };
    let max_entries = wire.max_entries.unwrap_or(default);
    if max_entries > MAX_CACHE_ENTRIES {
        report.add(
            format!("{}.max_entries", wire.path),
            format!("is out of range; write a number up to {MAX_CACHE_ENTRIES}, or 0 to verify every token anew"),
        );
    }
    let max_bytes = within(
        wire.max_bytes,
        DEFAULT_CACHE_BYTES,
        MAX_CACHE_BYTES,
        &format!("{}.max_bytes", wire.path),
        report,
    );
    CacheLimits {
        max_entries: size(max_entries),
        max_bytes: size(max_bytes),
    }
}

/// `verification`
pub(super) fn host_function(wire: Option<wire::Verification>, report: &Report) -> HostFunction {
    let Some(wire) = wire else {
        return HostFunction::default();
    };
    match wire.host_function.as_deref() {
        None | Some("auto") => HostFunction::WhereItWorks,
        Some("off") => HostFunction::Unused,
        Some(_) => {
            report.add(
                format!("{}.host_function", wire.path),
                "is unknown; write \"auto\" or \"off\"",
            );
            HostFunction::default()
        }
    }
}

/// `access_log`
pub(super) fn access_log(names: &[String], report: &Report) -> Vec<LogField> {
    let mut fields = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let field = LogField::ALL.into_iter().find(|field| field.name() == name);
        match field {
            Some(field) if fields.contains(&field) => {}
            Some(field) => fields.push(field),
            None => report.add(
                format!("access_log[{index}]"),
                "is nothing that can be shown; write \"subject\", \"issuer\", \"client\" or \"key_id\"",
            ),
        }
    }
    fields
}

/// `token_profiles`
pub(super) fn profiles(
    wire: Vec<(String, wire::TokenProfile)>,
    providers: &[(String, wire::Provider)],
    report: &Report,
) -> BTreeMap<String, TokenProfile> {
    let mut profiles = BTreeMap::new();
    for (name, profile) in wire {
        if !providers.iter().any(|(known, _)| *known == name) {
            report.add(&profile.path, "is no provider; name an entry of `providers`");
        }
        if profile.typ.is_none() && profile.token_type.is_none() {
            report.add(&profile.path, "says nothing; write typ or token_type");
        }
        for (field, values) in [("typ", &profile.typ), ("token_type", &profile.token_type)] {
            if values
                .as_ref()
                .is_some_and(|values| values.is_empty() || values.iter().any(String::is_empty))
            {
                report.add(
                    format!("{}.{field}", profile.path),
                    "must list the accepted values, none of them empty",
                );
            }
        }
        profiles.insert(
            name,
            TokenProfile {
                typ: profile.typ,
                token_type: profile.token_type,
            },
        );
    }
    profiles
}

/// `discovery`, by provider
pub(super) fn discoveries(
    wire: Vec<(String, wire::Discovery)>,
    providers: &[(String, wire::Provider)],
    report: &Report,
) -> BTreeMap<String, wire::Discovery> {
    for (name, discovery) in &wire {
        if !providers.iter().any(|(known, _)| known == name) {
            report.add(&discovery.path, "is no provider; name an entry of `providers`");
        }
    }
    wire.into_iter().collect()
}

/// `stat_prefix`, ready to stand before a counter's name.
pub(super) fn stat_prefix(wire: Option<String>, report: &Report) -> String {
    let mut prefix = wire.unwrap_or_default();
    if !prefix
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    {
        report.add(
            "stat_prefix",
            "may only hold letters, digits, dots, dashes and underscores",
        );
    }
    if !prefix.is_empty() && !prefix.ends_with('.') {
        prefix.push('.');
    }
    prefix
}
