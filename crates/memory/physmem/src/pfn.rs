//! The words every other crate uses for physical memory.

use std::fmt;

/// Bytes in a base page as a shift (x86-64).
pub const PAGE_SHIFT: u32 = 12;
/// Bytes in a base page (x86-64).
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;
/// The largest order that is modelled: a 1 GiB hugetlb page.
pub const MAX_ORDER: u8 = 18;

/// A physical address in bytes (`phys_addr_t`).
pub type PhysAddr = u64;

/// A page frame number: a physical address in units of [`PAGE_SIZE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Pfn(pub u64);

impl Pfn {
    /// The address of the frame's first byte (`PFN_PHYS`).
    #[inline]
    pub const fn phys(self) -> PhysAddr {
        self.0 << PAGE_SHIFT
    }

    /// The frame that holds an address (`PHYS_PFN`).
    #[inline]
    pub const fn of_phys(addr: PhysAddr) -> Self {
        Self(addr >> PAGE_SHIFT)
    }
}

impl std::ops::Add<u64> for Pfn {
    type Output = Self;
    #[inline]
    fn add(self, pages: u64) -> Self {
        Self(self.0 + pages)
    }
}

impl std::ops::Sub for Pfn {
    /// The distance in pages.
    type Output = u64;
    #[inline]
    fn sub(self, other: Self) -> u64 {
        self.0 - other.0
    }
}

impl fmt::Display for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The size of an allocation as a power of two of base pages; at most [`MAX_ORDER`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Order(u8);

/// An order above [`MAX_ORDER`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderError(pub u64);

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "order {} is above the largest, {MAX_ORDER} (1 GiB)",
            self.0
        )
    }
}

impl std::error::Error for OrderError {}

impl Order {
    /// A base page.
    pub const BASE: Self = Self(0);
    /// A 2 MiB page (`HPAGE_PMD_ORDER`).
    pub const PMD: Self = Self(9);
    /// A 1 GiB page.
    pub const PUD: Self = Self(18);

    /// An order known at compile time; panics (in a const context: fails to build) above
    /// [`MAX_ORDER`].
    pub const fn new(order: u8) -> Self {
        assert!(order <= MAX_ORDER);
        Self(order)
    }

    /// The exponent.
    #[inline]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Base pages in an allocation of this order.
    #[inline]
    pub const fn pages(self) -> u64 {
        1 << self.0
    }

    /// Bytes in an allocation of this order.
    #[inline]
    pub const fn bytes(self) -> u64 {
        PAGE_SIZE << self.0
    }
}

impl TryFrom<u64> for Order {
    type Error = OrderError;
    fn try_from(order: u64) -> Result<Self, OrderError> {
        match u8::try_from(order) {
            Ok(o) if o <= MAX_ORDER => Ok(Self(o)),
            _ => Err(OrderError(order)),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The use of an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Free memory in the buddy allocator.
    Free = 0,
    /// Anonymous user memory.
    Anon = 1,
    /// Page cache.
    File = 2,
    /// A slab of kernel objects.
    Slab = 3,
    /// A page table.
    PageTable = 4,
    /// A kernel stack.
    KernelStack = 5,
    /// A pipe buffer.
    PipeBuffer = 6,
    /// A zsmalloc page.
    Zsmalloc = 7,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::Free,
        Self::Anon,
        Self::File,
        Self::Slab,
        Self::PageTable,
        Self::KernelStack,
        Self::PipeBuffer,
        Self::Zsmalloc,
    ];

    /// The kind as it is spelled in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Anon => "anon",
            Self::File => "file",
            Self::Slab => "slab",
            Self::PageTable => "page-table",
            Self::KernelStack => "kernel-stack",
            Self::PipeBuffer => "pipe-buffer",
            Self::Zsmalloc => "zsmalloc",
        }
    }

    /// The kind with this number, the inverse of `as u8`; numbers beyond the last are
    /// [`Kind::Free`].
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        match bits {
            1 => Self::Anon,
            2 => Self::File,
            3 => Self::Slab,
            4 => Self::PageTable,
            5 => Self::KernelStack,
            6 => Self::PipeBuffer,
            7 => Self::Zsmalloc,
            _ => Self::Free,
        }
    }

    /// Whether memory of this kind sits on an LRU list and can be mapped to user space.
    #[inline]
    pub const fn is_lru(self) -> bool {
        matches!(self, Self::Anon | Self::File)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|k| k.name() == s)
            .ok_or_else(|| format!("unknown kind `{s}`"))
    }
}

/// One allocation: 2^order frames from a naturally aligned head frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Extent {
    /// The first frame, a multiple of `order.pages()`.
    pub head: Pfn,
    /// The size.
    pub order: Order,
}

impl Extent {
    /// An allocation of `order` at `head`.
    ///
    /// Panics unless `head` is aligned to the order, as the buddy allocator guarantees.
    pub const fn new(head: Pfn, order: Order) -> Self {
        assert!(
            head.0 & (order.pages() - 1) == 0,
            "an allocation is naturally aligned"
        );
        Self { head, order }
    }

    /// The first frame past the allocation.
    #[inline]
    pub const fn end(self) -> Pfn {
        Pfn(self.head.0 + self.order.pages())
    }

    /// Whether a frame belongs to the allocation.
    #[inline]
    pub const fn contains(self, pfn: Pfn) -> bool {
        self.head.0 <= pfn.0 && pfn.0 < self.end().0
    }
}
