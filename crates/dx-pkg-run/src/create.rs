//! The package that an initializer's name means: `vite` is `create-vite`, by npm's rules.

use dx_pkg_core::Spec;

use crate::RunError;

/// Returns the package whose command sets up a project for the word of `dx create`.
///
/// # Errors
/// The word names no package.
pub fn package_of_initializer(word: &str) -> Result<String, RunError> {
    let unknown = || RunError::UnknownInitializer { word: word.to_owned() };
    if let Some(scope) = word.strip_prefix('@').filter(|rest| !rest.contains('/')) {
        let (scope, version) = match scope.split_once('@') {
            Some((scope, version)) => (scope, format!("@{version}")),
            None => (scope, String::new()),
        };
        return if scope.is_empty() {
            Err(unknown())
        } else {
            Ok(format!("@{scope}/create{version}"))
        };
    }
    let argument = Spec::parse_argument(word)?;
    match (&argument.name, &argument.spec) {
        (Some(name), spec) if spec.is_registry() => {
            let name = match name.as_str().split_once('/') {
                Some((scope, name)) => format!("{scope}/create-{name}"),
                None => format!("create-{}", name.as_str()),
            };
            let given = word.len() > name.len() - "create-".len();
            let wanted = if given { format!("@{}", argument.raw) } else { String::new() };
            Ok(format!("{name}{wanted}"))
        }
        (_, Spec::Git(git)) => {
            let hosted = git.hosted.as_ref().ok_or_else(unknown)?;
            let user = hosted.user.as_deref().ok_or_else(unknown)?;
            let before = format!("{user}/{}", hosted.project);
            let after = format!("{user}/create-{}", hosted.project);
            Ok(word.replacen(&before, &after, 1))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initializers_are_packages_by_npms_rules() {
        for (word, package) in [
            ("vite", "create-vite"),
            ("vite@latest", "create-vite@latest"),
            ("vite@^5.1", "create-vite@^5.1"),
            ("@scope", "@scope/create"),
            ("@scope@2.0.0", "@scope/create@2.0.0"),
            ("@scope/app", "@scope/create-app"),
            ("@scope/app@1", "@scope/create-app@1"),
            ("create-vite", "create-create-vite"),
            ("user/thing", "user/create-thing"),
            ("github:user/thing#v1", "github:user/create-thing#v1"),
        ] {
            assert_eq!(package_of_initializer(word).unwrap(), package, "{word}");
        }
        for word in ["./here", "@", "/tmp/x.tgz"] {
            let error = package_of_initializer(word).unwrap_err();
            assert!(matches!(error, RunError::UnknownInitializer { .. }), "{word}: {error}");
        }
    }
}
