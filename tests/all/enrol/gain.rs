//! Recordings of a board's codes, at the gain that the configuration names.

use ecg_data::Adc;
use ecg_data::csv::CodeWriter;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};

use super::*;

/// A minute of a synthetic heart as a board of this gain writes it.
fn written(home: &Home, name: &str, gain: f64) -> PathBuf {
    let path = home.folder.path().join(name);
    let adc = Adc { gain, ..Adc::default() };
    let heart = SyntheticHeart::new(&HeartParams::from_seed(3), 250.0, 3).unwrap().with_noise(Noise::at_rest());
    let mut writer = CodeWriter::new(std::fs::File::create(&path).unwrap(), 1_790_000_000, 250.0).unwrap();
    heart.take(60 * 250).for_each(|millivolts| writer.push(adc.code(millivolts), 0, 0).unwrap());
    writer.finish().unwrap();
    path
}

#[test]
fn a_recording_of_codes_is_enrolled_and_replayed_at_the_configured_gain() {
    let home = Home::new("gain = 12.0");
    let record = written(&home, "twelve.csv", 12.0);
    let report = home.enrol(&["ann", "--record", text(&record), "--front-end", "cwxs-bin"]);
    assert!(report["front_end"].as_str().unwrap().starts_with("cwxs-bin/250Hz/x0.5000/"), "{report}");
    let replayed =
        ecgid(&["replay", text(&record), "--front-end", "cwxs-bin", "--json", "--config", text(&home.config)]);
    let said = String::from_utf8(replayed.stdout).unwrap();
    assert!(replayed.status.success());
    assert!(said.contains("\"state\":\"verified\",\"subject\":\"ann\""), "the template of the board is found: {said}");
    let wrong = ecgid(&["replay", text(&record), "--front-end", "morse", "--config", text(&home.config)]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn the_gain_of_an_analysed_recording_can_be_given() {
    let home = Home::new("");
    let (six, twelve) = (written(&home, "six.csv", 6.0), written(&home, "twelve.csv", 12.0));
    let amplitude = |arguments: &[&str]| {
        let report = ecgid_json(&[&["analyze", "--json"], arguments].concat());
        report["beats"][20]["amplitude_mv"].as_f64().unwrap()
    };
    let usual = amplitude(&[text(&six)]);
    assert!((amplitude(&[text(&twelve)]) / usual - 2.0).abs() < 0.01);
    assert!((amplitude(&[text(&twelve), "--gain", "12"]) / usual - 1.0).abs() < 0.01);
    assert!((amplitude(&[text(&twelve), "--gain", "6", "--vref", "1.21"]) / usual - 1.0).abs() < 0.01);
}
