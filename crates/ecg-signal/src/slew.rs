//! Limits how fast the signal may move: what is faster than any heart is taken off the baseline from there on.
//!
//! An electrode that jumps by 300 mV, a converter that comes back from its rail and the spike of a pacemaker are
//! thousands of times larger than what an ECG does between two samples, and every filter behind would ring with them for
//! seconds. Such a step is carried as an offset. For some milliseconds after a jump smaller steps are taken with it,
//! because the second edge of a spike is seldom as steep as the first; if the signal is then back where it came from, it
//! was a spike, and the offset is what it was before. So a jump leaves nothing and neither does a spike. A lone sample
//! beside the line of its neighbours, as a damaged byte makes it, is put on the line; of a source of 120 to 250 Hz also
//! two in a row, which is all that such a board leaves of a spike. Otherwise the signal passes untouched, but for the constant.
//! Must not know what jumped or why.
//!
//! ```text
//! d = x[n] − x[n−1];  y = x[n] − offset
//! offset += d if |d| > sure, or if |d| > 6 mean |d| and |d| > likely, or |d| > sudden with nothing like it before
//! ```
//!
//! The output is some milliseconds late: the converter's own filter begins an edge gently, and what came of it before
//! the jump was plain is taken back, too. Strong mains are as steep as a jump, but steep all the time; they are for the
//! notch to take, and cutting them up here would leave nothing for it.

mod pulse;
mod usual;

use crate::kernel::Kernel;
use crate::units::Hertz;
use usual::UsualStep;

/// What moves faster has no use whatever it is, in millivolts a second: 80 mV between two samples at 250 Hz. The signal
/// of an open input or a converter between its rails goes so, and mains of 53 mV.
const SURE_MV_PER_S: f64 = 20_000.0;
/// What moves faster is no heart unless the signal moves so all the time: 4.4 mV between two samples at 250 Hz. The
/// steepest heartbeats of MIT-BIH, ECG-ID and Heartprint have 230 to 400 mV/s, and a gain that is set wrong may make
/// them a few times as steep. At 600 mV/s fewer spikes of 5 to 12 mV go unseen, but a ventricular beat at four times its
/// size is cut up, and so is muscle noise, whose remains are sooner taken for a heart.
const LIKELY_MV_PER_S: f64 = 1100.0;
/// How much steeper than the mean a likely jump is: a sine's steepest is 1.6 times its mean, and white noise is never
/// beyond this.
const STANDS_OUT: f64 = 6.0;
/// What moves so fast all at once is no heart either: 2 mV between two samples at 250 Hz, a quarter more than the steepest
/// beats. A pacemaker's spike of 12 mV, spread over the samples by the converter, is no steeper …
const SUDDEN_MV_PER_S: f64 = 500.0;
/// … but it comes out of nothing, while the slope of a QRS grows: two and three samples before, it is more than this share
/// of what it becomes. (Both, for at the bottom of a Q wave one of them is nothing.)
const GROWN: f64 = 1.0 / 8.0;
/// A mean grows from at least this share of a likely jump.
const LEAST_MEAN: f64 = 1.0 / 16.0;
/// Time over which that mean is taken: some periods of the mains.
const MEAN_S: f64 = 0.1;
/// What is not believed just before and after a jump, in millivolts a second.
const AFTERMATH_MV_PER_S: f64 = 250.0;
/// How long a jump has an aftermath: a pacemaker's spike lasts up to 2 ms and is spread by the board's own filter.
const AFTERMATH_S: f64 = 0.012;
/// A signal that is so near to where it was before the jump has come back, in millivolts: a heart moves so far meanwhile.
const BACK_MV: f64 = 2.0;
/// How late the output is: one sample at 250 Hz, which is how gently an edge begins there. (Two of a slower source.)
const DELAY_S: f64 = 0.004;
/// A lone sample this far beside the line of its neighbours is a glitch, in millivolts: a fifth of a byte's worth at the
/// wrong place …
const GLITCH_MV: f64 = 0.6;
/// … if the steps round it are no larger than this share: at the top of the narrowest QRS, and of mains, they are.
const GLITCH_QUIET: f64 = 0.25;

