//! Trees of text, drawn as npm draws them.

/// A label, which may have several lines, and what is below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Branch {
    pub(crate) label: String,
    pub(crate) below: Vec<Branch>,
}

impl Branch {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Branch { label: label.into(), below: Vec::new() }
    }

    /// Returns the tree as text, with a line end after each line.
    pub(crate) fn draw(&self, in_unicode: bool) -> String {
        let text = self.drawn("");
        if in_unicode {
            return text;
        }
        let plain = |character: char| match character {
            '│' => '|',
            '└' => '`',
            '├' => '+',
            '─' | '┬' => '-',
            other => other,
        };
        text.chars().map(plain).collect()
    }

    fn drawn(&self, prefix: &str) -> String {
        let along = if self.below.is_empty() { ' ' } else { '│' };
        let mut text = self.label.replace('\n', &format!("\n{prefix}{along} "));
        text.push('\n');
        for (number, child) in self.below.iter().enumerate() {
            let is_last = number + 1 == self.below.len();
            let corner = if is_last { '└' } else { '├' };
            let down = if child.below.is_empty() { '─' } else { '┬' };
            let beside = if is_last { ' ' } else { '│' };
            text.push_str(&format!("{prefix}{corner}─{down} "));
            text.push_str(&child.drawn(&format!("{prefix}{beside} ")));
        }
        text
    }
}
