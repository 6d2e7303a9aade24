//! Which build may start now: in order, at most so many at once. Pure.

use std::collections::VecDeque;

/// The builds that wait and how many run.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: VecDeque<usize>,
    running: usize,
    most: usize,
}

impl Schedule {
    /// `count` builds, at most `most` at once; 0 is no bound.
    pub(crate) fn new(count: usize, most: usize) -> Self {
        Self { waiting: (0..count).collect(), running: 0, most: if most == 0 { usize::MAX } else { most } }
    }

    /// The build to start now, which then counts as running.
    pub(crate) fn start_next(&mut self) -> Option<usize> {
        if self.running >= self.most {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.running += 1;
        Some(next)
    }

    /// One that ran has ended.
    pub(crate) fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Those that never start any more.
    pub(crate) fn give_up(&mut self) -> Vec<usize> {
        self.waiting.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn in_order_and_bounded() {
        let mut schedule = Schedule::new(3, 2);
        assert_eq!(
            (schedule.start_next(), schedule.start_next(), schedule.start_next()),
            (Some(0), Some(1), None)
        );
        schedule.ended();
        assert_eq!((schedule.start_next(), schedule.start_next()), (Some(2), None));
    }

    #[test]
    fn zero_is_no_bound_and_the_rest_can_be_given_up() {
        let mut schedule = Schedule::new(5, 0);
        assert_eq!([schedule.start_next(), schedule.start_next()], [Some(0), Some(1)]);
        assert_eq!(schedule.give_up(), [2, 3, 4]);
        assert_eq!(schedule.start_next(), None);
    }
}