/// See the head of the file. In millivolts.
#[derive(Clone, Debug)]
pub struct SlewLimiter {
    sure: f64,
    likely: f64,
    sudden: f64,
    aftermath_limit: f64,
    aftermath: u32,
    /// Mean size of a step: before any is known, as if it were strong mains.
    usual: UsualStep,
    /// Samples for which the last jump still counts.
    alert: u32,
    previous: Option<f64>,
    offset: f64,
    foot: Foot,
    /// Pulses of two samples are mended.
    slow: bool,
    /// Outputs that wait, as a ring, and how many there are.
    held: Box<[f64]>,
    next: usize,
    waiting: usize,
    /// The newest four outputs, newest last.
    newest: [f64; 4],
}

/// The newest sample before whatever moves fast now.
#[derive(Clone, Copy, Debug, Default)]
struct Foot {
    x: f64,
    offset: f64,
    /// Samples since.
    age: usize,
}

impl SlewLimiter {
    /// A limiter for a signal sampled at `fs`.
    pub fn new(fs: Hertz) -> Self {
        Self {
            sure: SURE_MV_PER_S / fs.0,
            likely: LIKELY_MV_PER_S / fs.0,
            sudden: SUDDEN_MV_PER_S / fs.0,
            aftermath_limit: AFTERMATH_MV_PER_S / fs.0,
            aftermath: fs.samples(AFTERMATH_S).max(1) as u32,
            usual: UsualStep::new(fs, MEAN_S, LIKELY_MV_PER_S / fs.0),
            alert: 0,
            previous: None,
            offset: 0.0,
            foot: Foot::default(),
            held: vec![0.0; fs.samples(DELAY_S).max(if pulse::RATES.contains(&fs) { 2 } else { 1 })].into(),
            slow: pulse::RATES.contains(&fs),
            next: 0,
            waiting: 0,
            newest: [0.0; 4],
        }
    }

    /// Whether the newest sample was a jump.
    #[inline]
    pub fn has_jumped(&self) -> bool {
        self.alert == self.aftermath
    }

    /// The output for `x`, not yet late.
    #[inline]
    fn limit(&mut self, x: f64) -> f64 {
        let Some(previous) = self.previous.replace(x) else {
            self.newest = [x; 4];
            self.foot = Foot { x, offset: 0.0, age: 0 };
            return x;
        };
        let mean = self.usual.mean();
        let step = x - previous;
        let size = step.abs();
        self.foot.age += 1;
        let stands_out = size > self.sudden && size > STANDS_OUT * mean;
        let jumps = size > self.sure || stands_out && (size > self.likely || self.is_sudden(size));
        // One glitch must not make the next one usual; strong mains become usual within some periods.
        let most = STANDS_OUT * mean.max(LEAST_MEAN * self.likely);
        self.usual.take(size.min(most));
        if jumps {
            self.jump(step);
        } else if self.alert > 0 {
            self.settle(x, step);
        } else if size <= self.aftermath_limit {
            self.foot = Foot { x, offset: self.offset, age: 0 };
        }
        x - self.offset
    }

    /// Whether a step of this size has come out of nothing.
    #[inline]
    fn is_sudden(&self, size: f64) -> bool {
        let [first, second, third, _] = self.newest;
        let before = (second - first).abs().max((third - second).abs());
        before < GROWN * size
    }

    /// Takes a step, and with it what of its edge is still here.
    fn jump(&mut self, step: f64) {
        self.offset += step;
        let edge = self.foot.age - 1;
        if self.alert == 0 && (1..=self.aftermath as usize).contains(&edge) {
            let level = self.foot.x - self.foot.offset;
            self.offset += self.newest[3] - level;
            for back in 1..=edge.min(self.waiting) {
                let slot = (self.next + self.held.len() - back) % self.held.len();
                self.held[slot] = level;
            }
            self.newest = [self.newest[0], self.newest[1], level, level];
        }
        self.alert = self.aftermath;
    }

    /// A sample of the aftermath.
    #[inline]
    fn settle(&mut self, x: f64, step: f64) {
        self.alert -= 1;
        if step.abs() > self.aftermath_limit {
            self.offset += step;
        }
        if self.alert == 0 && (x - self.foot.x).abs() <= BACK_MV {
            self.offset = self.foot.offset;
        }
    }

