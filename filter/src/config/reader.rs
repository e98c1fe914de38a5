//! Reads the shape of a configuration: which fields there are and of which type.
//!
//! proto3 JSON names a field in `lowerCamelCase` and accepts `snake_case`; null means unset; integers may be strings. What is
//! asked for is remembered, and what nobody asked for is an error that names what could have been meant.

use std::time::Duration;

use jose::json::{Number, Object, Value};

use super::error::Report;
use super::spelling;

/// Reads the outermost object. `@type` may stand there: it comes along when a `typed_config` is pasted.
pub(super) fn read_root<T>(object: &Object, report: &Report, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
    let mut fields = Fields {
        path: String::new(),
        object,
        known: Vec::new(),
        unsupported: vec!["@type"],
        report,
    };
    let value = read(&mut fields);
    fields.finish();
    value
}

/// One member of an object of strings.
#[derive(Debug)]
pub(super) struct Member {
    /// The way to it.
    pub(super) path: String,
    /// Its name, which is free.
    pub(super) name: String,
    /// What it says.
    pub(super) text: String,
}

/// The members of one object while it is being read.
pub(super) struct Fields<'f> {
    path: String,
    object: &'f Object,
    known: Vec<&'static str>,
    unsupported: Vec<&'static str>,
    report: &'f Report,
}

impl<'f> Fields<'f> {
    /// The way to this object.
    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    /// The way to a field of this object.
    pub(super) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Whether a field is there and not null.
    pub(super) fn has(&mut self, name: &'static str) -> bool {
        self.take(name).is_some()
    }

    pub(super) fn string(&mut self, name: &'static str) -> Option<String> {
        self.typed(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(super) fn integer(&mut self, name: &'static str) -> Option<u64> {
        self.typed(name, "a whole number, not negative", whole)
    }

    pub(super) fn signed(&mut self, name: &'static str) -> Option<i64> {
        self.typed(name, "a whole number", |value| match value {
            Value::Number(Number::Negative(number)) => Some(*number),
            Value::Number(Number::Float(number)) if *number < 0.0 => {
                let number = whole(&Value::Number(Number::Float(-number)))?;
                i64::try_from(number).ok()?.checked_neg()
            }
            Value::String(text) if text.starts_with('-') => text.parse().ok(),
            value => i64::try_from(whole(value)?).ok(),
        })
    }

    pub(super) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        self.typed(
            name,
            "a duration in seconds such as \"5s\" or \"0.25s\"",
            |value| match value {
                Value::Object(fields) => duration_message(fields),
                value => duration(value.as_str()?),
            },
        )
    }

    pub(super) fn strings(&mut self, name: &'static str) -> Vec<String> {
        self.typed(name, "a list of strings", |value| {
            value
                .as_array()?
                .iter()
                .map(|element| element.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default()
    }

    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        self.typed(name, "a number", |value| value.as_number().map(Number::as_f64))
    }

    /// An object whose members' names are free and whose members are strings; `None` where it is absent.
    pub(super) fn string_map(&mut self, name: &'static str) -> Option<Vec<(String, String)>> {
        self.typed(name, "an object of strings", |value| {
            let members = value.as_object()?.iter();
            members
                .map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())))
                .collect()
        })
    }

    /// A string, a number or a boolean.
    pub(super) fn scalar(&mut self, name: &'static str) -> Option<Value> {
        self.typed(name, "a string, a number or a boolean", scalar)
    }

    pub(super) fn scalars(&mut self, name: &'static str) -> Vec<Value> {
        self.typed(name, "a list of strings, numbers and booleans", |value| {
            value.as_array()?.iter().map(scalar).collect()
        })
        .unwrap_or_default()
    }

