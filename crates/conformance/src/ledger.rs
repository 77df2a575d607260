//! Accounting and lists as cases: sequences of charges, uncharges, statistics, lists and
//! references, in a design, in a native kernel (the crate `oracle`) and in plain sums. A case is
//! a line of a case file as well: hierarchy in, counters out.
//!
//! These laws hold in every kernel (v5.10 to v7.2, mm/memcontrol.c and mm/swap.c): a group's
//! usage and statistics are its own and those of all groups below it; a list belongs to one
//! group; uncharging gives the pages back to every group above, once; a statistic stays with
//! the group that it was counted to; a reference belongs to the allocation and to no group.

mod books;
mod evaluate;

use mm::KernelVersion;
use serde::{Deserialize, Serialize};

pub use books::Books;
pub use evaluate::evaluate;

/// The maximum number of allocations in one case, as in `ledger.c`.
pub const MOST_ALLOCS: usize = 64;
/// The maximum number of groups in one case, as in `ledger.c`.
pub const MOST_GROUPS: usize = 16;
/// The rules of a line of a case file: no answer differs from kernel to kernel, but 5.10 charges
/// base pages only.
pub const FILE_RULES: KernelVersion = KernelVersion::V6_12;
/// Frames that the allocations of one case may take.
const FRAMES: u64 = 1 << 15;

/// A tree of groups, and what happens to allocations in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerCase {
    /// The case's name, which says where it comes from.
    pub name: String,
    /// Each group by its path, as `/0/1`: a group below `/0`, which need not be in the case.
    pub groups: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step. Allocations are numbered in the order of their charges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// An allocation is made and charged (`mem_cgroup_charge`).
    Charge {
        /// The group by its place in the case.
        group: usize,
        /// Its order, 0 to 9.
        order: u8,
        /// File data if set; anonymous memory otherwise.
        file: bool,
    },
    /// `mem_cgroup_uncharge`; nothing happens to one that is not charged.
    Uncharge(usize),
    /// `NR_FILE_PAGES` or `NR_ANON_MAPPED` of its group changes by this many pages.
    Stat(usize, i64),
    /// It goes on its inactive list (`folio_add_lru`).
    List(usize),
    /// It comes off its list (`folio_isolate_lru`); nothing happens to one that is on none.
    Isolate(usize),
    /// A reference is taken (`get_page`).
    Get(usize),
    /// A reference is dropped (`put_page`), not the last one.
    Put(usize),
    /// Its charge and its statistic, all of its pages, move to this group
    /// (`mem_cgroup_move_account`, until v6.13). Kernels are not asked it: a cgroup of version 1
    /// does it, by the page tables of a task.
    Move(usize, usize),
    /// This group may have so many pages from now on, not fewer than it has (`memory.max`). A
    /// charge beyond it is refused, and its allocation belongs to nobody. Kernels are not asked it
    /// either.
    Limit(usize, u64),
}

impl LedgerCase {
    /// Whether a kernel of these rules may be asked this case: every step is one that kernel code
    /// could take. Asked anything else, a kernel may answer anything, or stop.
    pub fn is_askable(&self, rules: KernelVersion) -> bool {
        let groups = self.groups.len() <= MOST_GROUPS && self.groups.iter().all(|g| is_path(g));
        let different = (1..self.groups.len()).all(|n| !self.groups[..n].contains(&self.groups[n]));
        let mut books = Books::new(&self.groups, rules);
        groups && different && self.steps.iter().all(|&step| books.step(step))
    }

    /// Returns the answer expected of a kernel, in the lines of `ledger.c`.
    pub fn expected(&self, rules: KernelVersion) -> Vec<String> {
        let mut books = Books::new(&self.groups, rules);
        for &step in &self.steps {
            books.step(step);
        }
        books.lines()
    }

    /// The first step that kernel code could not take, or what else is wrong with the case.
    ///
    /// # Errors
    /// The reason, where [`Self::is_askable`] is false.
    pub fn check(&self, rules: KernelVersion) -> Result<(), String> {
        if let Some(group) = self.groups.iter().find(|group| !is_path(group)) {
            return Err(format!(
                "`{group}` is not a path like /0/1 of 1 to 8 levels"
            ));
        }
        let mut books = Books::new(&self.groups, rules);
        match self.steps.iter().position(|&step| !books.step(step)) {
            Some(at) => Err(format!(
                "steps[{at}]: {:?} cannot be taken here",
                self.steps[at]
            )),
            None if !self.is_askable(rules) => {
                Err(format!("groups: {MOST_GROUPS} different ones at most"))
            }
            None => Ok(()),
        }
    }

