//! Criterion group `iteration`: every design beside the others, over orders.

mod family;

use criterion::{criterion_group, criterion_main};

fn iteration(criterion: &mut criterion::Criterion) {
    family::compare(criterion, "iteration");
}

criterion_group! {
    name = group;
    config = family::config();
    targets = iteration
}
criterion_main!(group);
