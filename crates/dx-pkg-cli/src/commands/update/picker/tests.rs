//! The list without a terminal: what keys do to it, and what is drawn.

use super::*;

fn picker(rows: usize) -> Picker {
    let heads = vec!["Package", "Current", "Update to", "Kind"];
    let mut picker = Picker::new("Choose".to_owned(), heads, 2);
    picker.rows = (0..rows)
        .map(|at| Row {
            cells: [format!("package-{at}"), "1.0.0".into(), "dev".into()].into(),
            choices: ["1.1.0".into(), if at == 1 { "1.1.0".into() } else { "2.0.0".into() }],
            ..Row::default()
        })
        .collect();
    picker
}

fn press(picker: &mut Picker, keys: &str) -> Step {
    keys.chars().map(|key| picker.press(Key::Character(key), 5)).last().unwrap()
}

fn chosen(picker: &Picker) -> Vec<usize> {
    picker.rows.iter().enumerate().filter(|(_, row)| row.is_chosen).map(|(at, _)| at).collect()
}

/// Returns what is drawn, without the terminal's control sequences.
fn lines(picker: &mut Picker, columns: usize, rows: usize) -> Vec<String> {
    picker.scroll(drawing::page(rows));
    let drawn = picker.drawn(columns, rows, false);
    let text = drawn.replace("\u{1b}[H", "").replace("\u{1b}[K", "").replace("\u{1b}[J", "");
    text.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn keys_move_and_choose() {
    let mut list = picker(4);
    assert_eq!(press(&mut list, "j jj "), Step::Stay);
    assert_eq!(chosen(&list), [1, 3]);
    press(&mut list, "jk "); // Around the end and back.
    assert_eq!(chosen(&list), [1]);
    press(&mut list, "a");
    assert_eq!(chosen(&list), [0, 1, 2, 3]);
    press(&mut list, "a");
    assert!(chosen(&list).is_empty());
    assert_eq!(list.press(Key::Home, 2), Step::Stay);
    list.press(Key::PageDown, 2);
    assert_eq!(list.cursor, 2);
    list.press(Key::End, 2);
    assert_eq!(list.cursor, 3);
}

#[test]
fn the_other_choice_is_taken_where_there_is_one() {
    let mut list = picker(2);
    press(&mut list, "ljl");
    assert_eq!(list.rows.iter().map(Row::choice).collect::<Vec<_>>(), ["2.0.0", "1.1.0"]);
    assert_eq!(chosen(&list), [0], "a row without another choice is left alone");
    press(&mut list, "kl");
    assert_eq!(list.rows[0].choice(), "1.1.0");
}

#[test]
fn keys_end_it() {
    for (key, step) in [
        (Key::Enter, Step::Accept),
        (Key::Escape, Step::Leave),
        (Key::Character('q'), Step::Leave),
        (Key::Interrupt, Step::Interrupt),
        (Key::Character('x'), Step::Stay),
    ] {
        assert_eq!(picker(3).press(key, 5), step, "{key:?}");
    }
}

#[test]
fn the_list_is_drawn() {
    let mut list = picker(3);
    press(&mut list, "j l");
    assert_eq!(
        lines(&mut list, 80, 24),
        [
            "Choose: 1 of 3 chosen",
            "",
            "    Package    Current  Update to  Kind",
            "  ◯ package-0  1.0.0    1.1.0      dev",
            "❯ ◉ package-1  1.0.0    1.1.0      dev",
            "  ◯ package-2  1.0.0    1.1.0      dev",
            "",
            "↑↓ move  space choose  a all  l latest  enter update  q quit",
        ]
    );
    list.is_unicode = false;
    assert_eq!(lines(&mut list, 80, 24)[4], "> * package-1  1.0.0    1.1.0      dev");
}

#[test]
fn a_long_list_scrolls_with_the_cursor() {
    let mut list = picker(30);
    list.press(Key::End, 5);
    let drawn = lines(&mut list, 80, 10);
    assert_eq!(drawn.len(), 10);
    assert_eq!(drawn[0], "Choose: 0 of 30 chosen (26-30 shown)");
    assert!(drawn[3].contains("package-25") && drawn[7].starts_with("❯ ◯ package-29"), "{drawn:?}");
    press(&mut list, "k");
    assert!(lines(&mut list, 80, 10)[3].contains("package-25"), "it stays where it can");
    // A larger terminal shows more of it.
    assert!(lines(&mut list, 80, 20)[3].contains("package-15"));
}

#[test]
fn no_line_is_wider_or_taller_than_the_terminal() {
    let mut list = picker(30);
    list.rows[0].cells[0] = "@a-scope-that-is-long/a-package-whose-name-is-very-long-indeed".into();
    list.rows[1].cells[2] = "a workspace with quite a name".into();
    for columns in 1..140 {
        for rows in [1, 2, 4, 6, 24] {
            let drawn = lines(&mut list, columns, rows);
            assert!(drawn.len() <= rows, "{columns}x{rows}: {drawn:?}");
            let widest = drawn.iter().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{columns}x{rows}: {drawn:?}");
        }
    }
}
