//! `dx uninstall --self`: removes what dx keeps on this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use dx_pkg_install::Environment;
use dx_pkg_install::project::find_root;
use dx_pkg_install::session::configuration;
use dx_pkg_run::RunError;
use dx_pkg_run::leaving::Leaving;
use serde_json::json;

use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Removes the store and the links to dx, and says what was removed.
pub fn run(
    tree: &TreeArguments,
    is_agreed: bool,
    environment: &Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let root = find_root(&environment.folder).folder;
    let is_dry = configuration(environment, &root, tree.flags.settings())?.0.dry_run()?;
    let leaving = Leaving::find(environment, &root)?;
    let list = |paths: &[PathBuf]| -> String {
        paths.iter().map(|path| format!("\n  {}", path.display())).collect()
    };
    let all = format!("{}{}", list(&leaving.stores), list(&leaving.shims));
    if !is_dry && !is_agreed && !leaving.is_empty() {
        report.detail(&format!("This removes:{all}"));
        if !report.asks("Remove all of it?") {
            return Err(RunError::NotAgreed.into());
        }
    }
    if !is_dry {
        leaving.remove()?;
    }
    let done = match (leaving.is_empty(), is_dry) {
        (true, _) => "There is no store, and no link to dx.".to_owned(),
        (false, true) => format!("Would remove:{all}"),
        (false, false) => format!("Removed:{all}"),
    };
    let program = environment.executable.display();
    let text = format!(
        "{done}\nNot touched: projects, globally installed packages, .npmrc, and dx itself, \
         {program}"
    );
    let fields = json!({
        "stores": leaving.stores,
        "shims": leaving.shims,
        "removed": !is_dry,
        "program": environment.executable,
    });
    report.result(&text, &fields);
    Ok(ExitCode::SUCCESS)
}
