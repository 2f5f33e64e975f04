//! The command line that is completed.

/// The words of a command line up to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The finished words, without the program.
    pub words: Vec<String>,
    /// The word that is being written.
    pub current: String,
}

impl Line {
    /// Splits a line as shells do: at spaces outside of quotes.
    pub fn read(text: &str) -> Self {
        let mut words = Vec::new();
        let mut current = String::new();
        let mut is_inside = false;
        let mut quote = None;
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match (quote, letter) {
                (Some(open), letter) if letter == open => quote = None,
                (Some('\''), letter) => current.push(letter),
                (_, '\\') => current.extend(letters.next()),
                (Some(_), letter) => current.push(letter),
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    is_inside = true;
                }
                (None, ' ' | '\t') if is_inside || !current.is_empty() => {
                    words.push(std::mem::take(&mut current));
                    is_inside = false;
                }
                (None, ' ' | '\t') => {}
                (None, letter) => current.push(letter),
            }
        }
        let program = usize::from(!words.is_empty());
        Line { words: words.split_off(program), current }
    }
}
