//! The effect of a patch in counts: a loop in a patched kernel beside the same loop in the kernel
//! that it was.

use results::look::{is_kernel_of, stock_of};
use results::{LoopCount, Params, SteppedLoop, SteppedRecord};
use serde::Serialize;

use crate::time_fidelity::Refereed;

/// A share of the stock kernel's instructions below which a difference is none.
const SAME: f64 = 0.005;
/// Lines of a call below which a difference is none: where in a line a stack or an object begins
/// is the linker's and the boot's matter.
const PLACES: u64 = 4;

/// A loop in both kernels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stepped<'a> {
    /// In the kernel without the patch.
    pub stock: &'a SteppedLoop,
    /// In the kernel with it.
    pub patched: &'a SteppedLoop,
}

impl Stepped<'_> {
    /// Instructions an element, patched over stock.
    #[must_use]
    pub fn instructions(&self) -> f64 {
        self.patched.instructions_each() / self.stock.instructions_each()
    }

    /// Lines of `struct page` an element that the patched kernel touches beyond those that the
    /// stock one does; negative if it touches fewer.
    #[must_use]
    pub fn page_lines(&self) -> f64 {
        let each = |one: &SteppedLoop| one.descriptor_lines as f64 / one.elements as f64;
        each(self.patched) - each(self.stock)
    }

    /// The same of all other lines; 0 where so few are what chance places.
    #[must_use]
    pub fn other_lines(&self) -> f64 {
        let others = |one: &SteppedLoop| one.lines - one.descriptor_lines;
        let each = |one: &SteppedLoop| others(one) as f64 / one.elements as f64;
        match others(self.patched).abs_diff(others(self.stock)) {
            0..PLACES => 0.0,
            _ => each(self.patched) - each(self.stock),
        }
    }

    /// Whether instructions differ by more than half a percent, or lines at all.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        (self.instructions() - 1.0).abs() > SAME
            || self.page_lines() != 0.0
            || self.other_lines() != 0.0
    }
}

/// Every loop of a record that was counted in a patched kernel and in its stock.
#[must_use]
pub fn stepped(record: &SteppedRecord) -> Vec<Stepped<'_>> {
    let stock = |one: &SteppedLoop| {
        let name = stock_of(&one.kernel);
        let key = (name, one.workload.as_str(), &one.params);
        let mut all = record.loops.iter();
        all.find(|other| name != one.kernel && other.key() == key)
    };
    let pairs = record.loops.iter().filter_map(|patched| {
        Some(Stepped {
            stock: stock(patched)?,
            patched,
        })
    });
    pairs.collect()
}

/// The change that a patch makes in the kernel, beside the difference between the two models.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CountPair {
    /// The workload.
    pub workload: String,
    /// Its parameters.
    pub params: Params,
    /// The models: of the patched kernel and of its stock.
    pub designs: [String; 2],
    /// The kernels, the patched one first.
    pub kernels: [String; 2],
    /// Instructions of the first model over those of the second.
    pub model: f64,
    /// Instructions of the patched kernel over those of its stock.
    pub real: f64,
}

impl CountPair {
    /// How far the two ratios are apart: the greater over the lesser.
    #[must_use]
    pub fn apart(&self) -> f64 {
        let apart = self.model / self.real;
        apart.max(apart.recip())
    }
}

