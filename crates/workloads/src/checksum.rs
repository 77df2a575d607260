//! Checksums over facts that no design can choose: addresses, lengths, counters.

use physmem::{PAGE_SIZE, PhysAddr};

/// An order-dependent digest of numbers (the FNV prime, folded by rotation).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Of nothing.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes a number in.
    #[inline]
    pub fn add(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Takes bytes of physical memory in, page by page: however a design cuts them, the
    /// digest is the same.
    #[inline]
    pub fn add_bytes(&mut self, phys: PhysAddr, len: u64) {
        let end = phys + len;
        let mut at = phys;
        while at < end {
            let n = (PAGE_SIZE - at % PAGE_SIZE).min(end - at);
            self.add(at);
            self.add(n);
            at += n;
        }
    }

    /// The digest.
    pub const fn finish(self) -> u64 {
        self.0
    }

    /// The digest of a list of numbers.
    pub fn of(numbers: &[u64]) -> u64 {
        let mut digest = Self::new();
        for &number in numbers {
            digest.add(number);
        }
        digest.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    fn of(ranges: &[(u64, u64)]) -> u64 {
        let mut digest = Digest::new();
        for &(phys, len) in ranges {
            digest.add_bytes(phys, len);
        }
        digest.finish()
    }

    #[test]
    fn a_digest_of_bytes_does_not_depend_on_where_whole_pages_are_cut() {
        assert_eq!(
            of(&[(0x5000, 0x4000)]),
            of(&[(0x5000, 0x1000), (0x6000, 0x3000)])
        );
        assert_eq!(
            of(&[(0x5800, 0x1000)]),
            of(&[(0x5800, 0x800), (0x6000, 0x800)])
        );
    }

    #[test]
    fn a_digest_tells_order_place_and_length_apart() {
        let two = of(&[(0x5000, 0x1000), (0x9000, 0x1000)]);
        assert_ne!(two, of(&[(0x9000, 0x1000), (0x5000, 0x1000)]));
        assert_ne!(two, of(&[(0x5000, 0x1000), (0xa000, 0x1000)]));
        assert_ne!(two, of(&[(0x5000, 0x1000), (0x9000, 0x0800)]));
        assert_ne!(Digest::of(&[0, 1]), Digest::of(&[1, 0]));
    }
}
