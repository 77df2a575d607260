//! Made-up counts of primitives, model beside kernel.

use compare::fidelity::Row;

/// Made-up counts of primitives.
#[allow(dead_code, reason = "not every test that includes this file draws it")]
pub fn fidelity() -> Vec<Row> {
    render::use_looks(registry::looks());
    let mut rows = Vec::new();
    for (design, kernel, primitives) in [
        (
            "flat",
            "5.10",
            ["bio_add_page", "bio_for_each_segment", "bio_for_each_bvec"],
        ),
        (
            "folio",
            "6.12",
            [
                "bio_add_folio",
                "bio_for_each_folio_all",
                "bio_for_each_bvec",
            ],
        ),
    ] {
        for (index, primitive) in primitives.into_iter().enumerate() {
            for order in [0, 3, 6, 9] {
                let real = 20 + 7 * index as u64;
                let ratio = 0.78 + 0.04 * f64::from(order);
                rows.push(Row {
                    primitive: primitive.to_owned(),
                    order,
                    kernel: kernel.to_owned(),
                    design: design.to_owned(),
                    class: "all".to_owned(),
                    near: None,
                    model: (real as f64 * ratio) as u64,
                    real,
                    ratio,
                    reason: None,
                });
            }
        }
    }
    rows
}
