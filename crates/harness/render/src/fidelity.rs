//! Fidelity as tables and in words: models beside the real kernels.

use std::collections::BTreeSet;

use compare::fidelity::{Fidelity, MAX_APART, MAX_SHARE, Pair, REASON_BELOW, Row};

use crate::table::Table;

/// A line per primitive, order and state.
#[must_use]
pub fn fidelity_rows(rows: &[&Row]) -> Table {
    let mut table = Table::new([
        "PRIMITIVE",
        "ORDER",
        "CLASS",
        "DESIGN",
        "KERNEL",
        "MODEL",
        "REAL",
        "RATIO",
        "",
    ]);
    for row in rows {
        let mark = match row.ratio {
            ratio if ratio > MAX_SHARE => "above 1.1",
            ratio if ratio < REASON_BELOW => row.reason.as_deref().unwrap_or("no reason known"),
            _ => "",
        };
        table.row([
            row.primitive.clone(),
            row.order.to_string(),
            // The kernel's state; where that is not just the model's, both.
            match &row.near {
                Some(near) => format!("{} (model: {near})", row.class),
                None => row.class.clone(),
            },
            row.design.clone(),
            row.kernel.clone(),
            row.model.to_string(),
            row.real.to_string(),
            format!("{:.2}", row.ratio),
            mark.to_owned(),
        ]);
    }
    table
}

/// A line per pair and kernel, a column per order: the model's ratio beside the kernel's, and
/// how far they are apart at most.
#[must_use]
pub fn fidelity_pairs(found: &Fidelity) -> Table {
    let orders: BTreeSet<u8> = found.pairs.iter().map(|pair| pair.order).collect();
    let mut headings = vec!["PAIR, MODEL (KERNEL)".to_owned(), "KERNEL".to_owned()];
    headings.extend(orders.iter().map(|order| format!("ORDER {order}")));
    headings.extend(["APART".to_owned(), String::new()]);
    let mut table = Table::new(headings);
    let same = |a: &Pair, b: &Pair| a.pair == b.pair && a.kernel == b.kernel;
    for pairs in found.pairs.chunk_by(same) {
        let mut line = vec![pairs[0].pair.clone(), pairs[0].kernel.clone()];
        line.extend(orders.iter().map(|order| {
            let at = pairs.iter().find(|pair| pair.order == *order);
            at.map_or("-".to_owned(), |pair| {
                format!("{} ({})", ratio(pair.model_ratio), ratio(pair.real_ratio))
            })
        }));
        let apart = pairs.iter().map(Pair::apart).fold(1.0, f64::max);
        line.push(format!("{apart:.2}"));
        line.push(match apart > MAX_APART {
            true => format!("beyond {MAX_APART}"),
            false => String::new(),
        });
        table.row(line);
    }
    table
}

/// Three digits of a ratio, whatever its size.
fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 10.0 => format!("{ratio:.2}"),
        ratio if ratio < 100.0 => format!("{ratio:.1}"),
        ratio => format!("{ratio:.0}"),
    }
}

/// The totals, and what is out of bounds.
#[must_use]
pub fn fidelity_words(found: &Fidelity) -> String {
    let mut text = format!(
        "\n{} rows: {} above {MAX_SHARE} of the kernel's instructions, {} below {REASON_BELOW} without a reason\n\
         {} pairs: {} further apart than {MAX_APART}\n",
        found.rows.len(),
        found.above().count(),
        found.unexplained().count(),
        found.pairs.len(),
        found.apart().count(),
    );
    for miss in &found.known {
        text += &format!("known to be out of bounds: {miss}\n");
    }
    for miss in found.unknown_misses() {
        text += &format!("out of bounds: {miss}\n");
    }
    for (whose, names) in [("kernels", &found.unmodelled), ("models", &found.uncounted)] {
        if !names.is_empty() {
            text += &format!("counted in the {whose} only: {}\n", names.join(", "));
        }
    }
    text
}

/// One line for a report, with the three worst rows named; `None` without rows.
#[must_use]
pub fn fidelity_line(found: &Fidelity) -> Option<String> {
    let mut rows: Vec<&Row> = found.rows.iter().collect();
    rows.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let (low, high) = (rows.first()?.ratio, rows.last()?.ratio);
    let names: BTreeSet<&str> = rows.iter().map(|row| row.primitive.as_str()).collect();
    let mut by_distance: Vec<&Row> = found.rows.iter().collect();
    by_distance.sort_by(|a, b| b.ratio.ln().abs().total_cmp(&a.ratio.ln().abs()));
    let mut worst: Vec<&Row> = Vec::new();
    for row in by_distance {
        let same = |known: &&Row| known.primitive == row.primitive && known.kernel == row.kernel;
        if !worst.iter().any(same) {
            worst.push(row);
        }
    }
    let worst: Vec<String> = worst
        .iter()
        .take(3)
        .map(|row| {
            format!(
                "{} order {} against {} ({:.2})",
                row.primitive, row.order, row.kernel, row.ratio
            )
        })
        .collect();
    Some(format!(
        "model within {low:.2} to {high:.2} of Linux 5.10/6.12 on {} primitives; worst: {}. {} of {} \
         competing ratios within {MAX_APART} of the kernel's own",
        names.len(),
        worst.join(", "),
        found.pairs.len() - found.apart().count(),
        found.pairs.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rows_a_report_has_no_line() {
        assert_eq!(fidelity_line(&Fidelity::default()), None);
    }
}
