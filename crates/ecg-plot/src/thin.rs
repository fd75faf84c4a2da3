//! Leaves out points of a line that nobody could see missing. Points are pixels in ascending order of x.

type Point = (f64, f64);

/// Points per pixel column from which on a line is drawn by the extremes of each column.
const DENSE: f64 = 4.0;
/// How far a point that is left out may lie from the line that stays, pixels: less than anti-aliasing shows.
const INVISIBLE: f64 = 0.12;

/// The points that make the line.
pub(super) fn thinned(points: &[Point]) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() as f64 > DENSE * (last.0 - first.0).max(1.0) { by_columns(points) } else { straightened(points) }
}

/// First, lowest, highest and last point of each pixel column, in their order.
fn by_columns(points: &[Point]) -> Vec<Point> {
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let order = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let lowest = (0..column.len()).min_by(order).unwrap_or(0);
        let highest = (0..column.len()).max_by(order).unwrap_or(0);
        let mut chosen = [0, lowest, highest, column.len() - 1];
        chosen.sort_unstable();
        let mut previous = None;
        for index in chosen {
            if previous.replace(index) != Some(index) {
                kept.push(column[index]);
            }
        }
    }
    kept
}

/// Without the points that lie on the line between their neighbours (D. Douglas and T. Peucker, *Cartographica* 10
/// (1973) 112–122, with the distance taken vertically).
fn straightened(points: &[Point]) -> Vec<Point> {
    let mut keep = vec![false; points.len()];
    (keep[0], keep[points.len() - 1]) = (true, true);
    let mut open = vec![(0, points.len() - 1)];
    while let Some((from, to)) = open.pop() {
        let ((x0, y0), (x1, y1)) = (points[from], points[to]);
        let off = |i: usize| (y0 + (y1 - y0) * (points[i].0 - x0) / (x1 - x0).max(1e-9) - points[i].1).abs();
        let farthest = (from + 1..to).max_by(|a, b| off(*a).total_cmp(&off(*b)));
        if let Some(middle) = farthest.filter(|i| off(*i) > INVISIBLE) {
            keep[middle] = true;
            open.extend([(from, middle), (middle, to)]);
        }
    }
    points.iter().zip(keep).filter_map(|(point, kept)| kept.then_some(*point)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_points_keep_their_extremes() {
        let value = |i: i32| if i == 54_321 { 99.0 } else { f64::from(i % 2) };
        let points: Vec<_> = (0..100_000).map(|i| (f64::from(i) / 1000.0, value(i))).collect();
        let kept = thinned(&points);
        assert!(kept.len() <= 400 && kept.contains(&(54.321, 99.0)), "{}", kept.len());
    }

    #[test]
    fn what_is_left_out_lies_on_the_line_that_stays() {
        let points: Vec<_> = (0..200).map(|i| (f64::from(i) * 2.0, 50.0 * (f64::from(i) * 0.03).sin())).collect();
        let kept = thinned(&points);
        assert!(kept.len() < 100, "{}", kept.len());
        for (x, y) in points {
            let after = kept.partition_point(|(at, _)| *at < x).clamp(1, kept.len() - 1);
            let ((x0, y0), (x1, y1)) = (kept[after - 1], kept[after]);
            assert!((y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y).abs() <= INVISIBLE);
        }
        assert_eq!(thinned(&[(1.0, 2.0)]), [(1.0, 2.0)]);
        assert_eq!(thinned(&[]), []);
    }
}
