//! `dx-registry check`.

use super::Context;
use crate::check::check;
use crate::config::Address;
use clap::Args;
use dx_pkg_core::PackageName;
use std::process::ExitCode;

/// Try the endpoints of any registry, and report which it has; changes nothing without --write
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The registry's address
    url: Address,
    /// A package that it has
    #[arg(long, value_name = "NAME", default_value = "lodash")]
    package: String,
    /// The environment variable that holds a token for it
    #[arg(long, value_name = "VARIABLE")]
    token_variable: Option<String>,
    /// Publish a package of this name, which the registry does not have, change and unpublish it
    #[arg(long, value_name = "NAME", requires = "token_variable")]
    write: Option<String>,
}

impl Check {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        let token = match &self.token_variable {
            Some(name) => {
                let variables = &context.environment.variables;
                let found = variables.iter().find(|(key, _)| key == name);
                Some(found.ok_or_else(|| format!("{name} is not set"))?.1.clone())
            }
            None => None,
        };
        if let Some(name) = &self.write {
            PackageName::parse(name).map_err(|error| format!("--write {name}: {error}"))?;
        }
        let new = self.write.as_deref();
        let tried = check(self.url.0, &self.package, token.as_deref(), new).await;
        let mut wrong = 0;
        for one in &tried {
            match &one.result {
                Ok(()) => context.line(&format!("right  {}", one.what)),
                Err(said) => {
                    wrong += 1;
                    let said = dx_pkg_core::text::plain_text(said, 200);
                    context.line(&format!("WRONG  {}: {said}", one.what));
                }
            }
        }
        context.line(&format!("{} right, {wrong} wrong", tried.len() - wrong));
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
