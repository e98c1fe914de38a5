//! `google.protobuf.Struct` from its wire format to JSON text.
//!
//! Envoy hands a configuration of that type over serialised. Three small messages, so a decoder of our own costs less
//! than a dependency: <https://protobuf.dev/programming-guides/encoding/>.

/// Deeper nesting than any configuration has.
const MAX_DEPTH: usize = 64;

/// The JSON text of a serialised `Struct`; `None` for bytes that are none.
pub(super) fn to_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(bytes.len() * 2);
    structure(bytes, 0, &mut json)?;
    Some(json)
}

/// `Struct { map<string, Value> fields = 1; }`
fn structure(bytes: &[u8], depth: usize, json: &mut Vec<u8>) -> Option<()> {
    let depth = deeper(depth)?;
    json.push(b'{');
    let mut fields = Fields(bytes);
    let mut first = true;
    while let Some(field) = fields.next_field()? {
        let (1, Content::Bytes(entry)) = field else { return None };
        comma(&mut first, json);
        member(entry, depth, json)?;
    }
    json.push(b'}');
    Some(())
}

/// `FieldsEntry { string key = 1; Value value = 2; }`
fn member(bytes: &[u8], depth: usize, json: &mut Vec<u8>) -> Option<()> {
    let (mut key, mut content): (&[u8], &[u8]) = (&[], &[]);
    let mut fields = Fields(bytes);
    while let Some(field) = fields.next_field()? {
        match field {
            (1, Content::Bytes(bytes)) => key = bytes,
            (2, Content::Bytes(bytes)) => content = bytes,
            _ => return None,
        }
    }
    string(key, json)?;
    json.push(b':');
    value(content, depth, json)
}

/// `Value { oneof kind { NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
/// Struct struct_value = 5; ListValue list_value = 6; } }`
fn value(bytes: &[u8], depth: usize, json: &mut Vec<u8>) -> Option<()> {
    let mut fields = Fields(bytes);
    let Some(field) = fields.next_field()? else {
        json.extend_from_slice(b"null");
        return Some(());
    };
    match field {
        (1, Content::Varint(_)) => json.extend_from_slice(b"null"),
        (2, Content::Fixed(bits)) => number(f64::from_bits(bits), json)?,
        (3, Content::Bytes(text)) => string(text, json)?,
        (4, Content::Varint(flag)) => json.extend_from_slice(if flag == 0 { b"false" } else { b"true" }),
        (5, Content::Bytes(bytes)) => structure(bytes, depth, json)?,
        (6, Content::Bytes(bytes)) => list(bytes, depth, json)?,
        _ => return None,
    }
    // One kind, said once.
    fields.next_field()?.is_none().then_some(())
}

/// `ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: usize, json: &mut Vec<u8>) -> Option<()> {
    let depth = deeper(depth)?;
    json.push(b'[');
    let mut fields = Fields(bytes);
    let mut first = true;
    while let Some(field) = fields.next_field()? {
        let (1, Content::Bytes(element)) = field else {
            return None;
        };
        comma(&mut first, json);
        value(element, depth, json)?;
    }
    json.push(b']');
    Some(())
}

fn string(bytes: &[u8], json: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::to_writer(json, text).ok()
}

/// Whole numbers without a fraction, as a person would have written them.
fn number(number: f64, json: &mut Vec<u8>) -> Option<()> {
    if !number.is_finite() {
        return None;
    }
    json.extend_from_slice(number.to_string().as_bytes());
    Some(())
}

fn comma(first: &mut bool, json: &mut Vec<u8>) {
    if !*first {
        json.push(b',');
    }
    *first = false;
}

fn deeper(depth: usize) -> Option<usize> {
    (depth < MAX_DEPTH).then_some(depth + 1)
}

enum Content<'b> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'b [u8]),
}

struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// The next field's number and content. `None` where the bytes are no message, `Some(None)` at its end.
    #[allow(clippy::option_option, reason = "two ends: of the message, and of its making sense")]
    fn next_field(&mut self) -> Option<Option<(u64, Content<'b>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let tag = self.varint()?;
        let content = match tag & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Content::Bytes(self.take(len)?)
            }
            _ => return None,
        };
        Some(Some((tag >> 3, content)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, len][..], content].concat()
    }

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        field(1, &[field(1, key.as_bytes()), field(2, value)].concat())
    }

    #[test]
    fn every_kind_of_value_becomes_json() {
        let two_and_a_half = [&[0x11][..], &2.5_f64.to_le_bytes()].concat();
        let sixty = [&[0x11][..], &60_f64.to_le_bytes()].concat();
        let list = field(6, &[field(1, &field(3, b"a")), field(1, &[0x20, 1])].concat());
        let bytes = [
            entry("null", &[0x08, 0]),
            entry("unset", &[]),
            entry("number", &two_and_a_half),
            entry("whole", &sixty),
            entry("text", &field(3, "a\"\u{e9}\n".as_bytes())),
            entry("yes", &[0x20, 1]),
            entry("no", &[0x20, 0]),
            entry("list", &list),
            entry("empty", &field(5, &[])),
            entry("nested", &field(5, &entry("a", &field(3, b"b")))),
        ]
        .concat();
        assert_eq!(
            String::from_utf8(to_json(&bytes).unwrap()).unwrap(),
            "{\"null\":null,\"unset\":null,\"number\":2.5,\"whole\":60,\"text\":\"a\\\"\u{e9}\\n\",\"yes\":true,\
             \"no\":false,\"list\":[\"a\",true],\"empty\":{},\"nested\":{\"a\":\"b\"}}"
        );
    }

    #[test]
    fn bytes_that_are_no_struct_are_refused() {
        let nan = [&[0x11][..], &f64::NAN.to_le_bytes()].concat();
        let mut deep = field(3, b"x");
        for _ in 0..40 {
            deep = [
                &[0x2a, 0x80 | u8::try_from(deep.len() + 4).unwrap_or(0x7f), 0][..],
                &deep,
            ]
            .concat();
        }
        for bytes in [
            b"providers".to_vec(),
            vec![0x0a],
            vec![0x0a, 5, 1],
            vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            vec![0x12, 0],
            entry("x", &nan),
            entry("x", &field(3, b"\xff")),
            entry("x", &[field(3, b"a"), field(3, b"b")].concat()),
            entry("x", &field(7, b"a")),
            entry("x", &deep),
        ] {
            assert_eq!(to_json(&bytes), None, "{bytes:?}");
        }
    }
}
