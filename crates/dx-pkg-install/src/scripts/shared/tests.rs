use std::fs;

use dx_pkg_core::Version;

use super::*;

fn node(version: &str) -> Node {
    Node { path: "/opt/node/bin/node".into(), version: Version::parse(version).unwrap() }
}

/// Returns the words of a user agent as `package-manager-detector` and `create-vite` split them.
fn parsed(agent: &str) -> Vec<(&str, &str)> {
    agent.split(' ').map(|word| word.split_once('/').unwrap_or((word, ""))).collect()
}

#[test]
fn the_user_agent_names_dx_node_and_the_platform() {
    let platform = Platform::host(None);
    let agent = user_agent(Some(&node("24.1.0")));
    assert_eq!(
        parsed(&agent),
        [
            ("dx", env!("CARGO_PKG_VERSION")),
            ("npm", "?"),
            ("node", "v24.1.0"),
            (&*platform.os, ""),
            (&*platform.cpu, ""),
            ("workspaces", "false"),
        ]
    );
    assert!(!user_agent(None).contains("node/"));
}

#[test]
fn user_agent_can_be_set_by_npms_template() {
    let made =
        filled("npm/{npm-version} node/{node-version} x/{workspaces} {ci}", Some(&node("24.1.0")));
    assert_eq!(made, "npm/? node/v24.1.0 x/false");
}

#[cfg(unix)]
#[test]
fn npms_node_gyp_is_found_through_its_link() {
    let place = tempfile::tempdir().unwrap();
    let package = place.path().join("lib/node_modules/npm");
    for file in
        ["bin/npm-cli.js", "bin/node-gyp-bin/node-gyp", "node_modules/node-gyp/bin/node-gyp.js"]
    {
        let path = package.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let bin = place.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink("../lib/node_modules/npm/bin/npm-cli.js", bin.join("npm")).unwrap();

    let path = ("PATH".to_owned(), format!("/nowhere:{}", bin.display()));
    let environment = Environment { variables: vec![path], ..Environment::default() };
    let gyp = bundled_gyp(&environment, None).unwrap();
    assert!(gyp.folder.ends_with("lib/node_modules/npm/bin/node-gyp-bin"));
    assert!(gyp.program.ends_with("node_modules/node-gyp/bin/node-gyp.js"));

    // A Node.js whose npm is not on the PATH, or a wrapper of another kind.
    let node = bin.join("node");
    fs::write(&node, "").unwrap();
    fs::remove_file(bin.join("npm")).unwrap();
    assert!(bundled_gyp(&environment, None).is_none());
    assert_eq!(bundled_gyp(&environment, Some(&node)).unwrap().folder, gyp.folder);
    fs::write(bin.join("npm"), "exec npm-of-another-tool").unwrap();
    assert_eq!(bundled_gyp(&environment, Some(&node)).unwrap().folder, gyp.folder);

    fs::remove_dir_all(package.join("node_modules")).unwrap();
    assert!(bundled_gyp(&environment, Some(&node)).is_none());
}
