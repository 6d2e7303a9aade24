//! The loop: mutate, run, measure, keep what was new.

use super::chance::Chance;
use super::{memory, mutate};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The longest input, in bytes.
const MAX_INPUT: usize = 32 << 10;
/// The most memory that one input may take.
const MAX_MEMORY: usize = 256 << 20;
/// The most time on a processor; much more is a hang, which ends the process.
const MAX_TIME: Duration = Duration::from_secs(5);
const HANG: Duration = Duration::from_secs(120);
/// Inputs that are kept for mutation.
const MAX_POOL: usize = 4000;

/// Something that reads text.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Pieces to be put where they do not belong.
    pub(crate) pieces: &'static [&'static str],
    /// A piece from a grammar.
    pub(crate) grow: fn(&mut Chance) -> String,
    /// Reads the input; gives what it said about it. What must hold is asserted in here.
    pub(crate) run: fn(&str) -> Vec<String>,
}

/// What one input took.
struct Cost {
    memory: usize,
    time: Duration,
}

struct Fuzzer<'t> {
    target: &'t Target,
    pool: Vec<String>,
    seen: HashSet<u64>,
    /// The input that is running, for a process that ends without a word.
    current: PathBuf,
    worst: Cost,
}

fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(kind).join(target)
}

/// The files of a folder, sorted by name; none if it does not exist.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| lossy(&std::fs::read(path).expect("a file"))).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Replays the corpus and the regressions, then fuzzes until the time is over.
pub(crate) fn fuzz(target: &Target) {
    let seconds = number("KILN_FUZZ_SECONDS").unwrap_or(12);
    let seed = number("KILN_FUZZ_SEED").unwrap_or(1);
    println!("fuzz {}: KILN_FUZZ_SEED={seed} KILN_FUZZ_SECONDS={seconds}", target.name);
    let mut fuzzer = Fuzzer::new(target);
    let corpus = files(&folder("corpus", target.name));
    assert!(!corpus.is_empty(), "the corpus of {} is there", target.name);
    let replayed: Vec<String> =
        corpus.into_iter().chain(files(&folder("regressions", target.name))).collect();
    for input in &replayed {
        fuzzer.run(input);
    }
    // They are worth mutating whatever they say.
    fuzzer.pool.clone_from(&replayed);
    let watch = Watch::start(&fuzzer.current);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut chance = Chance::new(seed);
    let mut count = 0u64;
    while Instant::now() < until {
        let input = fuzzer.next(&mut chance);
        watch.tick();
        if fuzzer.run(&input) && fuzzer.pool.len() < MAX_POOL {
            fuzzer.pool.push(input);
        }
        count += 1;
    }
    let Cost { memory, time } = fuzzer.worst;
    println!(
        "fuzz {}: {} replayed, {count} inputs in {seconds} s ({} said something new), at most {} KiB and {} ms for one; the rest in soak",
        target.name,
        replayed.len(),
        fuzzer.pool.len() - replayed.len(),
        memory >> 10,
        time.as_millis(),
    );
}

impl<'t> Fuzzer<'t> {
    fn new(target: &'t Target) -> Self {
        let current = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
        let worst = Cost { memory: 0, time: Duration::ZERO };
        Self { target, pool: Vec::new(), seen: HashSet::new(), current, worst }
    }

    fn next(&mut self, chance: &mut Chance) -> String {
        // The newest are where the frontier is.
        let len = self.pool.len();
        let at = if chance.once_in(2) { len - 1 - chance.below(len.min(50)) } else { chance.below(len) };
        let other = chance.below(len);
        let mut input = mutate::mutated(&self.pool[at], &self.pool[other], self.target, chance);
        if input.len() > MAX_INPUT {
            input.truncate(input.floor_char_boundary(MAX_INPUT));
        }
        input
    }

    /// Runs one input within its bounds; whether it said something new.
    fn run(&mut self, input: &str) -> bool {
        std::fs::write(&self.current, input).expect("the input can be kept");
        let start = memory::busy();
        let (memory, said) = memory::peak(|| catch_unwind(AssertUnwindSafe(|| (self.target.run)(input))));
        let cost = Cost { memory, time: memory::busy().saturating_sub(start) };
        let problem = match &said {
            Err(_) => Some("it panicked".to_owned()),
            Ok(_) if cost.memory > MAX_MEMORY => Some(format!("it took {} MiB", cost.memory >> 20)),
            Ok(_) if cost.time > MAX_TIME => Some(format!("it took {:?}", cost.time)),
            Ok(_) => None,
        };
        if let Some(problem) = problem {
            panic!(
                "{}: {problem} for the input in {}; put it into tests/fuzz/regressions/{0} and repair what is wrong",
                self.target.name,
                self.current.display()
            );
        }
        self.worst.memory = self.worst.memory.max(cost.memory);
        self.worst.time = self.worst.time.max(cost.time);
        let mut shapes: Vec<String> = said.unwrap_or_default().iter().map(|text| shape(text)).collect();
        shapes.sort();
        shapes.dedup();
        let mut hasher = DefaultHasher::new();
        shapes.hash(&mut hasher);
        self.seen.insert(hasher.finish())
    }
}

/// A message without what differs from input to input: quoted texts and numbers.
fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for sign in text.chars() {
        match (quote, sign) {
            (Some(open), _) if open == sign => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(sign),
            (None, '0'..='9') if out.ends_with('0') => {}
            (None, '0'..='9') => out.push('0'),
            (None, _) => out.push(sign),
        }
    }
    out
}

/// Ends the process when an input hangs, which no panic can.
struct Watch {
    /// Milliseconds since the start at which the current input began.
    began: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    start: Instant,
}

impl Watch {
    fn start(current: &Path) -> Self {
        let watch = Self { began: Arc::default(), done: Arc::default(), start: Instant::now() };
        let (began, done, start, current) =
            (Arc::clone(&watch.began), Arc::clone(&watch.done), watch.start, current.to_path_buf());
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(200));
                let since =
                    start.elapsed().saturating_sub(Duration::from_millis(began.load(Ordering::Relaxed)));
                if since > HANG {
                    eprintln!("fuzz: the input in {} hangs", current.display());
                    std::process::abort();
                }
            }
        });
        watch
    }

    fn tick(&self) {
        self.began.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