    /// Puts the output before `y` on the line of its neighbours if it is a glitch.
    #[inline]
    fn mend(&mut self, y: f64) {
        let [_, first, before, lone] = self.newest;
        let line = 0.5 * (before + y);
        let beside = (lone - line).abs();
        let quiet = GLITCH_QUIET * beside;
        if beside > GLITCH_MV
            && beside > STANDS_OUT * self.usual.mean()
            && self.waiting > 0
            && (y - before).abs() < quiet
            && (before - first).abs() < quiet
        {
            let slot = (self.next + self.held.len() - 1) % self.held.len();
            self.held[slot] = line;
            self.newest[3] = line;
        }
        if self.slow {
            self.mend_pulse(y);
        }
        let [_, first, before, lone] = self.newest;
        self.newest = [first, before, lone, y];
    }

    /// Puts the two outputs before `y` on the line of their neighbours if they are a pulse out of nothing.
    fn mend_pulse(&mut self, y: f64) {
        let Some(line) = pulse::mended(&self.newest, y, self.usual.mean()).filter(|_| self.waiting >= 2) else {
            return;
        };
        self.newest[2..].copy_from_slice(&line);
        for (back, x) in [2, 1].into_iter().zip(line) {
            let slot = (self.next + self.held.len() - back) % self.held.len();
            self.held[slot] = x;
        }
    }

    /// Takes a block of finite samples in which nothing can happen, and leaves in its place what [`Kernel::push`] of each
    /// of them gives. `false`: something may happen; nothing was taken, and they must be pushed one by one.
    pub fn run_calm_block(&mut self, x: &mut [f64]) -> bool {
        let calm = self.is_calm(x);
        if calm {
            self.pass(x);
        }
        calm
    }

    /// No sample of the block can be a jump, its aftermath or a glitch.
    fn is_calm(&self, x: &[f64]) -> bool {
        let (Some(previous), Some(&first)) = (self.previous, x.first()) else { return false };
        if self.alert > 0 || self.waiting < self.held.len() || x.len() < self.held.len().max(4) {
            return false;
        }
        let [.., before, last] = self.newest;
        let limit = self.aftermath_limit.min(GLITCH_MV);
        let mut onset = (last - before).abs().max((first - self.offset - last).abs()).max((first - previous).abs());
        if self.slow {
            // A pulse is two samples, and the first of the block tells whether it is over.
            onset = onset.max((before - self.newest[1]).abs());
        }
        // All of them, without a look at any: several are compared at once.
        x.windows(2).fold(onset <= limit, |calm, pair| calm & ((pair[1] - pair[0]).abs() <= limit))
    }

    /// Takes a calm block: only the mean moves, and nothing looks at it before the next sample that is not calm. Most of a
    /// signal is calm for longer than the mean remembers.
    fn pass(&mut self, x: &mut [f64]) {
        let (Some(previous), Some(&last)) = (self.previous, x.last()) else { return };
        self.usual.owe(previous, x);
        self.previous = Some(last);
        self.foot = Foot { x: last, offset: self.offset, age: 0 };
        x.iter_mut().for_each(|x| *x -= self.offset);
        self.newest = [4, 3, 2, 1].map(|back| x[x.len() - back]);
        // What was held comes out first.
        let held = self.held.len();
        self.held.rotate_left(self.next);
        self.next = 0;
        x.rotate_right(held);
        x[..held].swap_with_slice(&mut self.held);
    }
}

impl Kernel for SlewLimiter {
    type Input = f64;
    type Output = f64;

    /// Takes one finite sample.
    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        let y = self.limit(x);
        self.mend(y);
        let out = std::mem::replace(&mut self.held[self.next], y);
        self.next = if self.next + 1 == self.held.len() { 0 } else { self.next + 1 };
        if self.waiting == self.held.len() {
            return Some(out);
        }
        self.waiting += 1;
        None
    }

    fn flush(&mut self) -> Option<f64> {
        self.waiting = self.waiting.checked_sub(1)?;
        let slot = (self.next + self.held.len() - self.waiting - 1) % self.held.len();
        Some(self.held[slot])
    }

    fn reset(&mut self) {
        self.usual.reset();
        self.alert = 0;
        self.previous = None;
        self.offset = 0.0;
        self.foot = Foot::default();
        self.next = 0;
        self.waiting = 0;
        self.newest = [0.0; 4];
    }

    fn delay(&self) -> f64 {
        self.held.len() as f64
    }
}

#[cfg(test)]
mod tests;
