//! Text files of boards: each form, its oddities, and the way back.

use ecg_data::csv::{CodeWriter, Problem, parse};
use ecg_data::{Adc, adc};
use proptest::prelude::*;

fn read(text: &str) -> ecg_data::Record {
    parse("x", text).unwrap()
}

fn refused(text: &str) -> (usize, String) {
    match parse("x", text).unwrap_err() {
        Problem::Line(line, what) => (line, what),
        Problem::Whole(what) => (0, what),
    }
}

#[test]
fn the_first_form_is_sign_extended_and_scaled() {
    let record = read("timestamp,Channel 1,Channel 2,Channel 3\n1767759832,128363,11421861,652\n");
    let names: Vec<&str> = record.signals.iter().map(|signal| signal.name.as_str()).collect();
    assert_eq!((names, record.fs), (vec!["ecg", "respiration", "status"], 250.0));
    let per_code = 2420.0 / (6.0 * 8_388_607.0);
    assert_eq!(record.signals[0].samples, [128_363.0 * per_code]);
    assert_eq!(record.signals[1].samples, [-5_355_355.0 * per_code]);
    assert_eq!(record.signals[2].samples, [652.0]);
}

#[test]
fn quotes_spaces_order_and_line_ends_do_not_matter() {
    let plain = read("timestamp,Channel 1,Channel 2,Channel 3\n1,2,3,4\n");
    for text in [
        "\"timestamp\", \"Channel 1\", \"Channel 2\", \"Channel 3\"\r\n\"1\", \"2\", \"3\", \"4\"\r\n",
        "Channel 3;Channel 2;Channel 1;Timestamp\n4;3;2;1\n",
        "# a recorder's remark\n\nID register = 0x73\nTIMESTAMP\tchannel_1\tchannel_2\tchannel_3\n1\t2\t3\t4\n",
    ] {
        assert_eq!(read(text).signals, plain.signals, "{text}");
    }
}

#[test]
fn the_other_forms_are_read_too() {
    let text: String = (0..500).map(|n| format!("{},{n},{},0\r\n", n * 2, -n)).collect();
    let record = read(&format!("ms,ecg,resp,status\r\n{text}"));
    assert_eq!((record.fs, record.signals.len(), record.len()), (500.0, 3, 500));

    let text: String = (0..720).map(|n| format!("{:.4},{}\n", f64::from(n) / 360.0, f64::from(n) * 0.001)).collect();
    let record = read(&format!("time_s,ecg_mv\n{text}"));
    assert_eq!((record.fs, record.signals[0].samples[1]), (360.0, 0.001));

    let record = read("5\n-6\n8388607\n");
    assert_eq!(record.signals[0].clipped, [false, false, true]);
    assert!(record.warnings.iter().any(|warning| warning.contains("250 Hz assumed")));
    assert_eq!(read("0,5.0,7\n4,6,7\n8,7,7\n").signals[0].samples[0], Adc::default().millivolts(5));
    assert_eq!(read("0,5,7,0\n4,6,7,0\n8,7,7,0\n").signals[0].samples[0], Adc::default().millivolts(5));
}

#[test]
fn the_unit_of_the_time_is_that_of_the_header_whatever_its_values_look_like() {
    let fs = |header: &str, time: &dyn Fn(u64) -> String| {
        let rows: String = (0..2_000).map(|n| format!("{},{n},0,0\n", time(n))).collect();
        read(&format!("{header},ecg,resp,status\n{rows}")).fs
    };
    // Rows that are sent in bursts share a stamp, fractions may be milliseconds, and whole numbers microseconds.
    assert_eq!(fs("ms", &|n| (n / 4 * 16).to_string()), 250.0);
    assert_eq!(fs("ms", &|n| (n / 2 * 8).to_string()), 250.0);
    assert_eq!(fs("timestamp_ms", &|n| format!("{:.3}", n as f64 * 1000.0 / 256.0)), 256.0);
    assert_eq!(fs("ms", &|n| (n / 2).to_string()), 2000.0);
    assert_eq!(fs("us", &|n| (n * 4_000).to_string()), 250.0);
    assert_eq!(fs("time_s", &|n| (n / 250).to_string()), 250.0);
    assert_eq!(fs("time", &|n| (n / 125).to_string()), 125.0);
}

