//! Listings in pages: newest first, each page beginning where the last one ended (keyset pagination).
//!
//! Counting rows off (`OFFSET`) would skip or repeat items while new ones arrive, and gets slower page by page.

/// How many items a page has unless the caller says.
pub(crate) const DEFAULT_LIMIT: u16 = 50;
/// How many items a page has at most.
pub(crate) const MAX_LIMIT: u16 = 100;

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRequest<Cursor> {
    /// The last item of the page before; none for the first page.
    pub(crate) after: Option<Cursor>,
    /// How many items, at most [`MAX_LIMIT`].
    pub(crate) limit: u16,
}

impl<Cursor> PageRequest<Cursor> {
    /// How many rows to read: one more than wanted tells whether another page follows.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// Which side of a payment the caller is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Another user pays the caller, or asks the caller for money.
    Incoming,
    /// The caller pays, or asks another user for money.
    Outgoing,
}

impl Direction {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// One page, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<Item> {
    /// The items of this page.
    pub(crate) items: Vec<Item>,
    /// Whether another page follows.
    pub(crate) rest: Rest,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Another page.
    More,
    /// Nothing.
    End,
}

impl<Item> Page<Item> {
    /// Makes a page of rows that were read with [`PageRequest::rows`].
    pub(crate) fn cut<Cursor>(mut items: Vec<Item>, request: &PageRequest<Cursor>) -> Self {
        let limit = usize::from(request.limit);
        let rest = if items.len() > limit { Rest::More } else { Rest::End };
        items.truncate(limit);
        Self { items, rest }
    }

    /// The cursor of the next page, taken from the last item.
    pub(crate) fn next_cursor(&self, cursor_of: impl Fn(&Item) -> String) -> Option<String> {
        match self.rest {
            Rest::More => self.items.last().map(cursor_of),
            Rest::End => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_whether_another_follows() {
        let request = PageRequest::<i64> { after: None, limit: 2 };
        for (rows, items, next) in [
            (vec![], vec![], None),
            (vec![3, 2], vec![3, 2], None),
            (vec![3, 2, 1], vec![3, 2], Some("2".to_owned())),
        ] {
            let page = Page::cut(rows, &request);
            assert_eq!(page.next_cursor(ToString::to_string), next);
            assert_eq!(page.items, items);
        }
        assert_eq!(request.rows(), 3);
    }
}
