//! Mirrors of the operations that the kernel oracle's module counts inside real kernels
//! (`crates/kernels/module/count_*.c`): the same bodies, the same arguments loaded
//! from memory, the same states, the same names.
//!
//! Every operation is a function `op_*` of its own, never inlined, generic over design and
//! rules. A counter of instructions counts each call of such a function from its first
//! instruction to its return; [`BRACKET`] is what of that the kernel's side subtracts.

#![allow(
    clippy::extra_unused_type_parameters,
    reason = "every operation has a symbol of its own per design and rules, used or not"
)]

mod bio;
mod end_io;
mod fixture;
mod memcg;
mod page;
mod page_api;
mod queue;
mod reclaim;
mod traffic;

use std::fmt;

use flat::Flat;
use folio::FolioForAll;
use mm::{KernelVersion, Linux5_10, Linux6_1, Linux6_12, Linux7_2};

pub use fixture::Unbuilt;
pub use page_api::PageApi;
pub use traffic::traffic;

/// Functions that [`run`] wants counted, as callgrind's patterns name them.
pub const PATTERN: &str = "icount::primitives::*::op_*";

/// Instructions of an operation that does nothing: its return. The kernel's side subtracts
/// the same (and the tracing nop at the entry of its own, as its operations have one).
pub const BRACKET: u64 = 1;

/// Orders that are counted, as on the kernel's side (`count_orders`).
pub const ORDERS: [u8; 6] = [0, 2, 3, 4, 6, 9];

/// The subject of one call of an operation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Label {
    /// Name as on the kernel's side: `bio_for_each_segment`.
    pub primitive: &'static str,
    /// Name of the design.
    pub design: &'static str,
    /// The kernel whose rules apply.
    pub rules: KernelVersion,
    /// Order of the allocation, or what stands for it (see each operation).
    pub order: u8,
    /// The state of the call: `hit`, `miss`; `all` where there is only one.
    pub class: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p, d, r, o, c) = (
            self.primitive,
            self.design,
            self.rules,
            self.order,
            &self.class,
        );
        write!(f, "{p} {d} {r} {o} {c}")
    }
}

/// Receives the label of each call, right after it.
pub type Say<'s> = &'s mut dyn FnMut(Label);

/// Calls every operation once for every design, order and state; `say` gets the label of
/// each call, once, after it.
///
/// # Errors
/// [`Unbuilt`] where a design cannot be built, or an operation answers what it must not.
pub fn run(say: Say<'_>) -> Result<(), Unbuilt> {
    of_design::<Flat, Linux5_10>(say)?;
    of_design::<FolioForAll, Linux6_12>(say)
}

/// The same for the lines of descriptor: also for the kernels whose instructions no model is
/// held to, but whose lines it must touch.
///
/// # Errors
/// As [`run`].
pub fn run_traced(say: Say<'_>) -> Result<(), Unbuilt> {
    run(say)?;
    of_design::<FolioForAll, Linux6_1>(say)?;
    of_design::<FolioForAll, Linux7_2>(say)
}

fn of_design<D: PageApi + mm::Lru, V: mm::KernelRules>(say: Say<'_>) -> Result<(), Unbuilt> {
    bio::run::<D, V>(say)?;
    end_io::run::<D, V>(say)?;
    queue::run::<D, V>(say)?;
    page::run::<D, V>(say)?;
    reclaim::run::<D, V>(say)?;
    memcg::run::<D, V>(say)
}

/// A primitive's count, ready to stand beside the kernel's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// The subject of the count, as [`Label`] prints it.
    pub label: String,
    /// Instructions, [`BRACKET`] subtracted.
    pub instructions: u64,
}

/// Runs `program` with `args` under callgrind; it must call [`run`] and print each label on a line
/// of its own. Returns the cost of each state of each primitive: the most usual states first, each
/// state once, `bio_add_page` without its loop.
///
/// # Errors
/// [`NoCounts`](crate::callgrind::NoCounts).
pub fn counts<S: AsRef<std::ffi::OsStr>>(
    program: &std::path::Path,
    args: &[S],
) -> Result<Vec<Count>, crate::callgrind::NoCounts> {
    let mut counts: Vec<Count> = Vec::new();
    let mut empty_loop = 0;
    for counted in crate::callgrind::count(program, args, &[PATTERN])? {
        let mut count = Count {
            label: counted.label,
            instructions: counted.instructions.saturating_sub(BRACKET),
        };
        if count.label.starts_with(EMPTY_LOOP) {
            empty_loop = count.instructions;
            continue;
        }
        if counts.iter().any(|known| known.label == count.label) {
            continue;
        }
        if let Some(rest) = count.label.strip_prefix("bio_add_page_loop ") {
            let net = Count {
                label: format!("bio_add_page {rest}"),
                instructions: count.instructions - empty_loop,
            };
            counts.push(std::mem::replace(&mut count, net));
        }
        counts.push(count);
    }
    // Stable: states of one primitive stay together, in the order of how usual they are.
    let first = |label: &str| label.rsplit_once(' ').map(|(of, _)| of.to_owned());
    let mut order: Vec<_> = Vec::new();
    for count in &counts {
        let of = first(&count.label);
        if !order.contains(&of) {
            order.push(of);
        }
    }
    counts.sort_by_key(|count| {
        let place = order.iter().position(|of| *of == first(&count.label));
        (place, usual(&count.label))
    });
    Ok(counts)
}

/// The loop of `bio_add_page` around a function that does nothing.
const EMPTY_LOOP: &str = "bio_add_page_empty_loop";

/// How rare a state is.
fn usual(label: &str) -> usize {
    let class = label.rsplit(' ').next().unwrap_or_default();
    let rare = class.matches('+').count();
    // A look at thresholds belongs to every charge of a large page before 6.12.
    let seldom = usize::from(class.starts_with("miss")) + 2 * usize::from(class.contains("+wm"));
    rare + 4 * seldom
}
