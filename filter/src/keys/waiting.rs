//! Requests that wait for keys: only so many, and none for ever.

use std::collections::BTreeMap;

use crate::clock::Timestamp;

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest<T> {
    /// What is waiting.
    pub request: T,
    /// Until when.
    pub deadline: Timestamp,
}

/// All places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for keys already")]
pub struct RoomFull;

/// The requests of one worker that wait, by the host's number for each.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    limit: usize,
    guests: BTreeMap<u32, Guest<T>>,
}

impl<T> WaitingRoom<T> {
    /// A room with that many places.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            guests: BTreeMap::new(),
        }
    }

    /// Lets a request in. The same request may come again; it keeps its place.
    pub fn admit(&mut self, id: u32, guest: Guest<T>) -> Result<(), RoomFull> {
        if self.guests.len() >= self.limit && !self.guests.contains_key(&id) {
            return Err(RoomFull);
        }
        self.guests.insert(id, guest);
        Ok(())
    }

    /// Takes a request out, because it is decided or because its caller hung up.
    pub fn leave(&mut self, id: u32) -> Option<Guest<T>> {
        self.guests.remove(&id)
    }

    /// Who waits.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        self.guests.keys().copied().collect()
    }

    /// What waits.
    pub fn guests(&self) -> impl Iterator<Item = &T> {
        self.guests.values().map(|guest| &guest.request)
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guests.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn guest(name: &'static str) -> Guest<&'static str> {
        Guest {
            request: name,
            deadline: Timestamp::from_secs(5),
        }
    }

    #[test]
    fn the_room_is_bounded_and_a_place_is_free_again_after_a_hang_up() {
        let mut room = WaitingRoom::new(2);
        assert_eq!(room.admit(1, guest("a")), Ok(()));
        assert_eq!(room.admit(2, guest("b")), Ok(()));
        assert_eq!(room.admit(3, guest("c")), Err(RoomFull));
        assert_eq!(room.admit(2, guest("b again")), Ok(()));
        assert_eq!(room.leave(1), Some(guest("a")));
        assert_eq!(room.leave(1), None);
        assert_eq!(room.admit(3, guest("c")), Ok(()));
        assert_eq!(room.ids(), [2, 3]);
        assert!(!room.is_empty());
    }
}
