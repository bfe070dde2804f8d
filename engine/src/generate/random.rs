//! Random numbers of the generator: the same seed gives the same life for ever, whatever crates do.
//!
//! xoshiro256** 1.0 by Blackman and Vigna ("Scrambled Linear Pseudorandom Number Generators", 2018), its state filled
//! by SplitMix64 (Steele, Lea and Flood, 2014) as its authors advise. Both are in the public domain. Not for secrets.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut walk = seed;
        Self {
            state: [(); 4].map(|()| split_mix(&mut walk)),
        }
    }

    /// A stream of its own for one part of the life, so that a part that draws more does not shift the others.
    #[must_use]
    pub fn stream(seed: u64, part: &str, number: u64) -> Self {
        let mut walk = seed ^ number.wrapping_mul(0xD134_2543_DE82_EF95);
        for byte in part.bytes() {
            walk = split_mix(&mut walk) ^ u64::from(byte);
        }
        Self::new(walk)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A whole number in `0..bound`; 0 if `bound` is 0. Uneven by less than `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A whole number in `low..=high`; `low` if the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).map_or(0, |width| width + 1);
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// A number in `0..1`, 53 bits fine.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normally distributed, mean 0 and deviation 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// How often something of this mean happens (Poisson, by Knuth's product of uniforms); meant for small means.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let floor = libm::exp(-mean);
        let mut product = self.unit();
        let mut count = 0;
        while product > floor && count < 1_000 {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// One of the items; `None` if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).unwrap_or(0);
        usize::try_from(self.below(count))
            .ok()
            .and_then(|index| items.get(index))
    }

    /// One of the items, each as often as its weight says; `None` if there is none.
    pub fn weighted<'a, T>(&mut self, items: &'a [(T, f64)]) -> Option<&'a T> {
        let total: f64 = items.iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        for (item, weight) in items {
            left -= weight;
            if left < 0.0 {
                return Some(item);
            }
        }
        items.last().map(|(item, _)| item)
    }

    /// The items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u64::try_from(last).unwrap_or(0) + 1;
            items.swap(last, usize::try_from(self.below(bound)).unwrap_or(last));
        }
    }

    /// So many lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next_u64()));
        }
        text.truncate(digits);
        text
    }
}

fn split_mix(walk: &mut u64) -> u64 {
    *walk = walk.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *walk;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of SplitMix64 from 1234567, and the first step of xoshiro256** by its definition.
    #[test]
    fn follows_the_published_definitions() {
        let mut walk = 1_234_567;
        assert_eq!(split_mix(&mut walk), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut walk), 3_203_168_211_198_807_973);
        let mut random = Random { state: [1, 2, 3, 4] };
        assert_eq!(random.next_u64(), 11_520);
        assert_eq!(random.next_u64(), 0);
        assert_eq!(random.next_u64(), 1_509_978_240);
    }

    #[test]
    fn stays_in_its_bounds() {
        let mut random = Random::new(1);
        for _ in 0..1_000 {
            assert!(random.below(7) < 7);
            assert!((-3..=4).contains(&random.between(-3, 4)));
            assert!((0.0..1.0).contains(&random.unit()));
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.hex(24).len(), 24);
        assert_eq!(random.pick::<u8>(&[]), None);
        let mean = (0..4_000).map(|_| f64::from(random.poisson(0.8))).sum::<f64>() / 4_000.0;
        assert!((0.7..0.9).contains(&mean), "{mean}");
    }
}
