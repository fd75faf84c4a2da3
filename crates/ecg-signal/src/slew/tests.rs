//! What the limiter takes away, and what it leaves.

use super::*;

fn limited(x: &[f64]) -> Vec<f64> {
    let mut limiter = SlewLimiter::new(Hertz(250.0));
    let mut y: Vec<f64> = x.iter().filter_map(|&v| limiter.push(v)).collect();
    y.extend(std::iter::from_fn(|| limiter.flush()));
    y
}

#[test]
fn what_a_heart_can_do_passes_untouched() {
    let x: Vec<f64> = (0..1000).map(|n| 300.0 + 5.0 * (f64::from(n) * 0.9).sin()).collect();
    assert_eq!(limited(&x), x);
}

#[test]
fn a_step_leaves_nothing_and_neither_does_a_spike() {
    assert_eq!(limited(&[1.0, 1.0, 301.0, 301.0, 301.5, 301.0]), [1.0, 1.0, 1.0, 1.0, 1.5, 1.0]);
    assert_eq!(limited(&[1.0, -799.0, 1.0, 1.0]), [1.0; 4]);
    let ragged = limited(&[0.0, 50.0, 58.0, 3.0, 0.5, 0.0, 0.0]);
    assert!(ragged.iter().all(|y| y.abs() <= 1.0), "{ragged:?}");
}

#[test]
fn a_spike_whose_edges_are_soft_leaves_no_step_behind() {
    for spike in [[0.9, 9.0, 6.0, 0.2], [3.5, 7.5, 3.0, 0.0], [-0.9, -300.0, -90.0, -2.0]] {
        let mut x = vec![0.5; 20];
        x[5..9].iter_mut().zip(spike).for_each(|(x, spike)| *x += spike);
        let y = limited(&x);
        assert!(y[12..].iter().all(|y| *y == 0.5), "{y:?}");
    }
}

#[test]
fn a_lone_small_jump_is_taken_and_strong_mains_are_not() {
    let mut x = vec![1.0; 107];
    x[102] = 6.0;
    x[105..].fill(6.0);
    assert_eq!(limited(&x), [1.0; 107]);
    let mains: Vec<f64> = (0..1000).map(|n| 40.0 * (f64::from(n) * std::f64::consts::TAU * 0.2).sin()).collect();
    let y = limited(&mains);
    let carried = y[50] - mains[50];
    let off = y[50..].iter().zip(&mains[50..]).map(|(y, x)| (y - x - carried).abs()).fold(0.0, f64::max);
    assert!(off < 1e-9, "{off}");
}

#[test]
fn a_tall_beat_after_a_spike_is_kept() {
    let beat: Vec<f64> = (0..60).map(|n| 3.0 * (-0.5 * ((f64::from(n) - 30.0) / 2.5).powi(2)).exp()).collect();
    let mut x = beat.clone();
    x[20] += 50.0;
    let off = limited(&x).iter().zip(&beat).map(|(y, x)| (y - x).abs()).fold(0.0, f64::max);
    assert!(off < 0.1, "{off}");
}

#[test]
fn blocks_of_any_length_give_the_same_as_single_samples() {
    let jump = |n: u32| if n % 50 < 3 { 40.0 * f64::from(n % 50) } else { f64::from(n / 90) * 30.0 };
    let x: Vec<f64> = (0..1000).map(|n| jump(n) + (f64::from(n) * 0.3).sin()).collect();
    for length in [1, 7, 64, 1000] {
        let mut limiter = SlewLimiter::new(Hertz(250.0));
        let mut y = Vec::new();
        for block in x.chunks(length) {
            let mut block = block.to_vec();
            if limiter.run_calm_block(&mut block) {
                y.extend(block);
            } else {
                y.extend(block.iter().filter_map(|&x| limiter.push(x)));
            }
        }
        y.extend(std::iter::from_fn(|| limiter.flush()));
        assert_eq!(y, limited(&x), "blocks of {length}");
    }
}

#[test]
fn the_first_sample_is_no_jump_and_reset_forgets() {
    let mut limiter = SlewLimiter::new(Hertz(500.0));
    let mut all = |x: [f64; 2]| {
        let mut y: Vec<f64> = x.iter().filter_map(|&v| limiter.push(v)).collect();
        y.extend(std::iter::from_fn(|| limiter.flush()));
        limiter.reset();
        y
    };
    assert_eq!(all([-400.0, 0.0]), [-400.0, -400.0]);
    assert_eq!(all([123.0, 123.0]), [123.0, 123.0]);
}

#[test]
fn a_pulse_at_the_end_of_a_block_is_mended_as_one_by_itself() {
    for fs in [125.0, 200.0] {
        let x = [&[0.0; 40][..], &[1.55, 0.96, 0.37, 0.37, 0.37, 0.37, 0.37, 0.37]].concat();
        for cut in 38..46 {
            let (mut singly, mut in_blocks) = (SlewLimiter::new(Hertz(fs)), SlewLimiter::new(Hertz(fs)));
            let expected: Vec<f64> = x.iter().filter_map(|&v| singly.push(v)).collect();
            let mut found = Vec::new();
            for block in [&x[..cut], &x[cut..]] {
                let mut taken = block.to_vec();
                if in_blocks.run_calm_block(&mut taken) {
                    found.extend(taken);
                } else {
                    found.extend(block.iter().filter_map(|&v| in_blocks.push(v)));
                }
            }
            assert_eq!(found, expected, "{fs} Hz, cut at {cut}");
        }
    }
}
