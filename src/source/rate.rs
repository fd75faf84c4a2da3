//! Samples that never came, seen by rate: for formats without a counter there is no other witness.
//!
//! Pure: time is passed in. Differences from a plain count over a window: what arrives too fast is never a credit
//! against a later loss, and a deficit must stand for half a second before it is believed, since a driver that held
//! bytes back delivers them in one burst afterwards.

use std::collections::VecDeque;
use std::time::Duration;

/// A board's clock may be this much slower than its nominal rate without anything being missing.
const TOLERANCE: f64 = 0.03;
/// Less than this is never reported, seconds: USB adapters deliver in bursts of up to a tenth of a second.
const SMALLEST_GAP_S: f64 = 0.2;
/// Two windows agree on a rate when they differ by what came so much earlier or later, seconds: 1 % of ten seconds.
const BURST_S: f64 = 0.1;
/// A deficit must stand this long.
const SETTLE: Duration = Duration::from_millis(500);
/// The measured rate is taken over this time.
const WINDOW: Duration = Duration::from_secs(10);

/// Compares arrivals with the nominal rate.
#[derive(Debug)]
pub struct RateMonitor {
    fs_hz: f64,
    last: Option<Duration>,
    /// Samples that should have come and have not, at `1 − TOLERANCE` of the nominal rate; never below zero.
    deficit: f64,
    short_since: Option<Duration>,
}

impl RateMonitor {
    /// A monitor for a nominal rate in Hz.
    #[must_use]
    pub fn new(fs_hz: f64) -> Self {
        Self { fs_hz, last: None, deficit: 0.0, short_since: None }
    }

    /// Takes note of `samples` that arrived at `now`; returns how many are missing, once that is certain.
    pub fn arrived(&mut self, now: Duration, samples: u64) -> Option<u64> {
        let Some(last) = self.last.replace(now) else {
            return None; // The first arrival starts the clock.
        };
        let due = self.fs_hz * (1.0 - TOLERANCE) * now.saturating_sub(last).as_secs_f64();
        self.deficit = (self.deficit + due - samples as f64).max(0.0);
        if self.deficit <= SMALLEST_GAP_S * self.fs_hz {
            self.short_since = None;
            return None;
        }
        let since = *self.short_since.get_or_insert(now);
        if now.saturating_sub(since) < SETTLE {
            return None;
        }
        let missing = (self.deficit / (1.0 - TOLERANCE)).round() as u64;
        self.deficit = 0.0;
        self.short_since = None;
        Some(missing)
    }

    /// Samples that are already known to be missing from another witness: they are not to be reported twice.
    pub fn credit(&mut self, missing: u64) {
        self.deficit = (self.deficit - missing as f64).max(0.0);
    }

    /// Starts again: the source was away, and its absence is accounted for elsewhere.
    pub fn reset(&mut self) {
        *self = Self::new(self.fs_hz);
    }
}

/// Measures the rate of arrival over the last ten seconds.
#[derive(Debug, Default)]
pub struct RateMeter {
    arrivals: VecDeque<(Duration, u64)>,
    sum: u64,
}

impl RateMeter {
    /// Takes note of `samples` that arrived at `now`.
    pub fn arrived(&mut self, now: Duration, samples: u64) {
        self.arrivals.push_back((now, samples));
        self.sum += samples;
        while let Some(&(at, count)) = self.arrivals.front()
            && now.saturating_sub(at) > WINDOW
        {
            self.arrivals.pop_front();
            self.sum -= count;
        }
    }

    /// Samples a second over what there is, if that is at least `shortest`.
    #[must_use]
    pub fn hz_after(&self, shortest: Duration) -> Option<f64> {
        let (&(first, head), &(last, _)) = (self.arrivals.front()?, self.arrivals.back()?);
        let span = last.saturating_sub(first);
        // What came at the first moment was collected before it.
        (span >= shortest && !span.is_zero()).then(|| (self.sum - head) as f64 / span.as_secs_f64())
    }
}

/// Finds the rate at which samples keep arriving: two windows, one after the other, must agree on it. A board that
/// stutters, or that begins in the midst of a window, has none.
#[derive(Debug)]
pub struct SteadyRate {
    window: Duration,
    /// When the present window began, and the samples that have come since.
    since: Option<Duration>,
    samples: u64,
    /// What the window before measured, Hz.
    before: Option<f64>,
}

impl SteadyRate {
    /// Two windows of this length.
    #[must_use]
    pub fn over(window: Duration) -> Self {
        Self { window, since: None, samples: 0, before: None }
    }

    /// Takes note of `samples` that arrived at `now`; gives their rate in Hz at the end of a window that agrees with the
    /// one before.
    pub fn arrived(&mut self, now: Duration, samples: u64) -> Option<f64> {
        // What came at the first moment was collected before it.
        let Some(since) = self.since else {
            self.since = Some(now);
            return None;
        };
        self.samples += samples;
        let span = now.saturating_sub(since);
        if span < self.window {
            return None;
        }
        let hz = std::mem::take(&mut self.samples) as f64 / span.as_secs_f64();
        self.since = Some(now);
        let before = self.before.replace(hz)?;
        let agrees = (hz - before).abs() * self.window.as_secs_f64() <= BURST_S * before;
        agrees.then_some(0.5 * (hz + before))
    }
}

/// The rate that a measured one stands for: a usual one, or whole hertz.
#[must_use]
pub fn nominal(measured_hz: f64) -> f64 {
    snap(measured_hz).unwrap_or_else(|| measured_hz.round())
}

