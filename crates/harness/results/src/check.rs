//! The conditions on a row beyond its types. The same rules hold for writer and reader,
//! so that nothing can be written that could not be read again.

use crate::{Memory, Row, SCHEMA_VERSION, Sample, Status, Value, Yardsticks};

/// A field to blame and what is wrong with it.
pub(crate) type Fault = (String, String);

fn fault<T>(field: &str, reason: impl Into<String>) -> Result<T, Fault> {
    Err((field.to_owned(), reason.into()))
}

/// Checks one row.
pub(crate) fn check(row: &Row) -> Result<(), Fault> {
    match row {
        Row::Sample(sample) => check_sample(sample),
        Row::Value(value) => check_value(value),
    }
}

fn check_sample(sample: &Sample) -> Result<(), Fault> {
    check_head(sample.schema, &sample.workload, &sample.family)?;
    if sample.design.is_empty() {
        return fault("design", "is empty");
    }
    check_axis(&sample.axis, sample.params.contains_key(&sample.axis))?;
    for (index, round) in sample.rounds.iter().enumerate() {
        if !round.is_finite() || *round < 0.0 {
            return fault(
                &format!("rounds[{index}]"),
                format!("{round} is not a duration"),
            );
        }
    }
    for (field, counter) in [
        ("instructions", sample.instructions),
        ("dtlb_misses", sample.dtlb_misses),
    ] {
        if counter.is_some_and(|count| !count.is_finite() || count < 0.0) {
            return fault(field, "is not a count");
        }
    }
    check_memory(sample.memory.as_ref())?;
    match &sample.status {
        Status::Ok => {
            if sample.rounds.is_empty() {
                return fault("rounds", "is empty although the status is ok");
            }
            if sample.elements == 0 || sample.iters == 0 {
                return fault(
                    "elements",
                    "and iters must be above 0 where the status is ok",
                );
            }
            if !is_checksum(&sample.checksum) {
                return fault(
                    "checksum",
                    format!("`{}` is not 0x and hex digits", sample.checksum),
                );
            }
        }
        Status::Err(_) | Status::Absent(_) => {
            if !sample.rounds.is_empty() {
                return fault("rounds", "holds times although the status is not ok");
            }
        }
    }
    let yardsticks = sample.yardsticks.as_ref();
    yardsticks.map_or(Ok(()), |yardsticks| {
        check_yardsticks(yardsticks, sample.rounds.len())
    })
}

fn check_yardsticks(yardsticks: &Yardsticks, rounds: usize) -> Result<(), Fault> {
    for (field, values) in [
        ("yardsticks.chain_ns", &yardsticks.chain_ns),
        ("yardsticks.walk_ns", &yardsticks.walk_ns),
    ] {
        if values.len() != rounds {
            return fault(
                field,
                format!("has {} values for {rounds} rounds", values.len()),
            );
        }
        if let Some(wrong) = values.iter().find(|ns| !ns.is_finite() || **ns <= 0.0) {
            return fault(field, format!("{wrong} is not a duration"));
        }
    }
    Ok(())
}

fn check_value(value: &Value) -> Result<(), Fault> {
    check_head(value.schema, &value.workload, &value.family)?;
    check_axis(&value.axis, value.params.contains_key(&value.axis))?;
    if value.quantity.is_empty() {
        return fault("quantity", "is empty");
    }
    if !value.value.is_finite() {
        return fault("value", format!("{} is not finite", value.value));
    }
    for (index, sample) in value.samples.iter().enumerate() {
        if !sample.is_finite() {
            return fault(
                &format!("samples[{index}]"),
                format!("{sample} is not finite"),
            );
        }
    }
    check_memory(value.memory.as_ref())
}

fn check_head(schema: u32, workload: &str, family: &str) -> Result<(), Fault> {
    if !(1..=SCHEMA_VERSION).contains(&schema) {
        return fault(
            "schema",
            format!("{schema} is not a version from 1 to {SCHEMA_VERSION}"),
        );
    }
    match workload.split_once('/') {
        Some((head, name)) if head == family && !head.is_empty() && !name.is_empty() => Ok(()),
        Some((head, _)) if head != family => fault(
            "family",
            format!("`{family}` is not the family of `{workload}`"),
        ),
        _ => fault("workload", format!("`{workload}` is not family/name")),
    }
}

fn check_axis(axis: &str, is_param: bool) -> Result<(), Fault> {
    if axis.is_empty() || is_param {
        Ok(())
    } else {
        fault("axis", format!("`{axis}` is not among the params"))
    }
}

fn check_memory(memory: Option<&Memory>) -> Result<(), Fault> {
    match memory {
        Some(memory) if memory.bytes_huge > memory.bytes_total => {
            fault("memory.bytes_huge", "is more than memory.bytes_total")
        }
        _ => Ok(()),
    }
}

fn is_checksum(text: &str) -> bool {
    if text == Sample::UNCHECKED {
        return true;
    }
    let Some(digits) = text.strip_prefix("0x") else {
        return false;
    };
    !digits.is_empty()
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
