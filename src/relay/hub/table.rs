//! A map of a few hundred entries at most, as a list: as fast as a tree at this size, and a fraction of its Wasm.

/// Entries by key, each key once.
#[derive(Debug)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table(Vec::new())
    }
}

impl<K: PartialEq + Copy, V> Table<K, V> {
    pub fn get(&self, key: K) -> Option<&V> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.0.iter_mut().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub fn has(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    /// In place of the entry that is there, if one is.
    pub fn insert(&mut self, key: K, value: V) {
        match self.get_mut(key) {
            Some(known) => *known = value,
            None => self.0.push((key, value)),
        }
    }

    pub fn remove(&mut self, key: K) -> Option<V> {
        let at = self.0.iter().position(|(known, _)| *known == key)?;
        Some(self.0.swap_remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> + Clone {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}
