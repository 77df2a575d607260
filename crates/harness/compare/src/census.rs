//! The cost of a machine's memory in descriptors: bytes by design, and the lines that an
//! operation on all of it touches.
//!
//! Lines are added up from traced loops ([`LinesBaseline`]), which have the walk over frames,
//! reclaim's scan and freeing at every order up to 2 MiB.

use std::collections::{BTreeMap, HashMap};

use results::{Census, CensusRow, LinesBaseline, LoopLines, Param};
use serde::Serialize;

/// The largest order that loops are traced at. A larger block counts as several of these.
const MAX_TRACED: u8 = 9;

/// Something that is done to all memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Compaction's walk over every frame.
    Walk,
    /// Reclaim isolates every allocation on an LRU list and puts it back.
    Reclaim,
    /// Every allocation is freed.
    Free,
}

impl Operation {
    /// Every operation, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Walk, Self::Reclaim, Self::Free];

    /// As tables write it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Walk => "PFN walk",
            Self::Reclaim => "reclaim",
            Self::Free => "free all",
        }
    }
}

/// How an operation meets memory of some use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Met {
    /// Allocations on LRU lists.
    User,
    /// Allocations that nobody can move.
    Fixed,
    /// Free blocks.
    Free,
    /// Frames that belong to no allocation and no block.
    Frames,
}

/// Blocks of one use and order, and how they are met.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    /// The row.
    pub row: &'a CensusRow,
    /// How operations meet them.
    pub met: Met,
    /// Whether they are on LRU lists: hugetlb pages are user memory and on none.
    pub on_lru: bool,
}

/// A design and what the blocks of a census cost it.
#[derive(Clone, PartialEq, Debug)]
pub struct DesignBytes {
    /// Its name, and what is special.
    pub design: String,
    /// The design whose loops were traced; none for sizes that no model has.
    pub traced: Option<String>,
    /// Bytes of descriptor of each row of the census, in its order.
    pub bytes: Vec<f64>,
}

/// The cost to one design of all blocks of one use and order.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Cost {
    /// The design.
    pub design: String,
    /// The use of the blocks.
    #[serde(rename = "use")]
    pub of: String,
    /// Each is 2^order frames.
    pub order: u8,
    /// Bytes of descriptor.
    pub bytes: f64,
    /// Lines by operation; an operation that does not meet them, or was not traced, is absent.
    pub lines: BTreeMap<Operation, f64>,
}

/// A design over all memory.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Total {
    /// The design.
    pub design: String,
    /// Bytes of descriptor.
    pub bytes: f64,
    /// The share of all memory.
    pub share: f64,
    /// Lines by operation; empty where its loops were not traced.
    pub lines: BTreeMap<Operation, f64>,
}

/// All that is known of a machine's memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Findings {
    /// By design, and within a design in the order of the census.
    pub costs: Vec<Cost>,
    /// By design.
    pub totals: Vec<Total>,
}

/// A loop whose lines are needed is not in the record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "no traced loop says what {operation} of {design} touches at order {order}; \
     trace the loops: folioscope gate --bless"
)]
pub struct NotTraced {
    design: String,
    operation: &'static str,
    order: u8,
}

