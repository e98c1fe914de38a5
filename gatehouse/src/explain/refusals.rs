//! The page about refusals, so that its advice stands where it is needed.

const PAGE: &str = include_str!("../../../docs/refusals.md");

/// What the page says about a code: what it means, and what to do.
pub(crate) fn advice(code: &str) -> Option<(String, String)> {
    let start = format!("| `{code}` |");
    let row = PAGE.lines().find(|line| line.starts_with(&start))?;
    let mut cells = row.split(" | ").skip(3);
    let (meaning, advice) = (cells.next()?, cells.next()?);
    let plain = |cell: &str| without_links(cell.trim_end_matches('|').trim());
    Some((plain(meaning), plain(advice)))
}

/// `[words](address)` becomes `words`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after
            .split_once("](")
            .and_then(|(words, after)| Some((words, after.split_once(')')?.1)));
        plain.push_str(before);
        if let Some((words, after)) = link {
            plain.push_str(words);
            rest = after;
        } else {
            plain.push('[');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use filter::refusal::Reason;

    #[test]
    fn the_page_has_advice_for_every_refusal() {
        for reason in Reason::ALL {
            let (meaning, advice) = advice(reason.code()).unwrap();
            assert!(
                meaning.len() > 10 && advice.len() > 10,
                "{}: {meaning} / {advice}",
                reason.code()
            );
            assert!(!meaning.contains("]("), "{meaning}");
        }
        assert_eq!(advice("no_such_code"), None);
    }
}
