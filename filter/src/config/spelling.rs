//! What somebody meant who wrote something else.

/// More letters apart, and it is another word.
const MAX_DISTANCE: usize = 2;

/// ` (did you mean audiences?)`, or nothing where no known name is near.
pub(super) fn hint<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known
        .map(|known| (distance(name.as_bytes(), known.as_bytes()), known))
        .filter(|(distance, known)| *distance <= MAX_DISTANCE.min(known.len() / 3))
        .min_by_key(|(distance, _)| *distance);
    near.map_or_else(String::new, |(_, known)| format!(" (did you mean {known}?)"))
}

/// How many letters must be added, left out or changed (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = index + 1;
        next.push(left);
        for (candidate, above) in other.iter().zip(row.windows(2)) {
            let &[diagonal, above] = above else { continue };
            let changed = diagonal + usize::from(letter != candidate);
            left = changed.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn only_a_near_name_is_suggested_and_the_nearest_of_them() {
        let known = ["audiences", "issuer", "forward", "uri"];
        for (name, expected) in [
            ("audience", " (did you mean audiences?)"),
            ("isuer", " (did you mean issuer?)"),
            ("Issuer", " (did you mean issuer?)"),
            ("fowrard", " (did you mean forward?)"),
            ("url", " (did you mean uri?)"),
            ("abc", ""),
            ("something", ""),
            ("", ""),
        ] {
            assert_eq!(hint(name, known.into_iter()), expected, "{name}");
        }
    }
}