    /// The case as `ledger.c` reads it, its number instead of its name.
    pub fn write(&self, number: usize) -> String {
        let mut text = format!("c {number}\n");
        for group in &self.groups {
            text += &format!("g {group}\n");
        }
        let mut next = 0;
        for step in &self.steps {
            text += &match *step {
                Step::Charge { group, order, file } => {
                    let index = first_frame(next, order);
                    next = index + (1 << order);
                    format!(
                        "a {group} {index} {order} {}\n",
                        if file { 'f' } else { 'a' }
                    )
                }
                Step::Uncharge(n) => format!("u {n}\n"),
                Step::Stat(n, pages) => format!("s {n} {pages}\n"),
                Step::List(n) => format!("l {n}\n"),
                Step::Isolate(n) => format!("i {n}\n"),
                Step::Get(n) => format!("r {n}\n"),
                Step::Put(n) => format!("d {n}\n"),
                Step::Move(n, group) => format!("m {n} {group}\n"),
                Step::Limit(group, pages) => format!("x {group} {pages}\n"),
            };
        }
        text + ".\n"
    }
}

/// The first frame from `next` on at which an allocation of that order may lie.
fn first_frame(next: u64, order: u8) -> u64 {
    next.next_multiple_of(1 << order)
}

/// `/0/2`: one digit a level, 1 to 8 levels.
fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let level = |pair: &[u8]| pair.len() == 2 && pair[0] == b'/' && pair[1].is_ascii_digit();
    (2..=16).contains(&bytes.len()) && bytes.chunks(2).all(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The case that native kernels are asked in `native`'s own tests, and their answer.
    fn known() -> (LedgerCase, &'static str, [&'static str; 7]) {
        let charge = |group, file| Step::Charge {
            group,
            order: 0,
            file,
        };
        let case = LedgerCase {
            name: "known".into(),
            groups: ["/0", "/0/0", "/0/1"].map(str::to_owned).to_vec(),
            steps: [
                &[
                    charge(1, false),
                    charge(2, true),
                    charge(2, true),
                    charge(0, false),
                ][..],
                &[
                    Step::Stat(0, 1),
                    Step::Stat(1, 1),
                    Step::Stat(2, 1),
                    Step::Stat(2, -1),
                ],
                &[
                    Step::List(0),
                    Step::List(1),
                    Step::List(2),
                    Step::Isolate(2),
                ],
                &[Step::Get(0), Step::Get(0), Step::Put(0), Step::Uncharge(3)],
            ]
            .concat(),
        };
        let text = "c 5\ng /0\ng /0/0\ng /0/1\na 1 0 0 a\na 2 1 0 f\na 2 2 0 f\na 0 3 0 a\n\
            s 0 1\ns 1 1\ns 2 1\ns 2 -1\nl 0\nl 1\nl 2\ni 2\nr 0\nr 0\nd 0\nu 3\n.\n";
        let lines = [
            "g 3 1 1 0 0",
            "g 1 1 0 1 0",
            "g 2 0 1 0 1",
            "a 1 2 1",
            "a 2 1 1",
            "a 2 1 0",
            "a - 1 0",
        ];
        (case, text, lines)
    }

    #[test]
    fn a_case_is_written_and_summed_as_kernels_answered_it() {
        let (case, text, lines) = known();
        assert!(case.is_askable(KernelVersion::V5_10));
        assert_eq!(case.write(5), text);
        assert_eq!(case.expected(KernelVersion::V5_10), lines);
        let json = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<LedgerCase>(&json).unwrap(), case);
    }

    #[test]
    fn what_no_kernel_code_does_is_not_asked() {
        let refused = |change: fn(&mut LedgerCase)| {
            let (mut case, ..) = known();
            change(&mut case);
            !case.is_askable(KernelVersion::V5_10)
        };
        assert!(!refused(|_| ()));
        assert!(refused(|case| case.steps.push(Step::List(0))), "twice");
        assert!(
            refused(|case| case.steps.push(Step::List(3))),
            "of no group"
        );
        assert!(refused(|case| case.steps.push(Step::Uncharge(0))), "listed");
        assert!(
            refused(|case| case.steps.push(Step::Put(1))),
            "the last one"
        );
        assert!(refused(|case| case.steps.push(Step::Get(4))), "no such one");
        assert!(
            refused(|case| case.steps.push(Step::Stat(0, 1))),
            "too many"
        );
        assert!(refused(|case| case.groups[1] = "/0".into()), "one twice");
        assert!(refused(|case| case.groups[1] = "0/0".into()), "no path");
        let large = Step::Charge {
            group: 0,
            order: 1,
            file: true,
        };
        let (mut case, ..) = known();
        case.steps.push(large);
        assert!(!case.is_askable(KernelVersion::V5_10), "charges base pages");
        assert!(case.is_askable(KernelVersion::V6_1));
    }
}
