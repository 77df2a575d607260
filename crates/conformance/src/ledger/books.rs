//! The reference: nothing is cached, batched or propagated; every sum is computed from scratch.

use std::collections::BTreeMap;

use mm::KernelVersion;

use super::{FRAMES, MOST_ALLOCS, Step, first_frame};

/// The state that a kernel must come to, step by step.
#[derive(Clone, Debug)]
pub struct Books<'a> {
    groups: &'a [String],
    rules: KernelVersion,
    allocs: Vec<Alloc>,
    /// The first frame that no allocation has.
    next: u64,
    /// The limits that were set, by group.
    limits: BTreeMap<usize, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Alloc {
    /// The group that it was charged to.
    group: usize,
    order: u8,
    file: bool,
    charged: bool,
    /// Pages that its statistic counts; they stay when it is uncharged.
    counted: i64,
    listed: bool,
    refs: u32,
}

impl Alloc {
    const fn pages(self) -> i64 {
        1 << self.order
    }
}

impl<'a> Books<'a> {
    /// Empty books of these groups, given by their paths.
    pub const fn new(groups: &'a [String], rules: KernelVersion) -> Self {
        Self {
            groups,
            rules,
            allocs: Vec::new(),
            next: 0,
            limits: BTreeMap::new(),
        }
    }

    /// Allocations so far.
    pub const fn allocs(&self) -> usize {
        self.allocs.len()
    }

    /// Takes a step. `false`, and nothing changes, if kernel code could not take it here.
    pub fn step(&mut self, step: Step) -> bool {
        let n = match step {
            Step::Charge { group, order, file } => return self.charge(group, order, file),
            Step::Uncharge(n) | Step::Stat(n, _) | Step::List(n) => n,
            Step::Isolate(n) | Step::Get(n) | Step::Put(n) => n,
            Step::Move(n, to) => return self.move_to(n, to),
            Step::Limit(group, pages) => return self.limit(group, pages),
        };
        let Some(alloc) = self.allocs.get_mut(n) else {
            return false;
        };
        match step {
            // A list's sizes are its group's: what is on one comes off it first.
            Step::Uncharge(_) if alloc.listed => return false,
            Step::Uncharge(_) => alloc.charged = false,
            Step::Stat(_, pages) => {
                let counted = alloc.counted.saturating_add(pages);
                if !alloc.charged || !(0..=alloc.pages()).contains(&counted) {
                    return false;
                }
                alloc.counted = counted;
            }
            Step::List(_) if alloc.listed || !alloc.charged => return false,
            Step::List(_) => alloc.listed = true,
            Step::Isolate(_) => alloc.listed = false,
            Step::Get(_) => alloc.refs += 1,
            Step::Put(_) if alloc.refs == 1 => return false,
            Step::Put(_) => alloc.refs -= 1,
            Step::Charge { .. } | Step::Move(..) | Step::Limit(..) => return false,
        }
        true
    }

    /// Whole allocations only, off their lists; where the group has no room, nothing is moved.
    fn move_to(&mut self, n: usize, to: usize) -> bool {
        let Some(&alloc) = self.allocs.get(n) else {
            return false;
        };
        let whole = alloc.charged && !alloc.listed && alloc.counted == alloc.pages();
        // Both groups have the charge for a moment, and so have those above both.
        if !whole || to >= self.groups.len() || to == alloc.group || !self.has_room(to, alloc) {
            return false;
        }
        self.allocs[n].group = to;
        true
    }

    fn limit(&mut self, group: usize, pages: u64) -> bool {
        if group >= self.groups.len() || self.usage(group) > pages as i64 {
            return false;
        }
        self.limits.insert(group, pages);
        true
    }

    /// Pages charged to a group and to those below it.
    fn usage(&self, group: usize) -> i64 {
        let below = self
            .allocs
            .iter()
            .filter(|a| a.charged && self.is_within(a.group, group));
        below.map(|a| a.pages()).sum()
    }

    /// Whether no limit of a group, or of one above it, is in the way of a charge.
    fn has_room(&self, group: usize, alloc: Alloc) -> bool {
        self.limits.iter().all(|(&of, &most)| {
            !self.is_within(group, of) || self.usage(of) + alloc.pages() <= most as i64
        })
    }

    fn charge(&mut self, group: usize, order: u8, file: bool) -> bool {
        // Before 5.11 a charge counts a compound page as one page where THPs are not built in.
        let most = if self.rules < KernelVersion::V6_1 {
            0
        } else {
            9
        };
        if group >= self.groups.len() || order > most || self.allocs.len() == MOST_ALLOCS {
            return false;
        }
        let end = first_frame(self.next, order) + (1 << order);
        if end > FRAMES {
            return false;
        }
        self.next = end;
        let alloc = Alloc {
            group,
            order,
            file,
            charged: true,
            counted: 0,
            listed: false,
            refs: 1,
        };
        let charged = self.has_room(group, alloc);
        self.allocs.push(Alloc { charged, ..alloc });
        true
    }

    /// The answer, in the lines of `ledger.c`: a line a group, then a line an allocation.
    pub fn lines(&self) -> Vec<String> {
        let groups = (0..self.groups.len()).map(|group| {
            let within = |of: &&Alloc| self.is_within(of.group, group);
            let all = || self.allocs.iter().filter(within);
            let usage: i64 = all().filter(|a| a.charged).map(|a| a.pages()).sum();
            let stat = |file| -> i64 {
                let of_kind = all().filter(|a| a.file == file);
                of_kind.map(|a| a.counted).sum()
            };
            let list = |file| -> i64 {
                let own = self.allocs.iter().filter(|a| a.group == group);
                let listed = own.filter(|a| a.listed && a.file == file);
                listed.map(|a| a.pages()).sum()
            };
            format!(
                "g {usage} {} {} {} {}",
                stat(false),
                stat(true),
                list(false),
                list(true)
            )
        });
        let allocs = self.allocs.iter().map(|a| {
            let owner = if a.charged {
                a.group.to_string()
            } else {
                "-".to_owned()
            };
            format!("a {owner} {} {}", a.refs, u8::from(a.listed))
        });
        groups.chain(allocs).collect()
    }

    /// Whether a group is another one or below it.
    fn is_within(&self, group: usize, of: usize) -> bool {
        let rest = self.groups[group].strip_prefix(self.groups[of].as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
