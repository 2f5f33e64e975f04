//! A help text, taken apart.

/// The help of a command.
#[derive(Debug, Default)]
pub(super) struct Help {
    /// What the command does, in one sentence.
    pub(super) about: String,
    /// More of it, a paragraph each.
    pub(super) description: Vec<String>,
    /// How it is called, a line each.
    pub(super) usage: Vec<String>,
    /// Arguments, options and commands, each section with its heading.
    pub(super) sections: Vec<(String, Vec<Entry>)>,
    /// The lines after them.
    pub(super) end: Vec<String>,
}

/// An argument, an option or a command.
#[derive(Debug)]
pub(super) struct Entry {
    /// How it is written.
    pub(super) head: String,
    /// What it means, a paragraph each.
    pub(super) text: Vec<String>,
}

impl Help {
    /// Parses what `--help` printed.
    pub(super) fn parse(text: &str) -> Result<Help, String> {
        let mut help = Help::default();
        let (before, rest) = text
            .split_once("\nUsage: ")
            .ok_or_else(|| format!("the help has no line with Usage:\n{text}"))?;
        let mut paragraphs = paragraphs(before.lines()).into_iter();
        help.about = paragraphs.next().unwrap_or_default();
        help.description = paragraphs.collect();
        let mut lines = rest.lines();
        let usage = lines.by_ref().take_while(|line| !line.trim().is_empty());
        help.usage = usage.map(|line| line.trim().to_owned()).collect();
        let mut ended = false;
        for line in lines {
            let heading = line.strip_suffix(':').filter(|_| is_heading(line));
            match heading {
                Some(heading) if !ended => help.sections.push((heading.to_owned(), Vec::new())),
                _ if ended => help.end.push(line.to_owned()),
                _ if line.trim().is_empty() => {
                    if let Some(text) = help.last_text() {
                        text.push(String::new());
                    }
                }
                _ if !line.starts_with(' ') => {
                    ended = true;
                    help.end.push(line.to_owned());
                }
                _ => help.take(line)?,
            }
        }
        for (_, entries) in &mut help.sections {
            for entry in entries {
                entry.text = paragraphs_of(&entry.text);
            }
        }
        Ok(help)
    }

    /// The commands below this one.
    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        let of_commands = self.sections.iter().filter(|(heading, _)| heading == "Commands");
        of_commands.flat_map(|(_, entries)| entries).map(|entry| entry.head.as_str())
    }

    fn last_text(&mut self) -> Option<&mut Vec<String>> {
        self.sections.last_mut()?.1.last_mut().map(|entry| &mut entry.text)
    }

    /// Takes a line of a section: the beginning of an entry, or more of its text.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim();
        let Some((_, entries)) = self.sections.last_mut() else {
            return Err(format!("the help has a line outside of its sections: {line}"));
        };
        let begins = indent == 2 || indent == 6 && words.starts_with("--");
        if begins {
            let (head, text) = words.split_once("  ").unwrap_or((words, ""));
            let text = match text.trim() {
                "" => Vec::new(),
                text => vec![text.to_owned()],
            };
            entries.push(Entry { head: head.to_owned(), text });
        } else if let Some(entry) = entries.last_mut() {
            entry.text.push(words.to_owned());
        } else {
            return Err(format!("the help begins a section with {line}"));
        }
        Ok(())
    }
}

/// Whether a line is the heading of a section: one or two words at its beginning.
fn is_heading(line: &str) -> bool {
    !line.starts_with(' ') && line.ends_with(':') && line.split(' ').count() < 3
}

fn paragraphs_of(lines: &[String]) -> Vec<String> {
    paragraphs(lines.iter().map(String::as_str))
}

/// Joins the lines between empty ones.
fn paragraphs<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in lines.map(str::trim) {
        match found.last_mut().filter(|_| is_open) {
            _ if line.is_empty() => is_open = false,
            Some(paragraph) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            None => {
                found.push(line.to_owned());
                is_open = true;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Help;

    const TEXT: &str = "\
Export the packages
into one file

More of it.

Usage: dx store export [OPTIONS] <FILE>
       dx store export --all

Arguments:
  <FILE>  The file,
          or a folder

Options:
  -E, --exact
          Exactly

          Possible values: a

      --json  Print JSON

bash:  dx completion bash
";

    #[test]
    fn parts_of_a_help_text_are_told_apart() {
        let help = Help::parse(TEXT).unwrap();
        assert_eq!(help.about, "Export the packages into one file");
        assert_eq!(help.description, ["More of it."]);
        assert_eq!(help.usage, ["dx store export [OPTIONS] <FILE>", "dx store export --all"]);
        let [(arguments, of_arguments), (options, of_options)] = &help.sections[..] else {
            panic!("{help:?}");
        };
        assert_eq!((arguments.as_str(), options.as_str()), ("Arguments", "Options"));
        assert_eq!(of_arguments[0].text, ["The file, or a folder"]);
        assert_eq!(of_options[0].head, "-E, --exact");
        assert_eq!(of_options[0].text, ["Exactly", "Possible values: a"]);
        assert_eq!(of_options[1].text, ["Print JSON"]);
        assert_eq!(help.end, ["bash:  dx completion bash"]);
    }

    #[test]
    fn text_without_a_usage_is_refused() {
        assert!(Help::parse("nothing").is_err());
    }
}
