//! The token's payload as a header: the token's own base64url segment, not a second encoding of it.

/// Whether the segment is filled up with `=` (RFC 4648, section 3.2); JWS leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// As the token carries it.
    Omitted,
    /// Filled up to a multiple of four characters.
    Added,
}

/// A provider's `forward_payload_header`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadHeader {
    /// The header that carries the payload.
    pub name: String,
    /// How the payload ends.
    pub padding: Padding,
}

impl PayloadHeader {
    /// The header's value for a payload segment.
    #[must_use]
    pub fn value(&self, segment: &str) -> Vec<u8> {
        let mut value = segment.as_bytes().to_vec();
        if self.padding == Padding::Added {
            value.resize(value.len().next_multiple_of(4), b'=');
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_segment_is_padded_only_where_that_was_asked_for() {
        for (segment, padding, value) in [
            ("e30", Padding::Omitted, "e30"),
            ("e30", Padding::Added, "e30="),
            ("e30x", Padding::Added, "e30x"),
            ("e3", Padding::Added, "e3=="),
        ] {
            let header = PayloadHeader {
                name: "x-payload".to_owned(),
                padding,
            };
            assert_eq!(header.value(segment), value.as_bytes());
        }
    }
}
