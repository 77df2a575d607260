//! Rows as the plan determines them, before anything is measured.

use hugemem::Backing;
use results::{Bandwidth, Row, SCHEMA_VERSION, Sample, Status, Value};

use crate::assignment::{Cell, Slot};
use crate::bandwidth::Speed;

/// A row without a result: of a time or of a value, as the cell yields.
pub(crate) fn blank(cell: &Cell, slot: &Slot, process: u32, status: Status) -> Row {
    if cell.value.is_some() {
        Row::Value(blank_value(cell, slot, status))
    } else {
        Row::Sample(blank_sample(cell, slot, process, status))
    }
}

/// A row of times without times.
pub(crate) fn blank_sample(cell: &Cell, slot: &Slot, process: u32, status: Status) -> Sample {
    let params = cell.params.clone();
    Sample {
        label: slot.label.clone(),
        axis: cell.axis.clone(),
        status,
        ..Sample::blank(&cell.workload, &slot.design, params, &cell.unit, process)
    }
}

/// A value row with the value 0.
pub(crate) fn blank_value(cell: &Cell, slot: &Slot, status: Status) -> Value {
    let (quantity, unit, less_is_better) = cell.value.as_ref().map_or_else(
        || ("unknown".to_owned(), String::new(), true),
        |kind| {
            (
                kind.quantity.clone(),
                kind.unit.clone(),
                kind.less_is_better,
            )
        },
    );
    Value {
        schema: SCHEMA_VERSION,
        workload: cell.workload.clone(),
        family: cell.family().to_owned(),
        design: slot.design.clone(),
        label: slot.label.clone(),
        params: cell.params.clone(),
        axis: cell.axis.clone(),
        quantity,
        unit,
        less_is_better,
        value: 0.0,
        samples: Vec::new(),
        memory: None,
        status,
    }
}

/// The bandwidth rows of one slot: what its mapping gives to a linear read, and the share
/// of it that the walk reaches. One sample per process.
pub(crate) fn speed_rows(cell: &Cell, slot: &Slot, speeds: &[Speed]) -> Vec<Row> {
    let row = |quantity: &str, unit: &str, samples: Vec<f64>| {
        Row::Value(Value {
            quantity: quantity.to_owned(),
            unit: unit.to_owned(),
            less_is_better: false,
            value: stats::median(&samples).unwrap_or_default(),
            samples,
            ..blank_value(cell, slot, Status::Ok)
        })
    };
    vec![
        row(
            "read-bandwidth",
            "GB/s",
            speeds.iter().map(|speed| speed.linear / 1e9).collect(),
        ),
        row(
            "walk-bandwidth",
            "GB/s",
            speeds.iter().map(|speed| speed.walk / 1e9).collect(),
        ),
        row(
            "walk-share-of-bandwidth",
            "%",
            speeds.iter().map(|speed| speed.share * 100.0).collect(),
        ),
    ]
}

/// A bandwidth for the environment: the mapping's size, the median over processes.
pub(crate) fn bandwidth(backing: Backing, speeds: &[Speed]) -> Option<Bandwidth> {
    let linear: Vec<f64> = speeds.iter().map(|speed| speed.linear).collect();
    Some(Bandwidth {
        backing: backing.to_string(),
        bytes: speeds.first()?.bytes,
        bytes_per_s: stats::median(&linear)?,
    })
}
