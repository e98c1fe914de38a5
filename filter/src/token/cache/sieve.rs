//! A store that is bounded and keeps what is used, by SIEVE (Zhang and others, NSDI 2024): values stand in the order in
//! which they came; a hand goes from the old ones to the new ones, spares once each value that was used since it last
//! came by, and takes the first one that was not.
//!
//! Apart from what is stored, because its bounds and its order can be tried with any values. Of the known ways it is the
//! one that a flood of values which come once disturbs least: they go first, and what is used stays. A use only sets a
//! mark, nothing is moved; and the hand clears one mark with each step, so eviction costs constant time on average.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What a store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// So many values.
    pub max_entries: usize,
    /// So much memory, in bytes.
    pub max_bytes: usize,
}

/// The store. Keys are numbers that are spread evenly by themselves.
#[derive(Debug)]
pub(super) struct Sieve<V> {
    limits: CacheLimits,
    places: HashMap<u64, usize, BuildHasherDefault<Spread>>,
    slots: Vec<Slot<V>>,
    /// Slots without a value.
    free: Vec<usize>,
    newest: Option<usize>,
    oldest: Option<usize>,
    /// Where the hand stands; none where it begins again with the oldest.
    hand: Option<usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot<V> {
    value: Option<V>,
    key: u64,
    bytes: usize,
    used: Use,
    newer: Option<usize>,
    older: Option<usize>,
}

/// Whether a value was used since the hand last came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Unused,
    Used,
}

impl<V> Sieve<V> {
    /// An empty store. Memory is taken as values come.
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            places: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            newest: None,
            oldest: None,
            hand: None,
            bytes: 0,
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How much memory they take, with what keeping them takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value of a key, if it is the one that is meant; that counts as a use.
    pub(super) fn get(&mut self, key: u64, is_meant: impl FnOnce(&V) -> bool) -> Option<&V> {
        let slot = self.slots.get_mut(*self.places.get(&key)?)?;
        let value = slot.value.as_ref().filter(|value| is_meant(value))?;
        slot.used = Use::Used;
        Some(value)
    }

    /// Takes the value of a key out.
    pub(super) fn remove(&mut self, key: u64) -> Option<V> {
        let place = self.places.get(&key)?;
        self.vacate(*place)
    }

    /// Stores a value that takes so much memory beside its slot, in place of the key's older one. What makes room for it
    /// is gone; a value that is larger than the store is not kept.
    pub(super) fn insert(&mut self, key: u64, value: V, bytes: usize) {
        let _replaced = self.remove(key);
        let bytes = bytes.saturating_add(Self::slot_bytes());
        if bytes > self.limits.max_bytes || self.limits.max_entries == 0 {
            return;
        }
        while self.len() >= self.limits.max_entries || self.bytes.saturating_add(bytes) > self.limits.max_bytes {
            if self.evict().is_none() {
                return;
            }
        }
        let slot = Slot {
            value: Some(value),
            key,
            bytes,
            used: Use::Unused,
            newer: None,
            older: self.newest,
        };
        let place = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(place) {
            Some(vacant) => *vacant = slot,
            None => self.slots.push(slot),
        }
        match self.newest.and_then(|newest| self.slots.get_mut(newest)) {
            Some(newest) => newest.newer = Some(place),
            None => self.oldest = Some(place),
        }
        self.newest = Some(place);
        self.places.insert(key, place);
        self.bytes += bytes;
    }

    /// What a value takes beside its own memory: its slot, and its line in the table, which is never full.
    const fn slot_bytes() -> usize {
        size_of::<Slot<V>>() + 2 * size_of::<(u64, usize)>() + size_of::<usize>()
    }

    /// Takes out the first value under the hand that was not used.
    fn evict(&mut self) -> Option<V> {
        loop {
            let place = self.hand.or(self.oldest)?;
            let slot = self.slots.get_mut(place)?;
            if slot.used == Use::Unused {
                self.hand = Some(place);
                return self.vacate(place);
            }
            slot.used = Use::Unused;
            self.hand = slot.newer;
        }
    }

    /// Takes the value out of a slot, and the slot out of the order. The hand never stands on a slot without a value.
    fn vacate(&mut self, place: usize) -> Option<V> {
        let slot = self.slots.get_mut(place)?;
        let value = slot.value.take()?;
        let (key, bytes, newer, older) = (slot.key, slot.bytes, slot.newer, slot.older);
        match older.and_then(|older| self.slots.get_mut(older)) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
        match newer.and_then(|newer| self.slots.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        if self.hand == Some(place) {
            self.hand = newer;
        }
        self.places.remove(&key);
        self.free.push(place);
        self.bytes -= bytes;
        Some(value)
    }
}

/// Takes a key for its own hash.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::VecDeque;

    use super::*;
    use crate::testing::test;

    fn store(max_entries: usize, max_bytes: usize) -> Sieve<u64> {
        Sieve::new(CacheLimits { max_entries, max_bytes })
    }

