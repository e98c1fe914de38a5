//! Query parameters, read and taken out without touching the others: what is not ours goes on byte by byte as it came.

/// All values of a parameter, percent-decoded. Names are compared decoded too, or `access%5Ftoken` would be another
/// parameter here than at the upstream.
pub(super) fn values<'q>(query: &'q [u8], name: &'q str) -> impl Iterator<Item = Vec<u8>> + 'q {
    query.split(|byte| *byte == b'&').filter_map(move |pair| {
        let (key, value) = halves(pair);
        // Decoding never makes a name longer: most are told apart without it.
        (key.len() >= name.len() && decode(key) == name.as_bytes()).then(|| decode(value))
    })
}

/// The first value of a parameter as it stands in the query, found by the name as it stands there.
#[must_use]
pub fn raw_parameter<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    let mut pairs = query.split(|byte| *byte == b'&').map(halves);
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The query without these parameters.
#[must_use]
pub fn without_parameters(query: &[u8], names: &[&str]) -> Vec<u8> {
    let kept: Vec<&[u8]> = query
        .split(|byte| *byte == b'&')
        .filter(|pair| {
            let key = decode(halves(pair).0);
            !names.iter().any(|name| key == name.as_bytes())
        })
        .collect();
    kept.join(&b'&')
}

fn halves(pair: &[u8]) -> (&[u8], &[u8]) {
    let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    let (key, value) = pair.split_at_checked(equals).unwrap_or_default();
    (key, value.get(1..).unwrap_or_default())
}

/// Percent-decoding; a percent sign that begins no pair of hex digits stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let pair = digit(after.first()).zip(digit(after.get(1))).filter(|_| *byte == b'%');
        let value = pair.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        decoded.push(value.unwrap_or(*byte));
        rest = if value.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn parameters_are_found_in_any_encoding() {
        for (query, expected) in [
            ("access_token=abc", vec!["abc"]),
            ("a=1&access_token=abc&b=2", vec!["abc"]),
            ("access%5Ftoken=a%62c", vec!["abc"]),
            ("access_token=a&access_token=b", vec!["a", "b"]),
            ("access_token", vec![""]),
            ("access_token=", vec![""]),
            ("access_token=a=b", vec!["a=b"]),
            ("access_token=%zz%4", vec!["%zz%4"]),
            ("xaccess_token=abc", vec![]),
            ("ACCESS_TOKEN=abc", vec![]),
            ("", vec![]),
            ("&&", vec![]),
        ] {
            let found: Vec<_> = values(query.as_bytes(), "access_token").collect();
            assert_eq!(
                found,
                expected
                    .iter()
                    .map(|value| value.as_bytes().to_vec())
                    .collect::<Vec<_>>(),
                "{query}"
            );
        }
    }

    #[test]
    fn the_others_stay_as_they_came() {
        for (query, expected) in [
            ("access_token=abc", ""),
            ("a=%26&access_token=abc&b=%3D", "a=%26&b=%3D"),
            ("access%5ftoken=abc&x", "x"),
            ("a=1&a=2&&c", "a=1&a=2&&c"),
            ("access_token=1&q=a+b&access_token=2", "q=a+b"),
        ] {
            assert_eq!(
                without_parameters(query.as_bytes(), &["access_token"]),
                expected.as_bytes(),
                "{query}"
            );
        }
    }
}
