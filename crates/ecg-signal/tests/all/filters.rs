//! Filters against scipy's causal output, and their stated delay against the measured one.

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design::{self, DesignError, Sections};
use ecg_signal::{Hertz, Kernel};

use crate::golden::{dsp, largest_difference, numbers};
use crate::wave::Noise;

const FS: Hertz = Hertz(250.0);

/// Sample by sample, and checked against blocks.
fn filtered(design: &Sections, x: &[f64]) -> Vec<f64> {
    let (mut filter, mut blocks) = (SosFilter::new(design), SosFilter::new(design));
    let y: Vec<f64> = x.iter().map(|&v| filter.run(v)).collect();
    let mut in_blocks = x.to_vec();
    in_blocks.chunks_mut(50).for_each(|block| blocks.run_block(block));
    assert_eq!(in_blocks, y);
    y
}

#[test]
fn filters_equal_scipys_causal_output() {
    let golden = dsp();
    let x = numbers(&golden["x"]);
    let cases = [
        ("butter_4_band", design::band_pass(4, Hertz(0.5), Hertz(40.0), FS)),
        ("highpass_2_0.5", design::high_pass(2, Hertz(0.5), FS)),
        ("lowpass_3_40", design::low_pass(3, Hertz(40.0), FS)),
        ("band_1_8_18", design::band_pass(1, Hertz(8.0), Hertz(18.0), FS)),
        ("band_3_5_15_at_1000", design::band_pass(3, Hertz(5.0), Hertz(15.0), Hertz(1000.0))),
        ("lowpass_5_20_at_360", design::low_pass(5, Hertz(20.0), Hertz(360.0))),
        ("notch_60_q30_at_500", design::notch(Hertz(60.0), 30.0, Hertz(500.0))),
    ];
    for (name, design) in cases {
        let ours = filtered(&design.expect("a legal design"), &x);
        let difference = largest_difference(&ours, &numbers(&golden[name]));
        assert!(difference <= 1e-9, "{name}: {difference:e}");
    }
    let notch = design::notch(Hertz(50.0), 30.0, FS).expect("a legal design");
    let difference = largest_difference(&filtered(&notch, &x), &numbers(&golden["notch_50_q30"]["lfilter"]));
    assert!(difference <= 1e-9, "notch: {difference:e}");
}

#[test]
fn blocks_of_any_length_give_the_same_as_single_samples() {
    let mut noise = Noise::new(2);
    for order in 1..=11 {
        let design = design::low_pass(order, Hertz(40.0), FS).unwrap();
        let x: Vec<f64> = (0..2000).map(|_| noise.normal()).collect();
        let mut blocks = SosFilter::new(&design);
        let mut y = x.clone();
        let mut rest = &mut y[..];
        while !rest.is_empty() {
            let length = ((noise.uniform() * 100.0) as usize).min(rest.len());
            let (block, after) = rest.split_at_mut(length);
            blocks.run_block(block);
            rest = after;
        }
        assert_eq!(y, filtered(&design, &x), "order {order}");
    }
}

#[test]
fn stated_delay_is_the_measured_delay_of_an_envelope() {
    for design in [
        design::low_pass(3, Hertz(40.0), FS).unwrap(),
        design::band_pass(1, Hertz(8.0), Hertz(18.0), FS).unwrap(),
        design::high_pass(2, Hertz(0.5), FS).unwrap(),
        design::notch(Hertz(50.0), 30.0, FS).unwrap(),
    ] {
        let filter = SosFilter::new(&design);
        // A slow Gaussian envelope on the reference frequency; its centre of energy moves by the group delay.
        let w = 2.0 * std::f64::consts::PI * design.reference.0 / FS.0;
        let x: Vec<f64> = (0..4000)
            .map(|n| (-0.5 * ((n as f64 - 2000.0) / 200.0).powi(2)).exp() * (w * (n as f64 - 2000.0)).cos())
            .collect();
        let centre = |y: &[f64]| {
            let energy: f64 = y.iter().map(|v| v * v).sum();
            y.iter().enumerate().map(|(n, v)| n as f64 * v * v).sum::<f64>() / energy
        };
        let measured = centre(&filtered(&design, &x)) - centre(&x);
        assert!((measured - filter.delay()).abs() < 0.1, "{measured} against {}", filter.delay());
    }
}

#[test]
fn impossible_designs_are_refused_with_the_reason() {
    assert!(matches!(design::low_pass(2, Hertz(130.0), FS), Err(DesignError::Corner { .. })));
    assert!(matches!(design::low_pass(2, Hertz(f64::NAN), FS), Err(DesignError::Corner { .. })));
    assert!(matches!(design::high_pass(0, Hertz(1.0), FS), Err(DesignError::Order)));
    assert!(matches!(design::band_pass(2, Hertz(20.0), Hertz(10.0), FS), Err(DesignError::Band { .. })));
    assert!(matches!(design::notch(Hertz(50.0), 0.0, FS), Err(DesignError::QualityFactor(_))));
}
