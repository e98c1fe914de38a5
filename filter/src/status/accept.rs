//! In which form somebody wants to see something (RFC 9110, section 12.5.1).

use crate::request::Request;

/// What the account of the services looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For programs.
    Json,
    /// For people.
    Page,
}

/// How much something is wanted, in thousandths; the more precise its range, the more its word counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wish {
    precision: u8,
    quality: u16,
}

impl Form {
    /// The form that the request wants more. Where it wants both alike, or neither, that for programs: a 406 would help
    /// nobody.
    #[must_use]
    pub fn wanted(request: &impl Request) -> Self {
        let (mut page, mut json) = (Wish::default(), Wish::default());
        for range in request
            .values("accept")
            .flat_map(|value| value.split(|byte| *byte == b','))
        {
            let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(quality).unwrap_or(1000);
            for (wish, of_page, subtype) in [(&mut page, true, &b"text"[..]), (&mut json, false, b"application")] {
                let exact: &[u8] = if of_page { b"text/html" } else { b"application/json" };
                let precision = if name.eq_ignore_ascii_case(exact) {
                    3
                } else if name
                    .strip_suffix(b"/*")
                    .is_some_and(|kind| kind.eq_ignore_ascii_case(subtype))
                {
                    2
                } else if name == b"*/*" {
                    1
                } else {
                    continue;
                };
                if precision > wish.precision {
                    *wish = Wish { precision, quality };
                }
            }
        }
        if page.quality > json.quality {
            Self::Page
        } else {
            Self::Json
        }
    }
}

/// The weight in a parameter `q`, in thousandths; one that can't be read counts as none.
fn quality(parameter: &[u8]) -> Option<u16> {
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    Some(match whole {
        "1" if digits && decimals.bytes().all(|byte| byte == b'0') => 1000,
        "0" if digits => format!("{decimals:0<3}").parse().unwrap_or_default(),
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, test};

    #[test]
    fn people_get_a_page_and_programs_get_json() {
        for (accept, expected) in [
            (&[][..], Form::Json),
            (&["*/*"], Form::Json),
            (&[""], Form::Json),
            (&["application/json"], Form::Json),
            (&["text/html"], Form::Page),
            (&["TEXT/HTML"], Form::Page),
            // What browsers send.
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"],
                Form::Page,
            ),
            (&["application/json, text/html;q=0.9"], Form::Json),
            (&["application/json;q=0.5, text/html;q=0.51"], Form::Page),
            (&["text/html;q=0, */*"], Form::Json),
            (&["text/*, application/json;q=0.1"], Form::Page),
            (&["text/*;q=0.1, application/*;q=0.2"], Form::Json),
            (&["text/html;level=1;q=0.2", "application/json;q=0.1"], Form::Page),
            (&["text/html;q=2, application/json;q=0.1"], Form::Json),
            (&["text/html;q=x"], Form::Json),
            (&["text/html;q=0.0001, application/json;q=0"], Form::Json),
            (&["image/png"], Form::Json),
            (&["text/htmlx"], Form::Json),
            (&[";;,,;q=,"], Form::Json),
        ] {
            let headers: Vec<(&str, &str)> = accept.iter().map(|value| ("accept", *value)).collect();
            assert_eq!(Form::wanted(&request(&headers)), expected, "{accept:?}");
        }
    }
}
