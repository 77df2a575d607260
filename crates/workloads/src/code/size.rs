//! `code/size`: bytes of machine code.

use crate::params::{Allowed, Applies, Default, ParamSpec};
use crate::workload::{Quantity, Workload};

/// The workload. Its value is read from the running executable by the registry, which
/// knows the entries.
pub static WORKLOAD: Workload = Workload {
    id: "code/size",
    capability: mm::Capability::Describe,
    asks: "how many bytes of machine code does each design need for the same loop?",
    analysis: "Wilcox's covers count text: folios took 5 to 6 kB out of the kernel, mostly calls \
        of compound_head(). Shutsemau's mask took out another 15. Here it is the code of one \
        loop with all that was inlined into it, for each design, as this very binary has it.",
    favours: "null, then folio and split, which convert once; headpage and flat lose where a page \
        becomes its head",
    unfair: "functions that stand out of line are not counted, and what is inlined is the \
        compiler's choice; identical loops may be folded into one",
    unit: "byte",
    axis: "",
    params: &[ParamSpec {
        name: "of",
        meaning: "the workload whose loops are counted; unset: all of them",
        default: Default::Unset,
        allowed: Allowed::Workload,
        applies: Applies::Always,
    }],
    fixture: None,
    quantity: Quantity::Value {
        quantity: "code-bytes",
        unit: "byte",
        less_is_better: true,
    },
};
