//! The systemd unit and the Dockerfile: what they say exists, and is as strict as it can be.

use crate::server::command;
use std::collections::HashMap;

const UNIT: &str = include_str!("../../../../packaging/dx-registry/dx-registry.service");
const DOCKERFILE: &str = include_str!("../../../../packaging/dx-registry/Dockerfile");

/// Returns the settings of the unit by name; of one that stands twice, all values.
fn unit() -> HashMap<&'static str, Vec<&'static str>> {
    let mut settings: HashMap<_, Vec<_>> = HashMap::new();
    let is_setting = |line: &&str| !line.is_empty() && !line.starts_with(['#', '[', ' ']);
    for line in UNIT.lines().filter(is_setting) {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
        settings.entry(name).or_default().push(value);
    }
    settings
}

#[test]
fn options_of_the_unit_are_those_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let help = command(folder.path()).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let unit = unit();
    let words: Vec<&str> = unit["ExecStart"][0].split_whitespace().collect();
    assert_eq!(words[..2], ["/usr/local/bin/dx-registry", "serve"]);
    let options: Vec<&&str> = words.iter().filter(|word| word.starts_with("--")).collect();
    assert_eq!(options.len(), 2, "{words:?}");
    for option in options {
        assert!(help.contains(&format!("{option} <")), "{option} is none of:\n{help}");
    }
    // systemd makes the folder and gives it to the user whom it makes.
    assert!(words.contains(&&*format!("/var/lib/{}", unit["StateDirectory"][0])), "{words:?}");
}

#[test]
fn service_may_do_no_more_than_it_needs() {
    let unit = unit();
    for (name, value) in [
        ("User", "dx-registry"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("SystemCallArchitectures", "native"),
        ("UMask", "0077"),
        ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
    ] {
        assert_eq!(unit[name], [value], "{name}");
    }
    assert!(unit["SystemCallFilter"].contains(&"@system-service"));
}

#[test]
fn image_has_the_program_alone_and_runs_without_root() {
    let instructions: Vec<&str> = DOCKERFILE
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .collect();
    let stages: Vec<usize> =
        (0..instructions.len()).filter(|i| instructions[*i].starts_with("FROM ")).collect();
    assert_eq!(stages.len(), 2, "{instructions:?}");
    assert!(instructions[stages[0]].ends_with(" AS build"));
    let last = &instructions[stages[1]..];
    let find = |word: &str| last.iter().position(|line| line.starts_with(word));
    assert!(last.contains(&"COPY --from=build /out/dx-registry /usr/local/bin/dx-registry"));
    assert!(last.iter().all(|line| !line.starts_with("COPY ") || line.contains("--from=build")));
    assert!(last[find("USER ").unwrap()].trim_start_matches("USER ").starts_with(|c| c > '0'));
    assert!(find("USER ") < find("ENTRYPOINT "));
    assert!(DOCKERFILE.contains("--bin dx-registry") && DOCKERFILE.contains("--locked"));
}

#[test]
fn variables_of_the_image_are_settings() {
    let text = DOCKERFILE.split("ENV ").nth(1).unwrap().split("VOLUME").next().unwrap();
    let variables: Vec<(&str, &str)> =
        text.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let own = |name: &str| variables.iter().find(|(own, _)| *own == name).unwrap().1;
    assert!(DOCKERFILE.contains(&format!("VOLUME {}\n", own("DX_REGISTRY_STORAGE"))));
    let (address, port) = own("DX_REGISTRY_LISTEN").rsplit_once(':').unwrap();
    assert_eq!(address, "0.0.0.0", "a container is reached from outside");
    assert!(DOCKERFILE.contains(&format!("EXPOSE {port}\n")));
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, value: &str| {
        let mut command = command(folder.path());
        command.args(["gc", "--dry-run"]).env(name, value);
        command.output().unwrap()
    };
    for (name, value) in variables.iter().filter(|(name, _)| name.starts_with("DX_REGISTRY_")) {
        let value = if *name == "DX_REGISTRY_STORAGE" {
            folder.path().join("storage").to_string_lossy().into_owned()
        } else {
            (*value).to_owned()
        };
        let output = run(name, &value);
        assert!(output.status.success(), "{name}: {output:?}");
    }
    assert!(!run("DX_REGISTRY_STORAGES", "x").status.success());
}
