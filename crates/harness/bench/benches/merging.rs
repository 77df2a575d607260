//! Criterion group `merging`: every design beside the others, over orders.

mod family;

use criterion::{criterion_group, criterion_main};

fn merging(criterion: &mut criterion::Criterion) {
    family::compare(criterion, "merging");
}

criterion_group! {
    name = group;
    config = family::config();
    targets = merging
}
criterion_main!(group);
