//! Random cases for laws: how many, over which frames, and shrunk when one fails.

use hugemem::Backing;
use mm::{BlockIo, KernelVersion, Plan};
use physmem::{PAGE_SIZE, Pfn};

use crate::case::{By, Case, WINDOW_PAGES, generate_one, shrink};
use crate::under::runs_under;

/// Cases per law unless `FOLIOSCOPE_CASES` asks for another number.
const DEFAULT_CASES: usize = 1000;
/// The seed of every law's cases: a run today and a run tomorrow see the same ones.
pub(super) const SEED: u64 = 0x0051_ab5e;
/// The first frame of the memory that laws work on.
pub(super) const BASE: Pfn = Pfn(2 * WINDOW_PAGES);

/// Cases that each law is tried on: `FOLIOSCOPE_CASES`, or 1000. Laws of threads that work at
/// once run their rounds in the same measure, but never more than on 1000 cases.
///
/// # Panics
/// If the variable is not a number above 0: a law tried on nothing would hold.
pub fn cases_per_law() -> usize {
    match std::env::var("FOLIOSCOPE_CASES") {
        Err(_) => DEFAULT_CASES,
        Ok(number) => match number.trim().parse() {
            Ok(cases) if cases > 0 => cases,
            _ => panic!("FOLIOSCOPE_CASES is `{number}`, not a number of cases above 0"),
        },
    }
}

/// The share of its rounds that a law of threads at once runs: all of `full` on the default
/// number of cases, fewer where [`cases_per_law`] is less, and never none.
pub(super) fn rounds(full: usize) -> usize {
    full.saturating_mul(cases_per_law().min(DEFAULT_CASES))
        .div_ceil(DEFAULT_CASES)
}

/// A design over the frames that [`for_each_case`] uses, all of them free.
pub(super) fn fresh<D: BlockIo>() -> D {
    // One frame more, so that the unit after the last one is a free frame.
    let plan = Plan {
        base: BASE,
        frames: WINDOW_PAGES + 1,
        backing: Backing::Base,
        seed: 1,
    };
    D::build(&plan).unwrap_or_else(|error| panic!("{}: {error}", D::NAME))
}

/// The kernels whose rules a design is run under.
pub(super) fn versions<D: BlockIo>() -> Vec<KernelVersion> {
    KernelVersion::ALL
        .into_iter()
        .filter(|&version| runs_under::<D>(version))
        .collect()
}

/// Makes the case of a seed and a number under a kernel's rules.
type MakeCase = fn(u64, u64, KernelVersion) -> Case;

/// Tries a law on random cases of every kernel whose rules the design is run under: at
/// least [`cases_per_law`] in all.
///
/// # Panics
/// Where the law does not hold, with a small case that shows it.
pub(super) fn for_each_case<D: BlockIo>(law: &dyn Fn(&D, &Case) -> Result<(), String>) {
    for_each_case_of::<D>(generate_one, 0, law);
}

/// The same with cases made by `make`, at least `per_version` of each kernel.
pub(super) fn for_each_case_of<D: BlockIo>(
    make: MakeCase,
    per_version: usize,
    law: &dyn Fn(&D, &Case) -> Result<(), String>,
) {
    let design = fresh::<D>();
    let law = |case: &Case| law(&design, case);
    if let Err(what) = try_cases(make, &versions::<D>(), per_version, D::NAMES_UNITS, &law) {
        panic!("{} {what}", D::NAME);
    }
}

/// The same for any law, its design erased: what makes and shrinks cases is compiled once,
/// not once for every law of every design.
fn try_cases(
    make: MakeCase,
    versions: &[KernelVersion],
    per_version: usize,
    units: bool,
    law: &dyn Fn(&Case) -> Result<(), String>,
) -> Result<(), String> {
    let each = per_version.max(cases_per_law().div_ceil(versions.len()));
    for &version in versions {
        for index in 0..each as u64 {
            let mut case = make(SEED, index, version);
            put_in_window(&mut case);
            if units && version == KernelVersion::V6_1 {
                // 6.1 has both kinds of vec, and its rules tell them apart: a design that
                // names units is asked what the kernel does with vecs that name folios.
                for add in &mut case.adds {
                    add.by = By::Folio;
                }
            }
            if let Err(what) = caught(law, &case) {
                let (case, what) = make_small(case, what, law);
                let line = serde_json::to_string(&case).expect("a case is plain data");
                return Err(format!("under {version} rules: {what}\n{line}"));
            }
        }
    }
    Ok(())
}

/// The verdict of a law, its panics included: a design's own assertions are findings too.
fn caught(law: &dyn Fn(&Case) -> Result<(), String>, case: &Case) -> Result<(), String> {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(case)));
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("without a message")))
    })
}

/// Moves a generated case to the design's frames. Its own window is aligned as these are.
fn put_in_window(case: &mut Case) {
    for add in &mut case.adds {
        add.pfn = add.pfn % (2 * WINDOW_PAGES) + BASE.0;
    }
}

/// Shrinks a failing case for as long as it fails. A case whose adds all name folios keeps
/// doing so: a design that names units is asked nothing else.
fn make_small(
    mut case: Case,
    mut what: String,
    law: &dyn Fn(&Case) -> Result<(), String>,
) -> (Case, String) {
    let by_folio = |case: &Case| case.adds.iter().all(|add| add.by == By::Folio);
    let only_folios = by_folio(&case);
    let fails = |smaller: Case| {
        if smaller.check().is_err() || by_folio(&smaller) != only_folios {
            return None;
        }
        caught(law, &smaller).err().map(|what| (smaller, what))
    };
    while let Some(smaller) = shrink::reductions(&case).into_iter().find_map(fails) {
        (case, what) = smaller;
    }
    (case, what)
}

/// Runs of physical memory, neighbours joined: what bytes a list covers, however it is cut.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<(u64, u64)>);

impl Runs {
    pub fn push(&mut self, phys: u64, len: u64) {
        match self.0.last_mut() {
            Some(last) if last.0 + last.1 == phys => last.1 += len,
            _ => self.0.push((phys, len)),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|run| run.1).sum()
    }

    /// The address after the last run.
    pub fn end(&self) -> Option<u64> {
        self.0.last().map(|(phys, len)| phys + len)
    }
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a run stays inside one page.
pub(super) fn in_one_page(phys: u64, len: u32) -> bool {
    phys / PAGE_SIZE == (phys + u64::from(len) - 1) / PAGE_SIZE
}
