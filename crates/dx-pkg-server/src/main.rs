//! The `dx-registry` command.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::process::ExitCode;

fn main() -> ExitCode {
    dx_pkg_os::process::raise_open_files_limit();
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let environment = dx_pkg_server::Environment {
        variables,
        default_upstream: option_env!("DX_DEFAULT_REGISTRY").map(str::to_owned),
    };
    dx_pkg_server::run(
        std::env::args_os(),
        environment,
        Box::new(std::io::stdout()),
        Box::new(std::io::stderr()),
    )
}