impl Findings {
    /// Adds up what every design spends on these blocks.
    ///
    /// # Errors
    /// [`NotTraced`] where a loop is missing.
    pub fn of(
        blocks: &[Blocks<'_>],
        designs: &[DesignBytes],
        traced: &LinesBaseline,
    ) -> Result<Self, NotTraced> {
        let loops = Loops::of(traced);
        let frames: u64 = blocks.iter().map(|blocks| blocks.row.frames()).sum();
        let mut found = Self::default();
        for design in designs {
            let mut total = Total {
                design: design.design.clone(),
                bytes: design.bytes.iter().sum(),
                share: 0.0,
                lines: BTreeMap::new(),
            };
            total.share = total.bytes / (frames as f64 * FRAME_BYTES);
            for (blocks, bytes) in blocks.iter().zip(&design.bytes) {
                let lines = match &design.traced {
                    Some(name) => loops.lines(name, blocks)?,
                    None => BTreeMap::new(),
                };
                for (operation, lines) in &lines {
                    *total.lines.entry(*operation).or_default() += lines;
                }
                found.costs.push(Cost {
                    design: design.design.clone(),
                    of: blocks.row.of.clone(),
                    order: blocks.row.order,
                    bytes: *bytes,
                    lines,
                });
            }
            found.totals.push(total);
        }
        Ok(found)
    }
}

const FRAME_BYTES: f64 = 4096.0;

/// Traced loops by design, workload, its mix if it has one, and order.
struct Loops<'a>(HashMap<(&'a str, &'a str, &'a str, u64), &'a LoopLines>);

impl<'a> Loops<'a> {
    fn of(traced: &'a LinesBaseline) -> Self {
        let entry = |one: &'a LoopLines| {
            let params = &one.of.params;
            let number = |name: &str| match params.get(name) {
                Some(Param::Number(number)) => Some(*number),
                _ => None,
            };
            let word = |name: &str| match params.get(name) {
                Some(Param::Text(word)) => Some(word.as_str()),
                _ => None,
            };
            let (word, order) = match one.of.workload.as_str() {
                WALK => (word("mix")?, number("user-order")?),
                FREE if word("mode")? == "free" => ("", number("order")?),
                RECLAIM => ("", number("order")?),
                _ => return None,
            };
            let of = (
                one.of.design.as_str(),
                one.of.workload.as_str(),
                word,
                order,
            );
            Some((of, one))
        };
        Self(traced.loops.iter().filter_map(entry).collect())
    }

    /// The lines that each operation touches of some blocks.
    fn lines(
        &self,
        design: &str,
        blocks: &Blocks<'_>,
    ) -> Result<BTreeMap<Operation, f64>, NotTraced> {
        let mix = match blocks.met {
            Met::User => "user",
            Met::Fixed => "slab",
            Met::Free | Met::Frames => "free",
        };
        let is_allocated = matches!(blocks.met, Met::User | Met::Fixed);
        // What is nobody's is met frame by frame.
        let order = match blocks.met {
            Met::Frames => 0,
            _ => blocks.row.order.min(MAX_TRACED),
        };
        let units = (blocks.row.frames() >> order) as f64;
        let mut all = BTreeMap::new();
        for operation in Operation::ALL {
            let (workload, mix, frames_of_element) = match operation {
                Operation::Walk => (WALK, mix, 1 << order),
                Operation::Reclaim if blocks.on_lru => (RECLAIM, "", 1),
                Operation::Free if is_allocated => (FREE, "", 1),
                _ => continue,
            };
            let known = self.0.get(&(design, workload, mix, u64::from(order)));
            let one = known.ok_or_else(|| NotTraced {
                design: design.to_owned(),
                operation: operation.words(),
                order,
            })?;
            // An element of the walk is a frame, of the others an allocation.
            let of_unit = f64::from(one.lines) * f64::from(frames_of_element) / one.elements as f64;
            all.insert(operation, units * of_unit);
        }
        Ok(all)
    }
}

const WALK: &str = "iteration/pfn-scan";
const RECLAIM: &str = "iteration/lru-scan";
const FREE: &str = "layout/compose";

/// Frames of a census by use, in its order.
pub fn by_use(census: &Census) -> Vec<(&str, u64)> {
    let mut uses: Vec<(&str, u64)> = Vec::new();
    for row in &census.rows {
        match uses.iter_mut().find(|(of, _)| *of == row.of) {
            Some((_, frames)) => *frames += row.frames(),
            None => uses.push((&row.of, row.frames())),
        }
    }
    uses
}

#[cfg(test)]
#[path = "census_tests.rs"]
mod tests;
