//! A terminal, as far as dx uses one: lines, carriage returns, cleared lines, colours.

/// A piece of a line in one colour; 0 is the usual one, others are those of SGR 30–37 and 90–97,
/// `1` is bold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: char,
    pub(super) colour: u8,
}

/// What is on the terminal.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    rows: Vec<Vec<Cell>>,
    column: usize,
    colour: u8,
    size: (usize, usize),
    /// How many lines have left at the top.
    pub(super) scrolled: usize,
}

impl Screen {
    /// An empty terminal of this many columns and rows.
    pub(super) fn new(size: (usize, usize)) -> Self {
        Screen { rows: vec![Vec::new()], column: 0, colour: 0, size, scrolled: 0 }
    }

    /// The lines from the top.
    pub(super) fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// The lines as text.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.iter().map(|cell| cell.text).collect()).collect()
    }

    /// Writes to it.
    pub(super) fn write(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                '\r' => self.column = 0,
                '\n' => self.break_line(),
                '\x1b' => self.escape(&mut chars),
                char if char.is_control() => {}
                char => {
                    if self.column >= self.size.0 {
                        self.break_line();
                        self.column = 0;
                    }
                    self.put(char);
                }
            }
        }
    }

    fn put(&mut self, text: char) {
        let (column, colour) = (self.column, self.colour);
        let Some(row) = self.rows.last_mut() else { return };
        while row.len() <= column {
            row.push(Cell { text: ' ', colour: 0 });
        }
        row[column] = Cell { text, colour };
        self.column += 1;
    }

    fn break_line(&mut self) {
        self.rows.push(Vec::new());
        if self.rows.len() > self.size.1 {
            self.rows.remove(0);
            self.scrolled += 1;
        }
    }

    /// Carries out an escape sequence that ends in a letter; an unknown one changes nothing.
    fn escape(&mut self, chars: &mut std::str::Chars<'_>) {
        if chars.next() != Some('[') {
            return;
        }
        let mut numbers = String::new();
        for char in chars.by_ref() {
            if !char.is_ascii_alphabetic() {
                numbers.push(char);
                continue;
            }
            match char {
                'm' => {
                    for number in numbers.split(';') {
                        match number.parse::<u8>() {
                            Err(_) | Ok(0 | 39) => self.colour = 0,
                            Ok(colour @ (1 | 2 | 30..=37 | 90..=97)) => self.colour = colour,
                            Ok(_) => {}
                        }
                    }
                }
                'K' => {
                    let column = self.column;
                    if let Some(row) = self.rows.last_mut() {
                        match numbers.as_str() {
                            "2" => row.clear(),
                            _ => row.truncate(column),
                        }
                    }
                }
                _ => {}
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    #[test]
    fn lines_are_overwritten_cleared_and_wrapped() {
        let mut screen = Screen::new((4, 3));
        screen.write("abc\r\x1b[2Kx\r\n12345");
        assert_eq!(screen.texts(), ["x", "1234", "5"]);
        screen.write("\r\n6");
        assert_eq!(
            (screen.texts(), screen.scrolled),
            (vec!["1234".into(), "5".into(), "6".into()], 1)
        );
    }
}
