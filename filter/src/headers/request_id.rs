//! The id by which one request is found in everybody's logs (`x-request-id`).
//!
//! Envoy makes one for each request unless it is told not to; what a caller chose itself may be anything.

use crate::request::Request;

/// The header.
pub const REQUEST_ID: &str = "x-request-id";
/// A longer one is no id.
const MAX_LEN: usize = 128;

/// What becomes of requests without a usable id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestIds {
    /// They pass as they came.
    #[default]
    Pass,
    /// They get one.
    Make,
}

/// Whether a request has one id that can stand in a line of a log: letters, digits and what ids are written with.
#[must_use]
pub fn has_request_id(request: &impl Request) -> bool {
    let mut ids = request.values(REQUEST_ID);
    let (Some(id), None) = (ids.next(), ids.next()) else {
        return false;
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(byte);
    (1..=MAX_LEN).contains(&id.len()) && id.iter().all(plain)
}

/// A UUID of version 4 (RFC 9562, section 5.4), from numbers that never come twice. The version matters: Envoy notes in its
/// digit whether a request is traced.
#[must_use]
pub fn request_id(random: [u64; 2]) -> String {
    let [high, low] = random;
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, test};

    #[test]
    fn an_id_is_one_short_word_that_logs_can_show() {
        let long = "a".repeat(129);
        for (ids, expected) in [
            (&["0f2a1b3c-4d5e-4f70-8192-a3b4c5d6e7f8"][..], true),
            (&["01ARZ3NDEKTSV4RRFFQ69G5FAV"], true),
            (&["Root=1-67891233-abcdef012345678912345678"], true),
            (&[&long[..128]], true),
            (&[&long], false),
            (&[], false),
            (&[""], false),
            (&["a b"], false),
            (&["a\"b"], false),
            (&["<script>"], false),
            (&["caf\u{e9}"], false),
            (&["a", "b"], false),
        ] {
            let headers: Vec<_> = ids.iter().map(|id| ("X-Request-Id", *id)).collect();
            assert_eq!(has_request_id(&request(&headers)), expected, "{ids:?}");
        }
    }

    #[test]
    fn what_is_made_is_a_uuid() {
        assert_eq!(request_id([0, 0]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(request_id([u64::MAX; 2]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            request_id([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]),
            "01234567-89ab-4def-bedc-ba9876543210"
        );
    }
}
