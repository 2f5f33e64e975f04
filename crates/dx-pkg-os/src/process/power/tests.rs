use std::fs;
use std::path::Path;

use super::linux::on_battery_by;

/// Writes supplies as `sysfs` has them: name, then the files with their contents.
fn supplies(list: &[(&str, &[(&str, &str)])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, files) in list {
        fs::create_dir(folder.path().join(name)).unwrap();
        for (file, text) in *files {
            fs::write(folder.path().join(name).join(file), format!("{text}\n")).unwrap();
        }
    }
    folder
}

const DISCHARGING: &[(&str, &str)] = &[("type", "Battery"), ("status", "Discharging")];
const CHARGING: &[(&str, &str)] = &[("type", "Battery"), ("status", "Charging")];
const PLUGGED: &[(&str, &str)] = &[("type", "Mains"), ("online", "1")];
const UNPLUGGED: &[(&str, &str)] = &[("type", "Mains"), ("online", "0")];
const USB: &[(&str, &str)] = &[("type", "USB"), ("online", "1")];
const MOUSE: &[(&str, &str)] =
    &[("type", "Battery"), ("status", "Discharging"), ("scope", "Device")];

#[test]
fn a_machine_runs_on_battery_where_one_is_discharged_and_nothing_is_plugged_in() {
    for (list, expected) in [
        (vec![], false),
        (vec![("BAT0", DISCHARGING)], true),
        (vec![("AC", UNPLUGGED), ("BAT0", DISCHARGING)], true),
        (vec![("AC", UNPLUGGED), ("BAT0", CHARGING), ("BAT1", DISCHARGING)], true),
        (vec![("AC", PLUGGED), ("BAT0", CHARGING)], false),
        // A weak adapter: plugged in, and the battery helps.
        (vec![("AC", PLUGGED), ("BAT0", DISCHARGING)], false),
        (vec![("BAT0", DISCHARGING), ("ucsi-source-psy", USB)], false),
        (vec![("BAT0", CHARGING)], false),
        (vec![("hidpp_battery_0", MOUSE)], false),
        (vec![("AC", UNPLUGGED)], false),
        (vec![("odd", &[][..])], false),
    ] {
        let folder = supplies(&list);
        assert_eq!(on_battery_by(folder.path()), expected, "{list:?}");
    }
    assert!(!on_battery_by(Path::new("/nonexistent")));
}
