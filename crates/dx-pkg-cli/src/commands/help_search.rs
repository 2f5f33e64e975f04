//! `dx help-search`: finds commands, settings and error codes by words of their help.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use dx_pkg_compat::npmrc::OPTIONS;
use serde_json::json;

use super::Arguments;
use crate::error::CommandError;
use crate::pages;
use crate::report::Report;

/// The most results that are listed.
const MOST: usize = 20;

/// Find commands, settings and errors by words of their help.
#[derive(Args, Debug)]
pub struct HelpSearchArguments {
    /// Words to look for.
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// Also print the lines that match.
    #[arg(long, short)]
    pub long: bool,
}

/// A part of the help.
struct Topic {
    /// How it is shown: a command, setting or code.
    name: String,
    about: String,
    text: String,
}

impl HelpSearchArguments {
    /// Searches, and prints what was found: what has the words most often comes first.
    pub fn run(&self, report: &Report) -> Result<ExitCode, CommandError> {
        let words: Vec<String> = self.words.iter().map(|word| word.to_lowercase()).collect();
        let count = |text: &str| {
            let text = text.to_lowercase();
            let hits: Vec<usize> =
                words.iter().map(|word| text.matches(word.as_str()).count()).collect();
            if hits.contains(&0) { 0 } else { hits.iter().sum() }
        };
        let mut found: Vec<(usize, Topic)> = topics()
            .into_iter()
            .map(|topic| (100 * count(&topic.name) + count(&topic.text), topic))
            .filter(|(hits, _)| *hits > 0)
            .collect();
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        found.truncate(MOST);
        if report.wants_json() {
            let found = found.iter().map(
                |(hits, topic)| json!({ "topic": topic.name, "about": topic.about, "hits": hits }),
            );
            report.pretty(&found.collect());
        } else if found.is_empty() {
            return Err(CommandError::NothingInHelp { words: self.words.join(" ") });
        }
        for (_, topic) in found.iter().filter(|_| !report.wants_json()) {
            report.text(&format!("{:<28} {}", topic.name, topic.about));
            let lines = topic.text.lines().filter(|line| {
                let line = line.to_lowercase();
                self.long && words.iter().any(|word| line.contains(word.as_str()))
            });
            let lines: Vec<String> = lines.map(|line| format!("    {}", line.trim())).collect();
            report.text(&lines.join("\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn topics() -> Vec<Topic> {
    let mut parser = Arguments::command();
    let mut topics = Vec::new();
    for command in parser.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let text = command.render_long_help().to_string();
        topics.push(Topic { name: format!("dx {}", command.get_name()), about, text });
    }
    topics.extend(OPTIONS.iter().map(|option| Topic {
        name: format!("setting {}", option.key),
        about: option.sentence.to_owned(),
        text: format!("{} {}", option.key, option.sentence),
    }));
    topics.extend(pages::codes().map(|code| {
        let text = pages::page(code).unwrap_or_default();
        let about = text.split_once("\n\n").map_or("", |(_, text)| text);
        let about = about.split(['\n']).next().unwrap_or_default().to_owned();
        Topic { name: code.to_owned(), about, text: text.to_owned() }
    }));
    topics
}
