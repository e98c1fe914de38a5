//! From bytes to [`Value`], on `serde_json`'s tokeniser. It knows the grammar, UTF-8 and surrogates; what RFC 8259
//! leaves open (duplicates, depth) is decided here, for every object and list on the way.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{JsonError, MAX_DEPTH, Number, Object, Value};

/// What reading found that is not a matter of grammar. `serde_json` keeps only the text of our errors, so the error
/// itself is laid down here.
type Finding = Cell<Option<JsonError>>;

pub(super) fn document(document: &[u8]) -> Result<Value, JsonError> {
    let finding = Finding::default();
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let seed = Seed {
        depth: 0,
        finding: &finding,
    };
    seed.deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| {
            finding.get().unwrap_or(JsonError::Syntax {
                line: error.line(),
                column: error.column(),
            })
        })
}

/// Reads the next value, which stands inside `depth` containers.
#[derive(Clone, Copy)]
struct Seed<'f> {
    depth: usize,
    finding: &'f Finding,
}

impl Seed<'_> {
    fn refuse<E: Error>(self, reason: JsonError) -> E {
        self.finding.set(Some(reason));
        E::custom(reason)
    }

    /// The seed for what stands inside the container that begins here.
    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::Unsigned(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(
            u64::try_from(number).map_or(Number::Negative(number), Number::Unsigned),
        ))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(Number::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(inside)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            members.push((name, map.next_value_seed(inside)?));
        }
        let object = Object::of_distinct(members).ok_or_else(|| self.refuse(JsonError::DuplicateMember))?;
        Ok(Value::Object(object))
    }
}
