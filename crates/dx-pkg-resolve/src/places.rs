//! Paths of folders: relative ones, absolute ones and those below the user's home, without I/O.

/// Absolute folders, `/`-separated; each is `None` where it is not known.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The project's folder.
    pub project: Option<String>,
    /// The user's home, which `~/` stands for.
    pub home: Option<String>,
}

impl Places {
    /// Returns the folder that `path` means in the folder `base`, which is relative to the project:
    /// relative to the project too, or absolute where the project's own place is not known.
    #[must_use]
    pub fn relative(&self, base: &str, path: &str) -> String {
        let below_home =
            path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let wanted = match (below_home, &self.home) {
            (Some(rest), Some(home)) => segments(home, rest),
            _ if is_absolute(path) => segments("", path),
            _ => return segments(base, path).join("/"),
        };
        let Some(project) = &self.project else { return format!("/{}", wanted.join("/")) };
        let project = segments("", project);
        let same = project.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
        // Between two drives of Windows there is no relative path.
        if same == 0 && wanted.first().is_some_and(|first| first.ends_with(':')) {
            return wanted.join("/");
        }
        let up = std::iter::repeat_n("..", project.len() - same);
        up.chain(wanted[same..].iter().copied()).collect::<Vec<_>>().join("/")
    }
}

/// Returns whether a path leads to a folder below the one that it starts from.
pub(crate) fn is_below(path: &str) -> bool {
    let inside = segments("", path);
    !is_absolute(path)
        && !path.starts_with('~')
        && inside.first().is_some_and(|first| *first != "..")
}

/// Returns whether a path begins with `/` or, on any system, with a drive as `C:` does.
fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

/// Returns the segments of `path` in the folder `base`, without `.` and, where possible, `..`.
fn segments<'p>(base: &'p str, path: &'p str) -> Vec<&'p str> {
    let mut found: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if found.last().is_some_and(|last| *last != "..") => {
                found.pop();
            }
            other => found.push(other),
        }
    }
    found
}

#[cfg(test)]
mod tests;
