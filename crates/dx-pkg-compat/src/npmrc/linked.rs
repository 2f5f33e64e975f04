//! A settings file in whose place there is another one: a link may lead to a file of any kind.

use super::ini;
use super::options::OptionInfo;

/// Returns the lines of a file that set something npm or dx knows, and the number of the others.
/// What these say is of no consequence, and a warning about them would show a file that may be
/// secret.
#[must_use]
pub fn known_settings(text: &str) -> (String, usize) {
    let mut known = String::new();
    let mut others = 0;
    for line in ini::lines(text) {
        match ini::key(line) {
            None => {}
            Some(key) if is_known(&key) => {
                known.push_str(line);
                known.push('\n');
            }
            Some(_) => others += 1,
        }
    }
    (known, others)
}

fn is_known(key: &str) -> bool {
    key.starts_with("//")
        || key.starts_with('@') && key.ends_with(":registry")
        || OptionInfo::find(key).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stay_and_what_may_be_a_secret_goes() {
        let text = "\u{feff}SECRETKEY-7f3a\r\n; a comment\nregistry = https://r.example/\n\
                    @own:registry=https://r.example/\n//r.example/:_authToken=x\nomit[]=dev\n\
                    password of mine = y\n{\"json\": true}\n[section]\nregistry=z\n";
        let (known, others) = known_settings(text);
        let lines: Vec<&str> = known.lines().collect();
        assert_eq!(
            lines,
            [
                "registry = https://r.example/",
                "@own:registry=https://r.example/",
                "//r.example/:_authToken=x",
                "omit[]=dev",
            ]
        );
        assert_eq!(others, 3);
        assert_eq!(known_settings(""), (String::new(), 0));
    }
}
