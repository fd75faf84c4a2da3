//! The systemd unit: how much of the machine it could reach.

use std::path::Path;
use std::process::Command;

#[test]
fn the_unit_stays_within_its_exposure_budget() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/ecgid.service");
    // 15 stands for an exposure of 1.5 on systemd's scale of 10.
    let mut analysis = Command::new("systemd-analyze");
    analysis.args(["security", "--offline=true", "--threshold=15"]).arg(unit);
    let Ok(output) = analysis.output() else {
        skipped!("SKIPPED: systemd-analyze is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
