//! Where a bucket stands: SipHash-2-4 (Aumasson and Bernstein, 2012).
//!
//! A keyed hash, because callers choose what is hashed: without the key nobody can choose names whose buckets stand in one
//! row and drive each other out. Forty lines cost less than a dependency.

/// A key that nobody but the processes that share a table knows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Key(u64, u64);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

impl Key {
    /// The length of a key.
    pub const LEN: usize = 16;

    /// The key that stands in these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; Self::LEN] = bytes.try_into().ok()?;
        let (low, high) = bytes.split_at(8);
        Some(Self(word(low), word(high)))
    }

    /// A key out of readings that nobody can predict all of: their digest under two keys that differ.
    #[must_use]
    pub fn gathered(readings: &[u8]) -> [u8; Self::LEN] {
        let mut key = [0; Self::LEN];
        let words = [Self(0, 0), Self(1, 1)].map(|half| half.hash(&[readings]).to_le_bytes());
        for (byte, drawn) in key.iter_mut().zip(words.into_iter().flatten()) {
            *byte = drawn;
        }
        key
    }

    /// The hash of parts that follow each other.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> u64 {
        let mut state = State {
            v0: self.0 ^ 0x736f_6d65_7073_6575,
            v1: self.1 ^ 0x646f_7261_6e64_6f6d,
            v2: self.0 ^ 0x6c79_6765_6e65_7261,
            v3: self.1 ^ 0x7465_6462_7974_6573,
        };
        let text = parts.concat();
        let (words, rest) = text.as_chunks::<8>();
        for bytes in words {
            state.absorb(u64::from_le_bytes(*bytes));
        }
        // The last word holds what is left over, and the length in its highest byte.
        state.absorb(word(rest) | (text.len() as u64) << 56);
        state.finish()
    }
}

/// Up to eight bytes as a number, the first of them the lowest.
fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    fn absorb(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.round();
        self.v0 ^= word;
    }

    fn finish(mut self) -> u64 {
        self.v2 ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        self.v0 ^ self.v1 ^ self.v2 ^ self.v3
    }

    const fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn counting(len: u8) -> Vec<u8> {
        (0..len).collect()
    }

    #[test]
    fn the_paper_s_vectors_hold() {
        let key = Key::from_bytes(&counting(16)).unwrap();
        for (len, expected) in [
            (0, 0x726f_db47_dd0e_0e31),
            (1, 0x74f8_39c5_93dc_67fd),
            (7, 0xab02_00f5_8b01_d137),
            (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ] {
            assert_eq!(key.hash(&[&counting(len)]), expected, "{len}");
        }
        assert_eq!(key.hash(&[b"\0\x01", &[], b"\x02"]), key.hash(&[&counting(3)]));
    }

    #[test]
    fn other_keys_hash_otherwise() {
        let of = |bytes: &[u8]| Key::from_bytes(bytes).unwrap().hash(&[b"subject"]);
        let key = Key::gathered(b"one");
        assert_ne!(of(&key), of(&Key::gathered(b"two")));
        assert_eq!(of(&key), of(&Key::gathered(b"one")));
        let (low, high) = key.split_at(8);
        assert_ne!(low, high);
        assert_eq!(Key::from_bytes(&counting(15)), None);
        assert_eq!(Key::from_bytes(&counting(17)), None);
    }
}
