//! The request that is asked about, as Envoy would hand it to the plugin.

use filter::request::{HeaderList, Surroundings};
use filter::requirement::RouteWord;

use super::ExplainError;
use crate::cli::{Explain, read_bytes};

type Headers = Vec<(String, Vec<u8>)>;

/// The request of the arguments: from a file, or put together, and then what was given beside it.
pub(crate) fn of(arguments: &Explain) -> Result<HeaderList, ExplainError> {
    let mut headers = match &arguments.request {
        Some(file) => {
            let bytes = read_bytes(file).map_err(|problem| ExplainError::Unreadable(file.clone(), problem))?;
            parse(&bytes).map_err(|problem| ExplainError::NotAFile(file.clone(), problem))?
        }
        None => vec![
            (":method".to_owned(), arguments.method.clone().into_bytes()),
            (":path".to_owned(), arguments.path.clone().into_bytes()),
            (":scheme".to_owned(), b"http".to_vec()),
            (":authority".to_owned(), b"localhost".to_vec()),
        ],
    };
    for header in &arguments.headers {
        let problem = || {
            ExplainError::Usage(format!(
                "--header {} is no header; write 'name: value'",
                name_of(header)
            ))
        };
        add(&mut headers, header.as_bytes()).ok_or_else(problem)?;
    }
    if let Some(token) = &arguments.token {
        headers.push(("authorization".to_owned(), bearer(token)?));
    }
    Ok(HeaderList::new(headers).within(surroundings(arguments)))
}

/// What Envoy knows beside the headers.
fn surroundings(arguments: &Explain) -> Surroundings {
    let route = match (&arguments.route_requirement, arguments.route_disabled) {
        (Some(name), _) => RouteWord::Requires(name.clone().into_bytes()),
        (None, true) => RouteWord::Disabled,
        (None, false) => RouteWord::Silent,
    };
    Surroundings {
        state: arguments.filter_state.clone().map(String::into_bytes),
        route,
    }
}

/// What stands before the colon; what stands behind may be secret.
fn name_of(header: &str) -> String {
    format!("{:?}", header.split_once(':').map_or("…", |(name, _)| name))
}

fn bearer(token: &str) -> Result<Vec<u8>, ExplainError> {
    let bytes = match token.strip_prefix('@') {
        Some(file) => read_bytes(file).map_err(|problem| ExplainError::Unreadable(file.to_owned(), problem))?,
        None if token == "-" => {
            read_bytes("-").map_err(|problem| ExplainError::Unreadable("standard input".to_owned(), problem))?
        }
        None => token.as_bytes().to_vec(),
    };
    let token = bytes.trim_ascii();
    // A token is often copied with its scheme.
    let bare = token
        .split_at_checked(7)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
    let bare = bare.map_or(token, |(_, rest)| rest.trim_ascii());
    Ok([b"Bearer ", bare].concat())
}

/// HTTP/1.1 (RFC 9112): request line, headers, and a body that nobody looks at. `curl -v` writes `> ` before each line.
fn parse(text: &[u8]) -> Result<Headers, String> {
    let lines = text.split(|byte| *byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    let is_quoted = lines.peek().is_some_and(|line| line.starts_with(b"> "));
    let mut lines = lines.map(|line| match (is_quoted, line.strip_prefix(b">")) {
        (true, Some(rest)) => rest.strip_prefix(b" ").unwrap_or(rest),
        _ => line,
    });
    let mut headers = request_line(lines.next().unwrap_or_default())
        .ok_or("begins with no request line; write one such as GET /orders HTTP/1.1")?;
    for (number, line) in lines.enumerate() {
        if line.is_empty() {
            break;
        }
        add(&mut headers, line).ok_or_else(|| format!("has no header in line {}; write name: value", number + 2))?;
    }
    Ok(headers)
}

fn request_line(line: &[u8]) -> Option<Headers> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || method.is_empty() || target.is_empty() || !version.starts_with(b"HTTP/") {
        return None;
    }
    let mut headers = vec![(":method".to_owned(), method.to_vec())];
    // The absolute form (section 3.2.2) names its host itself; CONNECT names nothing else.
    if method == b"CONNECT" {
        headers.push((":authority".to_owned(), target.to_vec()));
        return Some(headers);
    }
    let after_scheme = [&b"http://"[..], b"https://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(*scheme));
    let target = match after_scheme {
        Some(rest) => {
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?'))
                .unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end)?;
            headers.push((":authority".to_owned(), authority.to_vec()));
            if path.starts_with(b"/") {
                path.to_vec()
            } else {
                [b"/", path].concat()
            }
        }
        None => target.to_vec(),
    };
    headers.push((":path".to_owned(), target));
    headers.push((":scheme".to_owned(), b"http".to_vec()));
    Some(headers)
}

/// Adds a header line as Envoy would: its name in lower case, `host` as `:authority`.
fn add(headers: &mut Headers, line: &[u8]) -> Option<()> {
    let is_pseudo = line.starts_with(b":");
    let colon = line
        .iter()
        .skip(usize::from(is_pseudo))
        .position(|byte| *byte == b':')?
        + usize::from(is_pseudo);
    let (name, value) = line.split_at_checked(colon)?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return None;
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let value = value.get(1..)?.trim_ascii().to_vec();
    let name = if name == "host" { ":authority".to_owned() } else { name };
    // There is one of each pseudo-header.
    if name.starts_with(':') {
        headers.retain(|(known, _)| *known != name);
    }
    headers.push((name, value));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        let headers = parse(text.as_bytes())?;
        let lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
            .collect();
        Ok(lines.join(" "))
    }

    #[test]
    fn requests_are_read_as_envoy_would_hand_them_over() {
        for (text, expected) in [
            (
                "GET /a?b HTTP/1.1\r\nHost: x:1\r\nX-A:  1 \r\n\r\nbody: 1",
                ":method=GET :path=/a?b :scheme=http :authority=x:1 x-a=1",
            ),
            (
                "> POST / HTTP/1.1\n> Host: x\n> Authorization: Bearer a\n>\n",
                ":method=POST :path=/ :scheme=http :authority=x authorization=Bearer a",
            ),
            (
                "GET http://h?q HTTP/1.1\nhost: other\n",
                ":method=GET :path=/?q :scheme=http :authority=other",
            ),
            ("CONNECT h:443 HTTP/1.1\n", ":method=CONNECT :authority=h:443"),
        ] {
            assert_eq!(parsed(text), Ok(expected.to_owned()), "{text}");
        }
        for (text, problem) in [
            ("", "request line"),
            ("GET /\n", "request line"),
            ("authorization: Bearer x\n", "request line"),
            ("GET / HTTP/1.1\nnonsense\n", "line 2"),
            ("GET / HTTP/1.1\na: b\nbad name: x\n", "line 3"),
        ] {
            assert!(parsed(text).unwrap_err().contains(problem), "{text}");
        }
    }

    #[test]
    fn a_token_may_come_with_its_scheme_and_a_line_s_end() {
        for token in ["abc", " abc\n", "Bearer abc", "bearer  abc"] {
            assert_eq!(bearer(token).unwrap(), b"Bearer abc", "{token:?}");
        }
    }
}