    /// An object with fields.
    pub(super) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let value = self.take(name)?;
        self.within(&self.path_of(name), value, read)
    }

    /// A word, or an object with fields.
    pub(super) fn word_or_object<T>(
        &mut self,
        name: &'static str,
        word: impl FnOnce(&str) -> T,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let value = self.typed(name, "a string or an object", |value| {
            matches!(value, Value::String(_) | Value::Object(_)).then_some(value)
        })?;
        match value.as_str() {
            Some(text) => Some(word(text)),
            None => self.within(&self.path_of(name), value, read),
        }
    }

    /// A list of objects with fields.
    pub(super) fn list<T>(&mut self, name: &'static str, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        let path = self.path_of(name);
        let elements = self.typed(name, "a list", Value::as_array).unwrap_or_default();
        let elements = elements.iter().enumerate();
        elements
            .filter_map(|(index, value)| self.within(&format!("{path}[{index}]"), value, &mut read))
            .collect()
    }

    /// True, false, or an object with fields.
    pub(super) fn switch_or_object<T>(
        &mut self,
        name: &'static str,
        switch: impl FnOnce(bool) -> T,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let value = self.typed(name, "true, false or an object", |value| {
            matches!(value, Value::Bool(_) | Value::Object(_)).then_some(value)
        })?;
        match value.as_bool() {
            Some(on) => Some(switch(on)),
            None => self.within(&self.path_of(name), value, read),
        }
    }

    /// An object whose members' names are free and whose members are strings.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<Member> {
        let path = self.path_of(name);
        let object = self.typed(name, "an object", Value::as_object);
        let members = object.into_iter().flat_map(Object::iter);
        let texts = members.filter_map(|(key, value)| {
            let path = join(&path, key);
            let Some(text) = value.as_str() else {
                self.report
                    .add(path, format!("is {}; it must be a string", kind(value)));
                return None;
            };
            Some(Member {
                path,
                name: key.to_owned(),
                text: text.to_owned(),
            })
        });
        texts.collect()
    }

    /// An object whose members' names are free and whose members are objects with fields; `None` where it is absent.
    pub(super) fn map<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Fields<'_>) -> T,
    ) -> Option<Vec<(String, T)>> {
        let path = self.path_of(name);
        let object = self.typed(name, "an object", Value::as_object)?;
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object.iter() {
            if key.is_empty() {
                self.report.add(&path, "has an entry without a name; give it one");
            }
            entries.extend(
                self.within(&join(&path, key), value, &mut read)
                    .map(|entry| (key.to_owned(), entry)),
            );
        }
        Some(entries)
    }

    /// A field of the native filter's that this version does not implement: better no start than another meaning.
    pub(super) fn unsupported(&mut self, name: &'static str, instead: &str) {
        self.unsupported.push(name);
        if self.value(name).is_some() {
            self.report
                .add(self.path_of(name), format!("is not supported; {instead}"));
        }
    }

    /// A field that the native filter takes and does not look at either.
    pub(super) fn ignored(&mut self, name: &'static str, why: &str) {
        self.unsupported.push(name);
        if self.value(name).is_some() {
            self.report.warn(
                self.path_of(name),
                format!("is ignored, as by the native filter; {why}"),
            );
        }
    }

    fn within<T>(&self, path: &str, value: &Value, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let Some(object) = value.as_object() else {
            self.report
                .add(path, format!("is {}; it must be an object", kind(value)));
            return None;
        };
        let mut fields = Fields {
            path: path.to_owned(),
            object,
            known: Vec::new(),
            unsupported: Vec::new(),
            report: self.report,
        };
        let read = read(&mut fields);
        fields.finish();
        Some(read)
    }

    fn typed<T>(&mut self, name: &'static str, wanted: &str, read: impl FnOnce(&'f Value) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let typed = read(value);
        if typed.is_none() {
            self.report
                .add(self.path_of(name), format!("is {}; it must be {wanted}", kind(value)));
        }
        typed
    }

    fn take(&mut self, name: &'static str) -> Option<&'f Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.value(name)
    }

    fn value(&self, name: &'static str) -> Option<&'f Value> {
        let object: &'f Object = self.object;
        let camel = camel_case(name);
        let (snake_value, camel_value) = (object.get(name), object.get(&camel));
        if camel != name && snake_value.is_some() && camel_value.is_some() {
            self.report.add(
                self.path_of(name),
                format!("is there twice, also as {camel}; keep one of them"),
            );
        }
        snake_value.or(camel_value).filter(|value| **value != Value::Null)
    }

    fn finish(self) {
        let names = self.known.iter().chain(&self.unsupported);
        for (name, _) in self.object.iter() {
            if !names.clone().any(|known| *known == name || camel_case(known) == name) {
                let problem = format!(
                    "is no field that Gatehouse knows{}; allowed here are: {}",
                    spelling::hint(name, self.known.iter().copied()),
                    self.known.join(", ")
                );
                self.report.add_unknown(self.path_of(name), problem);
            }
        }
    }
}