#[test]
fn codes_are_worth_what_the_gain_of_the_board_makes_of_them() {
    let text = "ms,ecg,resp,status\n0,1000,500,0\n4,1000,500,0\n";
    let adc = Adc { gain: 12.0, vref_volts: 4.84 };
    let record = ecg_data::csv::parse_with("x", text, adc).unwrap();
    assert_eq!(record.signals[0].samples, [Adc::default().millivolts(1_000); 2]);
    let half = ecg_data::csv::parse_with("x", text, Adc { gain: 12.0, ..Adc::default() }).unwrap();
    assert_eq!(half.signals[0].samples[0], 0.5 * read(text).signals[0].samples[0]);
    assert_eq!(half.signals[0].step, Some(0.5 * Adc::default().millivolts_per_code()));
    let millivolts = ecg_data::csv::parse_with("x", "time_s,ecg_mv\n0,1.5\n0.004,1.5\n", adc).unwrap();
    assert_eq!(millivolts.signals[0].samples, [1.5, 1.5]);
}

#[test]
fn milliseconds_that_cannot_divide_the_rate_still_give_it() {
    let text: String = (0..1000u64).map(|n| format!("{},1,1,0\n", n * 1000 / 360)).collect();
    assert_eq!(read(&format!("ms,ecg,resp,status\n{text}")).fs, 360.0);
}

#[test]
fn lost_rows_become_invalid_samples() {
    let rows = (0..100).chain(130..200).map(|n| format!("{},{n},0,0\n", n * 4)).collect::<String>();
    let record = read(&format!("ms,ecg,resp,status\n{rows}"));
    let ecg = &record.signals[0].samples;
    assert_eq!(ecg.len(), 200);
    assert!(ecg[100..130].iter().all(|mv| mv.is_nan()) && ecg[99].is_finite() && ecg[130].is_finite());

    let rows = (0..2500).filter(|n| !(1000..1750).contains(n)).map(|n| format!("{},{n},0,0\n", n / 250));
    let record = read(&format!("timestamp,Channel 1,Channel 2,Channel 3\n{}", rows.collect::<String>()));
    assert_eq!((record.fs, record.len()), (250.0, 2500));
    assert_eq!(record.signals[0].samples.iter().filter(|mv| mv.is_nan()).count(), 750);
}

#[test]
fn seconds_that_arrive_late_lose_nothing() {
    let second = |n: u32| if n / 250 == 4 { 5 } else { n / 250 };
    let rows: String = (0..2500).map(|n| format!("{},{n},0,0\n", second(n))).collect();
    assert_eq!(read(&format!("timestamp,Channel 1,Channel 2,Channel 3\n{rows}")).len(), 2500);
}

#[test]
fn rows_a_second_tell_another_rate() {
    let rows: String = (0..1250).map(|n| format!("{},{n},0,0\n", n / 125)).collect();
    assert_eq!(read(&format!("timestamp,Channel 1,Channel 2,Channel 3\n{rows}")).fs, 125.0);
}

#[test]
fn errors_name_the_line() {
    let header = "timestamp,Channel 1,Channel 2,Channel 3\n";
    assert_eq!(refused(&format!("{header}1,2,3,4\n1,2,x,4\n")).0, 3);
    assert_eq!(refused(&format!("{header}1,2,3\n1,2,3,4\n")).0, 2);
    let (line, what) = refused(&format!("{header}1,16777216,3,4\n"));
    assert!(line == 2 && what.contains("16777216 is no 24-bit code"), "{what}");
    assert!(refused("when,what\n1,2\n").1.contains("expected a header such as"));
    assert!(refused("").1.contains("no sample"));
    assert!(refused(header).1.contains("no sample"));
    assert!(refused("1,2,3,4,5,6,7\n").1.contains("7 columns"));
}

#[test]
fn a_last_line_that_is_cut_short_is_left_out_and_said() {
    let record = read("timestamp,Channel 1,Channel 2,Channel 3\n1,2,3,4\n1,2,3");
    assert_eq!(record.len(), 1);
    assert!(record.warnings.iter().any(|warning| warning.contains("line 3")), "{:?}", record.warnings);
}

proptest! {
    #![proptest_config(super::cases(256))]

    #[test]
    fn what_is_written_is_read_back(codes in prop::collection::vec((adc::CODE_MIN..=adc::CODE_MAX, -70_000i32..70_000, 0u32..1000), 1..600)) {
        let mut writer = CodeWriter::new(Vec::new(), 1_700_000_000, 250.0).unwrap();
        for &(ecg, respiration, status) in &codes {
            writer.push(ecg, respiration, status).unwrap();
        }
        let record = read(&String::from_utf8(writer.finish().unwrap()).unwrap());
        prop_assert_eq!(record.len(), codes.len());
        for (index, &(ecg, respiration, status)) in codes.iter().enumerate() {
            let sample = |signal: usize| record.signals[signal].samples[index];
            prop_assert_eq!(Adc::default().code(sample(0)), ecg);
            prop_assert_eq!(Adc::default().code(sample(1)), respiration);
            prop_assert_eq!(sample(2), f64::from(status));
            prop_assert_eq!(record.signals[0].is_clipped(index), adc::is_rail(ecg));
        }
    }
}
