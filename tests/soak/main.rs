//! Long tests, ignored by `cargo test`: `cargo xtask soak` runs them. Each loops for
//! `KILN_SOAK_MINUTES` and says how often it did what it does.

mod kills;
mod race;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The rounds of one test, with chance that can be repeated: the seed is printed, and taken from
/// `KILN_SOAK_SEED`.
struct Rounds {
    name: &'static str,
    until: Instant,
    done: u64,
    state: u64,
}

impl Rounds {
    fn new(name: &'static str) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<f64>().ok());
        let minutes = number("KILN_SOAK_MINUTES").unwrap_or(1.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
        let seed = std::env::var("KILN_SOAK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(now);
        println!("{name}: KILN_SOAK_SEED={seed}, {minutes} minutes");
        let until = Instant::now() + Duration::from_secs_f64(60.0 * minutes);
        Self { name, until, done: 0, state: seed | 1 }
    }

    /// Whether there is time for another round.
    fn next(&mut self) -> bool {
        let more = Instant::now() < self.until;
        if more {
            self.done += 1;
        } else {
            println!("{}: {} rounds", self.name, self.done);
        }
        more
    }

    /// A number below `limit` (xorshift64*).
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let mixed = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        mixed as usize % limit.max(1)
    }
}
