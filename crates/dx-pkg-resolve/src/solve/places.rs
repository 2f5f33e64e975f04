//! Sets of positions of candidates.

/// A set of positions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Places(Vec<u64>);

impl Places {
    /// Returns whether it has no position.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a position is in it.
    pub(crate) fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Adds a position.
    pub(crate) fn insert(&mut self, at: usize) {
        self.0.resize(self.0.len().max(at / 64 + 1), 0);
        self.0[at / 64] |= 1 << (at % 64);
    }

    /// Adds all of another set.
    pub(crate) fn extend(&mut self, others: &Places) {
        self.0.resize(self.0.len().max(others.0.len()), 0);
        self.0.iter_mut().zip(&others.0).for_each(|(own, other)| *own |= other);
    }

    /// Keeps what is in another set.
    pub(crate) fn keep(&mut self, others: &Places) {
        self.0.truncate(others.0.len());
        self.0.iter_mut().zip(&others.0).for_each(|(own, other)| *own &= other);
        // Equal sets are equally long.
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Returns the positions in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut places = Places::default();
        positions.into_iter().for_each(|at| places.insert(at));
        places
    }
}
