//! What a document says: values, and objects that keep their members in order.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(Number),
    /// A string, its escapes resolved
    String(String),
    /// A list
    Array(Vec<Value>),
    /// An object
    Object(Object),
}

/// A JSON number. Whole numbers are kept whole as far as 64 bits go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number from 0 to 2^64 - 1, written without fraction or exponent
    Unsigned(u64),
    /// A whole number from -2^63 to -1, written without fraction or exponent
    Negative(i64),
    /// Any other number: always finite
    Float(f64),
}

/// A JSON object: members in the order of the document, no two of one name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Value {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self {
            Some(elements)
        } else {
            None
        }
    }

    /// How much memory lies behind the value, in bytes.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::String(text) => text.capacity(),
            Self::Array(elements) => {
                let own = elements.capacity() * size_of::<Self>();
                own + elements.iter().map(Self::memory).sum::<usize>()
            }
            Self::Object(object) => object.memory(),
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self {
            Some(object)
        } else {
            None
        }
    }
}

impl Number {
    /// The nearest double.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "the nearest double is what was asked for")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Negative(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl Object {
    /// An object without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// The value of the member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(member, value)| (member == name).then_some(value))
    }

    /// Whether there is a member of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The members, in the order of the document.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How much memory lies behind the object, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let own = self.members.capacity() * size_of::<(String, Value)>();
        let members = self.members.iter();
        own + members
            .map(|(name, value)| name.capacity() + value.memory())
            .sum::<usize>()
    }

    /// Where the member of that name stands, for [`at`](Self::at).
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|(member, _)| member == name)
    }

    /// The value of the member at a position.
    pub(crate) fn at(&self, position: usize) -> Option<&Value> {
        self.members.get(position).map(|(_, value)| value)
    }

    /// An object of these members, unless two have one name.
    pub(super) fn of_distinct(members: Vec<(String, Value)>) -> Option<Self> {
        // Few members are compared each with each, which allocates nothing. Many are sorted, so that a large object
        // costs no more than its size times the logarithm of it.
        const FEW: usize = 24;
        let distinct = if members.len() <= FEW {
            members
                .iter()
                .enumerate()
                .all(|(index, (name, _))| members.iter().take(index).all(|(other, _)| other != name))
        } else {
            let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            names.is_sorted_by(|one, next| one < next)
        };
        distinct.then_some(Self { members })
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
