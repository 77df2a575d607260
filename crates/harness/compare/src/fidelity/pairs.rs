//! The primitives that compete in the debate, and their ratios.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Row;

/// Two primitives that compete, in the model and in the kernel.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Pair {
    /// The competitors: `segment walk : folio walk`.
    pub pair: String,
    /// The kernel, or both where each side has its own.
    pub kernel: String,
    /// Order of the allocation.
    pub order: u8,
    /// The model's ratio.
    pub model_ratio: f64,
    /// The kernel's.
    pub real_ratio: f64,
}

impl Pair {
    /// The quotient of the ratios: 1 is equal, 1.25 the upper bound.
    pub fn apart(&self) -> f64 {
        (self.model_ratio / self.real_ratio).max(self.real_ratio / self.model_ratio)
    }
}

const V5_10: &str = "5.10";
const V6_12: &str = "6.12";

/// A side of a pair: a primitive of a kernel, and with it of that kernel's model.
#[derive(Clone, Copy)]
pub(super) struct Side {
    kernel: &'static str,
    primitives: &'static [&'static str],
    class: &'static str,
}

const fn side(
    kernel: &'static str,
    primitives: &'static [&'static str],
    class: &'static str,
) -> Side {
    Side {
        kernel,
        primitives,
        class,
    }
}

/// The competitors of the debate. Primitives of one side are added up.
pub(super) const PAIRS: &[(&str, Side, Side)] = &[
    (
        "segment walk : folio walk",
        side(V6_12, &["bio_for_each_segment"], ""),
        side(V6_12, &["bio_for_each_folio_all"], ""),
    ),
    (
        "page-by-page add : folio add",
        side(V6_12, &["bio_add_page"], ""),
        side(V6_12, &["bio_add_folio"], ""),
    ),
    (
        "5.10 segment walk : 6.12 folio walk",
        side(V5_10, &["bio_for_each_segment"], ""),
        side(V6_12, &["bio_for_each_folio_all"], ""),
    ),
    (
        "5.10 page-by-page add : 6.12 folio add",
        side(V5_10, &["bio_add_page"], ""),
        side(V6_12, &["bio_add_folio"], ""),
    ),
    (
        "5.10 per-page release : 6.12 per-folio release",
        side(V5_10, &["end_io_release"], ""),
        side(V6_12, &["end_io_release"], ""),
    ),
    (
        "5.10 per-page dirty : 6.12 per-folio dirty",
        side(V5_10, &["end_io_dirty"], "clean"),
        side(V6_12, &["end_io_dirty"], "clean"),
    ),
    (
        "base-page charges : one large charge",
        side(V5_10, &["memcg_charge_base_pages"], ""),
        side(V5_10, &["memcg_charge"], ""),
    ),
    (
        "base-page charges : one large charge",
        side(V6_12, &["memcg_charge_base_pages"], ""),
        side(V6_12, &["memcg_charge"], ""),
    ),
    (
        "get on a tail : on a head",
        side(V5_10, &["get_page_tail"], ""),
        side(V5_10, &["get_page_head"], ""),
    ),
    (
        "get on a tail : on a head",
        side(V6_12, &["get_page_tail"], ""),
        side(V6_12, &["get_page_head"], ""),
    ),
    (
        "put on a tail : on a head",
        side(V5_10, &["put_page_tail"], ""),
        side(V5_10, &["put_page_head"], ""),
    ),
    (
        "put on a tail : on a head",
        side(V6_12, &["put_page_tail"], ""),
        side(V6_12, &["put_page_head"], ""),
    ),
    (
        "map with recount : without",
        side(V5_10, &["blk_rq_map_sg", "recount"], ""),
        side(V5_10, &["blk_rq_map_sg"], ""),
    ),
    (
        "map with recount : without",
        side(V6_12, &["blk_rq_map_sg", "recount"], ""),
        side(V6_12, &["blk_rq_map_sg"], ""),
    ),
];

/// A pair at every order that both sides have.
pub(super) fn pairs_of((name, left, right): &(&str, Side, Side), rows: &[Row]) -> Vec<Pair> {
    let sum = |side: &Side, order: u8| -> Option<(u64, u64)> {
        side.primitives
            .iter()
            .try_fold((0, 0), |(model, real), primitive| {
                let fits = |row: &&Row| {
                    row.primitive == *primitive
                        && row.kernel == side.kernel
                        && row.order == order
                        && (side.class.is_empty() || row.class == side.class)
                };
                // The state that a run meets most is the first in the model's record; what both
                // sides have met is compared before what one of them has only come near to.
                let mut rows = rows.iter().filter(fits);
                let first = rows.clone().next()?;
                let row = rows.find(|row| row.near.is_none()).unwrap_or(first);
                Some((model + row.model, real + row.real))
            })
    };
    let orders: BTreeSet<u8> = rows.iter().map(|row| row.order).collect();
    let kernel = if left.kernel == right.kernel {
        left.kernel.to_owned()
    } else {
        format!("{} and {}", left.kernel, right.kernel)
    };
    orders
        .into_iter()
        .filter_map(|order| {
            let (a, b) = (sum(left, order)?, sum(right, order)?);
            Some(Pair {
                pair: (*name).to_owned(),
                kernel: kernel.clone(),
                order,
                model_ratio: a.0 as f64 / b.0 as f64,
                real_ratio: a.1 as f64 / b.1 as f64,
            })
        })
        .collect()
}
