//! Criterion group `accounting`: every design beside the others, over orders.

mod family;

use criterion::{criterion_group, criterion_main};

fn accounting(criterion: &mut criterion::Criterion) {
    family::compare(criterion, "accounting");
}

criterion_group! {
    name = group;
    config = family::config();
    targets = accounting
}
criterion_main!(group);
