//! The account of the services as a page for people: no script, nothing loaded from elsewhere, every text escaped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::report::{Report, Row};

/// Light and dark by the reader's own setting; on a narrow screen each service is a card.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886;--up:#17733b;--down:#b3261e;--rest:#6b6b6b}\
@media(prefers-color-scheme:dark){:root{--up:#6fd18f;--down:#ff8a80;--rest:#a8a8a8}}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.5rem}\
h1{font-size:1.4rem;margin:0 0 .25rem}\
p{margin:0 0 1.25rem}\
table{border-collapse:collapse;width:100%}\
caption{text-align:left;padding:0 0 .5rem;color:var(--rest)}\
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}\
thead th{border-top:0;font-size:.85rem;color:var(--rest)}\
small{display:block;color:var(--rest);font-weight:400}\
.up{color:var(--up)}.down{color:var(--down)}.unknown,.unchecked{color:var(--rest)}\
.state{font-weight:600}\
@media(max-width:40rem){\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
tr{display:block;border-top:1px solid var(--line);padding:.5rem 0}\
th,td{display:block;border:0;padding:.1rem 0}\
td[data-name]::before{content:attr(data-name) ': ';color:var(--rest)}}";

/// The one style that the page's policy allows (Content Security Policy Level 3, section 2.3.1).
pub(super) fn style_source() -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(STYLE)))
}

/// The page.
pub(super) fn page(report: &Report<'_>) -> String {
    let count = |state: &str| report.services.iter().filter(|row| row.state == state).count();
    let mut summary = vec![format!("{} up", count("up")), format!("{} down", count("down"))];
    for state in ["unknown", "unchecked"] {
        if count(state) > 0 {
            summary.push(format!("{} {state}", count(state)));
        }
    }
    let rows: String = report.services.iter().map(row).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Services: {status}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Services: <span class=\"{status}\">{status}</span></h1>\n<p>{summary}</p>\n\
         <table>\n<caption>As the gate sees them; each is asked every {interval} s. Times are UTC.</caption>\n\
         <thead><tr><th scope=\"col\">Service</th><th scope=\"col\">State</th><th scope=\"col\">Since</th>\
         <th scope=\"col\">Latency</th><th scope=\"col\">Last probe</th><th scope=\"col\">Last error</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</main>\n</body>\n</html>\n",
        status = report.status,
        summary = summary.join(", "),
        interval = report.interval_seconds,
    )
}

fn row(row: &Row<'_>) -> String {
    let cell = |name: &str, text: Option<String>| match text {
        Some(text) => format!("<td data-name=\"{name}\">{text}</td>"),
        None => "<td></td>".to_owned(),
    };
    let time = |time: &Option<String>| time.as_deref().map(|time| format!("<time>{}</time>", escaped(time)));
    let error = row.last_error.as_ref();
    format!(
        "<tr><th scope=\"row\">{name}<small>{prefix} at {cluster}{access}</small></th>\
         <td data-name=\"State\"><span class=\"state {state}\">{state}</span></td>{since}{latency}{checked}{error}</tr>\n",
        name = escaped(row.name),
        prefix = escaped(row.prefix),
        cluster = escaped(row.cluster),
        access = if row.public { ", public" } else { "" },
        state = row.state,
        since = cell("Since", time(&row.since)),
        latency = cell("Latency", row.latency_ms.map(|latency| format!("{latency:.1} ms"))),
        checked = cell("Last probe", time(&row.checked_at)),
        error = cell(
            "Last error",
            error.map(|error| format!(
                "{}<small><time>{}</time></small>",
                escaped(&error.detail),
                escaped(&error.at)
            ))
        ),
    )
}

/// Text as it may stand in an element or between double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
