//! For each template, how many others match it.
//!
//! A template of three intervals is a point (x, y, z); one of two has no z. The points are taken in order of x while those
//! within r of x come into, and go out of, a [`Plane`] of (y, z), which says how many lie in a rectangle. Values are
//! replaced by their ranks, so that a rectangle has whole numbers for edges; the comparison that gives the ranks is the
//! comparison of the definition, `a − b ≤ r` in the same arithmetic, so that every count is exact. A template costs about
//! √n steps instead of n. Must not know what is made of the counts.

use super::super::series::NnSeries;
use super::M;
use super::plane::{NO_NEXT, Plane};

/// The templates of a series, in order of time.
pub(super) struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
    /// The interval that follows; NaN where the run ends.
    z: Vec<f64>,
}

impl Points {
    pub(super) fn of(series: &NnSeries) -> Self {
        let (mut x, mut y, mut z) = (Vec::new(), Vec::new(), Vec::new());
        for run in series.runs() {
            for (k, pair) in run.windows(M).enumerate() {
                x.push(pair[0]);
                y.push(pair[1]);
                z.push(run.get(k + M).copied().unwrap_or(f64::NAN));
            }
        }
        Self { x, y, z }
    }
}

/// What one template matches, itself included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    /// Templates of two that match it.
    pub(super) short: u32,
    /// For a template with a next interval: those with a next interval that match its first two, and all three.
    pub(super) next: Option<(u32, u32)>,
}

/// Values of one coordinate in ascending order: whose they are, and which of them lie within r of each.
struct Order {
    /// Point of each rank.
    points: Vec<u32>,
    /// First rank within r, and the one after the last, for each rank.
    reach: Vec<(u32, u32)>,
}

impl Order {
    fn of(values: &[f64], r: f64) -> Self {
        let mut points: Vec<u32> = (0..values.len() as u32).filter(|&k| !values[k as usize].is_nan()).collect();
        points.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let sorted: Vec<f64> = points.iter().map(|&point| values[point as usize]).collect();
        let (mut low, mut high) = (0, 0);
        let reach = |&value: &f64| {
            while value - sorted[low] > r {
                low += 1;
            }
            while high < sorted.len() && sorted[high] - value <= r {
                high += 1;
            }
            (low as u32, high as u32)
        };
        let reach = sorted.iter().map(reach).collect();
        Self { points, reach }
    }

    /// Rank of each of `count` points; [`NO_NEXT`] where it has none.
    fn ranks(&self, count: usize) -> Vec<u32> {
        let mut ranks = vec![NO_NEXT; count];
        for (rank, &point) in self.points.iter().enumerate() {
            ranks[point as usize] = rank as u32;
        }
        ranks
    }
}

/// Tallies every template, in ascending order of its first interval.
pub(super) fn sweep(points: &Points, r: f64, take: &mut impl FnMut(Tally)) {
    let count = points.x.len();
    let [x, y, z] = [&points.x, &points.y, &points.z].map(|values| Order::of(values, r));
    let (y_ranks, z_ranks) = (y.ranks(count), z.ranks(count));
    let mut plane = Plane::new(count, z.points.len());
    let (mut inside, mut gone) = (0, 0);
    for (&point, &(low, high)) in x.points.iter().zip(&x.reach) {
        let place = |rank: u32| {
            let point = x.points[rank as usize] as usize;
            (y_ranks[point], z_ranks[point])
        };
        (inside..high).for_each(|rank| plane.insert(place(rank)));
        (gone..low).for_each(|rank| plane.remove(place(rank)));
        (inside, gone) = (high, low);
        let (y_rank, z_rank) = (y_ranks[point as usize], z_ranks[point as usize]);
        let across = y.reach[y_rank as usize];
        let up = (z_rank != NO_NEXT).then(|| z.reach[z_rank as usize]);
        let found = plane.count(across, up.unwrap_or((0, 0)));
        take(Tally { short: found.all, next: up.map(|_| (found.with_next, found.in_rectangle)) });
    }
}
