//! A word that is offered.

/// A word that a line may go on with, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub word: String,
    pub help: String,
}

impl Candidate {
    /// Returns a candidate.
    pub fn new(word: &str, help: &str) -> Self {
        Candidate { word: word.to_owned(), help: help.to_owned() }
    }
}
