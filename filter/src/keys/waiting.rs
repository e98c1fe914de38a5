//! Requests that wait for keys: only so many, in so much memory, and none for ever.

use std::collections::BTreeMap;

use crate::clock::Timestamp;

/// What all that wait may take, in bytes. Places alone don't bound it: a thousand requests with as many headers as Envoy can be
/// set to take would fill all memory that a plugin has, and take the worker's VM with them.
pub(super) const MAX_MEMORY: usize = 64 << 20;

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest<T> {
    /// What is waiting.
    pub request: T,
    /// Until when.
    pub deadline: Timestamp,
    /// How much memory it takes, in bytes.
    pub memory: usize,
}

/// All places are taken, or all memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for keys already")]
pub struct RoomFull;

/// The requests of one worker that wait, by the host's number for each.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    limit: usize,
    memory: usize,
    guests: BTreeMap<u32, Guest<T>>,
}

impl<T> WaitingRoom<T> {
    /// A room with that many places.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            memory: 0,
            guests: BTreeMap::new(),
        }
    }

    /// Lets a request in. The same request may come again; it keeps its place.
    pub fn admit(&mut self, id: u32, guest: Guest<T>) -> Result<(), RoomFull> {
        let before = self.guests.get(&id).map(|guest| guest.memory);
        let others = self.memory.saturating_sub(before.unwrap_or_default());
        let memory = others.saturating_add(guest.memory);
        if (before.is_none() && self.guests.len() >= self.limit) || memory > MAX_MEMORY {
            return Err(RoomFull);
        }
        self.memory = memory;
        self.guests.insert(id, guest);
        Ok(())
    }

    /// Takes a request out, because it is decided or because its caller hung up.
    pub fn leave(&mut self, id: u32) -> Option<Guest<T>> {
        let guest = self.guests.remove(&id)?;
        self.memory = self.memory.saturating_sub(guest.memory);
        Some(guest)
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
            memory: 1000,
        }
    }

    #[test]
    fn few_large_requests_fill_the_room_too() {
        let large = |memory| Guest {
            memory,
            ..guest("large")
        };
        let mut room = WaitingRoom::new(1000);
        for id in 0..8 {
            assert_eq!(room.admit(id, large(MAX_MEMORY / 8)), Ok(()), "{id}");
        }
        assert_eq!(room.admit(8, large(1)), Err(RoomFull));
        assert_eq!(room.admit(0, large(MAX_MEMORY / 8)), Ok(()), "it keeps its place");
        assert_eq!(room.admit(0, large(MAX_MEMORY / 8 + 1)), Err(RoomFull));
        assert!(room.leave(3).is_some() && room.leave(3).is_none());
        assert_eq!(room.admit(8, large(MAX_MEMORY / 8)), Ok(()));
        assert_eq!(room.admit(9, large(usize::MAX)), Err(RoomFull));
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
