//! Points of a plane that come and go, and how many of them lie in a rectangle.
//!
//! Coordinates are ranks: no two points share a y or a z. The plane is cut into bands of rows and of columns; each band of
//! rows keeps the running count of its points over the bands of columns. A rectangle is then whole bands, from the running
//! counts, and the rims around them, whose points are looked at one by one. With bands of √n ranks that are some √n
//! steps for a coming, a going and a question. Must not know what the points are.

/// The z of a point that has none: it counts by its y alone.
pub(super) const NO_NEXT: u32 = u32::MAX - 1;
const ABSENT: u32 = u32::MAX;

/// The points.
pub(super) struct Plane {
    /// Ranks in a band: 2 to the power of this.
    shift: u32,
    /// z of the point in each y, y of the point in each z.
    z_of_y: Vec<u32>,
    y_of_z: Vec<u32>,
    /// Points in each band of rows.
    in_rows: Vec<u32>,
    /// For each band of rows, points with a z below each band of columns; the last entry counts all with a z.
    running: Vec<u32>,
    columns: usize,
}

/// How many points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// With a y in the range.
    pub(super) all: u32,
    /// Those of them that have a z.
    pub(super) with_next: u32,
    /// Those with a z in the range, too.
    pub(super) in_rectangle: u32,
}

impl Plane {
    /// An empty plane for `rows` different y and `columns` different z.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let shift = (rows as f64).sqrt().max(32.0).log2() as u32;
        let bands = |ranks: usize| (ranks >> shift) + 1;
        let width = bands(columns) + 1;
        Self {
            shift,
            z_of_y: vec![ABSENT; rows],
            y_of_z: vec![ABSENT; columns],
            in_rows: vec![0; bands(rows)],
            running: vec![0; bands(rows) * width],
            columns: width,
        }
    }

    pub(super) fn insert(&mut self, (y, z): (u32, u32)) {
        self.z_of_y[y as usize] = z;
        self.change((y, z), 1, y);
    }

    pub(super) fn remove(&mut self, (y, z): (u32, u32)) {
        self.z_of_y[y as usize] = ABSENT;
        self.change((y, z), 1u32.wrapping_neg(), ABSENT);
    }

    fn change(&mut self, (y, z): (u32, u32), by: u32, y_in_z: u32) {
        let row = (y >> self.shift) as usize;
        self.in_rows[row] = self.in_rows[row].wrapping_add(by);
        if z == NO_NEXT {
            return;
        }
        self.y_of_z[z as usize] = y_in_z;
        let first = (z >> self.shift) as usize + 1;
        let running = &mut self.running[row * self.columns + first..(row + 1) * self.columns];
        running.iter_mut().for_each(|count| *count = count.wrapping_add(by));
    }

    /// Points with y in `y`, and z in `z`; ranges without their ends.
    pub(super) fn count(&self, y: (u32, u32), z: (u32, u32)) -> Count {
        let ((low, high), rows) = self.bands(y);
        let mut count = self.rim(y.0, low, z).and(self.rim(high, y.1, z));
        if rows.is_empty() {
            return count;
        }
        let last = self.columns - 1;
        let ((left, right), columns) = self.bands(z);
        for row in rows {
            let running = &self.running[row * self.columns..(row + 1) * self.columns];
            count.all += self.in_rows[row];
            count.with_next += running[last];
            if !columns.is_empty() {
                count.in_rectangle += running[columns.end] - running[columns.start];
            }
        }
        for (from, to) in [(z.0, left), (right, z.1)] {
            count.in_rectangle += within(&self.y_of_z[from as usize..to as usize], (low, high));
        }
        count
    }

    /// The whole bands in a range: the ranks where they begin and end, and which they are. Where there is none, both
    /// ranks are the end of the range.
    fn bands(&self, (from, to): (u32, u32)) -> ((u32, u32), std::ops::Range<usize>) {
        let size = 1 << self.shift;
        let (first, last) = (from.div_ceil(size), to >> self.shift);
        if first >= last {
            return ((to, to), 0..0);
        }
        ((first * size, last * size), first as usize..last as usize)
    }

    fn rim(&self, from: u32, to: u32, z: (u32, u32)) -> Count {
        let places = &self.z_of_y[from as usize..to as usize];
        Count {
            all: places.iter().map(|&place| u32::from(place != ABSENT)).sum(),
            with_next: places.iter().map(|&place| u32::from(place < NO_NEXT)).sum(),
            in_rectangle: within(places, z),
        }
    }
}

impl Count {
    fn and(self, other: Self) -> Self {
        Self {
            all: self.all + other.all,
            with_next: self.with_next + other.with_next,
            in_rectangle: self.in_rectangle + other.in_rectangle,
        }
    }
}

/// How many ranks lie in a range.
fn within(ranks: &[u32], (from, to): (u32, u32)) -> u32 {
    let width = to - from;
    ranks.iter().map(|rank| u32::from(rank.wrapping_sub(from) < width)).sum()
}
