//! For tests only: numbers that are hard on long arithmetic, from a generator that gives the same ones in every run.

use num_bigint::BigUint;

/// How often a test that compares with a reference tries. `GATEHOUSE_KERNEL_ROUNDS` asks for more, which is for release
/// builds: a million takes minutes there.
pub(super) fn rounds(usually: u32) -> u32 {
    std::env::var("GATEHOUSE_KERNEL_ROUNDS").map_or(usually, |rounds| rounds.parse().unwrap())
}

/// What a comparison with a reference found so far. It ends after a few thousand cases, or after as many as
/// `GATEHOUSE_KERNEL_CASES` says; `make kernels` tries a million with each kernel.
pub(super) struct Tally {
    kernel: &'static str,
    wanted: u64,
    accepted: u64,
    refused: u64,
}

impl Tally {
    pub(super) fn new(kernel: &'static str, usually: u64) -> Self {
        let wanted = std::env::var("GATEHOUSE_KERNEL_CASES").map_or(usually, |cases| cases.parse().unwrap());
        Self {
            kernel,
            wanted,
            accepted: 0,
            refused: 0,
        }
    }

    /// Another start for every number of cases, so that a longer run doesn't begin with the shorter one's cases.
    pub(super) fn random(&self) -> Random {
        Random(self.wanted)
    }

    /// Takes note of a verdict on which both sides agreed.
    pub(super) fn note(&mut self, accepted: bool) -> bool {
        *(if accepted {
            &mut self.accepted
        } else {
            &mut self.refused
        }) += 1;
        accepted
    }

    pub(super) fn is_full(&self) -> bool {
        self.accepted + self.refused >= self.wanted
    }

    /// Says how many there were. Were nearly all of one kind, the comparison would show little.
    #[allow(clippy::print_stdout)]
    pub(super) fn report(&self) {
        let (accepted, refused) = (self.accepted, self.refused);
        println!("{}: {} compared, {accepted} accepted", self.kernel, accepted + refused);
        assert!(
            accepted * 10 > refused && refused * 10 > accepted,
            "{accepted} {refused}"
        );
    }
}

/// `SplitMix64` (Steele, Lea and Flood 2014): deterministic, and good enough to pick test cases.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_be_bytes()[0])
    }

    /// A number below 2^`bits`: any, or one with long runs of equal bits, or of limbs that are all ones, a lone bit at the
    /// limb's end, or zero, or next to a power of two.
    pub(super) fn number(&mut self, bits: usize) -> BigUint {
        let number = match self.below(5) {
            0 | 1 => self.uniform(bits),
            2 => self.runs(bits),
            3 => self.limbs(bits),
            _ => self.near_a_power(bits),
        };
        number & ((BigUint::from(1_u8) << bits) - 1_u8)
    }

    /// Like [`Self::number`], but below a bound, and often next to it or to zero.
    pub(super) fn number_below(&mut self, bound: &BigUint) -> BigUint {
        let small = BigUint::from(self.next() % 9);
        match self.below(12) {
            0 => small % bound,
            1 => bound - 1_u8 - small % bound,
            _ => self.number(usize::try_from(bound.bits()).unwrap()) % bound,
        }
    }

    fn uniform(&mut self, bits: usize) -> BigUint {
        let bytes: Vec<_> = (0..bits.div_ceil(8)).map(|_| self.next().to_be_bytes()[0]).collect();
        BigUint::from_bytes_be(&bytes)
    }

    fn runs(&mut self, bits: usize) -> BigUint {
        let (mut number, mut place) = (BigUint::from(0_u8), 0);
        while place < bits {
            let length = 1 + self.below(64);
            if self.below(2) == 1 {
                number |= ((BigUint::from(1_u8) << length) - 1_u8) << place;
            }
            place += length;
        }
        number
    }

    fn limbs(&mut self, bits: usize) -> BigUint {
        let width = [28, 29, 32][self.below(3)];
        let ones = (1 << width) - 1;
        (0..bits.div_ceil(width)).fold(BigUint::from(0_u8), |number, _| {
            let limb = [0, 1, ones, ones >> 1, (ones >> 1) + 1, self.next() & ones][self.below(6)];
            number << width | BigUint::from(limb)
        })
    }

    fn near_a_power(&mut self, bits: usize) -> BigUint {
        let (power, small) = (BigUint::from(1_u8) << (8 + self.below(bits - 8)), self.next() % 9);
        if self.below(2) == 1 {
            power + small
        } else {
            power - small
        }
    }
}

/// Big-endian, in so many bytes.
pub(super) fn big_endian<const N: usize>(number: &BigUint) -> [u8; N] {
    let bytes = number.to_bytes_be();
    let mut padded = [0; N];
    padded[N - bytes.len()..].copy_from_slice(&bytes);
    padded
}

pub(super) fn little_endian<const N: usize>(number: &BigUint) -> [u8; N] {
    let mut bytes = big_endian(number);
    bytes.reverse();
    bytes
}

pub(super) fn from_hex(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}
