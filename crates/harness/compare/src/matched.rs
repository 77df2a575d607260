//! Two sets of numbers, matched by what they are numbers of.

use std::collections::{BTreeMap, BTreeSet};

/// Returns every key of either set, in order, with its value in the old set and in the new.
pub(crate) fn matched<'a, K: Ord, V: Copy>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<V>, Option<V>)> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .map(|key| (key, old.get(key).copied(), new.get(key).copied()))
}