/// The loops of patched kernels that models stand beside, which were counted when the gate was
/// last blessed.
#[must_use]
pub fn count_pairs(
    found: &[Stepped<'_>],
    models: &[LoopCount],
    refereed: &[Refereed<'_>],
) -> Vec<CountPair> {
    let design = |kernel: &str| {
        let mut all = refereed.iter();
        all.find(|of| of.kernel == kernel && of.asked.is_none())
            .map(|of| of.design)
    };
    let pairs = found.iter().filter_map(|two| {
        let kernels = [two.patched.kernel.as_str(), two.stock.kernel.as_str()];
        let designs = [design(kernels[0])?, design(kernels[1])?];
        let count = |at: usize| {
            let of_model = |one: &&LoopCount| {
                let of = &one.of;
                (of.design.as_str(), of.workload.as_str()) == (designs[at], &two.stock.workload)
                    && of.params == two.stock.params
            };
            let mut own = models.iter().filter(of_model);
            // Under the rules of its kernel, where it is counted under those.
            let ruled = |one: &&LoopCount| is_kernel_of(kernels[at], &one.of.rules);
            let ruled = own.clone().find(ruled).or_else(|| own.next());
            ruled.map(|one| one.instructions as f64)
        };
        Some(CountPair {
            workload: two.stock.workload.clone(),
            params: two.stock.params.clone(),
            designs: designs.map(str::to_owned),
            kernels: kernels.map(str::to_owned),
            model: count(0)? / count(1)?,
            real: two.instructions(),
        })
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(kernel: &str, order: u64, elements: u64, instructions: u64, lines: u64) -> SteppedLoop {
        SteppedLoop {
            kernel: kernel.to_owned(),
            workload: "merging/add".to_owned(),
            params: [("order".to_owned(), order.into())].into(),
            unit: "page".to_owned(),
            elements,
            instructions,
            lines,
            ..SteppedLoop::default()
        }
    }

    #[test]
    fn a_patch_is_held_to_the_kernel_that_it_changes_in_the_same_loop() {
        let record = SteppedRecord {
            kernels: BTreeMap::new(),
            loops: vec![
                of("linux-6.12", 9, 10, 1000, 20),
                of("linux-6.12", 0, 10, 1000, 20),
                of("linux-6.12+headpage", 9, 20, 2200, 60),
                of("linux-6.12+headpage", 0, 10, 1004, 20),
                // Without a stock kernel, or without its loop.
                of("linux-7.2+headpage", 9, 10, 1, 1),
                of("linux-6.12+headpage", 2, 10, 1000, 20),
            ],
        };
        let found = stepped(&record);
        assert_eq!(found.len(), 2);
        // An element is what is compared, not a call.
        assert!((found[0].instructions() - 1.1).abs() < 1e-9);
        assert!((found[0].other_lines() - 1.0).abs() < 1e-9);
        assert!(found[0].is_moved());
        assert!(!found[1].is_moved());
    }

    #[test]
    fn models_are_counted_under_the_rules_of_their_kernels() {
        let model = |design: &str, rules: &str, instructions| LoopCount {
            of: format!("merging/add {design} {rules} order=9")
                .parse()
                .unwrap(),
            instructions,
            limit: None,
            functions: BTreeMap::new(),
        };
        let models = [
            model("flat", "6.12", 1),
            model("flat", "5.10", 100),
            model("flat-sp", "5.0", 150),
        ];
        let (stock, patched) = (
            of("linux-5.10", 9, 10, 1000, 20),
            of("linux-5.10+single-page", 9, 10, 2000, 20),
        );
        let two = Stepped {
            stock: &stock,
            patched: &patched,
        };
        let refereed = [
            Refereed::new("flat", "linux-5.10"),
            Refereed::new("flat-sp", "linux-5.10+single-page"),
        ];
        let pairs = count_pairs(&[two], &models, &refereed);
        assert_eq!((pairs[0].model, pairs[0].real), (1.5, 2.0));
        assert!((pairs[0].apart() - 4.0 / 3.0).abs() < 1e-9);
        // No model, no pair.
        assert!(count_pairs(&[two], &models, &refereed[..1]).is_empty());
        assert!(count_pairs(&[two], &[], &refereed).is_empty());
    }

    #[test]
    fn a_line_of_descriptor_is_a_difference_and_a_few_others_are_none() {
        let moved = |descriptors, lines| {
            let stock = of("linux-6.12", 9, 1, 1000, 20);
            let patched = SteppedLoop {
                descriptor_lines: descriptors,
                ..of("linux-6.12+headpage", 9, 1, 1000, lines)
            };
            let two = Stepped {
                stock: &stock,
                patched: &patched,
            };
            (two.is_moved(), two.page_lines(), two.other_lines())
        };
        assert_eq!(moved(0, 23), (false, 0.0, 0.0));
        assert_eq!(moved(0, 16), (true, 0.0, -4.0));
        assert_eq!(moved(1, 21), (true, 1.0, 0.0));
    }
}