/// `providers.gatehouse.issuer`; a name that would be misread so is quoted: `providers["a.b"].issuer`.
fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte));
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name:?}]"),
    }
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (index, word) in name.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => camel.push(first.to_ascii_uppercase()),
            Some(first) => camel.push(first),
            None => {}
        }
        camel.push_str(letters.as_str());
    }
    camel
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn scalar(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(value.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Integers as proto3 JSON has them: numbers, also such as a `Struct` holds, or strings.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn whole(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(Number::Unsigned(number)) => Some(*number),
        Value::Number(Number::Float(number)) => {
            (number.fract() == 0.0 && (0.0..EXACT).contains(number)).then_some(*number as u64)
        }
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The upper end of `google.protobuf.Duration`: 10,000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// `google.protobuf.Duration` in JSON: seconds, up to nine decimals, an `s`. None of ours may be negative.
fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (seconds, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(decimals) || decimals.len() > 9 || number.ends_with('.') {
        return None;
    }
    let nanos: u32 = format!("{decimals:0<9}").parse().ok()?;
    let seconds = seconds.parse().ok().filter(|seconds| *seconds <= MAX_SECONDS)?;
    Some(Duration::new(seconds, nanos))
}

/// The same written as the message that it is, `{"seconds": 5}`: no JSON writer does so, but Envoy takes it, and its own
/// examples have it.
fn duration_message(fields: &Object) -> Option<Duration> {
    let field = |name: &str| {
        fields
            .get(name)
            .filter(|value| **value != Value::Null)
            .map_or(Some(0), whole)
    };
    let known = fields.iter().all(|(name, _)| matches!(name, "seconds" | "nanos"));
    let seconds = field("seconds").filter(|seconds| known && *seconds <= MAX_SECONDS)?;
    let nanos = u32::try_from(field("nanos")?)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn durations_are_those_of_proto3_json() {
        for (text, millis) in [
            ("5s", Some(5000)),
            ("0.25s", Some(250)),
            ("1.000000001s", Some(1000)),
            ("0s", Some(0)),
            ("86400s", Some(86_400_000)),
            ("5", None),
            ("5m", None),
            ("-5s", None),
            ("+5s", None),
            ("s", None),
            (".5s", None),
            ("5.s", None),
            ("5 s", None),
            ("1e3s", None),
            ("0.0000000001s", None),
            ("999999999999999s", None),
        ] {
            assert_eq!(duration(text).map(|duration| duration.as_millis()), millis, "{text}");
        }
    }

    #[test]
    fn durations_may_be_written_as_messages() {
        for (text, millis) in [
            (r#"{"seconds":5}"#, Some(5000)),
            (r#"{"seconds":"5","nanos":500000000}"#, Some(5500)),
            (r#"{"seconds":5.0,"nanos":null}"#, Some(5000)),
            (r#"{"nanos":1000000}"#, Some(1)),
            ("{}", Some(0)),
            (r#"{"seconds":-5}"#, None),
            (r#"{"seconds":1.5}"#, None),
            (r#"{"seconds":5,"nanos":1000000000}"#, None),
            (r#"{"seconds":315576000001}"#, None),
            (r#"{"seconds":5,"minutes":1}"#, None),
        ] {
            let value = jose::json::parse(text.as_bytes()).ok();
            let found = value.as_ref().and_then(Value::as_object).and_then(duration_message);
            assert_eq!(found.map(|duration| duration.as_millis()), millis, "{text}");
        }
    }

    #[test]
    fn names_are_joined_so_that_the_way_can_be_followed() {
        assert_eq!(join("", "providers"), "providers");
        assert_eq!(join("providers", "a-b_c"), "providers.a-b_c");
        assert_eq!(join("providers", "a.b"), "providers[\"a.b\"]");
        assert_eq!(camel_case("claim_to_headers"), "claimToHeaders");
        assert_eq!(camel_case("uri"), "uri");
    }
}