    /// Keys as tokens have them: spread over all bits.
    fn key(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn put(sieve: &mut Sieve<u64>, number: u64) {
        sieve.insert(key(number), number, 0);
    }

    fn holds(sieve: &Sieve<u64>, number: u64) -> bool {
        sieve.places.contains_key(&key(number))
    }

    fn uses(sieve: &mut Sieve<u64>, number: u64) -> bool {
        sieve.get(key(number), |held| *held == number).is_some()
    }

    #[test]
    fn what_came_first_and_was_not_used_goes_first() {
        let mut sieve = store(3, usize::MAX);
        for number in 1..=3 {
            put(&mut sieve, number);
        }
        assert!(uses(&mut sieve, 1));
        put(&mut sieve, 4);
        assert_eq!(
            [1, 2, 3, 4].map(|number| holds(&sieve, number)),
            [true, false, true, true]
        );
        put(&mut sieve, 5);
        assert_eq!(
            [1, 3, 4, 5].map(|number| holds(&sieve, number)),
            [true, false, true, true]
        );
        assert_eq!(sieve.len(), 3);
    }

    #[test]
    fn a_flood_of_values_that_come_once_leaves_those_that_are_used() {
        let mut sieve = store(100, usize::MAX);
        for number in 0..50 {
            put(&mut sieve, number);
        }
        let (mut hits, mut asked) = (0, 0);
        for flood in 1000..21_000 {
            put(&mut sieve, flood);
            // Each of the fifty is used once in fifty strangers, which is half of the store.
            let number = flood % 50;
            asked += 1;
            if uses(&mut sieve, number) {
                hits += 1;
            } else {
                put(&mut sieve, number);
            }
        }
        assert!(hits * 100 >= asked * 99, "{hits} of {asked}");
    }

    #[test]
    fn another_value_under_the_same_key_is_not_taken_for_the_one_that_is_meant() {
        let mut sieve = store(2, usize::MAX);
        sieve.insert(7, 1, 0);
        assert_eq!(sieve.get(7, |held| *held == 2), None);
        sieve.insert(7, 2, 0);
        assert_eq!(sieve.get(7, |held| *held == 2), Some(&2));
        assert_eq!(sieve.get(7, |held| *held == 1), None);
        assert_eq!(sieve.len(), 1);
    }

    #[test]
    fn what_does_not_fit_is_not_kept_and_makes_nothing_else_go() {
        let slot = Sieve::<u64>::slot_bytes();
        let mut sieve = store(10, 1000 + slot);
        sieve.insert(key(1), 1, 400 - slot);
        sieve.insert(key(2), 2, 1001);
        assert!(holds(&sieve, 1) && !holds(&sieve, 2));
        sieve.insert(key(3), 3, 1000);
        assert!(!holds(&sieve, 1) && holds(&sieve, 3));
        assert_eq!(sieve.bytes(), 1000 + slot);
        // A key whose new value does not fit has none: the old one is no longer true.
        sieve.insert(key(3), 4, 1001);
        assert_eq!((sieve.len(), sieve.bytes()), (0, 0));

        let mut off = store(0, usize::MAX);
        put(&mut off, 1);
        assert_eq!((off.len(), off.bytes(), off.slots.len()), (0, 0, 0));
    }

    /// SIEVE written down as plainly as it goes, at any cost: the oldest in front.
    #[derive(Default)]
    struct Model {
        queue: VecDeque<(u64, usize, bool)>,
        hand: usize,
    }

    impl Model {
        fn take(&mut self, at: usize) {
            self.queue.remove(at);
            if at < self.hand {
                self.hand -= 1;
            }
        }

        fn bytes(&self) -> usize {
            self.queue.iter().map(|(_, bytes, _)| bytes).sum()
        }

        fn position(&self, number: u64) -> Option<usize> {
            self.queue.iter().position(|(known, ..)| *known == number)
        }

        fn insert(&mut self, number: u64, bytes: usize, limits: CacheLimits) {
            if let Some(at) = self.position(number) {
                self.take(at);
            }
            if bytes > limits.max_bytes {
                return;
            }
            while self.queue.len() >= limits.max_entries || self.bytes() + bytes > limits.max_bytes {
                if self.hand >= self.queue.len() {
                    self.hand = 0;
                }
                if self.queue[self.hand].2 {
                    self.queue[self.hand].2 = false;
                    self.hand += 1;
                } else {
                    self.take(self.hand);
                }
            }
            // A hand that stands behind the newest begins again with the oldest, whatever comes.
            if self.hand >= self.queue.len() {
                self.hand = 0;
            }
            self.queue.push_back((number, bytes, false));
        }
    }

    #[test]
    fn whatever_is_done_the_bounds_hold_and_the_model_agrees() {
        let slot = Sieve::<u64>::slot_bytes();
        let rounds = if cfg!(target_arch = "wasm32") { 2000 } else { 20_000 };
        for (max_entries, max_bytes) in [
            (1, 10_000),
            (7, 100_000),
            (1000, 20 * (slot + 50)),
            (13, 13 * (slot + 60)),
        ] {
            let limits = CacheLimits { max_entries, max_bytes };
            let mut sieve = Sieve::new(limits);
            let mut model = Model::default();
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            let mut next = |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 33) % below
            };
            for round in 0..rounds {
                let number = next(40);
                match next(8) {
                    0..=2 => {
                        let bytes = usize::try_from(next(200)).unwrap();
                        sieve.insert(key(number), number, bytes);
                        model.insert(number, bytes + slot, limits);
                    }
                    3..=6 => {
                        let known = model.position(number);
                        assert_eq!(uses(&mut sieve, number), known.is_some(), "{round}");
                        if let Some(at) = known {
                            model.queue[at].2 = true;
                        }
                    }
                    _ => {
                        let known = model.position(number);
                        assert_eq!(sieve.remove(key(number)), known.map(|_| number), "{round}");
                        if let Some(at) = known {
                            model.take(at);
                        }
                    }
                }
                assert_eq!(
                    (sieve.len(), sieve.bytes()),
                    (model.queue.len(), model.bytes()),
                    "{round}"
                );
                assert!(sieve.len() <= max_entries && sieve.bytes() <= max_bytes, "{round}");
                assert!(sieve.slots.len() <= max_entries, "{round}");
                assert!(
                    (0..40).all(|number| holds(&sieve, number) == model.position(number).is_some()),
                    "{round}"
                );
            }
        }
    }
}