/// The usual rate within 2 % of a measured one: boards run at 100, 125, 128, 200, 250, 500, 1000 or 2000 Hz.
#[must_use]
pub fn snap(measured_hz: f64) -> Option<f64> {
    [100.0, 125.0, 128.0, 200.0, 250.0, 500.0, 1000.0, 2000.0]
        .into_iter()
        .min_by(|a: &f64, b: &f64| (a - measured_hz).abs().total_cmp(&(b - measured_hz).abs()))
        .filter(|usual| (measured_hz / usual - 1.0).abs() <= 0.02)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Duration = Duration::from_millis(20);

    /// Feeds `samples_of(i)` every 20 ms and returns what is reported.
    fn feed(monitor: &mut RateMonitor, from: Duration, blocks: u32, samples_of: impl Fn(u32) -> u64) -> Vec<u64> {
        (0..blocks).filter_map(|i| monitor.arrived(from + BLOCK * i, samples_of(i))).collect()
    }

    #[test]
    fn a_steady_stream_is_never_a_gap() {
        assert_eq!(feed(&mut RateMonitor::new(250.0), Duration::ZERO, 5_000, |_| 5), [0_u64; 0]);
    }

    #[test]
    fn a_board_whose_clock_is_two_percent_slow_loses_nothing() {
        let slow = |i: u32| if i.is_multiple_of(10) { 4 } else { 5 };
        assert_eq!(feed(&mut RateMonitor::new(250.0), Duration::ZERO, 5_000, slow), [0_u64; 0]);
    }

    #[test]
    fn two_lost_seconds_are_reported_once_and_nearly_exactly() {
        let lost = |i: u32| if (500..600).contains(&i) { 0 } else { 5 };
        let mut monitor = RateMonitor::new(250.0);
        let mut reports = Vec::new();
        for i in 0..2_000_u32 {
            if lost(i) > 0 {
                reports.extend(monitor.arrived(BLOCK * i, lost(i)));
            }
        }
        assert_eq!(reports.len(), 1);
        assert!((490..=510).contains(&reports[0]), "{reports:?}");
    }

    #[test]
    fn a_steady_loss_of_a_tenth_is_reported() {
        let thin = |i: u32| if i.is_multiple_of(2) { 5 } else { 4 };
        let reports = feed(&mut RateMonitor::new(250.0), Duration::ZERO, 3_000, thin);
        let lost: u64 = reports.iter().sum();
        assert!((900..=1_600).contains(&lost), "of 1500 lost samples {lost} were seen");
    }

    #[test]
    fn a_hiccup_that_the_driver_makes_good_is_not_a_gap() {
        let mut monitor = RateMonitor::new(250.0);
        assert!(feed(&mut monitor, Duration::ZERO, 100, |_| 5).is_empty());
        let resumed = BLOCK * 100 + Duration::from_millis(1_500);
        let reports: Vec<u64> = [100, 100, 100, 80].into_iter().filter_map(|n| monitor.arrived(resumed, n)).collect();
        assert!(reports.is_empty());
        assert!(feed(&mut monitor, resumed + BLOCK, 1_000, |_| 5).is_empty());
    }

    #[test]
    fn faster_than_real_time_is_no_gap_and_no_credit() {
        let mut monitor = RateMonitor::new(250.0);
        assert!(feed(&mut monitor, Duration::ZERO, 500, |_| 500).is_empty());
        let resumed = BLOCK * 500 + Duration::from_secs(3);
        let reports = feed(&mut monitor, resumed, 200, |_| 5);
        assert_eq!(reports.len(), 1, "a loss after a surplus is still seen");
    }

    #[test]
    fn a_credited_loss_is_not_reported_twice() {
        let mut monitor = RateMonitor::new(250.0);
        feed(&mut monitor, Duration::ZERO, 50, |_| 5);
        let resumed = BLOCK * 50 + Duration::from_secs(2);
        assert_eq!(monitor.arrived(resumed, 5), None);
        monitor.credit(500);
        assert!(feed(&mut monitor, resumed + BLOCK, 500, |_| 5).is_empty());
    }

    #[test]
    fn the_meter_measures_and_snaps_to_a_usual_rate() {
        let mut meter = RateMeter::default();
        for i in 0..600_u32 {
            assert!(i > 440 || meter.hz_after(BLOCK * 440).is_none());
            meter.arrived(BLOCK * i, 5);
        }
        let hz = meter.hz_after(BLOCK * 440).expect("the window is full");
        assert!((hz - 250.0).abs() < 0.5);
        assert_eq!(snap(hz), Some(250.0));
        assert_eq!(snap(126.4), Some(125.0));
        assert_eq!(snap(128.3), Some(128.0));
        assert_eq!(snap(360.0), None);
        assert_eq!([nominal(198.7), nominal(361.6)], [200.0, 362.0]);
    }

    /// What the blocks of two minutes say of their rate, with `samples_of` each.
    fn steady(samples_of: impl Fn(u32) -> u64) -> Vec<f64> {
        let mut steady = SteadyRate::over(WINDOW);
        (0..6_000_u32).filter_map(|i| steady.arrived(BLOCK * i, samples_of(i))).collect()
    }

    #[test]
    fn a_steady_rate_is_any_that_two_windows_agree_on() {
        let of_180_hz = steady(|i| if i % 5 < 3 { 4 } else { 3 });
        assert!(of_180_hz.len() > 8 && of_180_hz.iter().all(|hz| (hz - 180.0).abs() < 0.5), "{of_180_hz:?}");
        let stutters = steady(|i| if i % 700 < 350 { 5 } else { 0 });
        assert!(stutters.is_empty(), "{stutters:?}");
    }
}
